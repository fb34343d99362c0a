//! What was counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use adapter_core::{Counters, Event};
use time::UtcDateTime;
use topstep_model::{ContractId, Quote};

use crate::args::RuntimeName;
use crate::place::Place;
use crate::screen::line;

/// Latencies that are kept for the percentiles; later ones are not.
const MAX_LATENCIES: usize = 1_000_000;

/// Everything that the summary and the verdict need.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) events: BTreeMap<&'static str, u64>,
    pub(crate) malformed: u64,
    pub(crate) serials: Serials,
    pub(crate) hubs: BTreeMap<&'static str, HubTally>,
    latencies: Vec<Duration>,
}

/// What became of one hub's connection.
#[derive(Default)]
pub(crate) struct HubTally {
    pub(crate) connected: u64,
    pub(crate) lost: u64,
    pub(crate) attempts: u64,
    pub(crate) reconnected: u64,
    pub(crate) restored: u64,
    pub(crate) refused_restores: u64,
    pub(crate) disconnected: u64,
    pub(crate) gaps_opened: u64,
    pub(crate) open_gaps: BTreeSet<String>,
    pub(crate) outage: Duration,
    pub(crate) counters: Counters,
    lost_at: Option<Instant>,
}

/// The serial numbers of the quotes: they tell what was lost, and when.
#[derive(Default)]
pub(crate) struct Serials {
    last: HashMap<ContractId, i64>,
    /// Contracts whose stream has a gap before the next quote.
    in_gap: BTreeSet<ContractId>,
    pub(crate) missed_in_gaps: i64,
    pub(crate) wrong_outside_gaps: u64,
}

/// How a quote's serial fits the one before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next one, or the first.
    Next,
    /// The first after a gap in which so many were sent.
    AfterGap(i64),
    /// Something that no gap explains.
    Wrong { before: i64 },
}

impl Tally {
    pub(crate) fn count(&mut self, target: &'static str) {
        *self.events.entry(target).or_default() += 1;
    }

    pub(crate) fn hub(&mut self, hub: &'static str) -> &mut HubTally {
        self.hubs.entry(hub).or_default()
    }

    /// Takes the time from the venue's stamp to here. Between two machines it holds the difference of their clocks.
    pub(crate) fn clock(&mut self, quote: &Quote) {
        let Some(updated) = quote.last_updated.filter(|_| self.latencies.len() < MAX_LATENCIES) else { return };
        let latency = UtcDateTime::now() - updated.utc();
        self.latencies.push(latency.try_into().unwrap_or_default());
    }

    /// Prints the summary.
    pub(crate) fn print(&self, runtime: RuntimeName, place: &Place) {
        line(format_args!("\nsummary on {runtime}"));
        for (target, count) in &self.events {
            line(format_args!("  events      {count:>6}  {target}"));
        }
        let opened: u64 = self.hubs.values().map(|hub| hub.gaps_opened).sum();
        let open: usize = self.hubs.values().map(|hub| hub.open_gaps.len()).sum();
        line(format_args!("  gaps        {opened} opened, {open} still open"));
        if place.is_rehearsal() {
            let Serials { missed_in_gaps, wrong_outside_gaps, .. } = &self.serials;
            line(format_args!(
                "  quotes      {missed_in_gaps} missed inside of gaps, {wrong_outside_gaps} lost outside"
            ));
        }
        for (name, hub) in self.hubs.iter().filter(|(_, hub)| hub.restored > 0) {
            let seconds = hub.outage.as_secs_f64();
            let attempts = hub.attempts;
            line(format_args!("  reconnect   {name}: {seconds:.3} s until all was restored, {attempts} attempts"));
        }
        let mut latencies = self.latencies.clone();
        latencies.sort_unstable();
        if let Some(longest) = latencies.last() {
            let milliseconds = |latency: Duration| latency.as_secs_f64() * 1e3;
            let [p50, p99] = [50, 99].map(|percent| milliseconds(percentile(&latencies, percent)));
            let longest = milliseconds(*longest);
            line(format_args!(
                "  latency     p50 {p50:.3} ms, p99 {p99:.3} ms, longest {longest:.3} ms: lastUpdated to delivery"
            ));
        }
    }
}

impl HubTally {
    /// Takes note of an event of the connection's life. `Some`: everything is restored, after so long.
    pub(crate) fn note(&mut self, event: &Event) -> Option<Duration> {
        match event {
            Event::Connected(_) => self.connected += 1,
            Event::Reconnecting(_) => {
                self.lost += 1;
                self.lost_at = Some(Instant::now());
            }
            Event::Waiting { .. } => self.attempts += 1,
            Event::Reconnected(_) => self.reconnected += 1,
            Event::Restored => {
                self.restored += 1;
                let outage = self.lost_at.take().map(|lost_at| lost_at.elapsed()).unwrap_or_default();
                self.outage = self.outage.max(outage);
                return Some(outage);
            }
            Event::GapOpened { key, .. } => {
                self.gaps_opened += 1;
                self.open_gaps.insert(key.to_string());
            }
            Event::GapClosed { key } => _ = self.open_gaps.remove(&key.to_string()),
            Event::SubscriptionFailed { .. } => self.refused_restores += 1,
            Event::Disconnected(_) => self.disconnected += 1,
            _ => {}
        }
        None
    }
}

impl Serials {
    /// Quotes may have been missed from here on.
    pub(crate) fn gap(&mut self) {
        self.in_gap.extend(self.last.keys().cloned());
    }

    /// Takes the serial of a contract's next quote. The first quote after a gap repeats the last serial that was sent.
    pub(crate) fn step(&mut self, contract: &ContractId, serial: i64) -> Step {
        let Some(before) = self.last.insert(contract.clone(), serial) else { return Step::Next };
        let is_first_after_gap = self.in_gap.remove(contract);
        if is_first_after_gap && serial >= before {
            self.missed_in_gaps += serial - before;
            return Step::AfterGap(serial - before);
        }
        if serial == before + 1 {
            return Step::Next;
        }
        self.wrong_outside_gaps += 1;
        Step::Wrong { before }
    }
}

/// The value that so many percent of the sorted values do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_gap_explains_missing_serials() {
        let (es, nq) = (ContractId::new("ES"), ContractId::new("NQ"));
        let mut serials = Serials::default();
        assert_eq!([0, 1, 2].map(|serial| serials.step(&es, serial)), [Step::Next, Step::Next, Step::Next]);
        assert_eq!(serials.step(&nq, 40), Step::Next);
        assert_eq!(serials.step(&es, 4), Step::Wrong { before: 2 });
        assert_eq!(serials.step(&es, 4), Step::Wrong { before: 4 });

        serials.gap();
        assert_eq!(serials.step(&es, 9), Step::AfterGap(5));
        assert_eq!(serials.step(&es, 10), Step::Next);
        assert_eq!(serials.step(&nq, 40), Step::AfterGap(0));
        assert_eq!(serials.step(&nq, 42), Step::Wrong { before: 40 });
        assert_eq!((serials.missed_in_gaps, serials.wrong_outside_gaps), (5, 3));
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(50));
        assert_eq!(percentile(&sorted, 99), Duration::from_millis(99));
        assert_eq!(percentile(&sorted[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
