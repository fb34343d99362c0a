//! The scripted server's thread: HTTP by hand, then the scripts.

use std::any::Any;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::http::{Answer, Reply, Request, read_request};
use super::hub::Shared;
use super::session::Session;
use crate::hub_thread::HubThread;
use crate::lock::lock;
use crate::tokens::random_id;
use crate::wire::Wire;

/// The requests that are remembered.
const MAX_REQUESTS: usize = 100_000;

/// Starts the server's thread and returns once it listens.
pub(super) fn start(shared: &Arc<Shared>) -> io::Result<HubThread> {
    let shared = Arc::clone(shared);
    HubThread::start(
        "script-hub",
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        watch::Sender::new(false),
        async move |listener| accept(&shared, listener).await,
    )
}

async fn accept(shared: &Arc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(Arc::clone(shared), stream));
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let mut wire = Wire::new(stream);
    let mut buffer = Vec::new();
    while let Ok(Some(mut request)) = read_request(&mut wire, &mut buffer).await {
        remember(&shared, &mut request);
        let is_upgrade = request.is_upgrade();
        let reply = if is_upgrade { (shared.on_upgrade)(&request) } else { (shared.on_negotiate)(&request) };
        let is_answered = match reply {
            Reply::Accept if is_upgrade => return run_script(shared, request, wire, buffer).await,
            Reply::Accept => wire.write_raw(&default_answer(&request).to_bytes()).await.is_ok(),
            Reply::Answer(answer) => wire.write_raw(&answer.to_bytes()).await.is_ok(),
            Reply::Never => return wire.read_to_end().await,
            Reply::Bytes(bytes) => {
                // The client may not want to read them.
                let _ = wire.write_raw(&bytes).await;
                return;
            }
            Reply::Close => return,
            Reply::Reset => return wire.reset_on_drop(),
        };
        let is_last = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if is_last || !is_answered {
            return;
        }
    }
}

fn remember(shared: &Shared, request: &mut Request) {
    let mut requests = lock(&shared.requests);
    let is_upgrade = request.is_upgrade();
    request.serial = requests.iter().filter(|earlier| earlier.is_upgrade() == is_upgrade).count();
    if requests.len() < MAX_REQUESTS {
        requests.push(request.clone());
    }
    drop(requests);
    shared.changes.tell();
}

fn default_answer(request: &Request) -> Answer {
    if !request.is_negotiate() {
        return Answer::new(404);
    }
    let (id, token) = (random_id(), random_id());
    Answer::json(format!(
        "{{\"negotiateVersion\":1,\"connectionId\":\"{id}\",\"connectionToken\":\"{token}\",\
         \"availableTransports\":[{{\"transport\":\"WebSockets\",\"transferFormats\":[\"Text\",\"Binary\"]}}]}}"
    ))
}

async fn run_script(shared: Arc<Shared>, request: Request, wire: Wire, early: Vec<u8>) {
    let key = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n"
    );
    if wire.write_raw(head.as_bytes()).await.is_err() {
        return;
    }
    let session = Session::new(request, wire, early).await;
    shared.started.fetch_add(1, Ordering::Relaxed);
    shared.changes.tell();
    // In a task of its own, so that its panic is caught and told.
    if let Err(error) = tokio::spawn((shared.script)(session)).await
        && let Ok(panic) = error.try_into_panic()
    {
        lock(&shared.panics).push(text_of(panic.as_ref()));
    }
    shared.finished.fetch_add(1, Ordering::Relaxed);
    shared.changes.tell();
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
}
