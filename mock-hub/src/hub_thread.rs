//! A thread with a runtime of its own and a listener, so that a caller needs none.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

use crate::lock::lock;

/// A thread that listens until it is stopped.
#[derive(Debug)]
pub(crate) struct HubThread {
    address: SocketAddr,
    runtime: Handle,
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl HubThread {
    /// Starts the thread and returns once it listens; `serve` runs until `stop` says true.
    pub(crate) fn start<F>(
        name: &str,
        address: SocketAddr,
        stop: watch::Sender<bool>,
        serve: impl FnOnce(TcpListener) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()>,
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (listening, listens) = mpsc::sync_channel(1);
        let mut stopped = stop.subscribe();
        // Everything of the runtime happens on that thread: the caller may be inside another runtime.
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async {
                let bound = TcpListener::bind(address).await;
                let (address, listener) = match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
                    Ok((address, listener)) => (Ok(address), Some(listener)),
                    Err(error) => (Err(error), None),
                };
                // Whoever started this waits for it.
                let _ = listening.send(address);
                if let Some(listener) = listener {
                    tokio::select! {
                        _ = stopped.wait_for(|stop| *stop) => {}
                        () = serve(listener) => {}
                    }
                }
            });
            // The end of the runtime is the end of every task and with it of every socket.
            drop(runtime);
        })?;
        let address = listens.recv().map_err(|_| io::Error::other("the hub's thread has died"))??;
        Ok(Self { address, runtime: handle, stop, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn request_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Blocks until the thread has ended; a second caller does not wait.
    pub(crate) fn join(&self) {
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // A panic of that thread has been printed already.
            let _ = thread.join();
        }
    }
}

impl Drop for HubThread {
    fn drop(&mut self) {
        self.request_stop();
        self.join();
    }
}
