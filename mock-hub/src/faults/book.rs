//! The rules that hold now, and how often each acted. Pure: the time is an argument, chance comes from a seed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::manner::Manner;
use super::rule::{FaultId, Phase, Rule, RuleReport, Scope};
use crate::hubs::Hub;
use crate::oracle::Verdict;

/// The rules that may be there at once.
const MAX_RULES: usize = 1000;
/// The rules that are remembered when they are over.
const REMEMBERED_RULES: usize = 1000;

/// Whom a question is about; what is not known yet matches no narrower scope.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Whom<'a> {
    pub(crate) hub: Option<&'a str>,
    pub(crate) connection: Option<&'a str>,
}

impl<'a> Whom<'a> {
    pub(crate) fn new(hub: &'a str, connection: &'a str) -> Self {
        Self { hub: Some(hub), connection: Some(connection) }
    }
}

/// An event whose time has come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    pub(crate) id: FaultId,
    pub(crate) fault: Fault,
}

/// The book of rules.
#[derive(Debug)]
pub(crate) struct FaultBook {
    entries: Vec<Entry>,
    over: VecDeque<RuleReport>,
    last_id: u64,
    rng: fastrand::Rng,
}

#[derive(Debug)]
struct Entry {
    id: FaultId,
    rule: Rule,
    from: Instant,
    until: Option<Instant>,
    /// Opportunities so far, taken or not.
    asked: u64,
    acted: u64,
    /// Whether [`FaultBook::newly_acting`] has named it.
    is_told: bool,
    /// For an event: how often its time came.
    fired: u32,
    last: Option<Instant>,
    /// For an event: when its time comes next.
    due: Option<Instant>,
}

impl FaultBook {
    pub(crate) fn new(seed: u64) -> Self {
        Self { entries: Vec::new(), over: VecDeque::new(), last_id: 0, rng: fastrand::Rng::with_seed(seed) }
    }

