//! TypeScript types out of an AsyncAPI document: as much of JSON Schema as ours uses.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Generates the declarations of an AsyncAPI document, as [`asyncapi`](super::asyncapi) returns it.
///
/// Each schema becomes a type of its name. Each channel becomes two maps from names to arguments: `<channel>Events` of what the
/// hub calls, `<channel>Methods` of what it can be called with. What TypeScript cannot say (digits of a number, other shapes) it
/// leaves out.
pub fn typescript(document: &Value) -> String {
    let mut output = String::from("// Generated from topstepx.asyncapi.json; do not edit.\n");
    for (name, schema) in sorted(&document["components"]["schemas"]) {
        declare(name, schema, &mut output);
    }
    for (channel, _) in sorted(&document["channels"]) {
        for (action, suffix) in [("receive", "Events"), ("send", "Methods")] {
            arguments(document, channel, action, suffix, &mut output);
        }
    }
    output
}

/// Members by name: whether `serde_json` keeps their order depends on a feature that somebody else may switch on.
fn sorted(object: &Value) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.as_object().map(Map::iter).into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| name.as_str());
    members
}

fn declare(name: &str, schema: &Value, output: &mut String) {
    output.push('\n');
    if let Some(description) = schema["description"].as_str() {
        line(output, format_args!("/** {description} */"));
    }
    if schema["properties"].is_object() {
        line(output, format_args!("export interface {name} {}", object(schema, "")));
    } else {
        line(output, format_args!("export type {name} = {};", type_of(schema, "")));
    }
}

/// The arguments of a channel's messages, by target.
fn arguments(document: &Value, channel: &str, action: &str, suffix: &str, output: &mut String) {
    line(output, format_args!("\nexport interface {channel}{suffix} {{"));
    let path = format!("#/channels/{channel}");
    let mut messages: Vec<&str> = sorted(&document["operations"])
        .into_iter()
        .filter(|(_, operation)| operation["action"] == action && operation["channel"]["$ref"] == path.as_str())
        .filter_map(|(_, operation)| last_name(&operation["messages"][0]))
        .collect();
    messages.sort_unstable();
    for name in messages {
        let message = &document["components"]["messages"][name];
        if let Some(summary) = message["summary"].as_str() {
            line(output, format_args!("  /** {summary} */"));
        }
        let arguments = &message["payload"]["properties"]["arguments"];
        line(output, format_args!("  {name}: {};", type_of(arguments, "  ")));
    }
    line(output, format_args!("}}"));
}

fn line(output: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(output, "{text}").expect("a string takes everything");
}

/// The last name of a reference.
fn last_name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn type_of(schema: &Value, indent: &str) -> String {
    if let Some(name) = last_name(schema) {
        return name.to_owned();
    }
    for (keyword, separator) in [("anyOf", " | "), ("allOf", " & ")] {
        if let Some(choices) = schema[keyword].as_array() {
            let choices: Vec<String> = choices.iter().map(|choice| type_of(choice, indent)).collect();
            return choices.join(separator);
        }
    }
    match &schema["type"] {
        Value::Array(types) => {
            let types: Vec<&str> = types.iter().filter_map(Value::as_str).map(simple).collect();
            types.join(" | ")
        }
        Value::String(name) if name == "array" => array(schema, indent),
        Value::String(name) if name == "object" => object(schema, indent),
        Value::String(name) => simple(name).to_owned(),
        _ => "unknown".to_owned(),
    }
}

fn simple(name: &str) -> &str {
    match name {
        "integer" | "number" => "number",
        "string" | "boolean" | "null" => name,
        _ => "unknown",
    }
}

fn array(schema: &Value, indent: &str) -> String {
    match &schema["items"] {
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    format!("{}: {}", last_name(item).map_or("data".to_owned(), variable), type_of(item, indent))
                })
                .collect();
            format!("[{}]", items.join(", "))
        }
        Value::Null => "[]".to_owned(),
        item => {
            let item = type_of(item, indent);
            if item.contains(' ') { format!("({item})[]") } else { format!("{item}[]") }
        }
    }
}

/// `ContractId` as the name of an argument.
fn variable(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn object(schema: &Value, indent: &str) -> String {
    let required = schema["required"].as_array();
    let mut output = String::from("{\n");
    for (name, property) in sorted(&schema["properties"]) {
        if let Some(description) = property["description"].as_str() {
            line(&mut output, format_args!("{indent}  /** {description} */"));
        }
        let is_required = required.is_some_and(|names| names.iter().any(|required| required == name.as_str()));
        let mark = if is_required { "" } else { "?" };
        line(&mut output, format_args!("{indent}  {name}{mark}: {};", type_of(property, &format!("{indent}  "))));
    }
    output.push_str(indent);
    output.push('}');
    output
}
