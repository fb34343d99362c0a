//! The market hub's session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use adapter_core::queue::QueueRule;
use signalr_proto::time::Instant;
use topstep_model::{ContractId, DepthRow, Hub, MarketEvent, MarketTrade, Quote, Rows, Target};

use super::handle::{Handle, LinkStatus};
use super::machine::{Ears, Receive, SessionMachine, by_its_own_methods};
use super::outlet::{Outlet, Outlets};
use super::shared::Shared;
use super::user::Following;
use crate::error::SubscribeError;
use crate::gap::{Gap, GapCause, Subject};
use crate::known::{Known, Source};
use crate::market::{Book, MarketCounters, MarketMachine, MarketState, MarketUpdate, MergedQuote};
use crate::moment::Moment;
use crate::observe::{HubHealth, Kind, Seen};
use crate::router::EventKind;
use crate::stream::{Keep, Updates};
use crate::update::{Told, Update};

/// How many trades wait for a listener before the oldest go.
const TRADES: usize = 4_096;
/// How many records of depth wait for a listener before the oldest go.
const DEPTHS: usize = 1_024;
/// What an update counts against the unread bytes of the connection where updates are dropped: nothing, for such a listener never holds it up.
const COST: usize = 0;

/// Rows of a contract's depth, as one record brought them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DepthUpdate {
    /// The contract.
    pub contract: ContractId,
    /// The rows, as they came.
    pub rows: Vec<DepthRow>,
    /// Whether the book that they lead to is complete: see [`MarketSession::book`].
    pub is_valid: bool,
}

impl SessionMachine for MarketMachine {
    type Update = MarketUpdate;
    type Outlets = MarketOutlets;
    const HUB: Hub = Hub::Market;
    const WAITS: bool = false;

    by_its_own_methods!();

    fn want(&mut self, now: Moment, subject: Subject) -> bool {
        self.want(now, subject)
    }

    fn join(&self, now: Moment, subject: &Subject) -> Vec<MarketUpdate> {
        self.join(now, subject)
    }

    fn handle_overflow(&mut self, now: Moment, subject: &Subject) {
        self.handle_overflow(now, subject);
    }

    #[inline]
    fn seen(update: &MarketUpdate) -> Seen<'_> {
        match update {
            MarketUpdate::Quote { told, .. } => seen_quote(&told.value, told.known),
            MarketUpdate::Trade { told, .. } => Seen::Value(Kind::MarketTrades, told.value.timestamp),
            // What is not live may be a snapshot, whose time says nothing of its way.
            MarketUpdate::Depth { rows, known, .. } => {
                let stamp = rows.last().and_then(|row| row.timestamp);
                Seen::Value(Kind::Depth, stamp.filter(|_| *known == Known::Live))
            }
            MarketUpdate::Gap(notice) => Seen::Gap(notice),
            MarketUpdate::Malformed(malformed) => Seen::Malformed(malformed.target),
            MarketUpdate::Refused { .. } | MarketUpdate::Feed { .. } | MarketUpdate::CalendarEnded => Seen::Other,
        }
    }

    fn event(update: &MarketUpdate) -> Option<EventKind> {
        Some(match update {
            MarketUpdate::Quote { told, .. } => EventKind::Quote(told.clone()),
            MarketUpdate::Trade { contract, told } => {
                EventKind::MarketTrade { contract: contract.clone(), told: told.clone() }
            }
            MarketUpdate::Depth { contract, rows, is_valid, known } => {
                EventKind::Depth(depth(contract.clone(), rows.clone(), *is_valid, *known))
            }
            MarketUpdate::Gap(notice) => EventKind::Gap(notice.clone()),
            MarketUpdate::Malformed(malformed) => EventKind::Malformed(malformed.clone()),
            MarketUpdate::Feed { contract, state } => EventKind::Feed { contract: contract.clone(), state: *state },
            MarketUpdate::CalendarEnded => EventKind::CalendarEnded,
            // The session tells it, for both hubs in the same way.
            MarketUpdate::Refused { .. } => return None,
        })
    }
}

#[inline]
fn seen_quote(quote: &MergedQuote, known: Known) -> Seen<'static> {
    // What is not live may be a snapshot, whose time says nothing of its way.
    Seen::Value(Kind::Quotes, quote.last_updated.filter(|_| known == Known::Live))
}

