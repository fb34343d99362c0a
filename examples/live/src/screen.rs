//! What stands on the screen: one line for each thing, and not too many of them.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

/// How often an event of the same kind is shown; all of them are counted.
const PERIOD: Duration = Duration::from_secs(2);

/// Prints lines with the time since the start.
pub(crate) struct Screen {
    began: Instant,
    shown: HashMap<String, Instant>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), shown: HashMap::new() }
    }

    /// Prints something that happens rarely.
    pub(crate) fn news(&self, hub: &str, what: &str, text: impl Display) {
        let seconds = self.began.elapsed().as_secs_f64();
        line(format_args!("{seconds:>7.3}  {hub:<6}  {what:<12}  {text}"));
    }

    /// Prints one of many events, if its kind was not shown lately.
    pub(crate) fn event(&mut self, hub: &str, what: &str, key: &str, text: impl FnOnce() -> String) {
        let now = Instant::now();
        let kind = format!("{hub} {what} {key}");
        if self.shown.get(&kind).is_some_and(|shown| now.duration_since(*shown) < PERIOD) {
            return;
        }
        self.shown.insert(kind, now);
        self.news(hub, what, text());
    }

    /// Shows the next event of each kind.
    pub(crate) fn refresh(&mut self) {
        self.shown.clear();
    }
}

/// Prints a line. Whoever closed the other end of a pipe does not want to hear of it.
pub(crate) fn line(text: impl Display) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

pub(crate) fn error(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
