//! Takes what waits in a connection's outbox to its WebSocket.

use std::sync::Arc;

use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::outbox::Outgoing;
use crate::peers::{Goodbye, Peer};
use crate::wire::Wire;

/// Writes until the connection ends.
pub(crate) async fn run(peer: Arc<Peer>, mut socket: SplitSink<WebSocketStream<Wire>, Message>) {
    loop {
        let (message, is_last) = match peer.outbox.next().await {
            // A frame and not a message: its text is known to be UTF-8.
            Outgoing::Records(records) => {
                peer.traffic.wrote(records.len());
                (Message::Frame(Frame::message(records, OpCode::Data(Data::Text), true)), false)
            }
            Outgoing::Frame(frame) => (Message::Frame(frame), false),
            Outgoing::Close(code) => {
                let frame = CloseFrame { code: code.into(), reason: Default::default() };
                (Message::Close(Some(frame)), true)
            }
            Outgoing::Discarded => return,
        };
        if socket.send(message).await.is_err() {
            peer.end(Goodbye::Gone);
            return;
        }
        if is_last {
            return;
        }
    }
}
