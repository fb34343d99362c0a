//! Sessions without a network: a scripted source in place of the hubs, a clock that moves when it is told to, and the same API.
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::{FutureExt, StreamExt};
//! use topstep_model::AccountId;
//! use topstep_session::{Known, Offline, Update};
//!
//! let world = Offline::new("2026-08-19T14:30:00Z".parse()?);
//! // What REST answers, by path.
//! world.rest(|path, _| match path {
//!     "/api/Account/search" => (200, r#"{"success":true,"errorCode":0,"accounts":[{"id":7,"name":"PRAC","balance":50000,"canTrade":true}]}"#.into()),
//!     "/api/Position/searchOpen" => (200, r#"{"success":true,"errorCode":0,"positions":[]}"#.into()),
//!     _ => (200, r#"{"success":true,"errorCode":0,"orders":[],"trades":[],"totalCount":0}"#.into()),
//! });
//! let account = AccountId::new(7);
//! let following = world.user().follow([account]);
//! world.run();
//! world.advance(Duration::from_secs(1));
//! assert_eq!(world.user().account(account).get().map(|entry| entry.known), Some(Known::Verified));
//!
//! // The hub's side is the script's.
//! let session = world.user().account(account);
//! let mut orders = world.drive(session.orders())?;
//! world.receive("GatewayUserOrder", r#"[{"action":1,"data":{"id":11,"accountId":7,"contractId":"CON.F.US.EP.Z26","status":1}}]"#);
//! let update = orders.next().now_or_never().flatten();
//! assert!(matches!(update, Some(Update::Value(told)) if told.known == Known::Live));
//! # drop(following);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod link;
mod rest;
mod world;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use adapter_core::Cause;
use serde::de::DeserializeOwned;
use signalr_proto::time::Instant;
use topstep_model::{
    Account, DepthRow, Hub, Logout, MarketEvent, MarketTrade, Order, Position, Quote, Rows, Target, Timestamp,
    UserEvent, UserTrade,
};

use self::link::ScriptLink;
use self::rest::{Script, ScriptBackend};
use self::world::World;
use crate::host::Host;
use crate::keeper::{Halt, LogoutPolicy};
use crate::lifecycle::Ending;
use crate::market::{MarketConfig, MarketMachine, TradingHours};
use crate::moment::Moment;
use crate::observe::{CacheHealth, HealthReport};
use crate::router::{self, Events, Filter, Handler, Router, SessionEvent};
use crate::session::{Handle, MarketSession, Pair, Receive, SessionMachine, Shared, Task, UserSession};
use crate::user::{UserConfig, UserMachine};

/// Both hubs and REST, as a script has them: see [the module](self).
///
/// Nothing happens by itself: [`run`](Self::run) has the sessions do what there is to do, and whatever a script does calls it. Dropping it ends
/// every session and stream of it.
pub struct Offline {
    world: Arc<World>,
    script: Arc<Script>,
    router: Arc<Router>,
    pair: Arc<Pair>,
    user: UserSession,
    market: MarketSession,
    user_link: Arc<ScriptLink<UserMachine>>,
    market_link: Arc<ScriptLink<MarketMachine>>,
    forgotten: Arc<AtomicU64>,
}

impl Offline {
    /// Both hubs are there to be connected to, the market is always open, REST answers 404 to everything, and it is `wall` o'clock.
    pub fn new(wall: Timestamp) -> Self {
        let market = MarketConfig::default().hours(TradingHours::always_open());
        Self::with_config(wall, UserConfig::default(), market)
    }

