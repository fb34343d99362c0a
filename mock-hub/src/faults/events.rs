//! What an event does to a connection, or to the gateway.

use std::fmt::Write as _;
use std::sync::Arc;

use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::fault::Fault;
use super::parts::{AfterClose, DropHow};
use crate::gateway::Gateway;
use crate::logins;
use crate::peers::{Goodbye, Peer};
use crate::protocol::write;
use crate::wire::Wire;

/// Does it to one connection.
pub(super) fn strike(peer: &Peer, fault: &Fault) {
    match fault {
        Fault::Drop { how } | Fault::ShortLife { how, .. } => drop_socket(peer, *how),
        Fault::CloseRecord { error, allow_reconnect, then } => {
            let mut record = "{\"type\":7".to_owned();
            for (name, value) in [("error", error), ("allowReconnect", allow_reconnect)] {
                if let Some(value) = value {
                    // Writing to a String cannot fail.
                    let _ = write!(record, ",\"{name}\":{value}");
                }
            }
            record.push_str("}\u{1e}");
            match then {
                AfterClose::WebsocketClose => peer.end(Goodbye::Refused(record.into())),
                AfterClose::Fin => {
                    if let Some(wire) = peer.wire() {
                        wire.end_bare();
                    }
                    peer.end(Goodbye::Refused(record.into()));
                }
                AfterClose::Nothing => peer.send(record),
            }
        }
        Fault::WebsocketClose { code, reason } => {
            if let Some(wire) = peer.wire() {
                wire.set_close_reason(reason);
            }
            peer.end(Goodbye::WebSocket(*code));
        }
        Fault::ForeignRecord { record } => peer.send(format!("{record}\u{1e}")),
        Fault::ForeignMessage { text, binary } => {
            let kind = if *binary { Data::Binary } else { Data::Text };
            peer.outbox.push_frame(Frame::message(text.clone(), OpCode::Data(kind), true));
        }
        Fault::UnknownKind { kind } => peer.send(format!("{{\"type\":{kind}}}\u{1e}")),
        Fault::UnknownTarget { target } => peer.send(write::invocation(None, target, "[1,\"two\"]")),
        Fault::OversizedInvocation { bytes } => {
            peer.send(write::invocation(None, "Oversized", &format!("[\"{}\"]", "x".repeat(*bytes))));
        }
        Fault::OversizedMessage { bytes } => {
            let pings = write::PING.repeat(bytes.div_ceil(write::PING.len()).max(1));
            peer.outbox.push_frame(super::packing::text_frame(pings.into()));
        }
        Fault::PingFlood { count } => (0..*count).for_each(|_| peer.send(write::PING)),
        Fault::UnknownCompletion { id } => peer.send(write::completion(id, "null")),
        _ => {}
    }
}

/// Does it to the gateway.
pub(super) fn strike_all(gateway: &Arc<Gateway>, fault: &Fault) {
    match fault {
        Fault::TokenExpiry { user, close } => {
            gateway.tokens.end_sessions_of(user.as_deref());
            if *close {
                let is_of = |peer: &Peer| match user {
                    Some(user) => peer.origin.user.as_ref() == Some(user),
                    None => peer.origin.user.is_some(),
                };
                let concerned = gateway.peers.present().into_iter().filter(|peer| is_of(peer));
                concerned.for_each(|peer| peer.end(Goodbye::Close { error: None, allow_reconnect: true }));
            }
        }
        Fault::Logout { user } => drop(logins::log_out(gateway, user.as_deref())),
        _ => {}
    }
}

fn drop_socket(peer: &Peer, how: DropHow) {
    match how {
        DropHow::Reset => peer.end(Goodbye::Reset),
        DropHow::Fin => peer.end(Goodbye::Tcp),
        DropHow::HalfClose => drop(peer.wire().inspect(Wire::half_close)),
    }
}
