//! What waits for the transport: control first, then the records in their order.

use std::collections::VecDeque;

/// Records are put together into messages of about this size: one system call in place of many.
const MESSAGE_BYTES: usize = 16 << 10;

#[derive(Debug)]
struct Queued {
    record: String,
    /// The call that this record makes, if it makes one. Records of calls that were given up are passed over.
    call: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Outbound {
    control: VecDeque<String>,
    /// What a new transport is sent again.
    repeated: VecDeque<String>,
    data: VecDeque<Queued>,
    bytes: usize,
}

impl Outbound {
    /// Bytes of data that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.control.is_empty() && self.repeated.is_empty() && self.data.is_empty()
    }

    pub(super) fn has_control(&self) -> bool {
        !self.control.is_empty()
    }

    pub(super) fn has_data(&self) -> bool {
        !self.data.is_empty()
    }

    /// The transport is gone: what was about it alone is void.
    pub(super) fn forget_control(&mut self) {
        self.control.clear();
        self.repeated.clear();
    }

    /// A new transport begins with this Sequence and these records, ahead of everything.
    pub(super) fn resend<'a>(&mut self, sequence: String, records: impl Iterator<Item = &'a str>) {
        self.control.clear();
        self.control.push_back(sequence);
        self.repeated = records.map(str::to_owned).collect();
    }

    /// Queues what must not wait behind data.
    pub(super) fn push_control(&mut self, record: String) {
        self.control.push_back(record);
    }

    pub(super) fn push(&mut self, record: String, call: Option<u64>) {
        self.bytes += record.len();
        self.data.push_back(Queued { record, call });
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Pops the text of one message. `claim` says whether the record of a call is still wanted, and learns that it leaves; `keep` is shown
    /// every record of data that leaves for the first time.
    pub(super) fn pop(&mut self, keep: &mut impl FnMut(&str), mut claim: impl FnMut(u64) -> bool) -> Option<String> {
        if let Some(record) = self.control.pop_front().or_else(|| self.repeated.pop_front()) {
            return Some(record);
        }
        let mut message = String::new();
        while let Some(front) = self.data.front() {
            if !message.is_empty() && message.len() + front.record.len() > MESSAGE_BYTES {
                break;
            }
            let Some(Queued { record, call }) = self.data.pop_front() else { break };
            self.bytes -= record.len();
            if call.is_some_and(|id| !claim(id)) {
                continue;
            }
            keep(&record);
            if message.is_empty() {
                message = record;
            } else {
                message.push_str(&record);
            }
        }
        (!message.is_empty()).then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_overtakes_and_records_share_a_message() {
        let mut outbound = Outbound::default();
        outbound.push("a\u{1e}".into(), None);
        outbound.push("b\u{1e}".into(), Some(1));
        outbound.push("c\u{1e}".into(), Some(2));
        outbound.push_control("ping\u{1e}".into());
        assert_eq!(outbound.pop(&mut |_| (), |_| true).as_deref(), Some("ping\u{1e}"));
        assert_eq!(outbound.pop(&mut |_| (), |id| id != 1).as_deref(), Some("a\u{1e}c\u{1e}"));
        assert_eq!((outbound.pop(&mut |_| (), |_| true), outbound.bytes()), (None, 0));
    }

    #[test]
    fn a_message_does_not_grow_for_ever() {
        let mut outbound = Outbound::default();
        for _ in 0..3 {
            outbound.push("x".repeat(MESSAGE_BYTES), None);
        }
        assert_eq!(outbound.pop(&mut |_| (), |_| true).map(|message| message.len()), Some(MESSAGE_BYTES));
    }
}
