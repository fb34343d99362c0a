//! The document.

use serde_json::{Map, Value, json};

use super::json_schema::{reference, schemas};
use crate::event::{Hub, Target};

/// Returns an AsyncAPI 3 document of both hubs: every event, every method, every value.
///
/// It describes the records of the JSON hub protocol that applications see: invocations, and the completions that answer
/// them. Of the shapes in which an event may come it has those that the venue documents or sends; this crate reads more.
/// What it requires is what this crate requires.
pub fn asyncapi() -> Value {
    let mut document = Document::default();
    for hub in [Hub::User, Hub::Market] {
        for target in Target::ALL {
            if target.hub().is_none_or(|at| at == hub) {
                document.event(hub, target);
            }
        }
    }
    document.finish()
}

#[derive(Default)]
struct Document {
    /// The messages of each hub's channel.
    channels: [Map<String, Value>; 2],
    operations: Map<String, Value>,
    messages: Map<String, Value>,
}

impl Document {
    fn event(&mut self, hub: Hub, target: Target) {
        let name = target.name();
        let summary = match target {
            Target::Logout => "The venue ends the session. The arguments are not known.".to_owned(),
            other => format!("Rows of the kind {}.", row_name(other)),
        };
        let message = invocation(name, &summary, arguments(target));
        self.message(hub, name, message);
        self.operation(hub, &format!("receive{name}On{}", hub_name(hub)), "receive", name, false);
        let Some((subscribe, unsubscribe, takes_id)) = target.methods() else { return };
        let id = if hub == Hub::User { "AccountId" } else { "ContractId" };
        let ids: Vec<Value> = if takes_id { vec![reference(id)] } else { Vec::new() };
        for (method, summary) in [(subscribe, format!("Begins {name}.")), (unsubscribe, format!("Ends {name}."))] {
            self.message(hub, method, invocation(method, &summary, tuple(&ids)));
            self.operation(hub, method, "send", method, true);
        }
    }

    fn message(&mut self, hub: Hub, name: &str, message: Value) {
        let channel = &mut self.channels[hub as usize];
        channel.insert(name.to_owned(), json!({ "$ref": format!("#/components/messages/{name}") }));
        channel.insert("Completion".to_owned(), json!({ "$ref": "#/components/messages/Completion" }));
        self.messages.insert(name.to_owned(), message);
    }

    fn operation(&mut self, hub: Hub, name: &str, action: &str, message: &str, is_answered: bool) {
        let channel = format!("#/channels/{}", hub_name(hub));
        let mut operation = json!({
            "action": action,
            "channel": { "$ref": channel },
            "messages": [{ "$ref": format!("{channel}/messages/{message}") }],
        });
        if let (Value::Object(operation), true) = (&mut operation, is_answered) {
            let reply = json!({
                "channel": { "$ref": channel },
                "messages": [{ "$ref": format!("{channel}/messages/Completion") }],
            });
            operation.insert("reply".to_owned(), reply);
        }
        self.operations.insert(name.to_owned(), operation);
    }

    fn finish(mut self) -> Value {
        self.messages.insert("Completion".to_owned(), completion());
        let [user, market] = self.channels;
        let channel = |hub: Hub, messages| {
            json!({
                "address": hub.path(),
                "description": "An ASP.NET Core SignalR hub with the JSON protocol, over WebSockets.",
                "messages": messages,
            })
        };
        json!({
            "asyncapi": "3.0.0",
            "id": "urn:topstepx:gateway:hubs",
            "info": {
                "title": "TopstepX gateway, real-time hubs",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "The events and methods of both hubs, as the topstep-model crate reads them. \
                    Decimals are JSON numbers that must be read by their digits. Members that are null may be left out.",
                "license": { "name": "MIT OR Apache-2.0" },
            },
            "defaultContentType": "application/json",
            "servers": {
                "topstepx": {
                    "host": "rtc.topstepx.com",
                    "protocol": "wss",
                    "description": "The token goes as the header Authorization, as the query's access_token, or both.",
                    "security": [{ "$ref": "#/components/securitySchemes/token" }],
                },
            },
            "channels": {
                hub_name(Hub::User): channel(Hub::User, user),
                hub_name(Hub::Market): channel(Hub::Market, market),
            },
            "operations": self.operations,
            "components": {
                "messages": self.messages,
                "schemas": schemas(),
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            },
        })
    }
}

const fn hub_name(hub: Hub) -> &'static str {
    match hub {
        Hub::User => "UserHub",
        Hub::Market => "MarketHub",
    }
}

const fn row_name(target: Target) -> &'static str {
    match target {
        Target::UserAccount => "Account",
        Target::UserOrder => "Order",
        Target::UserPosition => "Position",
        Target::UserTrade => "UserTrade",
        Target::Quote => "Quote",
        Target::Trade => "MarketTrade",
        Target::Depth => "DepthRow",
        Target::Logout => "",
    }
}

/// The arguments of an event.
fn arguments(target: Target) -> Value {
    let row = reference(row_name(target));
    match target.hub() {
        None => json!({ "type": "array", "items": {} }),
        Some(Hub::User) => {
            let envelope = json!({
                "type": "object",
                "required": ["action", "data"],
                "properties": { "action": reference("StreamAction"), "data": row },
            });
            // Sent since 2025, and documented.
            tuple(&[json!({ "anyOf": [envelope, row] })])
        }
        Some(Hub::Market) => {
            let rows = json!({ "type": "array", "items": { "anyOf": [row, { "type": "null" }] } });
            tuple(&[reference("ContractId"), json!({ "anyOf": [row, rows] })])
        }
    }
}

/// An array of exactly these.
fn tuple(items: &[Value]) -> Value {
    if items.is_empty() {
        return json!({ "type": "array", "maxItems": 0 });
    }
    json!({ "type": "array", "items": items, "minItems": items.len(), "maxItems": items.len() })
}

fn invocation(target: &str, summary: &str, arguments: Value) -> Value {
    json!({
        "name": target,
        "summary": summary,
        "payload": {
            "type": "object",
            "required": ["type", "target", "arguments"],
            "properties": {
                "type": { "const": 1 },
                "target": { "const": target },
                "invocationId": { "type": "string" },
                "arguments": arguments,
            },
        },
    })
}

fn completion() -> Value {
    json!({
        "name": "Completion",
        "summary": "The answer to an invocation that has an id: nothing, or an error.",
        "payload": {
            "type": "object",
            "required": ["type", "invocationId"],
            "properties": {
                "type": { "const": 3 },
                "invocationId": { "type": "string" },
                "error": { "type": "string" },
                "result": { "type": "null" },
            },
        },
    })
}