fn depth(contract: ContractId, rows: Vec<DepthRow>, is_valid: bool, known: Known) -> Told<DepthUpdate> {
    Told { value: DepthUpdate { contract, rows, is_valid }, source: crate::Source::Stream, known }
}

impl Receive<Rows<MarketEvent<Quote>>> for MarketMachine {
    #[inline]
    fn receive(&mut self, now: Moment, rows: Rows<MarketEvent<Quote>>, mut ears: Ears<'_, Self>) {
        // Quotes are many, and large: they go to their listeners without a stop in a queue.
        self.take_quotes(now, &rows, |earlier, quote, known| {
            while let Some(update) = earlier.pop_front() {
                ears.tell(update);
            }
            ears.tally.see(now, &seen_quote(quote, known));
            let told = || Told { value: quote.clone(), source: Source::Stream, known };
            if ears.router.is_heard() {
                ears.router.tell_later(now, EventKind::Quote(told()));
            }
            ears.outlets.quotes.each(&quote.contract, || Update::Value(told()));
        });
    }
}

impl Receive<Rows<MarketEvent<MarketTrade>>> for MarketMachine {
    fn receive(&mut self, now: Moment, rows: Rows<MarketEvent<MarketTrade>>, _: Ears<'_, Self>) {
        self.handle_trades(now, rows);
    }
}

impl Receive<Rows<MarketEvent<DepthRow>>> for MarketMachine {
    fn receive(&mut self, now: Moment, rows: Rows<MarketEvent<DepthRow>>, _: Ears<'_, Self>) {
        self.handle_depth(now, rows);
    }
}

/// Who hears what of the market hub.
#[derive(Default)]
pub(crate) struct MarketOutlets {
    pub(super) quotes: ByContract<MergedQuote>,
    trades: ByContract<MarketTrade>,
    depths: ByContract<DepthUpdate>,
}

impl Outlets<MarketUpdate> for MarketOutlets {
    #[inline]
    fn tell(&mut self, update: MarketUpdate) {
        match update {
            MarketUpdate::Quote { contract, told } => self.quotes.tell(&contract, told),
            MarketUpdate::Trade { contract, told } => self.trades.tell(&contract, told),
            MarketUpdate::Depth { contract, rows, is_valid, known } => {
                let told = depth(contract.clone(), rows, is_valid, known);
                self.depths.tell(&contract, told);
            }
            MarketUpdate::Gap(notice) => match notice.gap().subject.clone() {
                Subject::Quotes(contract) => self.quotes.each(&contract, || Update::Gap(notice.clone())),
                Subject::MarketTrades(contract) => self.trades.each(&contract, || Update::Gap(notice.clone())),
                Subject::Depth(contract) => self.depths.each(&contract, || Update::Gap(notice.clone())),
                _ => {}
            },
            // Whose row it was cannot be read: everybody of its kind hears it.
            MarketUpdate::Malformed(malformed) => match malformed.target {
                target if target == Target::Quote.name() => self.quotes.all(|| Update::Malformed(malformed.clone())),
                target if target == Target::Trade.name() => self.trades.all(|| Update::Malformed(malformed.clone())),
                _ => self.depths.all(|| Update::Malformed(malformed.clone())),
            },
            MarketUpdate::Feed { .. } | MarketUpdate::Refused { .. } | MarketUpdate::CalendarEnded => {}
        }
    }

    #[inline]
    fn flush(&mut self) {
        self.quotes.flush();
        self.trades.flush();
        self.depths.flush();
    }

    fn forget_gone(&mut self) {
        self.quotes.forget_gone();
        self.trades.forget_gone();
        self.depths.forget_gone();
    }

    #[inline]
    fn is_full(&mut self) -> bool {
        self.quotes.is_full() || self.trades.is_full() || self.depths.is_full()
    }
}

/// The listeners of one kind of value.
pub(super) struct ByContract<T> {
    outlets: BTreeMap<ContractId, Vec<Outlet<T>>>,
    /// Whose listeners have something that is not flushed.
    touched: Vec<ContractId>,
    /// All of them have.
    is_all_touched: bool,
    /// A listener who is waited for was full when he was last told something.
    may_be_full: bool,
}

