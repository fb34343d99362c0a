//! What connections said and heard, written down as JSON lines, and played again.
//!
//! A line is one WebSocket message, or the beginning or end of a connection:
//!
//! ```text
//! {"t":1042,"connection":"mN3…","hub":"market","direction":"out","kind":"text","data":"{\"type\":6}\u001e"}
//! ```
//!
//! `t` is milliseconds since the recording began, `direction` is `in` for what the client sent and `out` for what the
//! hub sent, faults included, `kind` is `open`, `text`, `binary` or `close`. Binary messages, and texts that are no
//! UTF-8, have `base64` instead of `data`. A close has `{"code":1000,"reason":""}`, or `null` where the socket ended without
//! one. Whatever looks like a token is blanked.
//!
//! [`MockHub::record`](crate::MockHub::record) writes to a folder, `POST /control/record` to memory;
//! [`MockHub::replay`](crate::MockHub::replay) plays one.

mod blank;
mod entry;
mod handle;
mod http;
mod plan;
mod player;
mod recorder;

use std::io;
use std::path::Path;

use crate::files;

pub use entry::{Entry, EntryKind, Way};

pub(crate) use http::routes;
pub(crate) use player::{Replay, serve};
pub(crate) use recorder::{Recorder, Tap, Tapped};

/// The largest recording that is read.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// What was recorded, in order.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Recording {
    /// The messages, and the beginnings and ends of connections.
    pub entries: Vec<Entry>,
}

impl Recording {
    /// Reads a recording from a file; the error names the line that is none.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        Self::parse(&files::read(path, MAX_BYTES)?).map_err(|error| files::named(path, &error))
    }

    /// Reads a recording from text; the error names the line that is none.
    ///
    /// Lines of the form `{"ms":12,"from":"client","ws":1,"text":"..."}`, as a proxy between client and hub writes
    /// them, are good too; what they tell of HTTP is left out.
    pub fn parse(text: &str) -> io::Result<Self> {
        let mut reader = entry::Reader::default();
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |error| io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {error}", index + 1));
            entries.extend(reader.line(line).map_err(wrong)?);
        }
        Ok(Self { entries })
    }

    /// The connections, by the order of their beginning.
    #[must_use]
    pub fn connections(&self) -> Vec<&str> {
        let mut seen = Vec::new();
        for entry in &self.entries {
            if !seen.contains(&entry.connection.as_str()) {
                seen.push(entry.connection.as_str());
            }
        }
        seen
    }
}

/// How fast a recording is played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Speed {
    /// With the pauses that were recorded. The default.
    #[default]
    Real,
    /// So many times as fast; above 0.
    Times(f64),
    /// Without a pause: as fast as the client reads.
    AsFastAsRead,
}

impl std::str::FromStr for Speed {
    type Err = &'static str;

    /// Reads `1`, a factor such as `2.5`, or `max`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Self::AsFastAsRead),
            Ok(1.0) => Ok(Self::Real),
            Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Self::Times(factor)),
            _ => Err("a speed is a factor above 0, or `max`"),
        }
    }
}