    /// The same with rules of your own.
    pub fn with_config(wall: Timestamp, user: UserConfig, market: MarketConfig) -> Self {
        let world = Arc::new(World::new(Moment::new(Instant::from_nanos(0), wall)));
        let script = Arc::new(Script::default());
        let router = Arc::new(Router::default());
        let now = world.now();
        let pair = Pair::new(world.clone(), router.clone(), LogoutPolicy::Stop);
        let user_shared = Shared::new(UserMachine::new(user, now), world.clone(), router.clone());
        let market_shared = Shared::new(MarketMachine::new(market, now), world.clone(), router.clone());
        pair.join(vec![user_shared.clone(), market_shared.clone()]);
        let forgotten = Arc::default();
        let backend = || {
            Arc::new(ScriptBackend { script: script.clone(), pair: pair.clone(), forgotten: Arc::clone(&forgotten) })
        };
        let (user_link, user) = session(user_shared, &world, backend(), &pair);
        let (market_link, market) = session(market_shared, &world, backend(), &pair);
        let (user, market) = (UserSession::new(Arc::new(user), None), MarketSession::new(Arc::new(market), None));
        Self { world, script, router, pair, user, market, user_link, market_link, forgotten }
    }

    /// The user hub's session.
    pub fn user(&self) -> &UserSession {
        &self.user
    }

    /// The market hub's session.
    pub fn market(&self) -> &MarketSession {
        &self.market
    }

    /// Everything that happens, in one order.
    pub fn events(&self, filter: Filter) -> Events {
        self.router.listen(filter, 4_096, Arc::new(|| {}))
    }

    /// Hands every event that passes the filter to a handler: see [`Gateway::handle`](crate::Gateway::handle).
    pub fn handle<F, Fut, E>(&self, name: impl Into<String>, filter: Filter, handler: F) -> Handler
    where
        F: FnMut(SessionEvent) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + 'static,
    {
        let host: Arc<dyn Host> = self.world.clone();
        router::handle(self.events(filter), &self.router, &host, name.into(), handler)
    }

    /// What it is o'clock.
    pub fn now(&self) -> Moment {
        self.world.now()
    }

    /// How both hubs stand, and which alerts that gives.
    pub fn health(&self) -> HealthReport {
        let report = HealthReport {
            at: self.now(),
            user: self.user.health(),
            market: self.market.health(),
            rest: None,
            cache: CacheHealth::default(),
            budget: None,
            login: None,
            halted: self.pair.halted(),
            alerts: Vec::new(),
        };
        report.judged()
    }

    /// Moves both clocks, and stops at everything that is due on the way.
    pub fn advance(&self, time: Duration) {
        self.run();
        let end = self.now().mono + time;
        while let Some(due) = self.world.next_due().filter(|due| *due <= end) {
            self.world.set(due);
            self.run();
        }
        self.world.set(end);
        self.run();
    }

    /// Has the sessions do what there is to do now.
    pub fn run(&self) {
        self.world.run();
    }

