//! The hub's side of its port: accepts connections, or does not.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use crate::faults;
use crate::gateway::Gateway;
use crate::http;
use crate::hub_thread::HubThread;
use crate::wire::Wire;
use crate::world;

/// How long a client has for a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What a request's head may hold; a token in the query takes its place in it.
const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Starts the hub's thread and returns once it listens.
pub(crate) fn start(gateway: &Arc<Gateway>) -> io::Result<HubThread> {
    let ip = if gateway.options.public { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let (address, stop) = (SocketAddr::from((ip, gateway.options.port)), gateway.stop.clone());
    let serving = Arc::clone(gateway);
    let thread = HubThread::start("mock-hub", address, stop, async move |listener| {
        let _ = serving.runtime.set(Handle::current());
        world::start(&serving);
        tokio::spawn(faults::run(Arc::clone(&serving)));
        accept(&serving, listener).await;
    })?;
    // The thread listens, but may not have come to setting it: whoever has the hub from now on can spawn.
    let _ = gateway.runtime.set(thread.runtime().clone());
    Ok(thread)
}

/// Accepts connections while they are wanted; while they are not, the port is closed and the system refuses them.
async fn accept(gateway: &Arc<Gateway>, listener: TcpListener) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let router = http::router(Arc::clone(gateway));
    let mut accepting = gateway.accepting.subscribe();
    let mut listener = Some(listener);
    loop {
        let wanted = *accepting.borrow_and_update();
        if !wanted {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        gateway.changes.tell();
        let Some(open) = &listener else {
            // Also after a bind that failed: it is tried again.
            let _ = tokio::time::timeout(Duration::from_millis(50), accepting.changed()).await;
            continue;
        };
        loop {
            tokio::select! {
                biased;
                _ = accepting.changed() => break,
                accepted = open.accept() => match accepted {
                    Ok((stream, _)) => drop(tokio::spawn(serve(stream, router.clone()))),
                    // Out of file descriptors, as a rule: it passes.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Without it small records wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let wire = Wire::new(stream);
    let io = TokioIo::new(wire.clone());
    let router = TowerToHyperService::new(router);
    // Whoever handles a request can reach the socket that it came by.
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(wire.clone());
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(io, service)
        .with_upgrades();
    // What goes wrong with one connection is that client's affair.
    let _ = connection.await;
}