impl<T> Default for ByContract<T> {
    fn default() -> Self {
        Self { outlets: BTreeMap::new(), touched: Vec::new(), is_all_touched: false, may_be_full: false }
    }
}

impl<T: Clone> ByContract<T> {
    fn add(&mut self, contract: ContractId, outlet: Outlet<T>) {
        self.outlets.entry(contract).or_default().push(outlet);
    }

    /// Hands a value to all its listeners; the last of them gets the value itself.
    fn tell(&mut self, contract: &ContractId, told: Told<T>) {
        let mut left = self.outlets.get(contract).map_or(0, Vec::len);
        let mut told = Some(told);
        self.each(contract, || {
            left -= 1;
            let told = if left == 0 { told.take() } else { told.clone() };
            Update::Value(told.expect("only the last one takes it"))
        });
    }

    #[inline]
    fn each(&mut self, contract: &ContractId, mut update: impl FnMut() -> Update<T>) {
        let Some(outlets) = self.outlets.get_mut(contract) else { return };
        for outlet in outlets {
            outlet.push(update());
            self.may_be_full |= outlet.is_full();
        }
        if self.touched.last() != Some(contract) {
            self.touched.push(contract.clone());
        }
    }

    fn all(&mut self, update: impl Fn() -> Update<T>) {
        for outlet in self.outlets.values_mut().flatten() {
            outlet.push(update());
            self.may_be_full |= outlet.is_full();
        }
        self.is_all_touched = true;
    }

    #[inline]
    fn flush(&mut self) {
        if std::mem::take(&mut self.is_all_touched) {
            self.touched.clear();
            return self.outlets.values_mut().flatten().for_each(Outlet::flush);
        }
        for contract in self.touched.drain(..) {
            for outlet in self.outlets.get_mut(&contract).into_iter().flatten() {
                outlet.flush();
            }
        }
    }

    #[inline]
    fn is_full(&mut self) -> bool {
        if self.may_be_full {
            self.may_be_full = self.outlets.values().flatten().any(Outlet::is_full);
        }
        self.may_be_full
    }

    fn forget_gone(&mut self) {
        self.outlets.retain(|_, outlets| {
            outlets.retain(|outlet| !outlet.is_gone());
            !outlets.is_empty()
        });
    }
}

/// The market hub as it is followed: quotes, trades and depth of any number of contracts. Clones are handles of the same session.
///
/// Listeners of the same contract share one subscription of the hub; it ends with the last of them.
#[derive(Clone)]
pub struct MarketSession(Arc<Handle<MarketMachine>>, Option<Keep>);

impl MarketSession {
    /// `keep`: what must live as long as this and its streams do.
    pub(crate) fn new(handle: Arc<Handle<MarketMachine>>, keep: Option<Keep>) -> Self {
        Self(handle, keep)
    }

    /// The merged quotes of a contract, with its gaps. Who reads slowly gets the latest: see [`Updates::conflated`].
    ///
    /// Who is not the first to listen begins with the quote as it stands.
    pub async fn quotes(&self, contract: impl Into<ContractId>) -> Result<Updates<MergedQuote>, SubscribeError> {
        let contract = contract.into();
        self.listen(
            Subject::Quotes(contract),
            (latest_between_gaps(), COST),
            |outlets| &mut outlets.quotes,
            |update| match update {
                MarketUpdate::Quote { told, .. } => Some(told),
                _ => None,
            },
        )
        .await
    }

    /// The trades of a contract, with its gaps: what was traded in one is lost for good. Who reads so slowly that 4,096 wait has a gap of his own.
    pub async fn trades(&self, contract: impl Into<ContractId>) -> Result<Updates<MarketTrade>, SubscribeError> {
        let contract = contract.into();
        let rule = (QueueRule::drop_oldest(TRADES), COST);
        self.listen(Subject::MarketTrades(contract), rule, |outlets| &mut outlets.trades, |_| None).await
    }

