//! What takes time in a session: dialling, subscribing, asking REST, and the keeper's waits.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use adapter_core::Cause;
use futures_core::Stream;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use signalr_proto::StartError;
use signalr_proto::time::Instant;
use topstep_model::Logout;

use super::machine::SessionMachine;
use super::pair::Pair;
use super::shared::Shared;
use super::work::{Order, Work};
use crate::action::Action;
use crate::error::SubscribeError;
use crate::gap::Subject;
use crate::host::Host;
use crate::keeper::{Halt, Keeper, Step};
use crate::lifecycle::Lifecycle;
use crate::link::{Link, LinkError};
use crate::user::{Answer, Query, QueryFailure, Ticket};

/// What a session needs of its gateway; where there is no login, nothing of it is refused or its own.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Asks REST.
    fn query(&self, query: Query) -> BoxFuture<'static, Result<Answer, QueryFailure>>;

    /// The token in use is good for nothing: the next one is a new one.
    fn forget_token(&self);

    /// Whether a logout is due to a later login of our own than the one that the connection was made with.
    fn is_own_logout(&self) -> bool {
        false
    }

    /// Another login ended ours: its token is forgotten, and both hubs are left alone.
    fn logged_out(&self, logout: Logout);

    /// The gateway's words, if the login was refused.
    fn login_refusal(&self) -> Option<String> {
        None
    }

    /// What both sessions have in common.
    fn pair(&self) -> &Pair;
}

/// The delays before a refused subscription is asked for again, in seconds: the last one for ever.
const REFUSED_AGAIN: [u64; 4] = [1, 5, 30, 60];

/// Something that was under way has turned out.
enum Done {
    Started(Result<(), StartError>),
    Stopped,
    Subscribed {
        subject: Subject,
        serial: u64,
        result: Result<(), LinkError>,
    },
    Unsubscribed,
    /// Boxed, for it is the only one that is large.
    Answered(Ticket, Box<Result<Answer, QueryFailure>>),
}

/// What was asked of the hub and not taken back.
struct Ask {
    /// Which of the questions for this subject: the answers of earlier ones mean nothing.
    serial: u64,
    /// How often the hub refused it.
    refusals: usize,
    /// When it is asked again.
    again: Option<Instant>,
}

/// Drives one session until its last handle is gone.
pub(crate) struct Task<M: SessionMachine> {
    shared: Arc<Shared<M>>,
    link: Arc<dyn Link>,
    backend: Arc<dyn Backend>,
    host: Arc<dyn Host>,
    keeper: Keeper,
    span: tracing::Span,
    jobs: FuturesUnordered<BoxFuture<'static, Done>>,
    /// A start waits for whatever is under way. A stop waits for no start, which may go on for as long as the hub cannot be reached.
    starting: Option<BoxFuture<'static, Done>>,
    stopping: Option<BoxFuture<'static, Done>>,
    steps: VecDeque<Step>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
    asks: BTreeMap<Subject, Ask>,
    serial: u64,
    max_delay: Option<Duration>,
    halted: Vec<futures_channel::oneshot::Sender<()>>,
    is_ending: bool,
}

impl<M: SessionMachine> Task<M> {
    pub(crate) fn new(
        shared: Arc<Shared<M>>,
        link: Arc<dyn Link>,
        backend: Arc<dyn Backend>,
        host: Arc<dyn Host>,
    ) -> Self {
        let span = tracing::info_span!("session", hub = M::HUB.name());
        tracing::info!(parent: &span, "session begins");
        Self {
            shared,
            link,
            backend,
            host,
            keeper: Keeper::new(),
            span,
            jobs: FuturesUnordered::new(),
            starting: None,
            stopping: None,
            steps: VecDeque::new(),
            sleep: None,
            asks: BTreeMap::new(),
            serial: 0,
            max_delay: None,
            halted: Vec::new(),
            is_ending: false,
        }
    }

    /// Does what there is to do. Whether there may be more at once.
    fn turn(&mut self, context: &mut Context<'_>) -> bool {
        let work = self.shared.take_work();
        let mut moved = self.take(&work);
        let machine_deadline = work.deadline;
        if work.is_over && !self.is_ending {
            self.is_ending = true;
            self.keeper.halt();
        }
        self.begin(work);
        self.ask_again();
        self.step();
        moved |= self.poll_jobs(context);
        self.tell_halted();
        let asks = self.asks.values().filter_map(|ask| ask.again);
        let deadline = asks.chain(machine_deadline).chain(self.keeper.poll_timeout()).min();
        moved | self.poll_sleep(context, deadline)
    }

