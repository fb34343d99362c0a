//! What the handles and the driver of one connection have in common: the machine behind a lock, and a bell to wake the driver.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::task::AtomicWaker;
use signalr_proto::time::Instant;
use signalr_proto::{Command, Event, HubConnection, Machine, Reply, Token};

use crate::events::Taps;

/// Something to run beside the connection: a handler at work, a stream of items on its way to the hub.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The limits that are enforced above the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Events that a queue holds.
    pub(crate) queue_events: usize,
    /// Bytes of unread items that a stream holds.
    pub(crate) stream_bytes: usize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

pub(crate) struct Shared {
    core: Mutex<Core>,
    bell: AtomicWaker,
    next_token: AtomicU64,
    origin: std::time::Instant,
    pub(crate) limits: Limits,
    /// Tasks that the driver has not taken over yet. Handlers are put here under the machine's lock, so this has a lock of its own.
    tasks: Mutex<Vec<Task>>,
    /// Reading is paused: whoever makes room says so.
    is_paused: AtomicBool,
    has_room: AtomicBool,
}

pub(crate) struct Core {
    pub(crate) machine: HubConnection,
    /// Who waits for the reply to a command that has no sink.
    waiting: HashMap<Token, oneshot::Sender<Reply>>,
    pub(crate) taps: Taps,
    /// Uploads that wait for room.
    upload_wakers: Vec<Waker>,
    /// Events for whoever polls the driver himself.
    pub(crate) told: Option<std::collections::VecDeque<Event>>,
    /// The last handle is gone.
    pub(crate) is_abandoned: bool,
    /// The driver is gone: nobody carries out actions any more.
    has_no_driver: bool,
}

/// Later than any deadline: what is waited for by then has failed.
const THE_END: Instant = Instant::from_nanos(u64::MAX);

impl Shared {
    pub(crate) fn new(machine: HubConnection, limits: Limits, tells_events: bool) -> Self {
        let core = Core {
            machine,
            waiting: HashMap::new(),
            taps: Taps::default(),
            upload_wakers: Vec::new(),
            told: tells_events.then(Default::default),
            is_abandoned: false,
            has_no_driver: false,
        };
        Self {
            core: Mutex::new(core),
            bell: AtomicWaker::new(),
            next_token: AtomicU64::new(1),
            origin: std::time::Instant::now(),
            limits,
            tasks: Mutex::default(),
            is_paused: AtomicBool::new(false),
            has_room: AtomicBool::new(false),
        }
    }

    /// A panic of somebody's decoder leaves the machine as it was before that record's commit.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, on the machine's clock.
    pub(crate) fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn until(&self, deadline: Instant) -> Duration {
        deadline.saturating_since(self.now())
    }

    pub(crate) fn next_token(&self) -> Token {
        Token(self.next_token.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn register_driver(&self, waker: &Waker) {
        self.bell.register(waker);
    }

    pub(crate) fn wake_driver(&self) {
        self.bell.wake();
    }

    /// Carries out a command whose answer goes to a sink, or to nobody.
    pub(crate) fn command(&self, token: Token, command: Command) {
        let mut core = self.lock();
        core.machine.handle_command(self.now(), token, command);
        core.after_command();
        drop(core);
        self.wake_driver();
    }

    /// Carries out a command and gives its answer.
    pub(crate) fn ask(&self, token: Token, command: Command) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        let mut core = self.lock();
        core.waiting.insert(token, sender);
        core.machine.handle_command(self.now(), token, command);
        core.after_command();
        drop(core);
        self.wake_driver();
        receiver
    }

    /// Has the driver run these.
    pub(crate) fn spawn(&self, tasks: &mut Vec<Task>) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).append(tasks);
        self.wake_driver();
    }

    pub(crate) fn take_tasks(&self) -> Vec<Task> {
        std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A consumer took something: if reading is paused, the driver looks again.
    pub(crate) fn consumed(&self) {
        if self.is_paused.load(Ordering::SeqCst) {
            self.has_room.store(true, Ordering::SeqCst);
            self.wake_driver();
        }
    }

    pub(crate) fn set_paused(&self, is_paused: bool) -> bool {
        self.is_paused.swap(is_paused, Ordering::SeqCst) != is_paused
    }

    pub(crate) fn take_room(&self) -> bool {
        self.has_room.swap(false, Ordering::SeqCst)
    }
}

impl Core {
    fn after_command(&mut self) {
        if self.has_no_driver {
            self.settle_without_driver();
        }
        self.pump();
    }

    /// Hands out what the machine has to say. Events first: `disconnected` is told before the stop's own answer.
    pub(crate) fn pump(&mut self) {
        self.machine.flush();
        while let Some(event) = self.machine.poll_event() {
            self.taps.tell(&event);
            if let Some(told) = &mut self.told {
                told.push_back(event);
            }
        }
        self.taps.flush();
        let mut replied = false;
        while let Some((token, reply)) = self.machine.poll_reply() {
            replied = true;
            match reply {
                Reply::Call(sink, outcome) => sink.finish(outcome),
                // Whoever does not wait any more does not want to know.
                reply => _ = self.waiting.remove(&token).map(|sender| sender.send(reply)),
            }
        }
        if replied {
            self.wake_uploads();
        }
    }

    /// Room was made, or a call ended: uploads look again.
    pub(crate) fn wake_uploads(&mut self) {
        for waker in self.upload_wakers.drain(..) {
            waker.wake();
        }
    }

    pub(crate) fn await_room(&mut self, waker: &Waker) {
        if !self.upload_wakers.iter().any(|known| known.will_wake(waker)) {
            self.upload_wakers.push(waker.clone());
        }
    }

    /// The driver is gone, and the socket with it: everything ends now, with the outcome that is true of it.
    pub(crate) fn lose_driver(&mut self) {
        self.has_no_driver = true;
        self.settle_without_driver();
        self.pump();
    }

    fn settle_without_driver(&mut self) {
        // No reply is awaited for this token: `pump` finds nobody under it.
        self.machine.handle_command(THE_END, Token(0), Command::Stop);
        self.machine.handle_timeout(THE_END);
        while self.machine.poll_action().is_some() {}
    }
}

/// The handles of a connection share one of these: with the last one the connection ends, politely and in the background.
pub(crate) struct Lifeline {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        let token = self.shared.next_token();
        self.shared.lock().is_abandoned = true;
        self.shared.command(token, Command::Stop);
    }
}
