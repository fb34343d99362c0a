//! Faults by the hub's handle.

use std::io;

use super::fault::Fault;
use super::rule::{FaultId, Rule, RuleReport};
use crate::handle::MockHub;

impl MockHub {
    /// Lets something go wrong; a [`Fault`](super::Fault) alone is a rule for everyone, from now on.
    ///
    /// What is due at once has happened, or holds, when this returns. A rule that makes no sense, or one too many (1000
    /// may hold or wait), is an error of kind `InvalidInput`.
    pub fn inject(&self, rule: impl Into<Rule>) -> io::Result<FaultId> {
        let invalid = |complaint| io::Error::new(io::ErrorKind::InvalidInput, complaint);
        let ids = self.gateway.faults.inject(&self.gateway, vec![rule.into()]).map_err(invalid)?;
        ids.first().copied().ok_or_else(|| invalid("the rule was not taken"))
    }

    /// Ends a rule; `false` when it does not hold or wait. What it did stays done; what it held back goes on.
    pub fn heal(&self, id: FaultId) -> bool {
        self.gateway.faults.heal(&self.gateway, id)
    }

    /// Ends all rules that hold or wait, and says how many.
    pub fn heal_all(&self) -> usize {
        self.gateway.faults.heal_all(&self.gateway)
    }

    pub(crate) fn heal_where(&self, which: impl Fn(&Fault) -> bool) {
        self.gateway.faults.heal_where(&self.gateway, which);
    }

    /// For faults that have nothing that could be wrong with them.
    pub(crate) fn inject_now(&self, rule: impl Into<Rule>) {
        // A thousand rules and no place for one more: whoever made them notices.
        let _ = self.inject(rule);
    }

    pub(crate) fn refuse_next_upgrades(&self, count: Option<u32>, status: u16) {
        let rule = Rule::new(Fault::UpgradeStatus { status, retry_after: None, body: None });
        match count {
            None => self.inject_now(rule),
            Some(0) => {}
            Some(count) => self.inject_now(rule.times(count)),
        }
    }

    /// The rules that hold or wait, and the last 1000 that are over, oldest first, with how often each acted.
    #[must_use]
    pub fn faults(&self) -> Vec<RuleReport> {
        self.gateway.faults.reports()
    }
}