    /// Takes what the session was told.
    fn take(&mut self, work: &Work) -> bool {
        let now = self.host.now().mono;
        self.keeper.handle_timeout(now);
        if self.max_delay != work.max_delay {
            self.max_delay = work.max_delay;
            self.link.set_max_delay(work.max_delay);
        }
        !work.orders.is_empty()
    }

    fn begin(&mut self, work: Work) {
        for order in work.orders {
            self.obey(order);
        }
        for wish in work.wishes {
            self.keeper.begin();
            self.wish(wish);
        }
        for (ticket, query) in work.queries {
            let answer = self.backend.query(query);
            self.jobs.push(async move { Done::Answered(ticket, Box::new(answer.await)) }.boxed());
        }
    }

    fn obey(&mut self, order: Order) {
        let now = self.host.now().mono;
        match order {
            Order::Life(life) => {
                if life.ending().is_some_and(|ending| ending.cause == Cause::Unauthorized)
                    && let Some(explanation) = self.backend.login_refusal()
                {
                    return drop(self.backend.pair().halt(Halt::LoginRefused { explanation }));
                }
                if matches!(life, Lifecycle::Connected | Lifecycle::Reconnected) {
                    // What the last connection refused may be agreed to now.
                    self.asks.values_mut().filter_map(|ask| ask.again.as_mut()).for_each(|again| *again = now);
                }
                self.keeper.handle_life(now, &life);
            }
            Order::Agreed => self.keeper.handle_agreed(),
            Order::LoggedOut(_) if self.backend.is_own_logout() => self.keeper.renew(),
            Order::LoggedOut(logout) => self.backend.logged_out(logout),
            Order::Halt(done) => {
                self.keeper.halt();
                self.halted.push(done);
            }
            // Nobody is left to resume for.
            Order::Resume if self.is_ending => {}
            Order::Resume => self.keeper.resume(),
            Order::ReconnectNow => {
                self.keeper.hurry();
                self.link.reconnect_now();
            }
            Order::Ask(subject) => {
                if let Some(again) = self.asks.get_mut(&subject).and_then(|ask| ask.again.as_mut()) {
                    *again = now;
                }
            }
        }
    }

    fn wish(&mut self, wish: Action) {
        match wish {
            Action::Subscribe(subject) => self.ask(subject, 0),
            Action::Unsubscribe(subject) => self.leave(&subject),
            // The connection sees to it that one call of the hub follows the other.
            Action::Resubscribe(subject) => {
                self.leave(&subject);
                self.ask(subject, 0);
            }
        }
    }

    fn ask(&mut self, subject: Subject, refusals: usize) {
        self.serial += 1;
        let serial = self.serial;
        self.asks.insert(subject.clone(), Ask { serial, refusals, again: None });
        let asked = self.link.subscribe(&subject);
        self.jobs.push(async move { Done::Subscribed { subject, serial, result: asked.await } }.boxed());
    }

    fn leave(&mut self, subject: &Subject) {
        self.asks.remove(subject);
        let left = self.link.unsubscribe(subject);
        self.jobs.push(left.map(|()| Done::Unsubscribed).boxed());
    }

    /// Asks again for what the hub refused, as far as it is due.
    fn ask_again(&mut self) {
        let now = self.host.now().mono;
        let due = |(subject, ask): (&Subject, &Ask)| {
            Some((subject.clone(), ask.again.filter(|at| *at <= now).map(|_| ask.refusals)?))
        };
        let due: Vec<_> = self.asks.iter().filter_map(due).collect();
        for (subject, refusals) in due {
            self.ask(subject, refusals);
        }
    }

    /// Does the keeper's next steps, as far as they need not wait for each other.
    fn step(&mut self) {
        while let Some(step) = self.keeper.poll_step() {
            self.steps.push_back(step);
        }
        while self.may_step() {
            let Some(step) = self.steps.pop_front() else { return };
            match step {
                Step::Start => {
                    let started = self.link.start();
                    self.starting = Some(started.map(Done::Started).boxed());
                }
                Step::Stop => {
                    let stopped = self.link.stop();
                    self.stopping = Some(stopped.map(|()| Done::Stopped).boxed());
                }
                Step::ForgetToken => self.backend.forget_token(),
                Step::Told { ending, begins_in, is_unauthorized } => {
                    if is_unauthorized {
                        self.shared
                            .fail_waiting(&SubscribeError::Unauthorized { explanation: ending.explanation.clone() });
                    }
                    self.backend.pair().said_goodbye(M::HUB, ending, begins_in, is_unauthorized);
                }
            }
        }
    }

