//! Holds what the machine believes against what is true.
//!
//! Every value of the venue has versions, and every version a serial number; the stream keeps their order. At any moment the machine has heard
//! of everything up to the serial number of the last record that was delivered, if the subject was acknowledged. So what it calls live or
//! verified must be a version that is at least that new; REST may have told a newer one. The only excuse is a loss without a sign, and it
//! holds for one audit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::{AccountId, Order, OrderId, Position, TradeId};
use topstep_session::user::{UserMachine, UserUpdate};
use topstep_session::{Gap, GapNotice, Known, Moment, Source, Subject};

use crate::venue::{ACCOUNTS, Key, Row, Value, Venue};

/// The time from a silent loss to the end of the next audit, when every read succeeds, beside the time that REST takes.
const ONE_AUDIT: Duration = Duration::from_secs(50);
/// What each read that fails adds to it: a throttle's wait, at most, and the read.
const ONE_FAILURE: Duration = Duration::from_secs(32);

pub(crate) struct Oracle {
    began: Moment,
    /// What REST takes for the passes of an audit, at most.
    reads_take: Duration,
    /// The newest version at the beginning.
    began_serial: u64,
    /// The serial number of the last record that was delivered on this connection.
    heard: u64,
    acknowledged: BTreeSet<Subject>,
    /// What was lost without a sign, by its serial number: when, and how many reads had failed by then.
    lost: BTreeMap<u64, (Instant, u64)>,
    failed_reads: u64,
    open: BTreeMap<Subject, Gap>,
    gap_ids: BTreeSet<u64>,
    pub(crate) gaps_closed: u64,
    trades: BTreeMap<TradeId, u32>,
    looks: u64,
}

impl Oracle {
    pub(crate) fn new(began: Moment, reads_take: Duration) -> Self {
        Self {
            began,
            reads_take,
            began_serial: 0,
            heard: 0,
            acknowledged: BTreeSet::new(),
            lost: BTreeMap::new(),
            failed_reads: 0,
            open: BTreeMap::new(),
            gap_ids: BTreeSet::new(),
            gaps_closed: 0,
            trades: BTreeMap::new(),
            looks: 0,
        }
    }

    pub(crate) fn began(&mut self, venue: &Venue) {
        self.began_serial = venue.serial;
    }

    pub(crate) fn connected(&mut self) {
        (self.heard, self.acknowledged) = (0, BTreeSet::new());
    }

    /// The connection was lost: at once a gap is open on everything, and nothing but what is final is live.
    pub(crate) fn lost(&mut self, machine: &UserMachine, wanted: usize) {
        assert_eq!(machine.gaps_open().len(), wanted, "every subject that is wanted has a gap");
        self.connected();
    }

    pub(crate) fn acknowledged(&mut self, subject: &Subject, serial: u64) {
        self.heard = self.heard.max(serial);
        self.acknowledged.insert(subject.clone());
    }

    pub(crate) fn delivered(&mut self, row: &Row) {
        self.heard = row.serial;
    }

    pub(crate) fn unreadable(&mut self, row: &Row) {
        self.heard = row.serial;
    }

    pub(crate) fn lose_silently(&mut self, row: &Row, now: Moment) {
        self.lost.insert(row.serial, (now.mono, self.failed_reads));
    }

    pub(crate) fn told(&mut self, event: UserUpdate) {
        let (subject, source, known, is_final) = match &event {
            UserUpdate::Account(told) => (Subject::Accounts, told.source, told.known, false),
            UserUpdate::Order(told) => {
                (Subject::Orders(told.value.account_id), told.source, told.known, told.value.status.is_terminal())
            }
            UserUpdate::Position(told) => (Subject::Positions(told.value.account_id), told.source, told.known, false),
            UserUpdate::Trade(told) => {
                let count = self.trades.entry(told.value.id).or_default();
                *count += 1;
                assert!(*count == 1 || *count == 2 && told.value.voided == Some(true), "{told:?} again");
                (Subject::Trades(told.value.account_id), told.source, told.known, true)
            }
            UserUpdate::Gap(GapNotice::Opened(gap)) => {
                assert!(self.gap_ids.insert(gap.id.0), "a gap's name is used once");
                assert!(gap.to.is_none() && gap.causes.len() == 1);
                assert!(self.open.insert(gap.subject.clone(), gap.clone()).is_none(), "one gap a subject");
                return;
            }
            UserUpdate::Gap(GapNotice::Closed(gap, _)) => {
                let opened = self.open.remove(&gap.subject).expect("only what is open closes");
                let causes: BTreeSet<_> = gap.causes.iter().map(|cause| cause.as_str()).collect();
                assert_eq!(causes.len(), gap.causes.len(), "no cause twice");
                assert_eq!((opened.id, opened.from), (gap.id, gap.from), "the beginning stays");
                assert_eq!(opened.causes[0], gap.causes[0]);
                assert!(gap.to.is_some_and(|to| to.at.mono >= gap.from.at.mono));
                self.gaps_closed += 1;
                return;
            }
            UserUpdate::Malformed(_) => return,
            other => panic!("{other:?} is not known here"),
        };
        let is_open = self.open.contains_key(&subject);
        assert!(source == Source::Stream || is_open, "REST tells only within a gap: {event:?}");
        assert!(known < Known::Live || !is_open || is_final, "nothing but an end is live within a gap: {event:?}");
    }

