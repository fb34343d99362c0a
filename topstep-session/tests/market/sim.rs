//! A hub that moves, forgets and falls silent, and what the machine makes of it. One seed, one run; nothing waits.

mod hub;
mod listener;

use std::collections::VecDeque;

use fastrand::Rng;
use topstep_model::{ContractId, Price};
use topstep_session::market::{Action, MarketConfig, MarketMachine, TradingHours};
use topstep_session::{GapCause, Known, Subject};

use crate::at;
use hub::Hub;
use listener::Listener;

const CONTRACT: &str = "CON.F.US.EP.Z26";
const QUOTES: usize = 0;
const TRADES: usize = 1;
const DEPTH: usize = 2;

/// From the acknowledgement to the end of a gap in quotes, in milliseconds.
const PATIENCE: u64 = 5_000;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Link {
    Down {
        until: u64,
    },
    Up,
    /// Nothing comes through any more, and nobody has noticed.
    Broken {
        until: u64,
    },
}

/// What the hub does next about a subscription.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Leave,
    Join,
    Snapshot,
    Acknowledge,
    Refuse,
}

/// One subscription as the hub and this test see it.
#[derive(Debug)]
struct Feed {
    subject: Subject,
    is_wanted: bool,
    is_joined: bool,
    plan: VecDeque<(u64, Step)>,
    /// Since when it is acknowledged, and nothing happened to it.
    calm_since: Option<u64>,
    /// When something was lost while somebody wanted it.
    lost: Vec<u64>,
    has_snapshot: bool,
}

