//! The truth as JSON.

use serde_json::{Value, json};

use super::SentEvents;
use crate::gateway::Gateway;

/// The world's lists for a user, and the connections with what each was sent.
pub(crate) fn truth(gateway: &Gateway, user: Option<&str>) -> Value {
    let mut truth = gateway.world.truth(user.unwrap_or(gateway.options.first_user()));
    let connection = |peer: &std::sync::Arc<crate::peers::Peer>| {
        let sent = gateway.peers.sent(&peer.id).unwrap_or_default();
        json!({ "connectionId": peer.id, "hub": peer.hub.name(), "subscriptions": subscriptions(&sent) })
    };
    let connections: Vec<_> = gateway.peers.present().iter().map(connection).collect();
    truth.insert("connections".to_owned(), Value::from(connections));
    Value::from(truth)
}

/// `[{"group":G,"sent":[[first,last],...]}]`.
pub(crate) fn subscriptions(sent: &[SentEvents]) -> Value {
    sent.iter().map(|events| json!({ "group": events.group, "sent": events.sent })).collect()
}
