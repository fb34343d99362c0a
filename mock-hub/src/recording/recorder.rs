//! Writes down what passes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::entry::{Entry, EntryKind, Way};
use crate::files;
use crate::hubs::Hub;
use crate::lock::lock;

/// A recording in a file ends at this size.
const MAX_FILE: u64 = 1024 * 1024 * 1024;
/// A recording in memory ends at this size.
const MAX_MEMORY: u64 = 64 * 1024 * 1024;

/// What is written reaches the file after this time, when something more is written.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// The recording that is under way, if one is.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    is_on: AtomicBool,
    state: Mutex<Option<Active>>,
}

#[derive(Debug)]
struct Active {
    began: Instant,
    /// The connections whose beginning is written down.
    opened: HashSet<String>,
    sink: Sink,
    bytes: u64,
    limit: u64,
    flushed: Instant,
}

#[derive(Debug)]
enum Sink {
    File { path: PathBuf, file: BufWriter<File> },
    Memory(String),
}

/// What became of a recording.
#[derive(Debug)]
pub(crate) enum Recorded {
    File(PathBuf),
    Memory(String),
}

impl Recorder {
    /// Begins a recording in a new file of this folder; one that is under way ends.
    pub(crate) fn to_folder(&self, folder: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(folder).map_err(|error| files::named(folder, &error))?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = folder.join(format!("recording-{}.jsonl", since.as_micros()));
        let file = BufWriter::new(File::create_new(&path).map_err(|error| files::named(&path, &error))?);
        self.begin(Sink::File { path: path.clone(), file }, MAX_FILE);
        Ok(path)
    }

    /// Begins a recording in memory; one that is under way ends.
    pub(crate) fn to_memory(&self) {
        self.begin(Sink::Memory(String::new()), MAX_MEMORY);
    }

    /// Ends the recording.
    pub(crate) fn stop(&self) -> Option<Recorded> {
        self.is_on.store(false, Ordering::Release);
        let active = lock(&self.state).take()?;
        Some(match active.sink {
            Sink::File { path, file } => {
                // What cannot be written is lost; the file says how far it goes.
                let _ = file.into_inner();
                Recorded::File(path)
            }
            Sink::Memory(text) => Recorded::Memory(text),
        })
    }

    pub(crate) fn is_writing_a_file(&self) -> bool {
        lock(&self.state).as_ref().is_some_and(|active| matches!(active.sink, Sink::File { .. }))
    }

    /// The recording in memory so far.
    pub(crate) fn so_far(&self) -> Option<String> {
        match &lock(&self.state).as_ref()?.sink {
            Sink::Memory(text) => Some(text.clone()),
            Sink::File { .. } => None,
        }
    }

    fn begin(&self, sink: Sink, limit: u64) {
        let now = Instant::now();
        let active = Active { began: now, opened: HashSet::new(), sink, bytes: 0, limit, flushed: now };
        *lock(&self.state) = Some(active);
        self.is_on.store(true, Ordering::Release);
    }

    fn note(&self, hub: Hub, connection: &str, direction: Way, kind: EntryKind) {
        let mut state = lock(&self.state);
        let Some(active) = state.as_mut() else {
            return;
        };
        let t = u64::try_from(active.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let entry = |direction, kind| {
            let (connection, hub) = (connection.to_owned(), hub.name().to_owned());
            Entry { t, connection, hub, direction, kind }
        };
        let mut is_written = true;
        if active.opened.insert(connection.to_owned()) {
            is_written = active.write(&entry(Way::In, EntryKind::Open));
        }
        if !is_written || !active.write(&entry(direction, kind)) {
            // Full: what is there stays, and nothing follows.
            self.is_on.store(false, Ordering::Release);
        }
    }
}

impl Active {
    /// `false` when the recording is full or cannot be written.
    fn write(&mut self, entry: &Entry) -> bool {
        let mut line = entry.to_line();
        line.push('\n');
        self.bytes += line.len() as u64;
        if self.bytes > self.limit {
            return false;
        }
        match &mut self.sink {
            Sink::File { file, .. } => {
                let mut result = file.write_all(line.as_bytes());
                if self.flushed.elapsed() >= FLUSH_EVERY {
                    self.flushed = Instant::now();
                    result = result.and_then(|()| file.flush());
                }
                result.is_ok()
            }
            Sink::Memory(text) => {
                text.push_str(&line);
                true
            }
        }
    }
}

/// Where one connection's messages pass on their way to the recorder.
#[derive(Debug)]
pub(crate) struct Tap {
    recorder: Arc<Recorder>,
    hub: Hub,
    connection: String,
    /// The fragments of a message so far, and whether it is text.
    partial: Option<(bool, BytesMut)>,
}

impl Tap {
    pub(crate) fn new(recorder: &Arc<Recorder>, hub: Hub, connection: &str) -> Self {
        Self { recorder: Arc::clone(recorder), hub, connection: connection.to_owned(), partial: None }
    }

