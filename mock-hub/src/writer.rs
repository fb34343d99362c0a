//! Takes what waits in a connection's outbox to its WebSocket, past the faults that hold for it.

use std::sync::Arc;
use std::time::Instant;

use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::faults::{Mangler, Step};
use crate::gateway::Gateway;
use crate::outbox::Outgoing;
use crate::peers::{Goodbye, Peer};
use crate::recording::Tap;
use crate::wire::Wire;

type Socket = SplitSink<WebSocketStream<Wire>, Message>;

/// Writes until the connection ends.
pub(crate) async fn run(gateway: Arc<Gateway>, peer: Arc<Peer>, wire: Wire, mut socket: Socket) {
    let mut mangler = Mangler::new(&gateway, &peer);
    let mut tap = Tap::new(&gateway.recorder, peer.hub, &peer.id);
    loop {
        let outgoing = tokio::select! {
            biased;
            outgoing = peer.outbox.next() => Some(outgoing),
            () = at(mangler.held_until()) => None,
        };
        let (steps, message, is_last) = match outgoing {
            None => (mangler.release(), None, false),
            // A frame and not a message: its text is known to be UTF-8.
            Some(Outgoing::Records(records)) if mangler.is_idle() => {
                peer.traffic.wrote(records.len());
                (Vec::new(), Some(Message::Frame(Frame::message(records, OpCode::Data(Data::Text), true))), false)
            }
            Some(Outgoing::Records(records)) => (mangler.records(records), None, false),
            Some(Outgoing::Frame(frame)) => (mangler.release(), Some(Message::Frame(frame)), false),
            Some(Outgoing::Close(_)) if wire.ends_bare() => (mangler.release(), None, true),
            Some(Outgoing::Close(code)) => {
                let frame = CloseFrame { code: code.into(), reason: wire.close_reason().into() };
                (mangler.release(), Some(Message::Close(Some(frame))), true)
            }
            Some(Outgoing::Discarded) => return,
        };
        for step in steps {
            match step {
                Step::Write(frame) => {
                    peer.traffic.wrote(frame.payload().len());
                    if !send(&peer, &mut tap, &mut socket, Message::Frame(frame)).await {
                        return;
                    }
                }
                Step::End(goodbye) => peer.end(goodbye),
            }
        }
        if let Some(message) = message
            && !send(&peer, &mut tap, &mut socket, message).await
        {
            return;
        }
        if is_last {
            if wire.ends_bare() {
                // A socket closed with bytes unread is reset.
                wire.forget_unread();
                wire.break_off();
            }
            return;
        }
    }
}

/// `false` when the socket has gone.
async fn send(peer: &Peer, tap: &mut Tap, socket: &mut Socket, message: Message) -> bool {
    tap.sends(&message);
    let is_sent = socket.send(message).await.is_ok();
    if !is_sent {
        peer.end(Goodbye::Gone);
    }
    is_sent
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
