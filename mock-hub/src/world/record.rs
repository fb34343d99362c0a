//! The records of the world's events.

use bytes::Bytes;

use super::topic::Topic;
use crate::exchange::UserEvent;
use crate::protocol::write;

/// `[contract, data]` for the subscribers of a topic.
pub(super) fn of_market(topic: Topic, contract: &str, json: &str) -> Bytes {
    let mut arguments = String::with_capacity(contract.len() + json.len() + 8);
    arguments.push('[');
    arguments.push_str(&serde_json::Value::from(contract).to_string());
    arguments.push(',');
    arguments.push_str(json);
    arguments.push(']');
    write::invocation(None, topic.target(), &arguments)
}

/// `[{action,data}]`, as seen live, or the documented `[data]`.
pub(super) fn of_user(event: &UserEvent, is_bare: bool) -> Bytes {
    let data = event.value.stream_json();
    let arguments = match is_bare {
        true => format!("[{data}]"),
        false => format!("[{{\"action\":{},\"data\":{data}}}]", event.action),
    };
    write::invocation(None, event.kind.target(), &arguments)
}