    /// Notes what the hub is about to send.
    pub(crate) fn sends(&mut self, message: &Message) {
        if !self.recorder.is_on.load(Ordering::Acquire) {
            self.partial = None;
            return;
        }
        let kind = match message {
            Message::Frame(frame) => self.frame(frame),
            Message::Close(frame) => {
                let close = frame.as_ref().map(|frame| (frame.code.into(), frame.reason.as_str().to_owned()));
                Some(EntryKind::Close(close))
            }
            _ => None,
        };
        if let Some(kind) = kind {
            self.recorder.note(self.hub, &self.connection, Way::Out, kind);
        }
    }

    /// Notes what the client sent; `None` is the end of the socket.
    pub(crate) fn receives(&self, message: Option<&Message>) {
        if !self.recorder.is_on.load(Ordering::Acquire) {
            return;
        }
        let kind = match message {
            None => EntryKind::Close(None),
            Some(Message::Text(text)) => EntryKind::Text(text.clone().into()),
            Some(Message::Binary(bytes)) => EntryKind::Binary(bytes.clone()),
            Some(Message::Close(frame)) => {
                EntryKind::Close(frame.as_ref().map(|frame| (frame.code.into(), frame.reason.as_str().to_owned())))
            }
            Some(_) => return,
        };
        self.recorder.note(self.hub, &self.connection, Way::In, kind);
    }

    /// The message that ends with this frame.
    fn frame(&mut self, frame: &Frame) -> Option<EntryKind> {
        let header = frame.header();
        let payload = || Bytes::copy_from_slice(frame.payload());
        let (is_text, whole) = match header.opcode {
            OpCode::Data(kind @ (Data::Text | Data::Binary)) if header.is_final => (kind == Data::Text, payload()),
            OpCode::Data(kind @ (Data::Text | Data::Binary)) => {
                self.partial = Some((kind == Data::Text, frame.payload().into()));
                return None;
            }
            OpCode::Data(Data::Continue) => {
                self.partial.as_mut()?.1.extend_from_slice(frame.payload());
                let (is_text, bytes) = if header.is_final { self.partial.take()? } else { return None };
                (is_text, bytes.freeze())
            }
            _ => return None,
        };
        Some(if is_text { EntryKind::Text(whole) } else { EntryKind::Binary(whole) })
    }
}

/// A stream of messages that are noted as they come.
#[derive(Debug)]
pub(crate) struct Tapped<S> {
    messages: S,
    tap: Tap,
    has_ended: bool,
}

impl Tap {
    /// Notes what comes out of a stream of the client's messages.
    pub(crate) fn listen<S>(self, messages: S) -> Tapped<S> {
        Tapped { messages, tap: self, has_ended: false }
    }
}

impl<S: Stream<Item = Result<Message, Error>> + Unpin> Stream for Tapped<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = ready!(Pin::new(&mut this.messages).poll_next(cx));
        let message = next.as_ref().and_then(|next| next.as_ref().ok());
        if !this.has_ended {
            this.tap.receives(message);
            // A close is an end too, and one of them is enough.
            this.has_ended = message.is_none_or(Message::is_close);
        }
        Poll::Ready(next)
    }
}