    /// The depth of a contract, record by record, with its gaps; the book that it makes is at [`book`](Self::book). The venue may ask for an
    /// entitlement and refuse it without.
    pub async fn depth(&self, contract: impl Into<ContractId>) -> Result<Updates<DepthUpdate>, SubscribeError> {
        let contract = contract.into();
        let rule = (QueueRule::drop_oldest(DEPTHS), COST);
        self.listen(
            Subject::Depth(contract),
            rule,
            |outlets| &mut outlets.depths,
            |update| match update {
                MarketUpdate::Depth { contract, rows, is_valid, known } => Some(depth(contract, rows, is_valid, known)),
                _ => None,
            },
        )
        .await
    }

    /// Follows quotes of contracts for as long as the guard lives, whether or not anybody listens. Returns at once.
    pub fn follow(&self, contracts: impl IntoIterator<Item = ContractId>) -> Following {
        self.follow_subjects(contracts.into_iter().map(Subject::Quotes))
    }

    /// Follows whatever of the market is named, for as long as the guard lives. Returns at once.
    pub fn follow_subjects(&self, subjects: impl IntoIterator<Item = Subject>) -> Following {
        let subjects = subjects.into_iter().filter(|subject| subject.hub() == "market");
        Following { wishes: subjects.filter_map(|subject| self.0.wish(subject, self.1.clone())).collect() }
    }

    /// The merged quote of a contract that is followed; `None`: it is not, or nothing came yet.
    pub fn quote(&self, contract: &ContractId) -> Option<Told<MergedQuote>> {
        quote(&self.0.shared, self.0.shared.now(), contract)
    }

    /// The book of a contract whose depth is followed.
    pub fn book(&self, contract: &ContractId) -> Option<Book> {
        self.0.shared.lock().machine.book(contract).cloned()
    }

    /// What is believed now, in one consistent piece.
    pub fn state(&self) -> MarketState {
        let now = self.0.shared.now();
        self.0.shared.lock().machine.state(now)
    }

    /// The gaps that are open now.
    pub fn gaps_open(&self) -> Vec<Gap> {
        self.0.shared.lock().machine.gaps_open()
    }

    /// What the session has counted.
    pub fn counters(&self) -> MarketCounters {
        self.0.shared.lock().machine.counters()
    }

    /// How the hub's connection stands.
    pub fn link(&self) -> LinkStatus {
        self.0.status()
    }

    /// How the hub stands, with rates and latencies.
    pub fn health(&self) -> HubHealth {
        self.0.health()
    }

    pub(super) async fn listen<T: Clone + Send + 'static>(
        &self,
        subject: Subject,
        (rule, cost): (QueueRule<Update<T>>, usize),
        list: impl FnOnce(&mut MarketOutlets) -> &mut ByContract<T>,
        value: impl Fn(MarketUpdate) -> Option<Told<T>>,
    ) -> Result<Updates<T>, SubscribeError> {
        // Only subjects of contracts come here.
        let Some(contract) = subject.contract().cloned() else { return Err(SubscribeError::Closed) };
        let add = |outlets: &mut MarketOutlets, mut outlet: Outlet<T>, first: Vec<MarketUpdate>| {
            for update in first {
                match update {
                    MarketUpdate::Gap(notice) => outlet.push(Update::Gap(notice)),
                    update => _ = value(update).map(|told| outlet.push(Update::Value(told))),
                }
            }
            outlet.flush();
            list(outlets).add(contract, outlet);
        };
        self.0.listen(subject, self.1.clone(), (rule, cost), add).await
    }
}

impl std::fmt::Debug for MarketSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MarketSession").field("link", &self.link().state).finish_non_exhaustive()
    }
}

/// The merged quote of a contract that is followed.
pub(crate) fn quote(shared: &Shared<MarketMachine>, now: Moment, contract: &ContractId) -> Option<Told<MergedQuote>> {
    let news = shared.lock().machine.join(now, &Subject::Quotes(contract.clone()));
    news.into_iter().find_map(|update| match update {
        MarketUpdate::Quote { told, .. } => Some(told),
        _ => None,
    })
}

/// Of the values between two gaps only the latest waits. What stands between them stays where it is.
fn latest_between_gaps<T: 'static>() -> QueueRule<Update<T>> {
    let section = AtomicU64::new(0);
    QueueRule::latest_by(move |update| match update {
        Update::Value(_) => section.load(Ordering::Relaxed),
        _ => section.fetch_add(2, Ordering::Relaxed) + 1,
    })
}