    /// After every step.
    pub(crate) fn look(&mut self, now: Moment, machine: &UserMachine, venue: &Venue) {
        self.looks += 1;
        self.failed_reads = machine.counters().failed_reads;
        let (failed, one_audit) = (self.failed_reads, ONE_AUDIT + self.reads_take);
        self.lost.retain(|_, (at, before)| {
            let failures = u32::try_from(failed - *before).unwrap_or(u32::MAX);
            now.mono <= *at + one_audit + ONE_FAILURE.saturating_mul(failures)
        });
        for account in ACCOUNTS {
            if let Some(entry) = machine.account(account) {
                self.check(
                    venue,
                    &Key::Account(account),
                    entry.known,
                    |value| matches!(value, Value::Account(truth) if truth.balance == entry.value.balance),
                );
            }
            self.look_at_positions(machine, venue, account);
            self.look_at_orders(machine, venue, account);
            if self.looks.is_multiple_of(16) {
                self.look_at_trades(machine, venue, account);
            }
        }
        if self.looks.is_multiple_of(64) {
            self.look_at_everything(machine, venue);
        }
    }

    fn look_at_positions(&self, machine: &UserMachine, venue: &Venue, account: AccountId) {
        for contract in Venue::contracts() {
            let entry = machine.position(account, &contract);
            let key = Key::Position(account, contract);
            let is_never = venue.versions.get(&key).is_none_or(|versions| self.floor(versions).is_none());
            if entry.value.is_none() && is_never {
                continue;
            }
            self.check(venue, &key, entry.known, |value| {
                matches!(value, Value::Position(truth) if match &entry.value {
                    Some(believed) => same_position(believed, truth),
                    None => truth.size == 0,
                })
            });
        }
        let list = machine.positions(account);
        if list.known < Known::Live {
            return;
        }
        let is_open = |value: &Value| matches!(value, Value::Position(position) if position.size != 0);
        for contract in Venue::contracts() {
            let key = &Key::Position(account, contract.clone());
            let Some(versions) = venue.versions.get(key) else { continue };
            if self.must_be_there(versions, is_open) {
                assert!(list.values().any(|position| position.contract_id == contract), "{contract} is missing");
            }
        }
    }

    fn look_at_orders(&self, machine: &UserMachine, venue: &Venue, account: AccountId) {
        let list = machine.working_orders(account);
        for entry in &list.entries {
            self.check_order(venue, &entry.value, entry.known);
        }
        if list.known < Known::Live {
            return;
        }
        for key in venue.working.iter().copied().map(Key::Order) {
            let (key, versions) = (&key, &venue.versions[&key]);
            let is_working = |value: &Value| matches!(value, Value::Order(order) if order.account_id == account && !order.status.is_terminal());
            if self.must_be_there(versions, is_working) {
                assert!(
                    list.values().any(|order| Key::Order(order.id) == *key),
                    "{key:?} is missing, heard {}, truth {versions:?}",
                    self.heard
                );
            }
        }
    }

    fn look_at_trades(&self, machine: &UserMachine, venue: &Venue, account: AccountId) {
        let list = machine.trades(account);
        let is_whole = list.known >= Known::Live;
        for entry in &list.entries {
            assert!(entry.known >= Known::Live, "trades are final");
            let known = if is_whole { entry.known } else { Known::Provisional };
            self.check(venue, &Key::Trade(entry.value.id), known, |value| {
                matches!(value, Value::Trade(truth)
                    if truth.price == entry.value.price && truth.voided == entry.value.voided && truth.size == entry.value.size)
            });
        }
        if !is_whole {
            return;
        }
        let believed: BTreeSet<TradeId> = list.values().map(|trade| trade.id).collect();
        for (key, versions) in venue.versions.range(Key::Trade(TradeId::new(0))..) {
            let Key::Trade(id) = key else { continue };
            let is_ours = |value: &Value| matches!(value, Value::Trade(trade) if trade.account_id == account);
            if self.must_be_there(versions, is_ours) {
                assert!(believed.contains(id), "{id} is missing");
            }
        }
    }

    fn look_at_everything(&self, machine: &UserMachine, venue: &Venue) {
        let state = machine.state();
        assert_eq!(state.gaps.len(), self.open.len());
        for entry in &state.orders.entries {
            if entry.value.status.is_terminal() {
                assert!(entry.known >= Known::Live, "what is over is final");
                let last = venue.last(&Key::Order(entry.value.id));
                assert!(matches!(last, Some(Value::Order(truth)) if same_order(&entry.value, truth)));
            } else {
                self.check_order(venue, &entry.value, entry.known);
            }
        }
        assert!(state.connected || state.orders.known == Known::Stale);
    }

