//! Both hubs together: what ends for one ends for the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;
use signalr_proto::time::Instant;
use topstep_model::Hub;

use super::machine::SessionMachine;
use super::shared::Shared;
use super::work::Order;
use crate::error::SubscribeError;
use crate::host::Host;
use crate::keeper::{Halt, LogoutPolicy};
use crate::lifecycle::Ending;
use crate::router::{EventKind, Router};

/// Logs in again at most this often in this time: two programs that log each other out would go on for ever.
const RELOGINS: usize = 5;
const RELOGIN_TIME: Duration = Duration::from_secs(120);
/// The first delay before a login in again, which grows by itself each time, and its longest.
const RELOGIN_DELAY: Duration = Duration::from_secs(2);
const RELOGIN_LONGEST: Duration = Duration::from_secs(15);

/// A session, as far as it is left alone together with others.
pub(crate) trait Member: Send + Sync {
    /// Asks its task to do something.
    fn order(&self, order: Order);

    /// Tells everybody who waits that nothing will come.
    fn fail_waiting(&self, error: &SubscribeError);
}

impl<M: SessionMachine> Member for Shared<M> {
    fn order(&self, order: Order) {
        self.order(order);
    }

    fn fail_waiting(&self, error: &SubscribeError) {
        self.fail_waiting(error);
    }
}

/// Both sessions, and whether they are left alone.
pub(crate) struct Pair {
    host: Arc<dyn Host>,
    router: Arc<Router>,
    members: OnceLock<Vec<Arc<dyn Member>>>,
    state: Mutex<PairState>,
}

#[derive(Default)]
struct PairState {
    policy: LogoutPolicy,
    halted: Option<Halt>,
    /// Counts the halts: whoever waits to lift one must not lift another.
    halts: u64,
    /// When it logged in again, lately.
    relogins: VecDeque<Instant>,
}

impl Pair {
    pub(crate) fn new(host: Arc<dyn Host>, router: Arc<Router>, policy: LogoutPolicy) -> Arc<Self> {
        let state = Mutex::new(PairState { policy, ..PairState::default() });
        Arc::new(Self { host, router, members: OnceLock::new(), state })
    }

    /// Knows its sessions from now on.
    pub(crate) fn join(&self, members: Vec<Arc<dyn Member>>) {
        // It is called once, where they are made.
        drop(self.members.set(members));
    }

    /// What happens after the next logout.
    pub(crate) fn set_policy(&self, policy: LogoutPolicy) {
        self.lock().policy = policy;
    }

    pub(crate) fn halted(&self) -> Option<Halt> {
        self.lock().halted.clone()
    }

    /// Leaves both hubs alone. What resolves when both have been hung up on; nothing if they are left alone already, for whatever reason but
    /// the application's own word, which stands above all others.
    pub(crate) fn halt(&self, halt: Halt) -> Vec<oneshot::Receiver<()>> {
        let is_new = {
            let mut state = self.lock();
            if state.halted.is_some() && halt != Halt::Closed {
                return Vec::new();
            }
            state.halts += 1;
            state.halted.replace(halt.clone()).as_ref() != Some(&halt)
        };
        if is_new {
            tracing::warn!(reason = halt.as_str(), "both hubs are left alone");
            self.router.tell(self.host.now(), EventKind::Halted(halt.clone()));
        }
        let error = SubscribeError::Halted(halt);
        let leave = |member: &Arc<dyn Member>| {
            member.fail_waiting(&error);
            let (sender, receiver) = oneshot::channel();
            member.order(Order::Halt(sender));
            receiver
        };
        self.members().iter().map(leave).collect()
    }

    /// Begins again.
    pub(crate) fn resume(&self) {
        if self.lock().halted.take().is_none() {
            return;
        }
        tracing::info!("both hubs are followed again");
        self.router.tell(self.host.now(), EventKind::Resumed);
        for member in self.members() {
            member.order(Order::Resume);
        }
    }

    /// Another login ended ours. Whether it is followed by one of our own, by the policy.
    pub(crate) fn logged_out(self: &Arc<Self>, resume: impl FnOnce() + Send + 'static) {
        if self.halted().is_some() {
            // The other hub was told of the same logout.
            return;
        }
        drop(self.halt(Halt::LoggedOut));
        let Some(delay) = self.next_relogin() else { return };
        let waited = self.host.sleep(delay);
        let halts = self.lock().halts;
        let pair = Arc::downgrade(self);
        let task = async move {
            waited.await;
            let Some(pair) = pair.upgrade() else { return };
            let is_same = {
                let state = pair.lock();
                state.halts == halts && state.halted == Some(Halt::LoggedOut)
            };
            if is_same {
                resume();
                pair.resume();
            }
        };
        // Without a runtime there is nobody to log in for.
        let _ = self.host.spawn(task.boxed());
    }

    fn next_relogin(&self) -> Option<Duration> {
        let now = self.host.now().mono;
        let state = &mut *self.lock();
        if state.policy == LogoutPolicy::Stop {
            return None;
        }
        let relogins = &mut state.relogins;
        relogins.retain(|at| now.saturating_since(*at) < RELOGIN_TIME);
        if relogins.len() >= RELOGINS {
            return None;
        }
        relogins.push_back(now);
        let times = u32::try_from(relogins.len()).unwrap_or(u32::MAX);
        Some(RELOGIN_DELAY.saturating_mul(times).min(RELOGIN_LONGEST))
    }

    /// A hub said goodbye for good.
    pub(crate) fn said_goodbye(&self, hub: Hub, ending: Ending, begins_in: Duration, is_unauthorized: bool) {
        tracing::error!(?hub, cause = %ending.cause, is_unauthorized, "the hub said goodbye: nothing is heard until a new connection stands");
        self.router.tell(self.host.now(), EventKind::Goodbye { hub, ending, begins_in, is_unauthorized });
    }

    fn members(&self) -> &[Arc<dyn Member>] {
        self.members.get().map_or(&[], Vec::as_slice)
    }

    fn lock(&self) -> MutexGuard<'_, PairState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
