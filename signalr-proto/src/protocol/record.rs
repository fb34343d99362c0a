//! Splitting the byte stream into records.
//!
//! A record is JSON text in UTF-8 and ends with the byte 0x1E (HubProtocol.md, JSON Encoding). The boundaries of WebSocket messages mean
//! nothing: a record may span any number of them, a message may hold any number of records.

/// The byte that ends a record.
pub const RECORD_SEPARATOR: u8 = 0x1E;

/// Keeps the tail of a record between messages, up to a limit.
#[derive(Debug)]
pub(crate) struct RecordBuffer {
    tail: Vec<u8>,
    max_record_bytes: usize,
    /// Nothing is split any more until the next reset.
    is_shut: bool,
}

/// A record was longer than allowed. Nothing beyond the limit was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordTooLong;

/// The next step through a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Split {
    /// A record lies whole in the message: so many bytes, its separator not counted.
    Whole(usize),
    /// A record that began in an earlier message ended here; so many bytes of this message were its end, separator included.
    Joined(Vec<u8>, usize),
    /// The message is used up; what is left of it was kept.
    Partial,
}

impl RecordBuffer {
    pub(crate) fn new(max_record_bytes: usize) -> Self {
        Self { tail: Vec::new(), max_record_bytes, is_shut: false }
    }

    /// Forgets what is left of the last connection.
    pub(crate) fn reset(&mut self, max_record_bytes: usize) {
        *self = Self::new(max_record_bytes);
    }

    /// Drops whatever else comes.
    pub(crate) fn shut(&mut self) {
        self.tail = Vec::new();
        self.is_shut = true;
    }

    pub(crate) fn set_limit(&mut self, max_record_bytes: usize) {
        self.max_record_bytes = max_record_bytes;
    }

    /// Looks for the end of the next record in what is left of a message. Every byte is looked at once, however a record is cut.
    #[inline]
    pub(crate) fn split(&mut self, rest: &[u8]) -> Result<Split, RecordTooLong> {
        if self.is_shut {
            return Ok(Split::Partial);
        }
        let end = memchr::memchr(RECORD_SEPARATOR, rest);
        let room = self.max_record_bytes.saturating_sub(self.tail.len());
        if end.unwrap_or(rest.len()) > room {
            self.tail = Vec::new();
            return Err(RecordTooLong);
        }
        match end {
            Some(end) if self.tail.is_empty() => Ok(Split::Whole(end)),
            Some(end) => {
                let mut record = std::mem::take(&mut self.tail);
                record.extend_from_slice(rest.get(..end).unwrap_or_default());
                Ok(Split::Joined(record, end + 1))
            }
            None => {
                self.tail.extend_from_slice(rest);
                Ok(Split::Partial)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(limit: usize, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, RecordTooLong> {
        let mut buffer = RecordBuffer::new(limit);
        let mut records = Vec::new();
        for message in messages {
            let mut rest = *message;
            while !rest.is_empty() {
                match buffer.split(rest)? {
                    Split::Whole(end) => {
                        records.push(rest[..end].to_vec());
                        rest = &rest[end + 1..];
                    }
                    Split::Joined(record, used) => {
                        records.push(record);
                        rest = &rest[used..];
                    }
                    Split::Partial => rest = &[],
                }
            }
        }
        Ok(records)
    }

    #[test]
    fn records_survive_any_cut() {
        let bytes = b"{\"a\":1}\x1e\x1e{}\x1e{\"long\":\"one\"}\x1e";
        let whole = records(64, &[bytes]).unwrap();
        assert_eq!(whole.len(), 4);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let cut = records(64, &[&bytes[..first], &bytes[first..second], &bytes[second..]]).unwrap();
                assert_eq!(cut, whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn the_limit_holds_whole_split_and_without_an_end() {
        assert!(records(3, &[b"abc\x1e"]).is_ok());
        assert_eq!(records(3, &[b"abcd\x1e"]), Err(RecordTooLong));
        assert_eq!(records(3, &[b"ab", b"cd\x1e"]), Err(RecordTooLong));
        assert_eq!(records(3, &[b"ab", b"cd"]), Err(RecordTooLong));
        assert!(records(3, &[b"ab", b"c\x1eabc\x1e"]).is_ok());
    }

    #[test]
    fn nothing_beyond_the_limit_is_kept() {
        let mut buffer = RecordBuffer::new(10);
        assert_eq!(buffer.split(&[b'x'; 8]), Ok(Split::Partial));
        assert_eq!(buffer.split(&[b'x'; 1 << 20]), Err(RecordTooLong));
        assert_eq!(buffer.tail.capacity(), 0);
    }
}
