//! Logins and their ends, as the connections of a user notice them.

use std::sync::Arc;

use bytes::Bytes;

use crate::gateway::Gateway;
use crate::peers::{Goodbye, Peer};
use crate::protocol::write;

/// Logs a user in, and whoever was logged in as that user out. Yields the token.
pub(crate) fn log_in(gateway: &Arc<Gateway>, user: &str) -> String {
    let (token, session) = gateway.tokens.log_in(user, gateway.options.token_lifetime);
    show_out(gateway, |peer| {
        let older = peer.origin.session.as_ref().is_some_and(|other| other.is_login && *other != session);
        older && peer.origin.user.as_deref() == Some(user)
    });
    token
}

/// Ends every session of a user, or of everybody: tokens and connections. Yields how many connections were told.
pub(crate) fn log_out(gateway: &Arc<Gateway>, user: Option<&str>) -> usize {
    gateway.tokens.end_sessions_of(user);
    show_out(gateway, |peer| user.is_none_or(|user| peer.origin.user.as_deref() == Some(user)))
}

/// Tells connections of both hubs that they are logged out, and closes them shortly after.
fn show_out(gateway: &Arc<Gateway>, is_out: impl Fn(&Peer) -> bool) -> usize {
    let mut leaving = gateway.peers.present();
    leaving.retain(|peer| matches!(peer.hub.class(), "market" | "user") && is_out(peer));
    if leaving.is_empty() {
        return 0;
    }
    let record: Bytes = write::invocation(None, "GatewayLogout", "[]");
    leaving.iter().for_each(|peer| gateway.peers.send_to_one(peer, None, &record));
    let count = leaving.len();
    if let Some(grace) = gateway.options.logout_close {
        gateway.spawn(async move {
            tokio::time::sleep(grace).await;
            leaving.iter().for_each(|peer| peer.end(Goodbye::Close { error: None, allow_reconnect: false }));
        });
    }
    count
}
