//! Cuts a byte stream into records; WebSocket message boundaries mean nothing here, as with ASP.NET Core.

use bytes::{Buf, Bytes, BytesMut};

use signalr_proto::protocol::RECORD_SEPARATOR;

/// A record, with its separator, is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oversize;

/// Collects bytes and yields whole records.
#[derive(Debug)]
pub(crate) struct Splitter {
    buffer: BytesMut,
    /// Where the search for the next separator goes on.
    searched: usize,
    limit: usize,
}

impl Splitter {
    /// A limit of `usize::MAX` is none.
    pub(crate) fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), searched: 0, limit }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The bytes that are still to be cut.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// The next whole record without its separator; `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Oversize> {
        let unseen = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(found) = unseen.iter().position(|byte| *byte == RECORD_SEPARATOR) else {
            self.searched = self.buffer.len();
            return if self.buffer.len() > self.limit { Err(Oversize) } else { Ok(None) };
        };
        let end = self.searched + found;
        if end + 1 > self.limit {
            return Err(Oversize);
        }
        let record = self.buffer.split_to(end).freeze();
        self.buffer.advance(1);
        self.searched = 0;
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_whole_however_the_bytes_come() {
        let mut splitter = Splitter::new(100);
        let mut records = Vec::new();
        for byte in b"{}\x1e\x1e{\"type\":6}\x1etail" {
            splitter.push(&[*byte]);
            while let Ok(Some(record)) = splitter.next() {
                records.push(record);
            }
        }
        assert_eq!(records, [&b"{}"[..], b"", b"{\"type\":6}"]);
    }

    #[test]
    fn the_limit_counts_the_separator_and_lets_earlier_records_through() {
        let mut splitter = Splitter::new(4);
        splitter.push(b"abc\x1eabcd\x1e");
        assert_eq!(splitter.next(), Ok(Some(Bytes::from_static(b"abc"))));
        assert_eq!(splitter.next(), Err(Oversize));
        let mut unfinished = Splitter::new(4);
        unfinished.push(b"abcde");
        assert_eq!(unfinished.next(), Err(Oversize));
    }
}
