//! WebSockets without the hub's own code, for measuring clients: the cost of the sender is a memory copy.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use signalr_proto::protocol::HubMessage;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::{empty, json, upgrade};
use crate::flood::{CONTRACT, contract_quote};
use crate::gateway::Gateway;
use crate::protocol::record::Splitter;
use crate::protocol::write;
use crate::wire::Wire;

/// Frames go out in writes of about this many bytes.
const CHUNK: usize = 64 * 1024;
/// The largest message taken.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
/// The most records that one frame of a flood holds.
const MAX_RECORDS_PER_FRAME: i32 = 10_000;

/// The negotiate answer of `/raw/hub`: always the same id.
pub(super) fn negotiate() -> Response {
    let body = r#"{"negotiateVersion":1,"connectionId":"raw","connectionToken":"raw","availableTransports":[{"transport":"WebSockets","transferFormats":["Text","Binary"]}]}"#;
    json(StatusCode::OK, body.to_owned())
}

/// `/raw/echo`: each message comes back.
pub(super) fn echo(gateway: &Arc<Gateway>, request: Request) -> Response {
    accept(gateway, request, |mut socket, _wire| async move {
        while let Some(Ok(message)) = socket.next().await {
            if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

/// `/raw/hub`: knows `StartFlood(count, recordsPerFrame)`, `Echo(value)` and nothing else.
pub(super) fn hub(gateway: &Arc<Gateway>, request: Request) -> Response {
    accept(gateway, request, |mut socket, wire| async move {
        let mut records = Splitter::new(MAX_MESSAGE_BYTES);
        while let Some(Ok(message)) = socket.next().await {
            if !(message.is_text() || message.is_binary()) {
                continue;
            }
            records.push(&message.into_data());
            while let Ok(Some(record)) = records.next() {
                if answer(&mut socket, &wire, &record).await.is_none() {
                    return;
                }
            }
        }
    })
}

fn accept<F>(
    gateway: &Arc<Gateway>,
    request: Request,
    serve: impl FnOnce(WebSocketStream<Wire>, Wire) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send,
{
    let Some(key) = upgrade::key(&request) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    if gateway.open_sockets.load(Ordering::Relaxed) >= gateway.options.max_connections {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    }
    let place = Place::take(gateway);
    upgrade::accept(request, &key, move |wire, early| async move {
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let socket =
            WebSocketStream::from_partially_read(wire.clone(), early.to_vec(), Role::Server, Some(config)).await;
        serve(socket, wire).await;
        drop(place);
    })
}

/// One of the sockets that may be open at once.
struct Place(Arc<Gateway>);

impl Place {
    fn take(gateway: &Arc<Gateway>) -> Self {
        gateway.open_sockets.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(gateway))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open_sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Acts on a record; `None` ends the connection.
async fn answer(socket: &mut WebSocketStream<Wire>, wire: &Wire, record: &[u8]) -> Option<()> {
    let Ok(message) = HubMessage::read(std::str::from_utf8(record).ok()?) else {
        // The only record without a type that comes here is the handshake.
        return send(socket, write::HANDSHAKE_ACCEPTED).await;
    };
    let HubMessage::Invocation(call) = message else {
        return Some(());
    };
    let arguments: Vec<&RawValue> = serde_json::from_str(&call.arguments).ok()?;
    match (&*call.target, arguments.as_slice(), call.invocation_id) {
        ("Echo", [value], Some(id)) => send(socket, write::completion(&id, value.get())).await,
        ("StartFlood", [count, per_frame], _) => {
            let (count, per_frame) = (count.get().parse().ok()?, per_frame.get().parse().ok()?);
            flood(wire, count, per_frame).await?;
            send(socket, write::invocation(None, "Done", "[]")).await
        }
        _ => Some(()),
    }
}

async fn send(socket: &mut WebSocketStream<Wire>, record: Bytes) -> Option<()> {
    socket.send(Message::Frame(Frame::message(record, OpCode::Data(Data::Text), true))).await.ok()
}

/// Writes the frames past the WebSocket, which has nothing unsent at this time.
async fn flood(wire: &Wire, count: i32, records_per_frame: i32) -> Option<()> {
    let per_frame = records_per_frame.clamp(1, MAX_RECORDS_PER_FRAME);
    let quote = contract_quote(-1);
    let (before, after) = quote.split_once("-1")?;
    let head = format!("{{\"type\":1,\"target\":\"GatewayQuote\",\"arguments\":[\"{CONTRACT}\",{before}");
    let tail = format!("{after}]}}\x1e");
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let (mut chunk, mut payload) = (Vec::with_capacity(2 * CHUNK), String::new());
    let mut next = 0;
    while next < count {
        payload.clear();
        let end = count.min(next.saturating_add(per_frame));
        for serial in next..end {
            payload.push_str(&head);
            payload.push_str(&serial.to_string());
            payload.push_str(&tail);
        }
        next = end;
        header.format(payload.len() as u64, &mut chunk).ok()?;
        chunk.extend_from_slice(payload.as_bytes());
        if chunk.len() >= CHUNK || next == count {
            wire.write_raw(&chunk).await.ok()?;
            chunk.clear();
        }
    }
    Some(())
}
