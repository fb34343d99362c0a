//! The committed schema is what the crate's tables say.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use topstep_model::{Kind, Target, schema};

#[test]
fn the_committed_files_are_those_of_the_tables() {
    let committed: Value = serde_json::from_str(include_str!("../schema/topstepx.asyncapi.json")).unwrap();
    let document = schema::asyncapi();
    assert!(document == committed, "write it anew: cargo run -p topstep-model --example schema");
    let types = schema::typescript(&document);
    assert!(
        types == include_str!("../schema/topstepx.d.ts"),
        "write it anew: cargo run -p topstep-model --example schema"
    );
}

#[test]
fn every_reference_has_its_target() {
    fn check(value: &Value, document: &Value) -> usize {
        match value {
            Value::Object(members) => {
                if let Some(reference) = value["$ref"].as_str() {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                    return 1;
                }
                members.values().map(|value| check(value, document)).sum()
            }
            Value::Array(elements) => elements.iter().map(|value| check(value, document)).sum(),
            _ => 0,
        }
    }
    let document = schema::asyncapi();
    assert!(check(&document, &document) > 100);
}

#[test]
fn every_member_and_every_method_is_in_it() {
    let document = schema::asyncapi();
    for target in Target::ALL {
        let message = &document["components"]["messages"][target.name()];
        assert_eq!(message["payload"]["properties"]["target"]["const"], target.name());
        let Some((subscribe, unsubscribe, _)) = target.methods() else { continue };
        for method in [subscribe, unsubscribe] {
            assert_eq!(document["operations"][method]["action"], "send", "{method}");
        }
        let arguments = message["payload"]["properties"]["arguments"].to_string();
        let (name, row) = document["components"]["schemas"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(_, row)| {
                let properties = row["properties"].as_object();
                properties.is_some_and(|properties| {
                    properties.len() == target.members().len()
                        && target.members().iter().all(|member| properties.contains_key(member.name))
                })
            })
            .unwrap();
        assert!(arguments.contains(&format!("/{name}\"")), "{target}: {name}");
        for member in target.members() {
            let property = &row["properties"][member.name];
            assert_eq!(property["description"], member.description);
            assert!(!member.description.is_empty(), "{name}.{}", member.name);
            let is_required = row["required"].as_array().is_some_and(|names| names.contains(&member.name.into()));
            assert_eq!(is_required, member.is_required, "{name}.{}", member.name);
            if let (Kind::Decimal, true) = (member.kind, member.is_required) {
                assert_eq!(property["type"], "number");
            }
        }
    }
}
