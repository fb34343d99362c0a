//! The one loop that moves bytes between a machine and the world.
//!
//! It is a stream that somebody polls: the task that `build` spawns, or the application's own. Each turn it
//!
//! 1. tells the machine what time it is,
//! 2. carries out the machine's actions,
//! 3. writes while the transport takes it, and reads while the machine wants it: neither waits for the other,
//! 4. runs handlers and uploads,
//! 5. sleeps until the machine's next deadline.

mod attempt;
mod link;
mod sleeper;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use signalr_proto::io::{Action, AttemptId, CloseHow, Input};
use signalr_proto::{Event, Machine};

use attempt::Attempt;
use link::Link;
use sleeper::Sleeper;

use crate::dial::DialOptions;
use crate::runtime::Runtime;
use crate::shared::{Shared, Task};
use crate::token::TokenProvider;

/// Drives one connection: see [`HubConnectionBuilder::build_with_driver`](crate::HubConnectionBuilder::build_with_driver).
///
/// Whoever drops it drops the socket; what was under way then ends with the outcome that is true of it.
#[must_use = "nothing happens unless the driver is polled"]
pub struct Driver<R: Runtime> {
    shared: Arc<Shared>,
    options: DialOptions,
    tokens: Option<TokenProvider>,
    /// What the attempt under way waits for.
    attempt: Option<Attempt<R>>,
    /// The attempt that asked for a token last.
    asked_token_for: Option<AttemptId>,
    /// The transport in use, and those that still say goodbye.
    links: Vec<Link<R>>,
    tasks: FuturesUnordered<Task>,
    sleeper: Sleeper,
}

/// Turns of the loop before others get their turn on the same thread: few, so that consumers take what came while it is in
/// the cache, and before their queues are full.
const TURNS: usize = 2;

impl<R: Runtime> Driver<R> {
    pub(crate) fn new(shared: Arc<Shared>, options: DialOptions, tokens: Option<TokenProvider>) -> Self {
        Self {
            shared,
            options,
            tokens,
            attempt: None,
            asked_token_for: None,
            links: Vec::new(),
            tasks: FuturesUnordered::new(),
            sleeper: Sleeper::default(),
        }
    }

    /// One turn. Whether anything happened, so that another may find more.
    fn turn(&mut self, context: &mut Context<'_>) -> bool {
        let mut moved = self.sleeper.poll(context);
        moved |= self.keep_time();
        moved |= self.carry_out();
        moved |= self.poll_attempt(context);
        moved |= self.poll_links(context);
        moved |= self.poll_tasks(context);
        moved | self.check_pressure()
    }

    fn keep_time(&mut self) -> bool {
        let slept = self.sleeper.notice_suspension();
        let mut core = self.shared.lock();
        let now = self.shared.now();
        if slept {
            tracing::info!("this process was suspended");
            core.machine.handle_input(now, Input::Suspended);
        }
        let is_due = core.machine.poll_timeout().is_some_and(|at| at <= now);
        if is_due {
            core.machine.handle_timeout(now);
        }
        if is_due || slept {
            core.pump();
        }
        is_due || slept
    }

    fn carry_out(&mut self) -> bool {
        let mut moved = false;
        loop {
            let Some(action) = self.shared.lock().machine.poll_action() else { return moved };
            moved = true;
            match action {
                Action::ProvideToken { attempt } => {
                    let is_repeated = self.asked_token_for.replace(attempt) == Some(attempt);
                    self.attempt = Some(Attempt::token(attempt, self.tokens.as_ref(), is_repeated));
                }
                Action::Http { attempt, request } => {
                    self.attempt = Some(Attempt::http(attempt, self.options.clone(), request))
                }
                Action::Open { attempt, request } => {
                    self.attempt = Some(Attempt::open(attempt, self.options.clone(), request))
                }
                Action::Probe { attempt } => {
                    self.links.iter_mut().filter(|link| link.attempt() == attempt).for_each(Link::probe)
                }
                Action::Close { attempt, how, cause } => {
                    tracing::debug!(%attempt, %cause, "hanging up");
                    self.attempt.take_if(|dialing| dialing.id() == attempt);
                    match how {
                        CloseHow::Abort => self.links.retain(|link| link.attempt() != attempt),
                        CloseHow::Flush { last, timeout } => {
                            for link in self.links.iter_mut().filter(|link| link.attempt() == attempt) {
                                link.say_goodbye(&last, R::sleep(timeout));
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn poll_attempt(&mut self, context: &mut Context<'_>) -> bool {
        let Some(attempt) = &mut self.attempt else { return false };
        let Poll::Ready(outcome) = attempt.poll(context) else { return false };
        let id = attempt.id();
        self.attempt = None;
        let (input, socket) = outcome.into_input(id);
        self.links.extend(socket.map(|socket| Link::new(id, socket)));
        let mut core = self.shared.lock();
        core.machine.handle_input(self.shared.now(), input);
        core.pump();
        true
    }

    fn poll_links(&mut self, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        for link in &mut self.links {
            moved |= link.poll(&self.shared, context);
        }
        self.links.retain(|link| !link.is_over());
        moved
    }

    fn poll_tasks(&mut self, context: &mut Context<'_>) -> bool {
        self.tasks.extend(self.shared.take_tasks());
        let mut moved = false;
        while let Poll::Ready(Some(())) = Pin::new(&mut self.tasks).poll_next(context) {
            moved = true;
        }
        moved
    }

    /// Has consumers tell when they make room, for as long as reading is paused.
    fn check_pressure(&mut self) -> bool {
        let mut core = self.shared.lock();
        let has_room = self.shared.take_room();
        let is_paused = !core.machine.wants_read();
        let changed = self.shared.set_paused(is_paused);
        // Whoever made room before he was asked to tell has not told.
        if has_room || (changed && is_paused) {
            core.machine.handle_input(self.shared.now(), Input::ConsumerReady);
            core.pump();
            return has_room || core.machine.wants_read();
        }
        changed
    }

    fn is_over(&self) -> bool {
        let core = self.shared.lock();
        core.is_abandoned && core.machine.is_drained() && self.links.is_empty()
    }
}

impl<R: Runtime> Stream for Driver<R> {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let this = self.get_mut();
        this.shared.register_driver(context.waker());
        for _ in 0..TURNS {
            let moved = this.turn(context);
            if let Some(event) = this.shared.lock().told.as_mut().and_then(std::collections::VecDeque::pop_front) {
                return Poll::Ready(Some(event));
            }
            if this.is_over() {
                return Poll::Ready(None);
            }
            if !moved {
                let deadline = this.shared.lock().machine.poll_timeout();
                let Some(deadline) = deadline else { return Poll::Pending };
                if this.sleeper.arm::<R>(&this.shared, deadline, context) {
                    return Poll::Pending;
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

// Nothing in it is pinned but what is boxed.
impl<R: Runtime> Unpin for Driver<R> {}

impl<R: Runtime> Drop for Driver<R> {
    fn drop(&mut self) {
        self.links.clear();
        self.shared.lock().lose_driver();
    }
}
