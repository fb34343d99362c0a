//! What takes time in a session: dialling, subscribing, asking REST, and the keeper's waits.

use std::collections::BTreeMap;
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

use super::machine::{SessionMachine, Wish};
use super::pair::Pair;
use super::shared::{Order, Shared, Work};
use crate::error::SubscribeError;
use crate::gap::Subject;
use crate::host::Host;
use crate::keeper::{Halt, Keeper, Step};
use crate::link::{Link, LinkError};
use crate::user::{Answer, Query, QueryFailure, Ticket};

/// What a session needs of its gateway.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Asks REST.
    fn query(&self, query: Query) -> BoxFuture<'static, Result<Answer, QueryFailure>>;

    /// The token in use is good for nothing: the next one is a new one.
    fn forget_token(&self);

    /// Whether a logout is due to a later login of our own than the one that the connection was made with.
    fn is_own_logout(&self) -> bool;

    /// Another login ended ours: its token is forgotten, and both hubs are left alone.
    fn logged_out(&self, logout: Logout);

    /// The gateway's words, if the login was refused.
    fn login_refusal(&self) -> Option<String>;

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
        connection: u64,
        subject: Subject,
        result: Result<(), LinkError>,
    },
    Unsubscribed,
    Answered(Ticket, Result<Answer, QueryFailure>),
    /// A refused subscription is due again.
    Again(Subject),
}

/// Drives one session until its last handle is gone.
pub(crate) struct Task<M: SessionMachine> {
    shared: Arc<Shared<M>>,
    link: Arc<dyn Link>,
    backend: Arc<dyn Backend>,
    host: Arc<dyn Host>,
    keeper: Keeper,
    jobs: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Starts and stops go one after the other.
    dialling: Option<BoxFuture<'static, Done>>,
    steps: std::collections::VecDeque<Step>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
    refusals: BTreeMap<Subject, usize>,
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
        Self {
            shared,
            link,
            backend,
            host,
            keeper: Keeper::new(),
            jobs: FuturesUnordered::new(),
            dialling: None,
            steps: std::collections::VecDeque::new(),
            sleep: None,
            refusals: BTreeMap::new(),
            max_delay: None,
            halted: Vec::new(),
            is_ending: false,
        }
    }

    /// Does what there is to do. Whether there may be more at once.
    fn turn(&mut self, context: &mut Context<'_>) -> bool {
        let work = self.shared.take_work();
        let mut moved = self.take(&work);
        let deadline = work.deadline.into_iter().chain(self.keeper.poll_timeout()).min();
        if work.is_over && !self.is_ending {
            self.is_ending = true;
            self.keeper.halt();
        }
        self.begin(work);
        self.step();
        moved |= self.poll_jobs(context);
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
            self.wish(work.connection, wish);
        }
        for (ticket, query) in work.queries {
            let answer = self.backend.query(query);
            self.jobs.push(async move { Done::Answered(ticket, answer.await) }.boxed());
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
                self.keeper.handle_life(now, &life);
            }
            Order::Agreed => self.keeper.handle_agreed(),
            Order::LoggedOut(_) if self.backend.is_own_logout() => self.keeper.renew(),
            Order::LoggedOut(logout) => self.backend.logged_out(logout),
            Order::Halt(done) => {
                self.keeper.halt();
                self.halted.push(done);
            }
            Order::Resume => self.keeper.resume(),
            Order::ReconnectNow => self.link.reconnect_now(),
        }
    }

    fn wish(&mut self, connection: u64, wish: Wish) {
        match wish {
            Wish::Subscribe(subject) => {
                self.refusals.remove(&subject);
                self.subscribe(connection, subject);
            }
            Wish::Unsubscribe(subject) => {
                self.refusals.remove(&subject);
                let done = self.link.unsubscribe(&subject);
                self.jobs.push(
                    async move {
                        done.await;
                        Done::Unsubscribed
                    }
                    .boxed(),
                );
            }
            Wish::Resubscribe(subject) => {
                let leaving = self.link.unsubscribe(&subject);
                let coming = self.link.subscribe(&subject);
                self.jobs.push(
                    async move {
                        leaving.await;
                        let result = coming.await;
                        Done::Subscribed { connection, subject, result }
                    }
                    .boxed(),
                );
            }
        }
    }

    fn subscribe(&mut self, connection: u64, subject: Subject) {
        let asked = self.link.subscribe(&subject);
        self.jobs.push(async move { Done::Subscribed { connection, subject, result: asked.await } }.boxed());
    }

    /// Does the keeper's next steps, as long as none of them takes time.
    fn step(&mut self) {
        while let Some(step) = self.keeper.poll_step() {
            self.steps.push_back(step);
        }
        while self.dialling.is_none() {
            let Some(step) = self.steps.pop_front() else { return };
            match step {
                Step::Start => {
                    let started = self.link.start();
                    self.dialling = Some(async move { Done::Started(started.await) }.boxed());
                }
                Step::Stop => {
                    let stopped = self.link.stop();
                    self.dialling = Some(
                        async move {
                            stopped.await;
                            Done::Stopped
                        }
                        .boxed(),
                    );
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

    fn poll_jobs(&mut self, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        if let Some(Poll::Ready(done)) = self.dialling.as_mut().map(|dialling| dialling.poll_unpin(context)) {
            self.dialling = None;
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
            Done::Started(_) | Done::Unsubscribed => {}
            Done::Stopped => {
                for done in self.halted.drain(..) {
                    // Whoever halted it may not want to know.
                    let _ = done.send(());
                }
            }
            Done::Subscribed { connection, subject, result: Ok(()) } => {
                self.refusals.remove(&subject);
                self.shared.agree_on(connection, &subject);
            }
            Done::Subscribed { subject, result: Err(LinkError::Refused(error)), .. } => {
                self.shared.refuse(&subject, error);
                let refusals = self.refusals.entry(subject.clone()).or_default();
                let delay = REFUSED_AGAIN.get(*refusals).or(REFUSED_AGAIN.last()).copied().unwrap_or(60);
                *refusals += 1;
                let waited = self.host.sleep(Duration::from_secs(delay));
                self.jobs.push(
                    async move {
                        waited.await;
                        Done::Again(subject)
                    }
                    .boxed(),
                );
            }
            // The wish stays with the connection, which tells when the hub has agreed.
            Done::Subscribed { .. } => {}
            Done::Again(subject) => {
                // It may have been taken back, or asked for again, meanwhile.
                if self.refusals.contains_key(&subject) && !self.shared.is_agreed(&subject) {
                    self.subscribe(self.shared.connection(), subject);
                }
            }
            Done::Answered(ticket, answer) => {
                self.shared.with(|core, now| core.machine.handle_answer(now, ticket, answer));
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
        self.is_ending && self.dialling.is_none() && self.steps.is_empty()
    }
}

/// Turns before others get theirs.
const TURNS: usize = 16;

impl<M: SessionMachine> Future for Task<M> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.shared.register(context.waker());
        for _ in 0..TURNS {
            let moved = this.turn(context);
            if this.is_over() {
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

// What is pinned in it is boxed.
impl<M: SessionMachine> Unpin for Task<M> {}
