//! The world behind the hubs: the market and the exchange, brought up to the clock's time and published to groups.
//!
//! One lock holds it all. Whoever asks something of the world brings it up to now first, so that an answer never
//! disagrees with the events that went before it; and whoever subscribes gets the state and the place in the group in
//! one step, so that no event is lost or repeated in between.

mod counted;
mod pump;
mod record;
mod state;
mod topic;
mod truth;
mod visit;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::lock::lock;
use crate::options::Options;
use crate::peers::{Peer, Peers};
pub(crate) use pump::start;
use state::State;
pub(crate) use topic::Topic;
pub(crate) use visit::Visit;

/// How far a virtual clock moves in one piece.
const STEP: Duration = Duration::from_millis(250);

/// The market and the exchange of one hub.
#[derive(Debug)]
pub(crate) struct World {
    state: Mutex<State>,
    clock: Arc<Clock>,
    /// Something came up that is due earlier than the pump knows.
    wake: Notify,
}

impl World {
    pub(crate) fn new(options: &Options, clock: Arc<Clock>, peers: Arc<Peers>) -> Self {
        let state = Mutex::new(State::new(options, clock.now(), peers));
        Self { state, clock, wake: Notify::new() }
    }

    /// Asks or changes something; what follows from it is published before anybody else gets in.
    pub(crate) fn visit<T>(&self, visit: impl FnOnce(Visit<'_>) -> T) -> T {
        let answer = {
            let mut state = lock(&self.state);
            let now = state.bring_up_to(self.clock.now());
            state.visit(now, visit)
        };
        self.wake.notify_one();
        answer
    }

    /// Makes a connection a subscriber: first it gets the state of things, then every event, none lost between.
    pub(crate) fn subscribe(&self, peer: &Arc<Peer>, topic: Topic, contract: &str) {
        let mut state = lock(&self.state);
        let now = state.bring_up_to(self.clock.now());
        state.subscribe(now, peer, topic, contract);
        drop(state);
        self.wake.notify_one();
    }

    /// The market's rate, in quotes a second and contract.
    pub(crate) fn rate(&self) -> f64 {
        lock(&self.state).market.rate()
    }

    /// Changes the market's rate, in quotes a second and contract; 0 stands still.
    pub(crate) fn set_rate(&self, rate: f64) {
        let mut state = lock(&self.state);
        let now = state.bring_up_to(self.clock.now());
        state.set_rate(now, rate);
        drop(state);
        self.wake.notify_one();
    }

    /// Moves a contract's price; `false` for an unknown contract.
    pub(crate) fn set_price(&self, contract: &str, price: rust_decimal::Decimal) -> bool {
        let mut state = lock(&self.state);
        let now = state.bring_up_to(self.clock.now());
        let is_known = state.set_price(now, contract, price);
        drop(state);
        self.wake.notify_one();
        is_known
    }

    /// Moves a virtual clock by a piece of `left`, and the world with it; yields what is still left.
    pub(crate) fn advance_a_step(&self, left: Duration) -> Duration {
        let mut state = lock(&self.state);
        // Over a time in which nothing is due it goes at once.
        let idle = state.next_due().map_or(left, |due| (due - self.clock.now()).try_into().unwrap_or_default());
        let step = idle.max(STEP).min(left);
        self.clock.advance(step);
        state.bring_up_to(self.clock.now());
        left - step
    }

    pub(crate) fn has_virtual_clock(&self) -> bool {
        self.clock.is_virtual()
    }

    /// What is true now of a user's accounts and of the market, as members of a JSON object.
    pub(crate) fn truth(&self, user: &str) -> serde_json::Map<String, serde_json::Value> {
        let mut state = lock(&self.state);
        state.bring_up_to(self.clock.now());
        truth::of(&state, user)
    }
}
