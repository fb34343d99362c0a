//! The hub, REST and the glue around the machine, in virtual time, with everything that goes wrong.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt::Debug;
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::{Rows, Target, Timestamp, UserEvent};
use topstep_session::user::{Action, Answer, QueryFailure, Ticket, UserConfig, UserMachine};
use topstep_session::{GapCause, Moment, Subject};

use crate::oracle::Oracle;
use crate::venue::{ACCOUNTS, Key, Row, Venue};

/// How a world goes wrong.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    /// The mean time between two acts in the market, in milliseconds.
    pub(crate) act_every: u64,
    /// The mean time between two losses of the connection, in milliseconds; 0: none.
    pub(crate) drop_every: u64,
    /// How many events of a thousand are lost though the connection lives.
    pub(crate) silent: u32,
    /// How many of a thousand cannot be read.
    pub(crate) malformed: u32,
    /// How many REST calls of a thousand fail, are throttled, or bring an answer with something wrong.
    pub(crate) rest: u32,
    /// The longest time that an event is on its way, and an answer (half of it each way), in milliseconds.
    pub(crate) event_delay: u64,
    pub(crate) rest_delay: u64,
    /// The mean time between two whims of the application or the glue, in milliseconds; 0: none.
    pub(crate) churn_every: u64,
    /// Whether the newer calls are missing while things go wrong.
    pub(crate) is_old: bool,
    /// Whether there are more working orders than fit a page.
    pub(crate) is_crowded: bool,
}

impl Faults {
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            act_every: rng.choice([150, 700, 2500]).unwrap_or(700),
            drop_every: rng.choice([0, 3000, 12_000, 40_000]).unwrap_or(0),
            silent: rng.choice([0, 0, 20, 150]).unwrap_or(0),
            malformed: rng.choice([0, 0, 5, 30]).unwrap_or(0),
            rest: rng.choice([0, 0, 100, 400]).unwrap_or(0),
            event_delay: rng.choice([5, 80, 1500]).unwrap_or(80),
            rest_delay: rng.choice([20, 400, 3000]).unwrap_or(400),
            churn_every: rng.choice([0, 0, 4000]).unwrap_or(0),
            is_old: rng.u32(0..8) == 0,
            is_crowded: rng.u32(0..25) == 0,
        }
    }
}

impl Faults {
    /// What REST takes for the passes of a read, at most: two of them, each with up to six questions in turn, there and back.
    pub(crate) fn reads_take(&self) -> Duration {
        Duration::from_millis(self.rest_delay * 24)
    }
}

#[derive(Debug)]
enum Event {
    Act,
    Drop,
    Churn,
    Want(Subject),
    Connect,
    /// The subscribe call reaches the hub.
    Join(u64, Subject, u64),
    Deliver(u64, Record),
    /// A query reaches the venue; its answer reaches the machine.
    Ask(Ticket, topstep_session::user::Query),
    Answer(Ticket, Result<Answer, QueryFailure>),
}

/// What the hub sends.
#[derive(Debug)]
enum Record {
    Row(Row, bool),
    Ack(Subject, u64, u64),
}

