//! One outage, as the machine lives through it.

use std::time::Duration;

use signalr_proto::io::{IoFailure, IoFailureKind, Payload, Token, TransportEnd};
use signalr_proto::retry::{BreakerState, RetryPolicy};
use signalr_proto::time::Instant;
use signalr_proto::{Action, Command, HubConnection, HubConnectionConfig, Input, Machine, State};

/// How long is looked at, from the loss on.
pub(crate) const HORIZON: Duration = Duration::from_secs(900);
/// A hub that flaps is well again after so long.
pub(crate) const FLAPPING_FOR: Duration = Duration::from_secs(600);
/// It drops a connection after so long.
const DROPS_AFTER: Duration = Duration::from_secs(1);
/// A connection is stable by then.
const BEFORE: Duration = Duration::from_secs(600);
/// How often the breaker is looked at in between.
const STEP: Duration = Duration::from_millis(50);

/// What the hub does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// It is gone without a word, for so long.
    Away(Duration),
    /// It accepts, and drops everybody after a second.
    Flapping,
    /// It says that it goes, and is away for so long.
    Restarting(Duration),
}

impl Story {
    /// When the hub is well again.
    pub(crate) fn over_at(self) -> Duration {
        match self {
            Self::Away(lasting) | Self::Restarting(lasting) => lasting,
            Self::Flapping => FLAPPING_FOR,
        }
    }
}

/// What became of it; all times count from the loss.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// Every dial, and whether the hub accepted it.
    pub(crate) dials: Vec<(Duration, bool)>,
    /// The connections: from when to when.
    pub(crate) links: Vec<(Duration, Duration)>,
    /// The breaker: from when to when it was in which state. Empty without one.
    pub(crate) breaker: Vec<(Duration, Duration, BreakerState)>,
    /// When the policy gave up.
    pub(crate) given_up_at: Option<Duration>,
}

/// Runs the machine under this policy through the story.
pub(crate) fn run(policy: RetryPolicy, story: Story) -> Course {
    let mut world = World::new(policy);
    world.connect();
    world.wait_until(world.lost_at, None);
    let attempt = world.link.expect("it is connected");
    if let Story::Restarting(_) = story {
        let goodbye = Payload::Text("{\"type\":7,\"allowReconnect\":true}\u{1e}");
        world.input(Input::Received { attempt, payload: goodbye });
    } else {
        world.drop_link();
    }
    let end = world.lost_at + HORIZON;
    while world.course.given_up_at.is_none() && world.now < end {
        world.turn(story);
        let drop_at = (story == Story::Flapping).then(|| world.drops_at()).flatten();
        let next = [world.machine.poll_timeout(), drop_at, Some(world.now + STEP), Some(end)];
        let next = next.into_iter().flatten().min().expect("there is an end");
        world.wait_until(next, drop_at);
    }
    world.finish()
}

struct World {
    machine: HubConnection,
    now: Instant,
    lost_at: Instant,
    link: Option<signalr_proto::AttemptId>,
    linked_at: Instant,
    course: Course,
}

impl World {
    fn new(policy: RetryPolicy) -> Self {
        let config = HubConnectionConfig::default().skip_negotiation(true).server_timeout(None);
        let config = config.keep_alive_interval(None).automatic_reconnect(policy).seed(7);
        let machine = HubConnection::new("https://hub.example/hub", config).expect("the options are valid");
        let now = Instant::default();
        Self { machine, now, lost_at: now + BEFORE, link: None, linked_at: now, course: Course::default() }
    }

    fn since_loss(&self) -> Duration {
        self.now.saturating_since(self.lost_at)
    }

    fn connect(&mut self) {
        self.machine.handle_command(self.now, Token(1), Command::Start);
        self.dial(true);
    }

    fn input(&mut self, input: Input<'_>) {
        self.machine.handle_input(self.now, input);
        self.look();
    }

    /// Carries out what the machine wants: dials, for the rest takes care of itself.
    fn turn(&mut self, story: Story) {
        let accepts = story == Story::Flapping || self.since_loss() >= story.over_at();
        self.dial(accepts);
    }

    fn dial(&mut self, accepts: bool) {
        while let Some(action) = self.machine.poll_action() {
            let Action::Open { attempt, .. } = action else { continue };
            if self.now >= self.lost_at {
                self.course.dials.push((self.since_loss(), accepts));
            }
            if !accepts {
                let refused = IoFailure::new(IoFailureKind::Refused, "nobody listens");
                self.input(Input::Opened { attempt, result: Err(refused) });
                continue;
            }
            self.input(Input::Opened { attempt, result: Ok(()) });
            self.input(Input::Received { attempt, payload: Payload::Text("{}\u{1e}") });
            self.link = Some(attempt);
            self.linked_at = self.now;
        }
    }

    fn drops_at(&self) -> Option<Instant> {
        let at = self.linked_at + DROPS_AFTER;
        self.link.is_some_and(|_| at.saturating_since(self.lost_at) < FLAPPING_FOR).then_some(at)
    }

    fn drop_link(&mut self) {
        if let Some(attempt) = self.link {
            let reason = TransportEnd::Failed(IoFailure::new(IoFailureKind::Lost, "reset by peer"));
            self.input(Input::Closed { attempt, reason });
        }
    }

    fn wait_until(&mut self, next: Instant, drop_at: Option<Instant>) {
        self.now = next;
        self.machine.handle_timeout(self.now);
        if drop_at.is_some_and(|at| at <= next) {
            self.drop_link();
        }
        self.look();
    }

    /// Writes down what can be seen of the machine now.
    fn look(&mut self) {
        while self.machine.poll_event().is_some() || self.machine.poll_reply().is_some() {}
        while self.machine.poll_transmit().is_some() {}
        let at = self.since_loss();
        match (self.machine.state(), self.link) {
            (State::Connected, _) | (_, None) => {}
            (_, Some(_)) => {
                self.link = None;
                if self.linked_at >= self.lost_at {
                    self.course.links.push((self.linked_at.saturating_since(self.lost_at), at));
                }
            }
        }
        if self.machine.state() == State::Disconnected {
            self.course.given_up_at.get_or_insert(at);
        }
        let Some(state) = self.machine.retry_metrics(self.now).breaker_state else { return };
        if self.now < self.lost_at {
            return;
        }
        match self.course.breaker.last_mut() {
            Some((_, to, last)) if *last == state => *to = at,
            last => {
                let from = last.map_or(Duration::ZERO, |(_, to, _)| {
                    *to = at;
                    at
                });
                self.course.breaker.push((from, at, state));
            }
        }
    }

    fn finish(mut self) -> Course {
        self.look();
        if self.link.is_some() {
            self.course.links.push((self.linked_at.saturating_since(self.lost_at), self.since_loss()));
        }
        self.course
    }
}
