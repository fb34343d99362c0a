//! A bare client for the tests: a WebSocket and records, no protocol of its own.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

pub(crate) mod rest;

pub(crate) mod allowed;
pub(crate) mod conversation;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) const DEADLINE: Duration = Duration::from_secs(10);
pub(crate) const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

/// How a connection ended, as a client sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A WebSocket close with this code.
    Closed(u16),
    /// The socket's end or reset, without a WebSocket close.
    Lost,
}

pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    text: String,
    calls_said: usize,
}

impl Client {
    /// Opens a WebSocket; the error is the status of a refusal, 0 when there was no answer.
    pub(crate) async fn open(url: &str) -> Result<Self, u16> {
        Self::open_with(url, &[]).await
    }

    pub(crate) async fn open_with(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest;
        let stream = TcpStream::connect(authority(url)).await.map_err(|_| 0_u16)?;
        let mut request = url.replacen("http", "ws", 1).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match timeout(DEADLINE, client_async(request, stream)).await.expect("no answer to the upgrade") {
            Ok((socket, _)) => Ok(Self { socket, text: String::new(), calls_said: 0 }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// Opens a WebSocket and shakes hands.
    pub(crate) async fn connect(url: &str) -> Self {
        let mut client = Self::open(url).await.expect("the upgrade was refused");
        client.send(HANDSHAKE).await;
        assert_eq!(client.record().await, "{}");
        client
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends a message; the error is that of a socket that has gone.
    pub(crate) async fn try_send(&mut self, message: Message) -> Result<(), Error> {
        if let Ok(text) = message.to_text() {
            self.calls_said += text.matches("\"type\":1}").count();
        }
        self.socket.send(message).await
    }

    /// How many invocations [`Client::try_send`] has sent.
    pub(crate) fn calls_said(&self) -> usize {
        self.calls_said
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Calls a method and yields its Completion; records before it stay readable through [`Client::record`].
    pub(crate) async fn call(&mut self, id: &str, target: &str, arguments: &str) -> Value {
        self.send(&format!(
            "{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"{target}\",\"arguments\":{arguments}}}\u{1e}"
        ))
        .await;
        let mut before = String::new();
        loop {
            let record = self.record().await;
            let value: Value = serde_json::from_str(&record).unwrap();
            if value["type"] == 3 && value["invocationId"] == id {
                self.text.insert_str(0, &before);
                return value;
            }
            before.push_str(&record);
            before.push('\u{1e}');
        }
    }

    /// The next record; panics when the connection ends first.
    pub(crate) async fn record(&mut self) -> String {
        loop {
            if let Some((record, rest)) = self.text.split_once('\u{1e}') {
                let record = record.to_owned();
                self.text = rest.to_owned();
                return record;
            }
            match self.message().await {
                Ok(message) => self.text.push_str(message.to_text().unwrap()),
                Err(end) => panic!("the connection ended: {end:?}"),
            }
        }
    }

    pub(crate) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.record().await).unwrap()
    }

    /// The next text or binary message, or how the connection ended.
    pub(crate) async fn message(&mut self) -> Result<Message, End> {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.expect("nothing came") {
                Some(Ok(Message::Close(frame))) => {
                    let _ = self.socket.flush().await;
                    return Err(End::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Ok(message),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(End::Lost),
            }
        }
    }

    /// The bare socket, for what a WebSocket would not do.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.socket.into_inner()
    }

    /// Reads to the WebSocket's close and yields its code and reason; `None` when the socket ends without one.
    pub(crate) async fn close_frame(&mut self) -> Option<(u16, String)> {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.expect("nothing came") {
                Some(Ok(Message::Close(frame))) => {
                    return frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Reads to the end: everything that still came, and how it ended.
    pub(crate) async fn read_to_end(&mut self) -> (String, End) {
        let mut rest = std::mem::take(&mut self.text);
        loop {
            match self.message().await {
                Ok(message) => rest.push_str(&String::from_utf8_lossy(&message.into_data())),
                Err(end) => return (rest, end),
            }
        }
    }

    /// Whether nothing at all comes for this long.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        timeout(time, self.socket.next()).await.is_err()
    }
}

/// One HTTP request by hand: the status, the head and the body.
pub(crate) async fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    let authority = authority(url);
    let path = url.split_once(authority).map_or("/", |(_, path)| path);
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("no answer").unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}
