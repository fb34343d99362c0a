//! What the hub, the handles and the task of a session have in common.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use adapter_core::Cause;
use futures_channel::oneshot;
use futures_util::task::AtomicWaker;
use signalr_proto::time::Instant;
use topstep_model::{Logout, Target};

use super::machine::{Ears, Receive, SessionMachine};
use super::outlet::Outlets;
use super::work::{Order, Work};
use crate::action::Action;
use crate::error::SubscribeError;
use crate::gap::{Gap, GapCause, GapNotice, Subject};
use crate::host::Host;
use crate::lifecycle::Lifecycle;
use crate::link::LinkNews;
use crate::moment::Moment;
use crate::observe::{Kind, Subscriptions, Tally};
use crate::router::{EventKind, Router};
use crate::user::{Query, Ticket};

/// A session: see [the module](super).
pub(crate) struct Shared<M: SessionMachine> {
    core: Mutex<Core<M>>,
    /// Somebody wanted to be waited for when an update was last handed out: otherwise nobody needs to look.
    is_full: AtomicBool,
    bell: AtomicWaker,
    host: Arc<dyn Host>,
    router: Arc<Router>,
}

pub(crate) struct Core<M: SessionMachine> {
    pub(crate) machine: M,
    pub(crate) outlets: M::Outlets,
    pub(crate) orders: VecDeque<Order>,
    pub(crate) tally: Tally,
    /// What the hub is known to send.
    agreed: BTreeSet<Subject>,
    /// What it refused since it was connected.
    refused: BTreeSet<Subject>,
    /// What it was asked for.
    asked: BTreeSet<Subject>,
    wishes: Vec<Action>,
    queries: Vec<(Ticket, Query)>,
    waiting: Vec<(Subject, oneshot::Sender<Result<(), SubscribeError>>)>,
    /// When the task looks again by itself.
    armed: Option<Instant>,
    /// When what is being received began to come.
    batch: Option<Moment>,
    pub(crate) is_connected: bool,
    pub(crate) connections: u64,
    is_over: bool,
    /// The hub sends without being asked: whoever is connected hears everything.
    pub(crate) is_unasked: bool,
    /// The task is gone: nothing will ever happen here again.
    is_closed: bool,
}