pub(crate) struct World {
    pub(crate) rng: fastrand::Rng,
    pub(crate) now: Moment,
    pub(crate) faults: Faults,
    pub(crate) venue: Venue,
    pub(crate) machine: UserMachine,
    pub(crate) oracle: Oracle,
    pub(crate) is_healed: bool,
    /// Whether everything that happens is written down.
    pub(crate) is_loud: bool,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    next_event: u64,
    /// Counts the connections; the one that lives, if any.
    connection: u64,
    is_connected: bool,
    /// What the application wants, with the number of its newest subscribe call.
    wishes: BTreeMap<Subject, u64>,
    calls: u64,
    /// Who gets events of what on the connection that lives.
    joined: BTreeSet<Subject>,
    /// Nothing sent earlier arrives later.
    last_delivery: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let faults = Faults::random(&mut rng);
        let wall: Timestamp = "2026-11-18T20:00:00Z".parse().expect("a time");
        let now = Moment::new(Instant::from_nanos(1_000_000_000), wall);
        let mut world = Self {
            venue: Venue::new(),
            machine: UserMachine::new(UserConfig::default(), now),
            oracle: Oracle::new(now, faults.reads_take()),
            rng,
            now,
            faults,
            is_healed: false,
            is_loud: false,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            connection: 0,
            is_connected: false,
            wishes: BTreeMap::new(),
            calls: 0,
            joined: BTreeSet::new(),
            last_delivery: 0,
        };
        // Something happened before anybody looked.
        let acts = if world.faults.is_crowded { 700 } else { 30 };
        for _ in 0..acts {
            let before = Moment::new(now.mono, ago(now, world.rng.u64(1..3_000_000)));
            world.venue.act(before, &mut world.rng);
        }
        world.venue.rows.clear();
        world.venue.is_old = world.faults.is_old;
        world.oracle.began(&world.venue);
        world.want(Subject::Accounts);
        for account in ACCOUNTS {
            world.want(Subject::Orders(account));
            world.want(Subject::Positions(account));
            world.want(Subject::Trades(account));
        }
        world.after(Duration::from_millis(50), Event::Connect);
        let act = world.some(world.faults.act_every);
        world.after(act, Event::Act);
        if world.faults.churn_every > 0 {
            let churn = world.some(world.faults.churn_every);
            world.after(churn, Event::Churn);
        }
        if world.faults.drop_every > 0 {
            let drop = world.some(world.faults.drop_every);
            world.after(drop, Event::Drop);
        }
        world
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now.mono + time;
        loop {
            let event = self.queue.peek().map(|Reverse((at, _))| *at);
            let timeout = self.machine.poll_timeout().map(Instant::as_nanos);
            let next = event.into_iter().chain(timeout).min().filter(|next| *next <= end.as_nanos());
            let Some(next) = next else { break };
            self.advance_to(next.max(self.now.mono.as_nanos()));
            if timeout.is_some_and(|timeout| timeout <= self.now.mono.as_nanos()) {
                self.machine.handle_timeout(self.now);
                let again = self.machine.poll_timeout();
                assert!(again.is_none_or(|again| again > self.now.mono), "a timeout was handled and is still due");
            } else if let Some(Reverse((_, id))) = self.queue.pop()
                && let Some(event) = self.events.remove(&id)
            {
                self.happen(event);
            }
            self.drain();
        }
        self.advance_to(end.as_nanos());
    }

    /// From here on nothing goes wrong, and nothing happens.
    pub(crate) fn heal(&mut self) {
        self.is_healed = true;
        self.venue.is_old = false;
    }

    fn happen(&mut self, event: Event) {
        self.say(&event);
        match event {
            Event::Act => {
                if self.is_healed {
                    return;
                }
                self.venue.act(self.now, &mut self.rng);
                self.publish();
                let next = self.some(self.faults.act_every);
                self.after(next, Event::Act);
            }
            Event::Drop => {
                if self.is_healed || !self.is_connected {
                    return;
                }
                self.is_connected = false;
                self.joined.clear();
                let cause = self.rng.choice([GapCause::TransportLost, GapCause::ClosedByHub]);
                self.machine.handle_lost(self.now, cause.expect("there are two"));
                self.oracle.lost(&self.machine, self.wishes.len());
                let wait = self.some(1500);
                self.after(wait, Event::Connect);
            }
            Event::Churn => {
                if !self.is_healed {
                    self.churn();
                    let next = self.some(self.faults.churn_every);
                    self.after(next, Event::Churn);
                }
            }
            Event::Want(subject) => self.machine.want(self.now, subject),
            Event::Connect => {
                self.connection += 1;
                self.is_connected = true;
                self.last_delivery = 0;
                self.machine.handle_connected(self.now);
                self.oracle.connected();
                for (subject, call) in self.wishes.clone() {
                    let wait = Duration::from_millis(self.rng.u64(1..100));
                    self.after(wait, Event::Join(self.connection, subject, call));
                }
                if self.faults.drop_every > 0 {
                    let drop = self.some(self.faults.drop_every);
                    self.after(drop, Event::Drop);
                }
            }
            Event::Join(connection, subject, call) if connection == self.connection && self.is_connected => {
                self.joined.insert(subject.clone());
                self.send(Record::Ack(subject, call, self.venue.serial));
            }
            Event::Deliver(connection, record) if connection == self.connection && self.is_connected => {
                self.deliver(record);
            }
            Event::Join(..) | Event::Deliver(..) => {}
            Event::Ask(ticket, query) => {
                let answer = self.answer(&query);
                let wait = Duration::from_millis(self.rng.u64(1..=self.faults.rest_delay));
                self.after(wait, Event::Answer(ticket, answer));
            }
            Event::Answer(ticket, answer) => self.machine.handle_answer(self.now, ticket, answer),
        }
    }

    /// Somebody changes his mind, or a subscription is made anew.
    fn churn(&mut self) {
        let Some(subject) = self.rng.choice(self.wishes.keys().cloned().collect::<Vec<_>>()) else { return };
        match self.rng.u32(0..3) {
            0 => {
                self.machine.unwant(self.now, &subject);
                let wait = self.some(2500);
                self.after(wait, Event::Want(subject));
            }
            1 => self.machine.handle_gap(self.now, &subject, GapCause::ConsumerOverflow),
            _ => {
                self.machine.handle_gap(self.now, &subject, GapCause::Resubscribed);
                self.joined.remove(&subject);
                self.wish(subject);
            }
        }
    }

    fn answer(&mut self, query: &topstep_session::user::Query) -> Result<Answer, QueryFailure> {
        if self.is_healed || self.rng.u32(0..1000) >= self.faults.rest {
            return self.venue.answer(query, None);
        }
        match self.rng.u32(0..6) {
            0 => Err(QueryFailure::Throttled(Duration::from_millis(self.rng.u64(1..20_000)))),
            1 => self.venue.answer(query, Some(0)),
            2 => self.venue.answer(query, Some(1)),
            3 if matches!(query, topstep_session::user::Query::Order { .. }) => Err(QueryFailure::NotFound),
            _ => Err(QueryFailure::Failed),
        }
    }

    /// Sends what the venue published to who joined.
    fn publish(&mut self) {
        for row in std::mem::take(&mut self.venue.rows) {
            let subject = match &row.key {
                Key::Account(_) => Subject::Accounts,
                Key::Order(_) => Subject::Orders(row.account),
                Key::Position(..) => Subject::Positions(row.account),
                Key::Trade(_) => Subject::Trades(row.account),
            };
            if !self.is_connected || !self.joined.contains(&subject) {
                continue;
            }
            if self.rng.u32(0..1000) < self.faults.silent {
                self.say(&("lost", &row));
                self.oracle.lose_silently(&row, self.now);
                continue;
            }
            let is_malformed = self.rng.u32(0..1000) < self.faults.malformed;
            self.send(Record::Row(row, is_malformed));
        }
    }

    fn send(&mut self, record: Record) {
        let delay = Duration::from_micros(self.rng.u64(500..self.faults.event_delay * 1000));
        let at = (self.now.mono + delay).as_nanos().max(self.last_delivery);
        self.last_delivery = at;
        self.at(at, Event::Deliver(self.connection, record));
    }

    fn deliver(&mut self, record: Record) {
        match record {
            Record::Ack(subject, call, serial) => {
                // The glue lets only the newest call count.
                if self.wishes.get(&subject) == Some(&call) {
                    self.machine.handle_subscribed(self.now, &subject);
                    self.oracle.acknowledged(&subject, serial);
                }
            }
            Record::Row(row, false) => {
                self.oracle.delivered(&row);
                match row.key {
                    Key::Account(_) => self.machine.handle_accounts(self.now, rows(&row.text)),
                    Key::Order(_) => self.machine.handle_orders(self.now, rows(&row.text)),
                    Key::Position(..) => self.machine.handle_positions(self.now, rows(&row.text)),
                    Key::Trade(_) => self.machine.handle_trades(self.now, rows(&row.text)),
                }
            }
            Record::Row(row, true) => {
                let bad = r#"[{"action":1,"data":{"id":"?","accountId":true}}]"#;
                self.oracle.unreadable(&row);
                match row.key {
                    Key::Account(_) => self.machine.handle_accounts(self.now, rows(bad)),
                    Key::Order(_) => self.machine.handle_orders(self.now, rows(bad)),
                    Key::Position(..) => {
                        self.machine.handle_malformed(self.now, Target::UserPosition, "no JSON".into());
                    }
                    Key::Trade(_) => self.machine.handle_trades(self.now, rows(bad)),
                }
            }
        }
    }

    /// Does what the machine wants, and looks at what it says.
    fn drain(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Subscribe(subject) | Action::Resubscribe(subject) => {
                    self.joined.remove(&subject);
                    self.wish(subject);
                }
                Action::Unsubscribe(subject) => {
                    self.joined.remove(&subject);
                    self.wishes.remove(&subject);
                }
                other => panic!("{other:?} is not known here"),
            }
        }
        while let Some((ticket, query)) = self.machine.poll_query() {
            let wait = Duration::from_millis(self.rng.u64(1..=self.faults.rest_delay));
            self.after(wait, Event::Ask(ticket, query));
        }
        while let Some(event) = self.machine.poll_event() {
            self.say(&event);
            self.oracle.told(event);
        }
        self.oracle.look(self.now, &self.machine, &self.venue);
    }

    fn want(&mut self, subject: Subject) {
        self.machine.want(self.now, subject);
        self.drain();
    }

    fn wish(&mut self, subject: Subject) {
        self.calls += 1;
        self.wishes.insert(subject.clone(), self.calls);
        if self.is_connected {
            let wait = Duration::from_millis(self.rng.u64(1..100));
            self.after(wait, Event::Join(self.connection, subject, self.calls));
        }
    }

    fn say(&self, what: &dyn Debug) {
        if self.is_loud {
            eprintln!("{} {what:?}", self.now.wall);
        }
    }

    /// A time around this mean, in milliseconds.
    fn some(&mut self, mean: u64) -> Duration {
        Duration::from_micros(self.rng.u64(1..mean * 2000))
    }

    fn after(&mut self, wait: Duration, event: Event) {
        self.at((self.now.mono + wait).as_nanos(), event);
    }

    fn at(&mut self, at: u64, event: Event) {
        self.next_event += 1;
        self.queue.push(Reverse((at, self.next_event)));
        self.events.insert(self.next_event, event);
    }

    fn advance_to(&mut self, at: u64) {
        let passed = at.saturating_sub(self.now.mono.as_nanos());
        self.now = self.now + Duration::from_nanos(passed);
    }
}

fn rows<T>(text: &str) -> Rows<UserEvent<T>>
where
    Rows<UserEvent<T>>: serde::de::DeserializeOwned,
{
    serde_json::from_str(text).expect("events can be read")
}

/// So many milliseconds before.
fn ago(now: Moment, millis: u64) -> Timestamp {
    let at = now.wall.utc() - Duration::from_millis(millis);
    Timestamp::try_from(at).expect("a time of today")
}
