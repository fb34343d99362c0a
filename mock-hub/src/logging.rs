//! The program's log: what the hub tells through `tracing`, on standard error.

use std::io;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::WorkerGuard;

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Log {
    /// One line for each event, for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    Off,
}

impl Log {
    /// Installs the subscriber of the process, for levels from info up.
    ///
    /// A thread of its own writes the lines, until the guard is dropped: a parent that never reads them must not hold the
    /// hub up. Beyond some 100,000 that wait they are lost.
    ///
    /// What crates below say through `log` is not bridged: tungstenite's lines hold whole frames, tokens included.
    pub(crate) fn install(self) -> WorkerGuard {
        let (lines, guard) = tracing_appender::non_blocking(io::stderr());
        let base = tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(lines);
        let installed = match self {
            Self::Text => tracing::subscriber::set_global_default(base.with_ansi(false).finish()),
            Self::Json => tracing::subscriber::set_global_default(base.json().flatten_event(true).finish()),
            Self::Off => Ok(()),
        };
        installed.expect("the process has no other subscriber yet");
        guard
    }
}

impl FromStr for Log {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "off" => Ok(Self::Off),
            _ => Err("--log is json, text or off".to_owned()),
        }
    }
}