impl<M: SessionMachine> Shared<M> {
    pub(crate) fn new(machine: M, host: Arc<dyn Host>, router: Arc<Router>) -> Arc<Self> {
        let core = Core {
            machine,
            outlets: M::Outlets::default(),
            orders: VecDeque::new(),
            tally: Tally::new(M::HUB, host.now()),
            agreed: BTreeSet::new(),
            refused: BTreeSet::new(),
            asked: BTreeSet::new(),
            wishes: Vec::new(),
            queries: Vec::new(),
            waiting: Vec::new(),
            armed: None,
            batch: None,
            is_connected: false,
            connections: 0,
            is_over: false,
            is_unasked: false,
            is_closed: false,
        };
        Arc::new(Self {
            core: Mutex::new(core),
            is_full: AtomicBool::new(false),
            bell: AtomicWaker::new(),
            host,
            router,
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core<M>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn host(&self) -> &dyn Host {
        &*self.host
    }

    pub(crate) fn now(&self) -> Moment {
        self.host.now()
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.bell.register(waker);
    }

    pub(crate) fn ring(&self) {
        self.bell.wake();
    }

    /// Does something to the machine, and hands out what it has to say.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Core<M>, Moment) -> T) -> T {
        let mut core = self.lock();
        let now = core.begin(self.now());
        let result = work(&mut core, now);
        let wants_task = core.pump(now, &self.router);
        core.count(now);
        core.outlets.flush();
        self.look_whether_full(&mut core);
        drop(core);
        self.router.flush();
        if wants_task {
            self.ring();
        }
        result
    }

    /// Takes the rows of a record. They are visible to listeners after the next `flush`.
    pub(crate) fn receive<T>(&self, rows: T)
    where
        M: Receive<T>,
    {
        let mut guard = self.lock();
        let core = &mut *guard;
        // One reading of the clock for all that came at once.
        let now = *core.batch.get_or_insert_with(|| self.now());
        let ears = Ears { now, outlets: &mut core.outlets, tally: &mut core.tally, router: &self.router };
        core.machine.receive(now, rows, ears);
        let wants_task = core.pump(now, &self.router);
        self.look_whether_full(core);
        if wants_task {
            drop(guard);
            self.ring();
        }
    }

    pub(crate) fn flush(&self) {
        let mut core = self.lock();
        core.batch = None;
        core.outlets.flush();
        drop(core);
        self.router.flush();
    }

    pub(crate) fn is_full(&self) -> bool {
        if M::WAITS && self.router.is_full() {
            return true;
        }
        // Listeners become full when they are told something, and then only.
        self.is_full.load(Ordering::Relaxed) && self.look_whether_full(&mut self.lock())
    }

    fn look_whether_full(&self, core: &mut Core<M>) -> bool {
        let is_full = core.outlets.is_full();
        self.is_full.store(is_full, Ordering::Relaxed);
        is_full
    }

    pub(crate) fn malformed(&self, target: Target, message: String) {
        self.with(|core, now| core.machine.handle_malformed(now, target, message));
    }

    /// Events of this subject may be missing from here on, in the order of the records.
    ///
    /// Only a feed that turned to garbage is news, which the connection asks for anew. That the connection is lost is told by its life, for
    /// everything at once and before anything else comes.
    pub(crate) fn gap(&self, subject: &Subject, cause: Cause) {
        if cause != Cause::ProtocolViolation {
            return;
        }
        self.with(|core, now| {
            if core.is_connected && core.agreed.remove(subject) {
                core.machine.handle_gap(now, subject, GapCause::Resubscribed);
            }
        });
    }

    pub(crate) fn logged_out(&self, logout: Logout) {
        self.order(Order::LoggedOut(logout));
    }

    /// Has the task do something. When it is gone, nobody does: who waits for it hears that.
    pub(crate) fn order(&self, order: Order) {
        {
            let mut core = self.lock();
            // Said once is enough, however many subscriptions the hub agrees to, and however often it says goodbye.
            let is_repeated = matches!(
                (core.orders.back(), &order),
                (Some(Order::Agreed), Order::Agreed)
                    | (Some(Order::LoggedOut(_)), Order::LoggedOut(_))
                    | (Some(Order::ReconnectNow), Order::ReconnectNow)
            );
            if core.is_closed || is_repeated {
                return;
            }
            core.orders.push_back(order);
        }
        self.ring();
    }

    /// Takes news of the link.
    pub(crate) fn hear(&self, news: LinkNews) {
        match news {
            LinkNews::Life(life) => self.live(life),
            LinkNews::Subscribed(subject) => self.agree(&subject),
            LinkNews::Refused(subject, error) => self.refuse(&subject, error),
        }
    }

    fn live(&self, life: Lifecycle) {
        self.with(|core, now| {
            self.router.tell_later(now, EventKind::Lifecycle { hub: M::HUB, life: life.clone() });
            core.tally.live(now, &life);
            match &life {
                Lifecycle::Connected | Lifecycle::Reconnected => {
                    core.is_connected = true;
                    core.connections += 1;
                    core.machine.handle_connected(now);
                    if core.is_unasked {
                        core.agree_to_all(now);
                    }
                }
                Lifecycle::Reconnecting(ending) | Lifecycle::Disconnected(ending) => {
                    core.lose(now, gap_cause(ending.cause));
                }
                _ => {}
            }
        });
        self.order(Order::Life(life));
    }

    /// The hub sends the subject from now on.
    fn agree(&self, subject: &Subject) {
        self.with(|core, now| core.agree(now, subject));
        self.order(Order::Agreed);
    }

    /// The asking for a subject went well. A hub that is not asked has nothing else to say.
    pub(crate) fn answered(&self, subject: &Subject) {
        let is_unasked = self.lock().is_unasked;
        if is_unasked {
            self.agree(subject);
        }
    }

    /// The hub does not send the subject.
    pub(crate) fn refuse(&self, subject: &Subject, error: String) {
        self.with(|core, now| {
            if !core.is_asked(subject) {
                return;
            }
            core.agreed.remove(subject);
            core.refused.insert(subject.clone());
            self.router.tell_later(now, EventKind::Refused { subject: subject.clone(), error: error.clone() });
            core.tally.refuse(Kind::of(subject));
            core.machine.handle_refused(now, subject, error.clone());
            core.settle(subject, &Err(SubscribeError::Refused { subject: subject.clone(), error }));
        });
        // Whoever refuses takes the token seriously.
        self.order(Order::Agreed);
    }

    /// Wants a subject. What is returned resolves when the hub has answered for it; with an error nothing is wanted.
    ///
    /// `listen` takes what somebody who is not the first must be told first. It is called before the subscription begins: a listener hears
    /// its first gap.
    pub(crate) fn want(
        &self,
        subject: &Subject,
        listen: impl FnOnce(&mut M::Outlets, Vec<M::Update>),
    ) -> Result<oneshot::Receiver<Result<(), SubscribeError>>, SubscribeError> {
        let (sender, receiver) = oneshot::channel();
        let is_refused = self.with(|core, now| {
            if core.is_closed {
                return Err(SubscribeError::Closed);
            }
            let first = if core.asked.contains(subject) { core.machine.join(now, subject) } else { Vec::new() };
            if !core.machine.want(now, subject.clone()) {
                let error = "too many are followed already".to_owned();
                return Err(SubscribeError::Refused { subject: subject.clone(), error });
            }
            listen(&mut core.outlets, first);
            // Who has given up waiting must not be remembered for ever.
            core.waiting.retain(|(_, waiting)| !waiting.is_canceled());
            if core.agreed.contains(subject) {
                // Whoever asked may have gone.
                drop(sender.send(Ok(())));
            } else {
                core.waiting.push((subject.clone(), sender));
            }
            Ok(core.refused.contains(subject))
        })?;
        if is_refused {
            self.order(Order::Ask(subject.clone()));
        }
        Ok(receiver)
    }

    pub(crate) fn unwant(&self, subject: &Subject) {
        self.with(|core, now| {
            core.machine.unwant(now, subject);
            core.outlets.forget_gone();
        });
    }

    /// A reader of the subject lost updates. The gap that stands in their place: one that opens now, or is open already.
    pub(crate) fn overflow(&self, subject: &Subject) -> Option<Gap> {
        self.with(|core, now| {
            let of_subject = |update: &M::Update| match M::event(update) {
                Some(EventKind::Gap(GapNotice::Opened(gap))) if gap.subject == *subject => Some(gap),
                _ => None,
            };
            let mut gap = None;
            core.machine.handle_overflow(now, subject);
            while let Some(update) = core.machine.poll_update() {
                gap = gap.or_else(|| of_subject(&update));
                core.ears(now, &self.router).tell(update);
            }
            gap.or_else(|| core.machine.join(now, subject).iter().find_map(of_subject))
        })
    }

    /// The session's last handle is gone.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
        self.ring();
    }

    /// Everybody who waits is told that nothing will come.
    pub(crate) fn fail_waiting(&self, error: &SubscribeError) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for (_, sender) in waiting {
            drop(sender.send(Err(error.clone())));
        }
    }

