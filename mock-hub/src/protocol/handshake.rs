//! The handshake request and what ASP.NET Core answers to a bad one.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json;

/// The newest version of the hub protocol that a server of .NET 8 or later takes.
const NEWEST_VERSION: i64 = 2;

/// The members that count. Of several equal ones the last wins, which a derived struct would refuse.
#[derive(Default)]
struct Request<'a> {
    protocol: Option<&'a RawValue>,
    version: Option<&'a RawValue>,
}

/// Checks a handshake request; the error is the text of the answer (HubProtocol.md, Overview; texts seen live).
pub(crate) fn check(record: &[u8], detailed_errors: bool) -> Result<(), String> {
    let (protocol, version) = parse(record).map_err(|detail| {
        let text = "An unexpected error occurred during connection handshake.";
        if detailed_errors { format!("{text} InvalidDataException: {detail}") } else { text.to_owned() }
    })?;
    if !protocol.eq_ignore_ascii_case("json") {
        return Err(format!("The protocol '{protocol}' is not supported."));
    }
    // Zero and less are accepted.
    if version > NEWEST_VERSION {
        return Err(format!("The server does not support version {version} of the 'json' protocol."));
    }
    Ok(())
}

fn parse(record: &[u8]) -> Result<(String, i64), String> {
    let text = std::str::from_utf8(record).map_err(|_| "Error reading JSON.".to_owned())?;
    if !text.trim_start().starts_with('{') || !json::is_shallow(text) {
        return Err("Unexpected JSON Token Type. Expected a JSON Object.".to_owned());
    }
    let mut input = serde_json::Deserializer::from_str(text);
    // What follows the object is ignored, as System.Text.Json's reader stops at its end.
    let request = Request::deserialize(&mut input).map_err(|_| "Error reading JSON.".to_owned())?;
    let missing = |name: &str| format!("Missing required property '{name}'. Message content: {text}");
    let protocol = request.protocol.ok_or_else(|| missing("protocol"))?;
    let version = request.version.ok_or_else(|| missing("version"))?;
    let protocol =
        serde_json::from_str(protocol.get()).map_err(|_| "Expected 'protocol' to be of type String.".to_owned())?;
    let version = version.get().parse::<i32>().map_err(|_| "Expected 'version' to be of type Number.".to_owned())?;
    Ok((protocol, i64::from(version)))
}

impl<'de> Deserialize<'de> for Request<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Request<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a handshake request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut request = Request::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "protocol" => request.protocol = Some(map.next_value()?),
                "version" => request.version = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_judged_as_aspnetcore_judges_them() {
        let unexpected = "An unexpected error occurred during connection handshake.";
        let cases = [
            (r#"{"protocol":"json","version":1}"#, ""),
            (r#"{"version":-3,"more":[1],"protocol":"JSON"}"#, ""),
            (r#" {"protocol":"json","version":9,"version":2} rubbish"#, ""),
            (r#"{"protocol":"messagepack","version":1}"#, "The protocol 'messagepack' is not supported."),
            (r#"{"protocol":"json","version":3}"#, "The server does not support version 3 of the 'json' protocol."),
            (r#"{"protocol":"json","version":1.0}"#, unexpected),
            (r#"{"protocol":null,"version":1}"#, unexpected),
            (r#"{"protocol":"json"}"#, unexpected),
            (r#"{"type":6}"#, unexpected),
            ("[]", unexpected),
            ("", unexpected),
            ("\u{feff}{\"protocol\":\"json\",\"version\":1}", unexpected),
        ];
        for (request, expected) in cases {
            let error = check(request.as_bytes(), false).err().unwrap_or_default();
            assert_eq!(error, expected, "{request}");
        }
    }

    #[test]
    fn details_are_told_when_asked_for() {
        let error = check(br#"{"version":1}"#, true).unwrap_err();
        assert!(
            error.ends_with(
                "InvalidDataException: Missing required property 'protocol'. Message content: {\"version\":1}"
            )
        );
    }
}
