//! The market machine: who wants what, and what the connection does.

mod reading;
mod rows;

use signalr_proto::time::Instant;

use super::config::MarketConfig;
use super::contracts::{Contract, Contracts, contract_of};
use super::line::Wire;
use super::update::MarketUpdate;
use crate::action::Action;
use crate::gap::{GapCause, Subject};
use crate::moment::Moment;

/// What is believed of the market, and how well it is known.
///
/// See the [module](super) for what it does. One call of `handle_quotes`, `handle_trades` or `handle_depth` is one record of the hub. Empty
/// [`poll_action`](Self::poll_action) and [`poll_event`](Self::poll_event) after each call: what one call can queue is bounded, what nobody
/// fetches is not.
///
/// ```
/// use signalr_proto::time::Instant;
/// use topstep_model::{ContractId, Timestamp};
/// use topstep_session::market::{Action, MarketConfig, MarketMachine, TradingHours};
/// use topstep_session::{Known, Moment, Subject};
///
/// let now = Moment::new(Instant::from_nanos(0), "2026-11-20T15:00:00Z".parse::<Timestamp>()?);
/// let mut market = MarketMachine::new(MarketConfig::default().hours(TradingHours::always_open()), now);
/// let contract = ContractId::new("CON.F.US.EP.Z26");
/// let quotes = Subject::Quotes(contract.clone());
/// market.want(now, quotes.clone());
/// assert_eq!(market.poll_action(), Some(Action::Subscribe(quotes.clone())));
///
/// market.handle_connected(now);
/// market.handle_subscribed(now, &quotes);
/// market.handle_quotes(now, serde_json::from_str(r#"["CON.F.US.EP.Z26",{"bestBid":6001.25,"bestAsk":6001.5}]"#)?);
/// assert_eq!(market.quote_known(now, &contract), Known::Live);
/// let quote = market.quote(now, &contract).expect("one came");
/// assert_eq!(quote.spread().map(|spread| spread.to_string()).as_deref(), Some("0.25"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MarketMachine {
    config: MarketConfig,
    contracts: Contracts,
    wire: Wire,
    told_end_of_calendar: bool,
}

impl MarketMachine {
    /// A machine that follows nothing yet, and is not connected.
    pub fn new(config: MarketConfig, began: Moment) -> Self {
        let mut machine =
            Self { config, contracts: Contracts::default(), wire: Wire::default(), told_end_of_calendar: false };
        machine.look_at_calendar(began);
        machine
    }

    /// Somebody wants a subject of the market hub. The first one makes [`Action::Subscribe`], and opens the gap of the cold start.
    ///
    /// Tells whether it is followed: not if there are too many contracts, nor if it is no subject of this hub.
    pub fn want(&mut self, now: Moment, subject: Subject) -> bool {
        let Some(id) = contract_of(&subject) else { return false };
        let Some(contract) = self.contracts.make(now, id, self.config.most_contracts) else {
            self.wire.counters.wishes_declined += 1;
            return false;
        };
        match subject {
            Subject::Quotes(_) => contract.quotes.want(now, &mut self.wire),
            Subject::MarketTrades(_) => _ = contract.trades.line.want(now, &mut self.wire),
            _ => _ = contract.depth.line.want(now, &mut self.wire),
        }
        true
    }

    /// Somebody wants it no more. The last one makes [`Action::Unsubscribe`]: what is believed of it becomes stale, an open gap is abandoned.
    pub fn unwant(&mut self, now: Moment, subject: &Subject) {
        let Some(contract) = contract_of(subject).and_then(|id| self.contracts.get_mut(id)) else { return };
        match subject {
            Subject::Quotes(_) => contract.quotes.unwant(now, &mut self.wire),
            Subject::MarketTrades(_) => _ = contract.trades.line.unwant(now, &mut self.wire),
            _ => contract.depth.unwant(now, &mut self.wire),
        }
    }

    /// The hub is connected, for the first time or again. Every subject awaits its acknowledgement.
    pub fn handle_connected(&mut self, now: Moment) {
        self.wire.is_connected = true;
        self.wire.generation += 1;
        self.look_at_calendar(now);
        for contract in self.contracts.iter_mut() {
            contract.quotes.line.await_acknowledgement();
            contract.trades.line.await_acknowledgement();
            contract.depth.line.await_acknowledgement();
        }
    }

    /// The connection is lost: a gap on everything that is wanted.
    pub fn handle_lost(&mut self, _now: Moment, cause: GapCause) {
        self.wire.is_connected = false;
        let wire = &mut self.wire;
        for contract in self.contracts.iter_mut() {
            let Contract { quotes, trades, depth, .. } = contract;
            if quotes.line.is_wanted() {
                quotes.lost(wire, cause);
            }
            if trades.line.is_wanted() {
                trades.lost(wire, cause);
            }
            if depth.line.is_wanted() {
                depth.lost(wire, cause);
            }
        }
    }