    /// Runs until a future is ready, moving the clock where everything else waits for it, by an hour at most.
    ///
    /// # Panics
    ///
    /// If it is not ready even then: the script has not done what it waits for.
    pub fn drive<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let end = self.now().mono + Duration::from_secs(3_600);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            self.run();
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            let due = self.world.next_due().filter(|due| *due <= end);
            self.world.set(due.expect("the script brings what is waited for within an hour"));
            self.run();
        }
    }

    /// Says what REST answers from now on: status and body, by path and the request's body.
    pub fn rest(&self, answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) {
        self.script.set(Box::new(answer));
    }

    /// The hub of this target sends it with these arguments, the text of a JSON array. While it is not connected, nobody hears that.
    pub fn receive(&self, target: &str, arguments: &str) {
        let Ok(target) = target.parse::<Target>() else { return };
        match target {
            Target::UserAccount => deliver::<_, Rows<UserEvent<Account>>>(&self.user_link, target, arguments),
            Target::UserOrder => deliver::<_, Rows<UserEvent<Order>>>(&self.user_link, target, arguments),
            Target::UserPosition => deliver::<_, Rows<UserEvent<Position>>>(&self.user_link, target, arguments),
            Target::UserTrade => deliver::<_, Rows<UserEvent<UserTrade>>>(&self.user_link, target, arguments),
            Target::Quote => deliver::<_, Rows<MarketEvent<Quote>>>(&self.market_link, target, arguments),
            Target::Trade => deliver::<_, Rows<MarketEvent<MarketTrade>>>(&self.market_link, target, arguments),
            Target::Depth => deliver::<_, Rows<MarketEvent<DepthRow>>>(&self.market_link, target, arguments),
            _ => {
                self.user_link.shared().logged_out(Logout::default());
                self.market_link.shared().logged_out(Logout::default());
            }
        }
        self.run();
    }

    /// A hub is lost. It stays so until [`restore`](Self::restore).
    pub fn lose(&self, hub: Hub) {
        match hub {
            Hub::User => self.user_link.lose(Cause::Lost),
            _ => self.market_link.lose(Cause::Lost),
        }
        self.run();
    }

    /// A lost hub is reached again, and agrees to everything that it was asked for.
    pub fn restore(&self, hub: Hub) {
        match hub {
            Hub::User => self.user_link.restore(),
            _ => self.market_link.restore(),
        }
        self.run();
    }

    /// A hub says goodbye for good.
    pub fn close(&self, hub: Hub, explanation: &str) {
        let ending = Ending { cause: Cause::ClosedByHub, explanation: explanation.to_owned(), may_retry: false };
        match hub {
            Hub::User => self.user_link.end(ending),
            _ => self.market_link.end(ending),
        }
        self.run();
    }

    /// What the sessions do after the next logout. Default: [`LogoutPolicy::Stop`].
    pub fn on_logout(&self, policy: LogoutPolicy) {
        self.pair.set_policy(policy);
    }

    /// Why both hubs are left alone, if they are.
    pub fn halted(&self) -> Option<Halt> {
        self.pair.halted()
    }

    /// Begins again after a logout.
    pub fn resume(&self) {
        self.pair.resume();
        self.run();
    }

    /// The hubs refuse subscriptions whose subject is written so ([`Subject`](crate::Subject)'s `Display`), in these words; `None`: no more.
    pub fn refuse(&self, subject: &str, words: Option<&str>) {
        self.user_link.refuse(subject, words);
        self.market_link.refuse(subject, words);
    }

    /// A hub hears subscriptions and answers none, until it is told otherwise.
    pub fn mute(&self, hub: Hub, is_mute: bool) {
        match hub {
            Hub::User => self.user_link.set_mute(is_mute),
            _ => self.market_link.set_mute(is_mute),
        }
        self.run();
    }

    /// Whether a reader that is full holds a hub up: a real one would not be read now. A script may go on all the same.
    pub fn is_held_up(&self, hub: Hub) -> bool {
        match hub {
            Hub::User => self.user_link.shared().is_full(),
            _ => self.market_link.shared().is_full(),
        }
    }

    /// What a hub was asked since this was called last, in order: `subscribe market/quotes/CON.F.US.EP.Z26`.
    pub fn calls(&self, hub: Hub) -> Vec<String> {
        match hub {
            Hub::User => self.user_link.take_calls(),
            _ => self.market_link.take_calls(),
        }
    }

    /// How many tokens the sessions took for refused.
    pub fn forgotten_tokens(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }
}

impl Drop for Offline {
    /// The world ends, and every session and stream in it.
    fn drop(&mut self) {
        self.world.end();
    }
}

impl std::fmt::Debug for Offline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offline").field("now", &self.now()).finish_non_exhaustive()
    }
}

fn session<M: SessionMachine>(
    shared: Arc<Shared<M>>,
    world: &Arc<World>,
    backend: Arc<ScriptBackend>,
    pair: &Arc<Pair>,
) -> (Arc<ScriptLink<M>>, Handle<M>) {
    let link = ScriptLink::new(shared.clone());
    let task = Task::new(shared.clone(), link.clone(), backend, world.clone());
    world.add(Box::pin(task));
    (link.clone(), Handle::new(shared, link, pair.clone()))
}

fn deliver<M, T>(link: &ScriptLink<M>, target: Target, arguments: &str)
where
    M: SessionMachine + Receive<T>,
    T: DeserializeOwned,
{
    if !link.is_connected() {
        return;
    }
    let shared = link.shared();
    match serde_json::from_str::<T>(arguments) {
        Ok(rows) => shared.receive(rows),
        Err(error) => shared.malformed(target, error.to_string()),
    }
    shared.flush();
}

/// A list behind a lock that nothing panics under.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
