//! One WebSocket in the hands of a script.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::http::Request;
use crate::protocol::record::Splitter;
use crate::wire::Wire;

/// How long a close waits for the client's half.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// The largest message taken.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// A WebSocket message that a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketMessage {
    /// A text message, its fragments joined.
    Text(String),
    /// A binary message, its fragments joined.
    Binary(Vec<u8>),
    /// A ping; its pong is sent by itself.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A close with its code and reason; its answer is sent by itself when the session reads on.
    Close(Option<(u16, String)>),
}

/// One accepted WebSocket. Its end, or the end of its script, closes the TCP socket without a WebSocket close.
///
/// Methods that send return `false` when the client has gone.
#[derive(Debug)]
pub struct Session {
    request: Request,
    socket: WebSocketStream<Wire>,
    wire: Wire,
    records: Splitter,
}

impl Session {
    pub(super) async fn new(request: Request, wire: Wire, early: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .write_buffer_size(0)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let socket = WebSocketStream::from_partially_read(wire.clone(), early, Role::Server, Some(config)).await;
        Self { request, socket, wire, records: Splitter::new(usize::MAX) }
    }

    /// The number of upgrade requests before this one, refused ones included.
    #[must_use]
    pub fn serial(&self) -> usize {
        self.request.serial
    }

    /// The upgrade request: path, query and headers.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Reads the handshake request, answers `{}` and yields the request; `None` when the client left before it.
    pub async fn handshake(&mut self) -> Option<String> {
        let request = self.recv_record().await?;
        self.send_text("{}\u{1e}").await.then_some(request)
    }

    /// The next record without its separator, wherever messages begin and end; `None` when the client has gone.
    pub async fn recv_record(&mut self) -> Option<String> {
        loop {
            // There is no limit, so there is no error.
            if let Ok(Some(record)) = self.records.next() {
                return Some(String::from_utf8_lossy(&record).into_owned());
            }
            match self.recv_message().await? {
                SocketMessage::Text(text) => self.records.push(text.as_bytes()),
                SocketMessage::Binary(bytes) => self.records.push(&bytes),
                SocketMessage::Close(_) => return None,
                SocketMessage::Ping(_) | SocketMessage::Pong(_) => {}
            }
        }
    }

    /// The next record that is no ping, as JSON; `None` when the client has gone or the record is no JSON.
    pub async fn recv_json(&mut self) -> Option<Value> {
        loop {
            let record: Value = serde_json::from_str(&self.recv_record().await?).ok()?;
            if record.get("type").and_then(Value::as_i64) != Some(6) {
                return Some(record);
            }
        }
    }

    /// The next WebSocket message as it came; `None` when the client has gone or broke the WebSocket protocol.
    pub async fn recv_message(&mut self) -> Option<SocketMessage> {
        loop {
            return Some(match self.socket.next().await?.ok()? {
                Message::Text(text) => SocketMessage::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => SocketMessage::Binary(bytes.to_vec()),
                Message::Ping(bytes) => SocketMessage::Ping(bytes.to_vec()),
                Message::Pong(bytes) => SocketMessage::Pong(bytes.to_vec()),
                Message::Close(frame) => {
                    SocketMessage::Close(frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned())))
                }
                Message::Frame(_) => continue,
            });
        }
    }

    /// Sends a text message exactly as it is; the script writes U+001E itself.
    pub async fn send_text(&mut self, text: &str) -> bool {
        self.send_frame(text.as_bytes(), Data::Text, true).await
    }

    /// Sends a binary message.
    pub async fn send_binary(&mut self, bytes: &[u8]) -> bool {
        self.send_frame(bytes, Data::Binary, true).await
    }

    /// Sends one text message in as many fragments as there are parts, which may be cut anywhere.
    pub async fn send_fragmented(&mut self, parts: &[&[u8]]) -> bool {
        for (index, part) in parts.iter().enumerate() {
            let opcode = if index == 0 { Data::Text } else { Data::Continue };
            if !self.send_frame(part, opcode, index + 1 == parts.len()).await {
                return false;
            }
        }
        true
    }

    /// Sends a WebSocket ping.
    pub async fn send_ping(&mut self, bytes: &[u8]) -> bool {
        self.socket.send(Message::Ping(Bytes::copy_from_slice(bytes))).await.is_ok()
    }

    /// Writes bytes to the TCP socket, below the WebSocket: half a frame, a masked one, anything.
    pub async fn write_raw_bytes(&mut self, bytes: &[u8]) -> bool {
        self.wire.write_raw(bytes).await.is_ok()
    }

    /// Closes the WebSocket with a code, then reads and forgets until the client has closed too, 5 s at the most.
    pub async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: Default::default() };
        if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
            // Whoever does not answer in time is left.
            let _ = timeout(CLOSE_WAIT, self.ignore_until_close()).await;
        }
    }

    /// Resets the TCP socket (RST): the client reads an error, not an end.
    pub fn abort(self) {
        self.wire.reset_on_drop();
    }

    /// Keeps the socket open and reads nothing, until the test ends.
    pub async fn hang(self) {
        std::future::pending::<()>().await;
    }

    /// Reads and forgets, answering pings, until the client has gone.
    pub async fn ignore_until_close(&mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    async fn send_frame(&mut self, bytes: &[u8], opcode: Data, is_final: bool) -> bool {
        let frame = Frame::message(Bytes::copy_from_slice(bytes), OpCode::Data(opcode), is_final);
        self.socket.send(Message::Frame(frame)).await.is_ok()
    }
}