    fn may_step(&self) -> bool {
        self.stopping.is_none() && (self.starting.is_none() || self.steps.front() == Some(&Step::Stop))
    }

    /// Nothing is under way, and nothing is to come.
    fn is_idle(&self) -> bool {
        self.starting.is_none() && self.stopping.is_none() && self.steps.is_empty()
    }

    /// Says that the hub is left alone, once that is so.
    fn tell_halted(&mut self) {
        if !self.halted.is_empty() && self.is_idle() {
            for done in self.halted.drain(..) {
                // Whoever halted it may not want to know.
                let _ = done.send(());
            }
        }
    }

    fn poll_jobs(&mut self, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        // The start first: a stop that came after it must not overtake it.
        if let Some(Poll::Ready(done)) = self.starting.as_mut().map(|starting| starting.poll_unpin(context)) {
            self.starting = None;
            self.done(done);
            moved = true;
        }
        if let Some(Poll::Ready(done)) = self.stopping.as_mut().map(|stopping| stopping.poll_unpin(context)) {
            self.stopping = None;
            self.done(done);
            moved = true;
        }
        while let Poll::Ready(Some(done)) = Pin::new(&mut self.jobs).poll_next(context) {
            self.done(done);
            moved = true;
        }
        moved
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Started(Err(StartError::Failed(reason))) => {
                if let Some(explanation) = self.backend.login_refusal() {
                    return drop(self.backend.pair().halt(Halt::LoginRefused { explanation }));
                }
                self.keeper.handle_not_started(self.host.now().mono, &(&reason).into());
            }
            // It is connected already, or a stop came in between: the connection's own events tell.
            Done::Started(_) | Done::Stopped | Done::Unsubscribed => {}
            Done::Subscribed { subject, serial, result } => self.subscribed(&subject, serial, result),
            Done::Answered(ticket, answer) => {
                self.shared.with(|core, now| core.machine.handle_answer(now, ticket, *answer));
            }
        }
    }

    /// The hub answered, or did not. That it agreed, and whatever became of a wish that it left unanswered, the link tells by itself.
    fn subscribed(&mut self, subject: &Subject, serial: u64, result: Result<(), LinkError>) {
        let Some(ask) = self.asks.get_mut(subject).filter(|ask| ask.serial == serial) else { return };
        match result {
            Ok(()) => {
                ask.refusals = 0;
                self.shared.answered(subject);
            }
            Err(LinkError::Unanswered) => {}
            Err(LinkError::Refused(error)) => {
                let delay = REFUSED_AGAIN.get(ask.refusals).or(REFUSED_AGAIN.last()).copied().unwrap_or(60);
                ask.refusals += 1;
                ask.again = Some(self.host.now().mono + Duration::from_secs(delay));
                self.shared.refuse(subject, error);
            }
        }
    }

    /// Sleeps until the deadline. Whether it has come.
    fn poll_sleep(&mut self, context: &mut Context<'_>, deadline: Option<Instant>) -> bool {
        let Some(deadline) = deadline else {
            self.sleep = None;
            return false;
        };
        let now = self.host.now().mono;
        if deadline <= now {
            self.sleep = None;
            return true;
        }
        // One that goes off too early does no harm, and need not be made anew for every later deadline.
        if self.sleep.as_ref().is_none_or(|(until, _)| *until > deadline) {
            self.sleep = Some((deadline, self.host.sleep(deadline.saturating_since(now))));
        }
        let is_over = self.sleep.as_mut().is_some_and(|(_, sleep)| sleep.poll_unpin(context).is_ready());
        if is_over {
            self.sleep = None;
        }
        is_over
    }

    fn is_over(&self) -> bool {
        self.is_ending && self.is_idle()
    }
}

/// Turns before others get theirs.
const TURNS: usize = 16;

impl<M: SessionMachine> Future for Task<M> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let _entered = this.span.clone().entered();
        this.shared.register(context.waker());
        for _ in 0..TURNS {
            let moved = this.turn(context);
            if this.is_over() {
                tracing::info!("session ends");
                return Poll::Ready(());
            }
            if !moved {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<M: SessionMachine> Drop for Task<M> {
    /// It is over, or its runtime is.
    fn drop(&mut self) {
        self.shared.close();
    }
}

// What is pinned in it is boxed.
impl<M: SessionMachine> Unpin for Task<M> {}
