//! A listener of everything: he sees that gaps are well formed, and remembers them.

use std::collections::BTreeMap;

use topstep_session::market::MarketUpdate;
use topstep_session::{Gap, GapNotice, Subject};

#[derive(Default)]
pub(crate) struct Listener {
    open: BTreeMap<Subject, Gap>,
    closed: Vec<(Subject, u64, u64)>,
    last_id: u64,
    /// The serials of the trades that were sent to the machine, and of those that it told.
    pub(crate) sent: Vec<u64>,
    pub(crate) trades: Vec<u64>,
}

impl Listener {
    pub(crate) fn hear(&mut self, now: u64, update: MarketUpdate) {
        match update {
            MarketUpdate::Gap(GapNotice::Opened(gap)) => {
                assert!(gap.id.0 > self.last_id && gap.to.is_none() && !gap.causes.is_empty(), "{gap:?}");
                assert!(millis(&gap.from) <= now);
                self.last_id = gap.id.0;
                assert!(self.open.insert(gap.subject.clone(), gap).is_none(), "opened twice");
            }
            MarketUpdate::Gap(GapNotice::Closed(gap, _)) => {
                let opened = self.open.remove(&gap.subject).expect("it was opened");
                let to = gap.to.expect("it is closed");
                assert!((opened.id, opened.from) == (gap.id, gap.from) && gap.causes.starts_with(&opened.causes));
                let mut causes = gap.causes.clone();
                causes.sort_by_key(|cause| cause.as_str());
                causes.dedup();
                assert_eq!(causes.len(), gap.causes.len(), "a cause comes twice");
                assert_eq!(millis(&to), now);
                self.closed.push((gap.subject, millis(&gap.from), now));
            }
            MarketUpdate::Trade { told, .. } => self.trades.push(told.value.volume as u64),
            MarketUpdate::Malformed(malformed) => panic!("{malformed:?}"),
            _ => {}
        }
    }

    pub(crate) fn is_open(&self, subject: &Subject) -> bool {
        self.open.contains_key(subject)
    }

    pub(crate) fn open_gaps(&self) -> usize {
        self.open.len()
    }

    /// Whether a moment lies in a gap of this subject that is over.
    pub(crate) fn covers(&self, subject: &Subject, at: u64) -> bool {
        self.closed.iter().any(|(of, from, to)| of == subject && (*from..=*to).contains(&at))
    }
}

fn millis(edge: &topstep_session::Edge) -> u64 {
    edge.at.mono.as_nanos() / 1_000_000
}
