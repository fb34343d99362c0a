//! Rows and values as JSON Schema, in the dialect of AsyncAPI (draft 7 and more).

use serde_json::{Map, Value, json};

use crate::event::{Account, DepthRow, MarketTrade, Order, Position, Quote, UserTrade};
use crate::row::{CodeEntry, Kind, Member, Row};
use crate::{Code, StreamAction};

/// A reference to one of the document's schemas.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Every schema that the messages refer to.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    schemas.insert("ContractId".to_owned(), text("Names one contract, such as CON.F.US.EP.U25. Opaque."));
    schemas.insert("SymbolId".to_owned(), text("Names one product, which several contracts share, such as F.US.EP."));
    schemas.insert("StreamAction".to_owned(), code(StreamAction::CODES));
    row::<Account>("Account", &mut schemas);
    row::<Order>("Order", &mut schemas);
    row::<Position>("Position", &mut schemas);
    row::<UserTrade>("UserTrade", &mut schemas);
    row::<Quote>("Quote", &mut schemas);
    row::<MarketTrade>("MarketTrade", &mut schemas);
    row::<DepthRow>("DepthRow", &mut schemas);
    schemas
}

fn row<R: Row>(name: &str, schemas: &mut Map<String, Value>) {
    let mut properties = Map::new();
    for member in R::MEMBERS {
        match member.kind {
            Kind::Code(list, entries) => {
                schemas.entry(list).or_insert_with(|| code(entries));
            }
            Kind::Id(id) => {
                schemas.entry(id).or_insert_with(|| json!({ "type": "integer", "format": "int64" }));
            }
            _ => {}
        }
        properties.insert(member.name.to_owned(), property(member));
    }
    let required: Vec<&str> = R::MEMBERS.iter().filter(|member| member.is_required).map(|member| member.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    // An empty list is not allowed in draft 4, and nobody misses it.
    if let (Value::Object(schema), false) = (&mut schema, required.is_empty()) {
        schema.insert("required".to_owned(), json!(required));
    }
    schemas.insert(name.to_owned(), schema);
}

fn property(member: &Member) -> Value {
    let mut schema = match member.kind {
        Kind::Integer32 => json!({ "type": "integer", "format": "int32" }),
        Kind::Integer64 => json!({ "type": "integer", "format": "int64" }),
        Kind::Decimal => json!({ "type": "number", "format": "decimal" }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::ContractId => reference("ContractId"),
        Kind::SymbolId => reference("SymbolId"),
        Kind::Id(name) | Kind::Code(name, _) => reference(name),
    };
    let is_reference = schema.get("$ref").is_some();
    if !member.is_required
        && let Some(kind) = schema.get_mut("type")
    {
        *kind = json!([kind.clone(), "null"]);
    } else if is_reference {
        // What stands beside a reference is not looked at, so the words need a schema of their own.
        let or_null = if member.is_required { None } else { Some(json!({ "type": "null" })) };
        let choices: Vec<Value> = std::iter::once(schema).chain(or_null).collect();
        schema = if choices.len() == 1 { json!({ "allOf": choices }) } else { json!({ "anyOf": choices }) };
    }
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(member.description));
    }
    schema
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

/// A list that may grow: it describes its numbers, and allows others.
fn code(entries: &[CodeEntry]) -> Value {
    let words: Vec<String> = entries.iter().map(|entry| format!("{} {}", entry.code, entry.words)).collect();
    let codes: Vec<Value> = entries.iter().map(|entry| json!({ "code": entry.code, "name": entry.name })).collect();
    json!({
        "type": "integer",
        "description": format!("{}. Others may come.", words.join(", ")),
        "x-codes": codes,
    })
}