    fn check_order(&self, venue: &Venue, believed: &Order, known: Known) {
        let key = Key::Order(believed.id);
        self.check(venue, &key, known, |value| matches!(value, Value::Order(truth) if same_order(believed, truth)));
    }

    /// What is live or verified is a version that is new enough.
    fn check(&self, venue: &Venue, key: &Key, known: Known, is_it: impl Fn(&Value) -> bool) {
        if known < Known::Live {
            return;
        }
        let versions = &venue.versions[key];
        let floor = self.floor(versions).unwrap_or(0);
        let is_true = versions[floor..].iter().any(|(_, value)| is_it(value));
        assert!(is_true, "{key:?} is said to be {known}, heard {}, truth {:?}", self.heard, &versions[floor..]);
    }

    /// The oldest version that can be believed: the newest that was heard, but for what was lost without a sign a short time ago.
    fn floor(&self, versions: &[(u64, Value)]) -> Option<usize> {
        versions.iter().rposition(|(serial, _)| *serial <= self.heard && !self.lost.contains_key(serial))
    }

    /// Whether something is in every version that can be believed.
    fn must_be_there(&self, versions: &[(u64, Value)], is_there: impl Fn(&Value) -> bool) -> bool {
        let floor = self.floor(versions);
        floor.is_some_and(|floor| versions[floor..].iter().all(|(_, value)| is_there(value)))
    }

    /// Everything has come to rest: all of it is known, and true.
    pub(crate) fn at_rest(&self, machine: &UserMachine, venue: &Venue, was_old: bool, now: Moment) {
        assert_eq!(machine.gaps_open(), Vec::new());
        let state = machine.state();
        for (name, known) in [
            ("accounts", state.accounts.known),
            ("orders", state.orders.known),
            ("positions", state.positions.known),
            ("trades", state.trades.known),
        ] {
            assert!(known >= Known::Live, "the {name} are {known}");
        }
        for account in ACCOUNTS {
            let believed: Vec<&Position> =
                state.positions.values().filter(|position| position.account_id == account).collect();
            let truth: Vec<&Position> = venue.positions(account).collect();
            assert_eq!(believed.len(), truth.len());
            assert!(believed.iter().zip(&truth).all(|(one, other)| same_position(one, other)));

            let orders: BTreeMap<OrderId, &Order> = state
                .orders
                .values()
                .filter(|order| order.account_id == account)
                .map(|order| (order.id, order))
                .collect();
            for truth in venue.orders(account) {
                // Where REST has no list of suspended orders, one from before that ended unseen leaves no trace.
                let at = if was_old { truth.creation_timestamp } else { truth.update_timestamp };
                let is_history = truth.status.is_terminal() && at < Some(self.began.wall);
                match orders.get(&truth.id) {
                    Some(order) => assert!(same_order(order, truth), "{order:?} is {truth:?}"),
                    None => assert!(is_history, "{truth:?} is missing"),
                }
            }
            let trades = machine.trades(account);
            let truth: Vec<_> = venue.trades(account).collect();
            assert_eq!(trades.entries.len(), truth.len(), "trades");
            for (believed, truth) in trades.values().zip(&truth) {
                assert_eq!((believed.id, believed.voided), (truth.id, truth.voided));
                let first = venue.versions[&Key::Trade(truth.id)][0].0;
                let told = self.trades.get(&truth.id).copied().unwrap_or_default();
                assert!(first <= self.began_serial || told >= 1, "{truth:?} was never told");
            }
            let gross: rust_decimal::Decimal = truth
                .iter()
                .filter(|trade| trade.voided != Some(true))
                .filter_map(|trade| trade.profit_and_loss)
                .map(|profit| profit.decimal())
                .sum();
            let profit = machine.profit_and_loss(account, now);
            assert_eq!((profit.gross, profit.trades), (gross, truth.len()));
            assert!(profit.known >= Known::Live);
            let Some(Value::Account(truth)) = venue.last(&Key::Account(account)) else { panic!("an account") };
            assert_eq!(machine.account(account).map(|entry| entry.value.balance), Some(truth.balance));
        }
    }
}

fn same_position(believed: &Position, truth: &Position) -> bool {
    believed.size == truth.size
        && (believed.size == 0 || believed.kind == truth.kind && believed.average_price == truth.average_price)
}

fn same_order(believed: &Order, truth: &Order) -> bool {
    believed.status == truth.status
        && believed.kind == truth.kind
        && believed.side == truth.side
        && believed.size == truth.size
        && believed.limit_price == truth.limit_price
        && believed.stop_price == truth.stop_price
        && believed.fill_volume.unwrap_or(0) == truth.fill_volume.unwrap_or(0)
        && believed.filled_price == truth.filled_price
}
