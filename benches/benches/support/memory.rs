//! A runtime whose WebSocket is a queue in memory: everything of a client but the socket.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use adapter_core::{Runtime, SpawnError};
use futures_util::{Sink, Stream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message};

/// Runs on tokio, in one thread; its connections lead nowhere.
pub(crate) struct Memory;

thread_local! {
    /// The feed of the WebSocket that was opened last.
    static LAST: RefCell<Option<Feed>> = const { RefCell::new(None) };
}

/// What a hub sends: whoever has a clone puts it in.
#[derive(Clone, Default)]
pub(crate) struct Feed(Arc<Mutex<Messages>>);

#[derive(Default)]
struct Messages {
    waiting: VecDeque<Message>,
    waker: Option<Waker>,
}

impl Feed {
    /// The feed of this thread's last connection.
    pub(crate) fn last() -> Self {
        LAST.with_borrow(|last| last.clone()).expect("a connection was opened")
    }

    /// Sends a message to the client.
    pub(crate) fn send(&self, message: Message) {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        messages.waiting.push_back(message);
        if let Some(waker) = messages.waker.take() {
            waker.wake();
        }
    }

    /// Takes what waits first.
    pub(crate) fn take(&self) -> Option<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }
}

/// The client's end of a feed.
pub(crate) struct Socket(Feed);

impl Stream for Socket {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut messages = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match messages.waiting.pop_front() {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None => {
                messages.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Sink<Message> for Socket {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    /// Shakes hands; all else goes nowhere.
    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        if matches!(&message, Message::Text(text) if text.starts_with(r#"{"protocol""#)) {
            self.0.send(Message::text("{}\u{1e}"));
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }
}

impl Runtime for Memory {
    type Io = TokioIo<DuplexStream>;
    type WebSocket = Socket;

    async fn resolve(_: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
    }

    async fn connect(_: SocketAddr) -> io::Result<Self::Io> {
        let (near, far) = tokio::io::duplex(1 << 12);
        tokio::spawn(upgrade(far));
        Ok(TokioIo::new(near))
    }

    async fn secure(_: Self::Io, _: Arc<ClientConfig>, _: ServerName<'static>) -> io::Result<Self::Io> {
        Err(io::Error::other("there is no TLS in memory"))
    }

    async fn websocket(_: Self::Io, _: Vec<u8>, _: WebSocketConfig) -> Socket {
        let feed = Feed::default();
        LAST.set(Some(feed.clone()));
        Socket(feed)
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), SpawnError> {
        tokio::spawn(task);
        Ok(())
    }
}

/// Answers the request for an upgrade (RFC 6455, section 4.2.2).
async fn upgrade(mut stream: DuplexStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
    });
    let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await
}
