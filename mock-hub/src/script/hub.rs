//! The scripted server's handle.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::http::{Reply, Request};
use super::server;
use super::session::Session;
use crate::changes::Changes;
use crate::hub_thread::HubThread;
use crate::lock::lock;

pub(super) type Script = Box<dyn Fn(Session) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
pub(super) type Hook = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// What the server's tasks share with the handle.
pub(super) struct Shared {
    pub(super) script: Script,
    pub(super) on_negotiate: Hook,
    pub(super) on_upgrade: Hook,
    pub(super) requests: Mutex<Vec<Request>>,
    pub(super) started: AtomicUsize,
    pub(super) finished: AtomicUsize,
    pub(super) panics: Mutex<Vec<String>>,
    pub(super) changes: Changes,
}

/// Sets the HTTP hooks of a [`ScriptHub`] before it starts.
pub struct Builder {
    on_negotiate: Hook,
    on_upgrade: Hook,
}

impl Builder {
    /// Decides on every request that is no upgrade; default: negotiates get ids and WebSockets, others a 404.
    #[must_use]
    pub fn on_negotiate<R: Into<Reply>>(mut self, hook: impl Fn(&Request) -> R + Send + Sync + 'static) -> Self {
        self.on_negotiate = Box::new(move |request| hook(request).into());
        self
    }

    /// Decides on every upgrade request; default: all are accepted.
    #[must_use]
    pub fn on_upgrade<R: Into<Reply>>(mut self, hook: impl Fn(&Request) -> R + Send + Sync + 'static) -> Self {
        self.on_upgrade = Box::new(move |request| hook(request).into());
        self
    }

    /// Starts the server; `script` runs once for each accepted WebSocket.
    pub fn start<F, S>(self, script: S) -> io::Result<ScriptHub>
    where
        S: Fn(Session) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            script: Box::new(move |session| Box::pin(script(session))),
            on_negotiate: self.on_negotiate,
            on_upgrade: self.on_upgrade,
            requests: Mutex::default(),
            started: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            panics: Mutex::default(),
            changes: Changes::default(),
        });
        let thread = server::start(&shared)?;
        Ok(ScriptHub { shared, thread })
    }
}

/// A server on 127.0.0.1, on a thread of its own, whose every connection a test scripts.
pub struct ScriptHub {
    shared: Arc<Shared>,
    thread: HubThread,
}

impl ScriptHub {
    /// Starts a server that accepts everything; `script` runs once for each WebSocket.
    pub fn start<F, S>(script: S) -> io::Result<Self>
    where
        S: Fn(Session) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Self::builder().start(script)
    }

    /// Sets hooks first.
    #[must_use]
    pub fn builder() -> Builder {
        Builder { on_negotiate: Box::new(|_| Reply::Accept), on_upgrade: Box::new(|_| Reply::Accept) }
    }

    /// The server's address, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.thread.address())
    }

    /// The address with a path, which begins with `/`.
    #[must_use]
    pub fn hub_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.thread.address())
    }

    /// Every request so far, in order: negotiates, upgrades and whatever else, with their headers.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// How many scripts have begun: one for each accepted WebSocket.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.started.load(Ordering::Relaxed)
    }

    /// How many scripts have come to their end.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.shared.finished.load(Ordering::Relaxed)
    }

    /// Blocks until a condition holds, asked again at every request, start and end of a script; `false` when the time
    /// is over first.
    pub fn wait_until(&self, timeout: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        self.shared.changes.wait(timeout, || condition(self))
    }

    /// [`ScriptHub::wait_until`] as a future, for any runtime.
    pub async fn until(&self, timeout: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        self.shared.changes.until(self.thread.runtime(), timeout, || condition(self)).await
    }

    /// Ends the thread and all sockets; further calls do nothing. Panics of scripts are kept for the drop.
    pub fn stop(&self) {
        self.thread.request_stop();
        self.thread.join();
    }

    /// The panics of scripts so far, which the drop then does not repeat.
    #[must_use]
    pub fn take_panics(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.panics))
    }
}

impl Drop for ScriptHub {
    fn drop(&mut self) {
        self.stop();
        let panics = self.take_panics();
        // A test that fails already must not abort the process.
        assert!(panics.is_empty() || std::thread::panicking(), "a script panicked: {}", panics.join("; "));
    }
}