    /// Begins the draws of shares anew.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.rng = fastrand::Rng::with_seed(seed);
    }

    /// Takes rules, all or none; the error says what is wrong.
    pub(crate) fn inject(&mut self, now: Instant, rules: Vec<Rule>) -> Result<Vec<FaultId>, &'static str> {
        rules.iter().try_for_each(check)?;
        let times = rules.iter().map(|rule| times_of(rule, now)).collect::<Option<Vec<_>>>();
        let times = times.ok_or("a duration is too long")?;
        self.expire(now);
        if self.entries.len() + rules.len() > MAX_RULES {
            return Err("there are too many rules: heal some first");
        }
        Ok(rules.into_iter().zip(times).map(|(rule, (from, until))| self.enter(rule, from, until)).collect())
    }

    /// Ends a rule; `false` when none of this number holds or waits.
    pub(crate) fn heal(&mut self, id: FaultId) -> bool {
        self.end_where(|entry| entry.id == id) > 0
    }

    /// Ends all rules that hold or wait, and says how many.
    pub(crate) fn heal_all(&mut self) -> usize {
        self.end_where(|_| true)
    }

    /// Ends the rules of some faults, and says how many.
    pub(crate) fn heal_where(&mut self, which: impl Fn(&Fault) -> bool) -> usize {
        self.end_where(|entry| which(&entry.rule.fault))
    }

    /// All rules that hold or wait, and those that are remembered, oldest first.
    pub(crate) fn reports(&self, now: Instant) -> Vec<RuleReport> {
        let mut reports: Vec<_> = self.over.iter().cloned().collect();
        reports.extend(self.entries.iter().map(|entry| entry.report(entry.phase(now))));
        reports.sort_by_key(|report| report.id);
        reports
    }

    /// How many rules hold or wait: with none there is nothing to ask.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// An opportunity for damage: the first rule that takes it acts, and is counted.
    pub(crate) fn damage<T>(
        &mut self,
        now: Instant,
        whom: Whom<'_>,
        mut choose: impl FnMut(&Fault) -> Option<T>,
    ) -> Option<T> {
        for entry in &mut self.entries {
            if !entry.is_open(now) || !entry.rule.scope.covers(whom) {
                continue;
            }
            let Some(chosen) = choose(&entry.rule.fault) else {
                continue;
            };
            if entry.takes(now, &mut self.rng) {
                return Some(chosen);
            }
        }
        None
    }

    /// The states that hold for a connection. What was decided for it before stays decided: `decided` is its memory.
    pub(crate) fn states<T>(
        &mut self,
        now: Instant,
        whom: Whom<'_>,
        decided: &mut Vec<(FaultId, bool)>,
        mut choose: impl FnMut(&Fault) -> Option<T>,
    ) -> Vec<T> {
        decided.retain(|(id, _)| self.entries.iter().any(|entry| entry.id == *id));
        let mut states = Vec::new();
        for entry in &mut self.entries {
            if entry.rule.fault.manner() != Manner::State || !entry.is_its_time(now) || !entry.rule.scope.covers(whom) {
                continue;
            }
            let Some(chosen) = choose(&entry.rule.fault) else {
                continue;
            };
            let taken = match decided.iter().find(|(id, _)| *id == entry.id) {
                Some((_, taken)) => *taken,
                None => {
                    let taken = !entry.is_spent() && entry.takes(now, &mut self.rng);
                    decided.push((entry.id, taken));
                    taken
                }
            };
            if taken {
                states.push(chosen);
            }
        }
        states
    }

    /// Whether an event's time has come.
    pub(crate) fn is_something_due(&self, now: Instant) -> bool {
        self.entries.iter().any(|entry| entry.due.is_some_and(|at| at <= now))
    }

    /// Whether a state holds for anybody.
    pub(crate) fn has_states(&self, now: Instant) -> bool {
        self.entries.iter().any(|entry| entry.rule.fault.manner() == Manner::State && entry.is_its_time(now))
    }

    /// The events whose time has come; each is then put to the connections by [`FaultBook::strikes`].
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        for entry in &mut self.entries {
            let Some(at) = entry.due.filter(|at| *at <= now && entry.until.is_none_or(|until| *at < until)) else {
                continue;
            };
            due.push(Due { id: entry.id, fault: entry.rule.fault.clone() });
            entry.fired += 1;
            let has_more = entry.rule.times.is_none_or(|times| entry.fired < times);
            // The next one lies ahead of now: what was missed is not made up for.
            entry.due = entry.rule.every.filter(|_| has_more).and_then(|every| next_after(at, every, now));
        }
        due
    }

    /// Whether an event that is due strikes this connection.
    pub(crate) fn strikes(&mut self, id: FaultId, whom: Whom<'_>) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else {
            return false;
        };
        if !entry.rule.scope.covers(whom) || !entry.is_drawn(&mut self.rng) {
            return false;
        }
        entry.acted += 1;
        true
    }

    /// The rules that have acted for the first time since the last question.
    pub(crate) fn newly_acting(&mut self) -> impl Iterator<Item = &Rule> {
        self.entries.iter_mut().filter(|entry| entry.acted > 0 && !entry.is_told).map(|entry| {
            entry.is_told = true;
            &entry.rule
        })
    }

    /// Whether an event reaches a connection, late or not at all.
    pub(crate) fn verdict(&mut self, now: Instant, whom: Whom<'_>, group: Option<&str>) -> Verdict {
        let begins = |prefix: &str| group.is_some_and(|group| group.starts_with(prefix));
        let is_of = |prefix: &Option<String>| prefix.as_deref().is_none_or(begins);
        let verdict = self.damage(now, whom, |fault| match fault {
            Fault::LostEvents { group } if is_of(group) => Some(Verdict::Lose),
            Fault::DelayedEvents { by, group } if is_of(group) => Some(Verdict::Delay(*by)),
            _ => None,
        });
        verdict.unwrap_or(Verdict::Deliver)
    }

    /// Puts aside the rules that are over.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.end_where(|entry| entry.phase(now) == Phase::Over);
    }

    /// When something changes by itself: a rule begins or ends, or an event is due.
    pub(crate) fn next_change(&self, now: Instant) -> Option<Instant> {
        let of = |entry: &Entry| {
            let begins = (entry.from > now).then_some(entry.from);
            [begins, entry.until, entry.due].into_iter().flatten().min()
        };
        self.entries.iter().filter_map(of).min()
    }

    fn enter(&mut self, rule: Rule, from: Instant, until: Option<Instant>) -> FaultId {
        self.last_id += 1;
        let id = FaultId(self.last_id);
        let due = (rule.fault.manner() == Manner::Event).then_some(from);
        let (asked, acted, is_told, fired, last) = (0, 0, false, 0, None);
        self.entries.push(Entry { id, rule, from, until, asked, acted, is_told, fired, last, due });
        id
    }

    fn end_where(&mut self, is_over: impl Fn(&Entry) -> bool) -> usize {
        let over = &mut self.over;
        let before = self.entries.len();
        self.entries.retain(|entry| {
            let ends = is_over(entry);
            if ends {
                over.push_back(entry.report(Phase::Over));
            }
            !ends
        });
        while self.over.len() > REMEMBERED_RULES {
            self.over.pop_front();
        }
        before - self.entries.len()
    }
}

