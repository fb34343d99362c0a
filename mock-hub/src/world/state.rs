//! The world's state, and how events come out of it in the order of their times.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::counted::Counted;
use super::{Topic, Visit, record};
use crate::exchange::{Exchange, Kind, NewAccount, UserEvent};
use crate::market::{Market, MarketEvent};
use crate::options::Options;
use crate::peers::{Audience, Peer, Peers};

/// The moments that are gone through before others get a turn.
const MOMENTS_AT_ONCE: usize = 2_000;
/// How often that is repeated for somebody who waits.
const MOST_ROUNDS: u32 = 4;
/// A world that is later than this hurries, many steps of the market at one moment: the process was stopped, or cannot
/// keep up.
const MAX_LAG: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct State {
    pub(super) market: Market,
    pub(super) exchange: Exchange,
    counted: Option<Counted>,
    /// The groups of a contract's topics.
    groups: HashMap<Arc<str>, [String; 3]>,
    peers: Arc<Peers>,
    first_user: String,
    is_bare: bool,
    now: OffsetDateTime,
    hurries: bool,
    /// Emptied and filled again at every moment.
    market_events: Vec<MarketEvent>,
}

impl State {
    pub(super) fn new(options: &Options, now: OffsetDateTime, peers: Arc<Peers>) -> Self {
        let mut market = Market::new(options.seed, now);
        market.set_rate(now, options.quotes_per_second);
        market.set_null_padding(options.null_padding);
        let mut exchange = Exchange::new(options.seed);
        for login in &options.users {
            exchange.add_account(&login.user, NewAccount::practice());
            exchange.add_account(&login.user, NewAccount::evaluation());
        }
        Self {
            market,
            exchange,
            counted: options.counted_quotes.then(|| Counted::new(now, options.quotes_per_second)),
            groups: HashMap::new(),
            peers,
            first_user: options.first_user().to_owned(),
            is_bare: options.bare_user_events,
            now,
            hurries: options.clock == crate::options::Clock::Real,
            market_events: Vec::new(),
        }
    }

    /// Goes through everything that is due up to `now`; yields the time it has come to, which never goes back.
    ///
    /// With the system's clock it gives up after a while: a market too fast for this machine must not hold up a caller,
    /// who then finds the world a bit behind.
    pub(super) fn bring_up_to(&mut self, now: OffsetDateTime) -> OffsetDateTime {
        let mut rounds = 0;
        while self.run(now) && !(self.hurries && rounds == MOST_ROUNDS) {
            rounds += 1;
        }
        self.now
    }

    /// Goes through what is due, moment by moment, for a while; whether there is more.
    pub(super) fn run(&mut self, now: OffsetDateTime) -> bool {
        let now = now.max(self.now);
        if self.hurries && self.next_due().is_some_and(|due| now - due > MAX_LAG) {
            self.moment(now);
        }
        for _ in 0..MOMENTS_AT_ONCE {
            let Some(due) = self.next_due().filter(|due| *due <= now) else {
                self.now = now;
                return false;
            };
            self.moment(due.max(self.now));
        }
        true
    }

    pub(super) fn next_due(&self) -> Option<OffsetDateTime> {
        let counted = self.counted.as_ref().and_then(Counted::next_due);
        [self.market.next_due(), self.exchange.next_due(), counted].into_iter().flatten().min()
    }

    pub(super) fn visit<T>(&mut self, now: OffsetDateTime, visit: impl FnOnce(Visit<'_>) -> T) -> T {
        let answer = visit(Visit { now, market: &mut self.market, exchange: &mut self.exchange });
        self.publish_user_events();
        answer
    }

    pub(super) fn subscribe(&mut self, now: OffsetDateTime, peer: &Arc<Peer>, topic: Topic, contract: &str) {
        let group = topic.group(contract);
        for json in self.opening(now, topic, contract) {
            self.peers.send_to_one(peer, Some(&group), &record::of_market(topic, contract, &json));
        }
        self.peers.join_group(peer, &group);
    }

    /// What a subscriber gets before any event: nothing where the contract is unknown.
    fn opening(&mut self, now: OffsetDateTime, topic: Topic, contract: &str) -> Vec<String> {
        if let Some(counted) = self.counted.as_mut().filter(|_| topic != Topic::Depth) {
            let quote = counted.open(now, contract);
            return if topic == Topic::Quotes { vec![quote] } else { Vec::new() };
        }
        if !self.market.follow(now, contract) {
            return Vec::new();
        }
        match topic {
            Topic::Quotes => self.market.full_quote(now, contract).into_iter().collect(),
            Topic::Trades => Vec::new(),
            Topic::Depth => self.market.depth_snapshot(now, contract).unwrap_or_default(),
        }
    }

    pub(super) fn set_rate(&mut self, now: OffsetDateTime, rate: f64) {
        self.market.set_rate(now, rate);
        if let Some(counted) = &mut self.counted {
            counted.set_rate(now, rate);
        }
    }

    pub(super) fn set_price(&mut self, now: OffsetDateTime, contract: &str, price: Decimal) -> bool {
        if !self.market.follow(now, contract) {
            return false;
        }
        let mut events = std::mem::take(&mut self.market_events);
        self.market.nudge(now, contract, price, &mut |event| events.push(event));
        self.settle(now, events);
        true
    }

    /// One moment: the market first, then what its prices and the time do to the exchange.
    fn moment(&mut self, at: OffsetDateTime) {
        let mut events = std::mem::take(&mut self.market_events);
        self.market.advance(at, &mut |event| events.push(event));
        if let Some(counted) = &mut self.counted {
            let peers = &self.peers;
            counted.advance(at, |topic, contract, json| {
                let record = record::of_market(topic, contract, &json);
                peers.publish(at, "market", &topic.group(contract), None, &record);
            });
        }
        self.settle(at, events);
        self.now = self.now.max(at);
    }

    fn settle(&mut self, at: OffsetDateTime, mut events: Vec<MarketEvent>) {
        for event in events.drain(..) {
            self.publish_market_event(&event);
            if let MarketEvent::Quote { contract, best, .. } = &event {
                self.exchange.on_price(at, contract, best);
            }
        }
        self.market_events = events;
        self.exchange.advance(at);
        self.publish_user_events();
    }

    fn publish_market_event(&mut self, event: &MarketEvent) {
        let (topic, contract) = (Topic::of(event), event.contract());
        // With counters in place of the market its quotes and trades would be told twice.
        if self.counted.is_none() || topic == Topic::Depth {
            let groups = self
                .groups
                .entry(Arc::clone(contract))
                .or_insert_with(|| [Topic::Quotes, Topic::Trades, Topic::Depth].map(|topic| topic.group(contract)));
            let [quotes, trades, depth] = groups;
            let group = match topic {
                Topic::Quotes => quotes,
                Topic::Trades => trades,
                Topic::Depth => depth,
            };
            self.peers.publish(event.at(), "market", group, None, &record::of_market(topic, contract, event.json()));
        }
    }

    fn publish_user_events(&mut self) {
        while let Some(event) = self.exchange.poll_event() {
            let audience = Audience { user: &event.user, takes_nameless: *event.user == *self.first_user };
            let record = record::of_user(&event, self.is_bare);
            self.peers.publish(event.at, "user", &group_of(&event), Some(audience), &record);
        }
    }
}

fn group_of(event: &UserEvent) -> String {
    match event.kind {
        Kind::Account => "accounts".to_owned(),
        Kind::Order => format!("orders/{}", event.account_id),
        Kind::Position => format!("positions/{}", event.account_id),
        Kind::Trade => format!("trades/{}", event.account_id),
    }
}