struct Sim {
    rng: Rng,
    now: u64,
    machine: MarketMachine,
    hub: Hub,
    link: Link,
    feeds: [Feed; 3],
    /// The sides heard since the last hole, as far as nothing is doubtful.
    heard: (Option<i64>, Option<i64>),
    listener: Listener,
    is_kind: bool,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let contract = ContractId::new(CONTRACT);
        let subjects = [
            Subject::Quotes(contract.clone()),
            Subject::MarketTrades(contract.clone()),
            Subject::Depth(contract.clone()),
        ];
        let feeds = subjects.map(|subject| Feed {
            subject,
            is_wanted: false,
            is_joined: false,
            plan: VecDeque::new(),
            calm_since: None,
            lost: Vec::new(),
            has_snapshot: false,
        });
        Self {
            rng: Rng::with_seed(seed),
            now: 0,
            machine: MarketMachine::new(MarketConfig::default().hours(TradingHours::always_open()), at(0)),
            hub: Hub::new(),
            link: Link::Down { until: 100 },
            feeds,
            heard: (None, None),
            listener: Listener::default(),
            is_kind: false,
        }
    }

    fn run(&mut self) {
        (QUOTES..=DEPTH).for_each(|feed| self.toggle(feed));
        for _ in 0..400 {
            self.step();
        }
        self.is_kind = true;
        if let Link::Broken { until } = self.link {
            self.link = Link::Broken { until: until.min(self.now + 1_000) };
        }
        (QUOTES..=DEPTH)
            .filter(|feed| !self.feeds[*feed].is_wanted)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|feed| self.toggle(feed));
        let end = self.now + 60_000;
        while self.now < end {
            self.step();
        }
        self.check_healed();
    }

    fn step(&mut self) {
        let until = self.now + self.rng.u64(1..400);
        self.pass(until);
        self.serve();
        match self.rng.u8(0..100) {
            0..=39 => self.move_quote(),
            40..=59 => self.trade(),
            60..=84 => self.move_book(),
            _ if self.is_kind => {}
            85..=87 if self.link == Link::Up => self.link = Link::Broken { until: self.now + self.rng.u64(1..4_000) },
            88 | 89 if self.link == Link::Up => self.lose(),
            90 | 91 => self.overflow(),
            92 | 93 => self.begin_anew(),
            94 => {
                let feed = self.rng.usize(0..3);
                self.toggle(feed);
            }
            _ => {}
        }
        self.check();
    }

    /// Lets the time pass, and wakes the machine when it wants.
    fn pass(&mut self, until: u64) {
        while let Some(due) = self.machine.poll_timeout() {
            let due = due.as_nanos().div_ceil(1_000_000);
            if due > until {
                break;
            }
            self.now = due.max(self.now);
            self.machine.handle_timeout(at(self.now));
            self.drain();
        }
        self.now = until;
    }

    /// The hub's part, and the network's.
    fn serve(&mut self) {
        match self.link {
            Link::Broken { until } if until <= self.now => self.lose(),
            Link::Down { until } if until <= self.now => {
                self.link = Link::Up;
                self.machine.handle_connected(at(self.now));
                (QUOTES..=DEPTH)
                    .filter(|feed| self.feeds[*feed].is_wanted)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|feed| self.plan_join(feed));
            }
            _ => {}
        }
        for feed in QUOTES..=DEPTH {
            while let Some((due, step)) = self.feeds[feed].plan.front().copied() {
                if due > self.now {
                    break;
                }
                self.feeds[feed].plan.pop_front();
                self.hub_does(feed, step);
            }
        }
        self.drain();
    }

    fn hub_does(&mut self, feed: usize, step: Step) {
        let subject = self.feeds[feed].subject.clone();
        let comes_through = self.link == Link::Up;
        match step {
            Step::Leave => {
                self.feeds[feed].is_joined = false;
                if comes_through {
                    if feed == QUOTES {
                        self.heard = (None, None);
                    }
                    self.machine.handle_unsubscribed(at(self.now), &subject);
                }
            }
            Step::Join => self.feeds[feed].is_joined = true,
            Step::Snapshot if comes_through => {
                self.feeds[feed].has_snapshot = true;
                if feed == QUOTES {
                    let (bid, ask) = (self.hub.bid, self.hub.ask);
                    self.deliver_quote(&self.hub.full_quote(), Some(bid), Some(ask));
                } else {
                    let parts = self.rng.usize(1..4);
                    for record in self.hub.snapshot(parts) {
                        self.machine.handle_depth(at(self.now), serde_json::from_str(&record).unwrap());
                    }
                }
            }
            Step::Acknowledge if comes_through => {
                self.feeds[feed].calm_since = Some(self.now);
                self.machine.handle_subscribed(at(self.now), &subject);
            }
            Step::Refuse if comes_through => self.machine.handle_refused(at(self.now), &subject, "no".into()),
            Step::Snapshot | Step::Acknowledge | Step::Refuse => {}
        }
    }

    /// A subscribe, its snapshot and its acknowledgement, the last two in any order; perhaps refused first, perhaps without a snapshot.
    fn plan_join(&mut self, feed: usize) {
        let Self { rng, now, is_kind, .. } = self;
        let feed_index = feed;
        let feed = &mut self.feeds[feed];
        let mut when = feed.plan.back().map_or(*now, |(at, _)| *at) + rng.u64(0..300);
        if !*is_kind && rng.u8(0..10) == 0 {
            feed.plan.push_back((when, Step::Refuse));
            when += rng.u64(0..3_000);
        }
        let mut steps = vec![(when, Step::Join), (when + rng.u64(0..500), Step::Acknowledge)];
        if feed_index != TRADES && (*is_kind || rng.u8(0..8) > 0) {
            steps.push((when + rng.u64(0..500), Step::Snapshot));
        }
        steps.sort_by_key(|(at, _)| *at);
        feed.plan.extend(steps);
    }

    fn plan_leave(&mut self, feed: usize) {
        let when = self.now + self.rng.u64(0..300);
        self.feeds[feed].plan.clear();
        self.feeds[feed].plan.push_back((when, Step::Leave));
    }

    fn lose(&mut self) {
        self.link = Link::Down { until: self.now + self.rng.u64(1..3_000) };
        for feed in &mut self.feeds {
            feed.is_joined = false;
            feed.has_snapshot = false;
            feed.calm_since = None;
            feed.plan.clear();
        }
        self.heard = (None, None);
        self.machine.handle_lost(at(self.now), GapCause::TransportLost);
        self.drain();
        for feed in self.feeds.iter().filter(|feed| feed.is_wanted) {
            assert!(self.listener.is_open(&feed.subject), "a loss without a gap");
        }
    }

    /// Somebody subscribes anew on the same connection.
    fn begin_anew(&mut self) {
        let feed = self.rng.usize(0..3);
        if !self.feeds[feed].is_wanted || matches!(self.link, Link::Down { .. }) {
            return;
        }
        self.hole(feed);
        let subject = self.feeds[feed].subject.clone();
        self.machine.handle_gap(at(self.now), &subject, GapCause::Resubscribed);
        self.plan_leave(feed);
        self.plan_join(feed);
        self.drain();
        assert!(self.listener.is_open(&subject));
    }

    fn overflow(&mut self) {
        let feed = self.rng.usize(0..3);
        let subject = self.feeds[feed].subject.clone();
        if feed == DEPTH {
            self.hole(feed);
        }
        self.machine.handle_overflow(at(self.now), &subject);
        self.drain();
    }

    fn toggle(&mut self, feed: usize) {
        let subject = self.feeds[feed].subject.clone();
        self.feeds[feed].is_wanted = !self.feeds[feed].is_wanted;
        self.hole(feed);
        if self.feeds[feed].is_wanted {
            assert!(self.machine.want(at(self.now), subject));
        } else {
            self.machine.unwant(at(self.now), &subject);
        }
        self.drain();
    }

    fn hole(&mut self, feed: usize) {
        self.feeds[feed].calm_since = None;
        self.feeds[feed].has_snapshot = false;
        if feed == QUOTES {
            self.heard = (None, None);
        }
    }

    fn move_quote(&mut self) {
        let (row, bid, ask) = self.hub.move_quote(&mut self.rng);
        if self.reaches(QUOTES) {
            self.deliver_quote(&row, bid, ask);
        }
    }

    fn deliver_quote(&mut self, row: &str, bid: Option<i64>, ask: Option<i64>) {
        self.heard = (bid.or(self.heard.0), ask.or(self.heard.1));
        self.machine.handle_quotes(at(self.now), serde_json::from_str(row).unwrap());
        self.drain();
    }

    fn trade(&mut self) {
        let serial = self.hub.next_trade();
        if self.reaches(TRADES) {
            self.listener.sent.push(serial);
            let row = format!(r#"["{CONTRACT}",[{{"price":10,"volume":{serial},"type":0}}]]"#);
            self.machine.handle_trades(at(self.now), serde_json::from_str(&row).unwrap());
            self.drain();
        }
    }

    fn move_book(&mut self) {
        let row = self.hub.move_book(&mut self.rng);
        if self.reaches(DEPTH) {
            self.machine.handle_depth(at(self.now), serde_json::from_str(&row).unwrap());
            self.drain();
        }
    }

    /// Whether what the hub sends now comes to a machine that wants it; if it wants it in vain, it is lost.
    fn reaches(&mut self, feed: usize) -> bool {
        let Feed { is_wanted, is_joined, lost, .. } = &mut self.feeds[feed];
        let reaches = self.link == Link::Up && *is_joined && *is_wanted;
        if *is_wanted && !reaches {
            lost.push(self.now);
        }
        reaches
    }

    fn drain(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            if matches!(self.link, Link::Down { .. }) {
                continue;
            }
            let (Action::Subscribe(subject) | Action::Unsubscribe(subject) | Action::Resubscribe(subject)) = &action
            else {
                panic!("{action:?}");
            };
            let feed = self.feeds.iter().position(|feed| feed.subject == *subject).unwrap();
            match action {
                Action::Subscribe(_) => self.plan_join(feed),
                Action::Unsubscribe(_) => self.plan_leave(feed),
                _ => {
                    self.hole(feed);
                    self.plan_leave(feed);
                    self.plan_join(feed);
                }
            }
        }
        while let Some(update) = self.machine.poll_event() {
            self.listener.hear(self.now, update);
        }
    }

    fn check(&self) {
        let contract = ContractId::new(CONTRACT);
        let now = at(self.now);
        // While something is lost and nobody can know, what is believed may be behind.
        let is_up = self.link == Link::Up;
        if let Some(quote) = self.machine.quote(now, &contract).filter(|_| self.feeds[QUOTES].is_wanted) {
            if let Some((bid, ask)) = quote.sides() {
                let heard = self.heard.0.zip(self.heard.1).map(|(bid, ask)| (Price::from(bid), Price::from(ask)));
                assert_eq!(heard, Some((bid, ask)), "the sides are not of one epoch");
            }
            if is_up && self.machine.quote_known(now, &contract) == Known::Live {
                let truth = (Some(Price::from(self.hub.bid)), Some(Price::from(self.hub.ask)));
                assert_eq!((quote.bid(), quote.ask()), truth, "live and wrong");
            }
        }
        if is_up && self.machine.book_known(&contract) == Known::Live {
            let book = self.machine.book(&contract).expect("it is known");
            let level = |level: topstep_session::market::Level| (level.price, level.volume);
            assert_eq!(book.bids().map(level).collect::<Vec<_>>(), self.hub.bids(), "live and wrong");
            assert_eq!(book.asks().map(level).collect::<Vec<_>>(), self.hub.asks(), "live and wrong");
        }
        self.check_bounds();
    }

    fn check_bounds(&self) {
        for (index, feed) in self.feeds.iter().enumerate() {
            let Some(since) = feed.calm_since.filter(|_| feed.is_wanted) else { continue };
            let bound = [PATIENCE, 0, 6_000][index];
            let is_over = self.now > since + bound;
            assert!(!(is_over && self.listener.is_open(&feed.subject)), "{} does not close", feed.subject);
        }
        assert_eq!(self.machine.gaps_open().len(), self.listener.open_gaps());
    }

    fn check_healed(&self) {
        let contract = ContractId::new(CONTRACT);
        assert_eq!(self.listener.open_gaps(), 0);
        assert_eq!(self.machine.quote_known(at(self.now), &contract), Known::Live);
        if self.feeds[DEPTH].has_snapshot {
            assert_eq!(self.machine.book_known(&contract), Known::Live);
        }
        assert_eq!(self.listener.trades, self.listener.sent);
        for feed in &self.feeds {
            for lost in &feed.lost {
                assert!(
                    self.listener.covers(&feed.subject, *lost),
                    "{} lost something at {lost} outside of a gap",
                    feed.subject
                );
            }
        }
        let counters = self.machine.counters();
        assert_eq!(counters.gaps_opened, counters.gaps_closed);
    }
}

#[test]
fn whatever_is_lost_is_in_a_gap_and_what_is_live_is_true() {
    let seeds = std::env::var("MARKET_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(150);
    for seed in 0..seeds {
        let run = std::panic::catch_unwind(|| Sim::new(seed).run());
        assert!(run.is_ok(), "seed {seed}");
    }
}