    /// The task is gone. Streams end, and nobody waits any more.
    pub(crate) fn close(&self) {
        let outlets = self.with(|core, now| {
            core.is_closed = true;
            if core.is_connected {
                core.lose(now, GapCause::Stopped);
            }
            core.orders.clear();
            core.pump(now, &self.router);
            std::mem::take(&mut core.outlets)
        });
        drop(outlets);
        self.fail_waiting(&SubscribeError::Closed);
    }

    /// What there is for the task to do now.
    pub(crate) fn take_work(&self) -> Work {
        let mut core = self.lock();
        let now = core.begin(self.now());
        if core.machine.poll_timeout().is_some_and(|at| at <= now.mono) {
            core.machine.handle_timeout(now);
        }
        core.pump(now, &self.router);
        core.count(now);
        core.outlets.flush();
        let audits = core.machine.audits();
        let published = core.tally.tick(now, audits);
        let mut work = Work {
            orders: core.orders.drain(..).collect(),
            wishes: std::mem::take(&mut core.wishes),
            queries: std::mem::take(&mut core.queries),
            ..Work::default()
        };
        work.max_delay = core.machine.max_delay();
        work.deadline = core.machine.poll_timeout().into_iter().chain(core.tally.due()).min();
        core.armed = work.deadline;
        work.is_over = core.is_over;
        drop(core);
        self.router.flush();
        if let Some(published) = published {
            published.publish();
        }
        work
    }
}