impl Entry {
    fn is_its_time(&self, now: Instant) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    fn is_spent(&self) -> bool {
        self.rule.times.is_some_and(|times| self.acted >= u64::from(times))
    }

    fn is_open(&self, now: Instant) -> bool {
        self.is_its_time(now) && !self.is_spent()
    }

    fn phase(&self, now: Instant) -> Phase {
        let is_over = self.until.is_some_and(|until| until <= now)
            || match self.rule.fault.manner() {
                Manner::Event => self.due.is_none(),
                Manner::Damage => self.is_spent(),
                // What came over a connection stays until its time is over or it is healed.
                Manner::State => false,
            };
        match (is_over, self.from > now) {
            (true, _) => Phase::Over,
            (false, true) => Phase::Waiting,
            (false, false) => Phase::Active,
        }
    }

    fn takes(&mut self, now: Instant, rng: &mut fastrand::Rng) -> bool {
        if !self.is_drawn(rng) {
            return false;
        }
        let is_too_early = match (self.last, self.rule.every) {
            (Some(last), Some(every)) => now.saturating_duration_since(last) < every,
            _ => false,
        };
        if is_too_early {
            return false;
        }
        self.acted += 1;
        self.last = Some(now);
        true
    }

    /// Counts an opportunity and asks pattern and share about it.
    fn is_drawn(&mut self, rng: &mut fastrand::Rng) -> bool {
        let number = self.asked;
        self.asked += 1;
        self.rule.pattern.as_ref().is_none_or(|pattern| pattern.takes(number))
            && self.rule.share.is_none_or(|share| rng.f64() < share)
    }

    fn report(&self, phase: Phase) -> RuleReport {
        RuleReport { id: self.id, rule: self.rule.clone(), phase, acted: self.acted }
    }
}

impl Scope {
    fn covers(&self, whom: Whom<'_>) -> bool {
        match self {
            // A fault that shut the console out could not be healed from it.
            Self::Everyone => whom.hub != Some(Hub::Console.name()),
            Self::Hub(name) => whom.hub == Some(name.as_str()),
            Self::Connection(id) => whom.connection == Some(id.as_str()),
        }
    }
}

/// When a rule begins and ends; none where that is too far away.
fn times_of(rule: &Rule, now: Instant) -> Option<(Instant, Option<Instant>)> {
    let from = now.checked_add(rule.after.unwrap_or_default())?;
    match rule.lasts {
        Some(time) => Some((from, Some(from.checked_add(time)?))),
        None => Some((from, None)),
    }
}

/// What is wrong with a rule by itself.
pub(crate) fn check(rule: &Rule) -> Result<(), &'static str> {
    if let Some(complaint) = rule.fault.complaint() {
        return Err(complaint);
    }
    if rule.fault.is_for_everyone() && rule.scope != Scope::Everyone {
        return Err("this fault is for everyone: it knows no narrower scope");
    }
    if matches!(&rule.scope, Scope::Hub(name) if Hub::named(name).is_none_or(|hub| hub.name() != name)) {
        return Err("no hub has the name in the scope");
    }
    if rule.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err("share is 0 to 1");
    }
    if rule.times == Some(0) {
        return Err("times is at least 1");
    }
    if rule.every.is_some_and(|every| every.is_zero()) {
        return Err("every is longer than nothing");
    }
    Ok(())
}

/// The first time of a series that lies after now.
fn next_after(at: Instant, every: Duration, now: Instant) -> Option<Instant> {
    let missed = now.saturating_duration_since(at).as_nanos() / every.as_nanos().max(1);
    let steps = u32::try_from(missed).ok()?.checked_add(1)?;
    at.checked_add(every.checked_mul(steps)?)
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
