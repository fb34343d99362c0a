//! The journal: transitions worth a line, for `tracing` and for the console. No line holds a token, a key or a payload.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use crate::faults::{Fault, Scope};
use crate::hubs::Hub;
use crate::lock::lock;

/// The lines that are kept; the oldest go first.
const KEPT_LINES: usize = 1000;
/// The characters of a text from outside that a line shows.
const SHOWN_CHARACTERS: usize = 64;
/// The characters of a connection id that a line shows; with negotiation version 0 the whole id opens the connection.
const SHOWN_OF_ID: usize = 8;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note<'a> {
    ConnectionOpened {
        id: &'a str,
        hub: Hub,
        user: Option<&'a str>,
    },
    ConnectionEnded {
        id: &'a str,
        hub: Hub,
        reason: &'static str,
        lasted: Duration,
    },
    UpgradeRefused {
        hub: Hub,
        status: u16,
    },
    Login {
        user: &'a str,
        accepted: bool,
    },
    /// A rule acts for the first time.
    FaultActed {
        fault: &'a Fault,
        scope: &'a Scope,
    },
    /// Somebody used a control endpoint.
    Control {
        path: &'a str,
        status: u16,
    },
}

/// A line of the journal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    /// Its place, from 1.
    pub(crate) serial: u64,
    pub(crate) at: String,
    pub(crate) level: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// The latest lines, and a way to wait for more.
#[derive(Debug)]
pub(crate) struct Journal {
    lines: Mutex<VecDeque<Entry>>,
    last: watch::Sender<u64>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { lines: Mutex::default(), last: watch::Sender::new(0) }
    }
}

impl Journal {
    pub(crate) fn note(&self, note: Note<'_>) {
        let (level, kind, text) = told(note);
        match level {
            "warn" => tracing::warn!(target: "mock_hub", kind, "{text}"),
            _ => tracing::info!(target: "mock_hub", kind, "{text}"),
        }
        let at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let mut lines = lock(&self.lines);
        let serial = *self.last.borrow() + 1;
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(Entry { serial, at, level, kind, text });
        self.last.send_replace(serial);
    }

    /// The lines behind a serial, oldest first; those that are forgotten are missing.
    pub(crate) fn after(&self, serial: u64) -> Vec<Entry> {
        lock(&self.lines).iter().filter(|entry| entry.serial > serial).cloned().collect()
    }

    /// Tells of new lines.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }
}

fn told(note: Note<'_>) -> (&'static str, &'static str, String) {
    match note {
        Note::ConnectionOpened { id, hub, user } => {
            let user = user.map(|user| format!(" for {}", shown(user))).unwrap_or_default();
            ("info", "connection-opened", format!("{} {}{user}", hub.name(), short(id)))
        }
        Note::ConnectionEnded { id, hub, reason, lasted } => {
            let text = format!("{} {}: {reason}, after {:.1} s", hub.name(), short(id), lasted.as_secs_f64());
            ("info", "connection-ended", text)
        }
        Note::UpgradeRefused { hub, status } => ("warn", "upgrade-refused", format!("{}: {status}", hub.name())),
        Note::Login { user, accepted: true } => ("info", "login", shown(user)),
        Note::Login { user, accepted: false } => ("warn", "login-refused", shown(user)),
        Note::FaultActed { fault, scope } => {
            let whom = match scope {
                Scope::Everyone => "everyone".to_owned(),
                Scope::Hub(hub) => format!("hub {}", shown(hub)),
                Scope::Connection(id) => format!("connection {}", shown(short(id))),
            };
            ("warn", "fault-acted", format!("{}, for {whom}", fault_name(fault)))
        }
        Note::Control { path, status } => ("info", "control", format!("{path}: {status}")),
    }
}

/// A fault's name in rules, without its settings.
pub(crate) fn fault_name(fault: &Fault) -> String {
    match serde_json::to_value(fault) {
        Ok(Value::String(name)) => name,
        Ok(Value::Object(settings)) => settings.into_iter().next().map(|(name, _)| name).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The beginning of a connection id, enough to tell one from another.
fn short(id: &str) -> &str {
    id.get(..SHOWN_OF_ID).unwrap_or(id)
}

/// A text from outside, escaped and cut.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_serials_and_the_oldest_go() {
        let journal = Journal::default();
        (0..KEPT_LINES + 5).for_each(|_| journal.note(Note::Login { user: "ann", accepted: true }));
        let all = journal.after(0);
        assert_eq!((all.len(), all[0].serial), (KEPT_LINES, 6));
        assert_eq!(journal.after(KEPT_LINES as u64 + 4).len(), 1);
    }

    #[test]
    fn a_name_from_outside_makes_no_second_line_and_no_long_one() {
        let journal = Journal::default();
        journal.note(Note::Login { user: &format!("a\nb\u{1b}[31m{}", "x".repeat(500)), accepted: false });
        let text = &journal.after(0)[0].text;
        assert!(text.starts_with(r"a\nb\u{1b}[31mxx") && text.ends_with('…'), "{text}");
        assert!(text.len() < 120, "{text}");
    }

    #[test]
    fn a_fault_is_told_by_its_name_alone() {
        let journal = Journal::default();
        let fault = Fault::HandshakeError { text: "a text".to_owned() };
        journal.note(Note::FaultActed { fault: &fault, scope: &Scope::Hub("market".to_owned()) });
        journal.note(Note::FaultActed { fault: &Fault::NoPings, scope: &Scope::Everyone });
        let lines: Vec<_> = journal.after(0).into_iter().map(|entry| entry.text).collect();
        assert_eq!(lines, ["handshake-error, for hub market", "no-pings, for everyone"]);
    }

    #[test]
    fn an_id_is_told_in_part() {
        let journal = Journal::default();
        journal.note(Note::ConnectionOpened { id: "0123456789abcdef", hub: Hub::Market, user: Some("ann") });
        assert_eq!(journal.after(0)[0].text, "market 01234567 for ann");
    }
}