impl<M: SessionMachine> Core<M> {
    /// Hands out the machine's updates. Whether the task has something to do.
    fn pump(&mut self, now: Moment, router: &Router) -> bool {
        while let Some(update) = self.machine.poll_update() {
            self.ears(now, router).tell(update);
        }
        while let Some(wish) = self.machine.poll_action() {
            self.note(wish);
        }
        while let Some(query) = self.machine.poll_query() {
            self.queries.push(query);
        }
        let is_earlier = match (self.machine.poll_timeout(), self.armed) {
            (Some(due), Some(armed)) => due < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        is_earlier || !self.wishes.is_empty() || !self.queries.is_empty()
    }

    /// Something happens now: what is received after it is not of a moment before.
    fn begin(&mut self, now: Moment) -> Moment {
        self.batch = None;
        now
    }

    fn ears<'c>(&'c mut self, now: Moment, router: &'c Router) -> Ears<'c, M> {
        Ears { now, outlets: &mut self.outlets, tally: &mut self.tally, router }
    }

    /// Counts the subscriptions.
    fn count(&mut self, now: Moment) {
        let (intended, acked, refused) = (self.asked.len(), self.agreed.len(), self.refused.len());
        self.tally.subscribe(now, Subscriptions { intended, acked, refused, is_connected: self.is_connected });
    }

    fn note(&mut self, wish: Action) {
        let (Action::Subscribe(subject) | Action::Resubscribe(subject) | Action::Unsubscribe(subject)) = &wish;
        self.refused.remove(subject);
        self.agreed.remove(subject);
        let is_leaving = matches!(wish, Action::Unsubscribe(_));
        if is_leaving {
            self.asked.remove(subject);
        } else {
            self.asked.insert(subject.clone());
        }
        // What the hub has not been asked for need not be taken back: whoever comes and goes leaves nothing behind.
        let begun =
            self.wishes.iter().position(|earlier| matches!(earlier, Action::Subscribe(other) if other == subject));
        match begun.filter(|_| is_leaving) {
            Some(place) => _ = self.wishes.remove(place),
            None => self.wishes.push(wish),
        }
    }

    /// Whether it is wanted, and the hub's answers are about this wish: not while the task has yet to say it.
    fn is_asked(&self, subject: &Subject) -> bool {
        let is_about = |wish: &Action| {
            let (Action::Subscribe(wished) | Action::Resubscribe(wished) | Action::Unsubscribe(wished)) = wish;
            wished == subject
        };
        self.asked.contains(subject) && !self.wishes.iter().any(is_about)
    }

    fn agree(&mut self, now: Moment, subject: &Subject) {
        if !self.is_connected || !self.is_asked(subject) || !self.agreed.insert(subject.clone()) {
            return;
        }
        self.refused.remove(subject);
        self.machine.handle_subscribed(now, subject);
        self.settle(subject, &Ok(()));
    }

    /// Whatever was asked for is there.
    fn agree_to_all(&mut self, now: Moment) {
        let asked: Vec<_> = self.asked.iter().cloned().collect();
        for subject in asked {
            self.agree(now, &subject);
        }
    }

    fn lose(&mut self, now: Moment, cause: GapCause) {
        self.is_connected = false;
        self.agreed.clear();
        self.refused.clear();
        self.machine.handle_lost(now, cause);
    }

    fn settle(&mut self, subject: &Subject, result: &Result<(), SubscribeError>) {
        for (_, sender) in self.waiting.extract_if(.., |(waited, _)| waited == subject) {
            // Whoever asked may have gone.
            drop(sender.send(result.clone()));
        }
    }
}

fn gap_cause(cause: Cause) -> GapCause {
    match cause {
        Cause::ClosedByHub => GapCause::ClosedByHub,
        Cause::Stopped => GapCause::Stopped,
        _ => GapCause::TransportLost,
    }
}