    /// The hub acknowledged a subscription, for the first time or again.
    pub fn handle_subscribed(&mut self, now: Moment, subject: &Subject) {
        if !self.wire.is_connected {
            return;
        }
        let (config, wire) = (&self.config, &mut self.wire);
        match subject_in(&mut self.contracts, subject) {
            Some(Feed::Quotes(contract)) => contract.quotes.acknowledged(now, config, wire),
            Some(Feed::Trades(contract)) => contract.trades.acknowledged(now, wire),
            Some(Feed::Depth(contract)) => contract.depth.acknowledged(now, config, wire),
            None => {}
        }
    }

    /// The hub acknowledged that a subscription has ended which is to begin anew: all rows before this were of the old one, and prove nothing.
    ///
    /// Telling it is not required. Without it a reset that was under way when the old subscription ended is taken for the new one's, and a book
    /// may be called live until the new one's comes.
    pub fn handle_unsubscribed(&mut self, _now: Moment, subject: &Subject) {
        match subject_in(&mut self.contracts, subject) {
            Some(Feed::Quotes(contract)) => contract.quotes.old_ended(),
            Some(Feed::Depth(contract)) => contract.depth.old_ended(),
            Some(Feed::Trades(_)) | None => {}
        }
    }

    /// There is a hole in one subscription while the connection lives.
    ///
    /// With [`GapCause::Resubscribed`] somebody subscribes to it anew, and `handle_subscribed` follows. With any other cause the subscription
    /// goes on; a depth then asks for a snapshot itself.
    pub fn handle_gap(&mut self, now: Moment, subject: &Subject, cause: GapCause) {
        let (config, wire) = (&self.config, &mut self.wire);
        match subject_in(&mut self.contracts, subject) {
            Some(Feed::Quotes(contract)) => contract.quotes.hole(now, cause, config, wire),
            Some(Feed::Trades(contract)) => contract.trades.hole(now, wire, cause),
            Some(Feed::Depth(contract)) => contract.depth.hole(now, cause, config, wire),
            None => {}
        }
    }

    /// The hub refuses a subscription. Its gap stays open until the hub agrees after all.
    pub fn handle_refused(&mut self, _now: Moment, subject: &Subject, error: String) {
        match subject_in(&mut self.contracts, subject) {
            Some(Feed::Quotes(contract)) => contract.quotes.refused(),
            Some(Feed::Trades(contract)) => contract.trades.line.await_acknowledgement(),
            Some(Feed::Depth(contract)) => contract.depth.refused(),
            None => return,
        }
        self.wire.counters.refusals += 1;
        let message = super::text::harmless(&error);
        self.wire.tell(MarketUpdate::Refused { subject: subject.clone(), message });
    }

    /// A listener of this subject did not keep up.
    ///
    /// Of quotes it still has the newest, so that is counted only. Trades have a gap that closes at once. A depth begins anew.
    pub fn handle_overflow(&mut self, now: Moment, subject: &Subject) {
        let (config, wire) = (&self.config, &mut self.wire);
        match subject_in(&mut self.contracts, subject) {
            Some(Feed::Quotes(_)) => wire.counters.conflated += 1,
            Some(Feed::Trades(contract)) => contract.trades.hole(now, wire, GapCause::ConsumerOverflow),
            Some(Feed::Depth(contract)) => contract.depth.hole(now, GapCause::ConsumerOverflow, config, wire),
            None => {}
        }
    }

    /// Does what is due. Too early, it does nothing.
    pub fn handle_timeout(&mut self, now: Moment) {
        if self.wire.due().is_none_or(|due| due > now.mono) {
            return;
        }
        self.look_at_calendar(now);
        for contract in self.contracts.iter_mut() {
            contract.quotes.timeout(now, &self.config, &mut self.wire);
            contract.depth.timeout(now, &self.config, &mut self.wire);
        }
        self.wire.disarm();
        for contract in self.contracts.iter() {
            contract.quotes.due().into_iter().chain(contract.depth.due()).for_each(|at| self.wire.arm(at));
        }
    }

    /// What the hub is to be asked next.
    #[must_use = "an action that is lost is a subscription that never comes"]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.wire.actions.pop_front()
    }

    /// What the listeners are to be told next.
    #[must_use = "an event that is dropped is an event lost"]
    pub fn poll_event(&mut self) -> Option<MarketUpdate> {
        self.wire.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; it may be too early, never too late.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wire.due()
    }

    fn look_at_calendar(&mut self, now: Moment) {
        if !self.told_end_of_calendar && self.config.hours.has_ended(now.wall) {
            self.told_end_of_calendar = true;
            self.wire.tell(MarketUpdate::CalendarEnded);
        }
    }
}

/// One of a contract's feeds.
enum Feed<'a> {
    Quotes(&'a mut Contract),
    Trades(&'a mut Contract),
    Depth(&'a mut Contract),
}

/// The feed of a subject, if somebody wants it.
fn subject_in<'a>(contracts: &'a mut Contracts, subject: &Subject) -> Option<Feed<'a>> {
    let contract = contracts.get_mut(contract_of(subject)?)?;
    match subject {
        Subject::Quotes(_) => contract.quotes.line.is_wanted().then_some(Feed::Quotes(contract)),
        Subject::MarketTrades(_) => contract.trades.line.is_wanted().then_some(Feed::Trades(contract)),
        _ => contract.depth.line.is_wanted().then_some(Feed::Depth(contract)),
    }
}

#[cfg(test)]
mod tests;
