//! The lines of standard output.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Context;
use std::thread::JoinHandle;
use std::time::Instant;

use futures_util::task::AtomicWaker;
use serde::Serialize;
use serde_json::value::RawValue;

/// Bytes of lines that nobody has read; with more, the connection's events and items are left with the library.
const ENOUGH: usize = 1 << 20;

/// Writes lines in a thread of its own, in their order, each flushed at once.
///
/// Commands go on when nobody reads the lines; what the connection has to tell waits in the library then, whose queues are bounded.
pub(crate) struct Output {
    began: Instant,
    lines: Sender<String>,
    unread: Arc<Unread>,
    writer: JoinHandle<()>,
}

#[derive(Default)]
struct Unread {
    bytes: AtomicUsize,
    waker: AtomicWaker,
}

impl Output {
    /// Starts the writer; `t` counts from here.
    pub(crate) fn start() -> Self {
        let (lines, receiver) = channel();
        let unread = Arc::new(Unread::default());
        let writer = std::thread::spawn({
            let unread = unread.clone();
            move || write(&receiver, &unread)
        });
        Self { began: Instant::now(), lines, unread, writer }
    }

    /// Writes a line, behind all others.
    pub(crate) fn tell(&self, line: Line) {
        let text = format!("{{\"t\":{}{}}}\n", self.began.elapsed().as_millis(), line.members);
        self.unread.bytes.fetch_add(text.len(), Ordering::SeqCst);
        // A writer that panicked has nobody to write to.
        _ = self.lines.send(text);
    }

    /// Whether more may be told; if not, the task is woken when it may.
    pub(crate) fn has_room(&self, context: &Context<'_>) -> bool {
        let has_room = || self.unread.bytes.load(Ordering::SeqCst) < ENOUGH;
        if has_room() {
            return true;
        }
        self.unread.waker.register(context.waker());
        has_room()
    }

    /// Returns when every line is written.
    pub(crate) fn finish(self) {
        drop(self.lines);
        // It has told its panic itself.
        _ = self.writer.join();
    }
}

/// One line in the making, without its `t`.
pub(crate) struct Line {
    members: String,
}

impl Line {
    /// `{"event":name}`.
    pub(crate) fn event(name: &str) -> Self {
        Self { members: String::new() }.with("event", name)
    }

    /// `{"call":name}`.
    pub(crate) fn call(name: &str) -> Self {
        Self { members: String::new() }.with("call", name)
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let text = serde_json::to_string(&value).expect("texts, numbers and JSON can be written as JSON");
        self.add(name, &text);
        self
    }

    /// Adds a member, if there is a value for it.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a member that is JSON already, in the sender's own spelling.
    pub(crate) fn with_json(mut self, name: &str, json: &str) -> Self {
        if json.contains(['\n', '\r']) {
            // Between the tokens of JSON a line break is a space like any other; inside of a text it cannot stand.
            self.add(name, &json.replace(['\n', '\r'], " "));
        } else {
            self.add(name, json);
        }
        self
    }

    /// As [`with_json`](Self::with_json), if there is a value.
    pub(crate) fn with_some_json(self, name: &str, json: Option<&RawValue>) -> Self {
        match json {
            Some(json) => self.with_json(name, json.get()),
            None => self,
        }
    }

    fn add(&mut self, name: &str, json: &str) {
        self.members.push_str(",\"");
        self.members.push_str(name);
        self.members.push_str("\":");
        self.members.push_str(json);
    }
}

fn write(lines: &Receiver<String>, unread: &Unread) {
    let mut out = std::io::stdout().lock();
    for line in lines {
        // Whoever closed the other end does not want to know.
        _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        let before = unread.bytes.fetch_sub(line.len(), Ordering::SeqCst);
        if before >= ENOUGH && before - line.len() < ENOUGH {
            unread.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        let line = Line::call("a\n\"b\"")
            .with_json("value", "[1,\r\n \"x\\n\"]")
            .with("message", Some("é\u{1e}"))
            .with_some("cause", None::<&str>);
        assert_eq!(line.members, ",\"call\":\"a\\n\\\"b\\\"\",\"value\":[1,   \"x\\n\"],\"message\":\"é\\u001e\"");
    }
}
