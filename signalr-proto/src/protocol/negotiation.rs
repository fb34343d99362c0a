//! The answer to a negotiation, version 1 (TransportProtocols.md, `POST [endpoint-base]/negotiate`).

use crate::error::printable;
use crate::json::{Cursor, Kind};
use crate::secret::Secret;

/// What a hub answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Connect here.
    Accepted { connection_id: String, connection_token: Secret, is_stateful: bool },
    /// Negotiate again elsewhere.
    Redirect { url: String, access_token: Option<Secret> },
}

#[derive(Default)]
struct Members {
    version: i64,
    connection_id: Option<String>,
    connection_token: Option<String>,
    url: Option<String>,
    access_token: Option<String>,
    error: Option<String>,
    transports: Option<Vec<Transport>>,
    is_legacy: bool,
    is_stateful: bool,
}

#[derive(serde::Deserialize)]
struct Transport {
    transport: String,
    #[serde(rename = "transferFormats", default)]
    transfer_formats: Vec<String>,
}

/// Reads an answer. `Err` says what is wrong with it, in words that hold none of its secrets.
pub(crate) fn read_answer(body: &[u8]) -> Result<Answer, String> {
    let text = std::str::from_utf8(body).map_err(|_| invalid("is not UTF-8"))?;
    let members = read_members(text).ok_or_else(|| invalid("is not the JSON object expected"))?;
    if let Some(error) = members.error {
        return Err(format!("the hub refused the negotiation: {}", printable(&error, 1024)));
    }
    if members.is_legacy {
        return Err("this is an ASP.NET SignalR server; only ASP.NET Core SignalR is supported".to_owned());
    }
    if let Some(url) = members.url {
        return Ok(Answer::Redirect {
            url,
            access_token: members.access_token.filter(|token| !token.is_empty()).map(Secret::new),
        });
    }
    let connection_id =
        members.connection_id.filter(|id| !id.trim().is_empty()).ok_or_else(|| invalid("has no `connectionId`"))?;
    let connection_token = if members.version < 1 {
        connection_id.clone()
    } else {
        members
            .connection_token
            .filter(|token| !token.trim().is_empty())
            .ok_or_else(|| invalid("has no `connectionToken`"))?
    };
    let transports = members.transports.ok_or_else(|| invalid("has no `availableTransports`"))?;
    let is_usable = |offer: &Transport| {
        offer.transport == "WebSockets" && offer.transfer_formats.iter().any(|format| format == "Text")
    };
    if !transports.iter().any(is_usable) {
        let offered: Vec<_> = transports.iter().map(|offer| printable(&offer.transport, 32)).collect();
        return Err(format!("the hub offers no WebSockets with text, only: [{}]", offered.join(", ")));
    }
    Ok(Answer::Accepted {
        connection_id,
        connection_token: Secret::new(connection_token),
        is_stateful: members.is_stateful,
    })
}

fn invalid(what: &str) -> String {
    format!("the answer to the negotiation {what}")
}

/// Duplicates: the last wins. Unknown members are no fault.
fn read_members(text: &str) -> Option<Members> {
    let mut cursor = Cursor::new(text);
    let mut members = Members::default();
    let mut first = true;
    cursor.begin_object().ok()?;
    while let Some(name) = cursor.next_key(first).ok()? {
        first = false;
        match &*name {
            "negotiateVersion" if cursor.peek_kind() == Some(Kind::Null) => _ = cursor.skip_value().ok()?,
            "negotiateVersion" => members.version = cursor.integer().ok()?,
            "connectionId" => members.connection_id = optional_text(&mut cursor)?,
            "connectionToken" => members.connection_token = optional_text(&mut cursor)?,
            "url" => members.url = optional_text(&mut cursor)?,
            "accessToken" => members.access_token = optional_text(&mut cursor)?,
            "error" => members.error = optional_text(&mut cursor)?,
            "availableTransports" => members.transports = cursor.decode().ok()?,
            "useStatefulReconnect" => members.is_stateful = cursor.decode::<Option<bool>>().ok()?.unwrap_or_default(),
            "ProtocolVersion" => {
                cursor.skip_value().ok()?;
                members.is_legacy = true;
            }
            _ => _ = cursor.skip_value().ok()?,
        }
    }
    cursor.finish().ok()?;
    Some(members)
}

fn optional_text(cursor: &mut Cursor<'_>) -> Option<Option<String>> {
    cursor.decode::<Option<String>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSPORTS: &str = r#""availableTransports":[{"transport":"ServerSentEvents","transferFormats":["Text"]},{"transport":"WebSockets","transferFormats":["Text","Binary"]}]"#;

    fn accepted(id: &str, token: &str) -> Result<Answer, String> {
        Ok(Answer::Accepted { connection_id: id.to_owned(), connection_token: Secret::new(token), is_stateful: false })
    }

    #[test]
    fn the_token_counts_from_version_1_on() {
        for (text, expected) in [
            (
                format!(r#"{{"negotiateVersion":1,"connectionId":"a","connectionToken":"b",{TRANSPORTS}}}"#),
                accepted("a", "b"),
            ),
            (format!(r#"{{"connectionId":"a","connectionToken":"b",{TRANSPORTS}}}"#), accepted("a", "a")),
            (format!(r#"{{"negotiateVersion":null,"connectionId":"a",{TRANSPORTS},"x":[1]}}"#), accepted("a", "a")),
            (format!(r#"{{"connectionId":"x","connectionId":"a","error":null,{TRANSPORTS}}}"#), accepted("a", "a")),
        ] {
            assert_eq!(read_answer(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_redirect_needs_no_id() {
        assert_eq!(
            read_answer(br#"{"url":"https://other/","accessToken":"t"}"#),
            Ok(Answer::Redirect { url: "https://other/".to_owned(), access_token: Some(Secret::new("t")) })
        );
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        for (text, part) in [
            ("<html>", "JSON object"),
            ("[]", "JSON object"),
            ("\u{feff}{}", "JSON object"),
            (r#"{"negotiateVersion":"1"}"#, "JSON object"),
            ("{}", "connectionId"),
            (r#"{"connectionId":" "}"#, "connectionId"),
            (r#"{"negotiateVersion":1,"connectionId":"a"}"#, "connectionToken"),
            (r#"{"connectionId":"a"}"#, "availableTransports"),
            (r#"{"connectionId":"a","availableTransports":[]}"#, "only: []"),
            (
                r#"{"connectionId":"a","availableTransports":[{"transport":"LongPolling","transferFormats":["Text"]}]}"#,
                "LongPolling",
            ),
            (
                r#"{"connectionId":"a","availableTransports":[{"transport":"WebSockets","transferFormats":["Binary"]}]}"#,
                "WebSockets",
            ),
            (r#"{"error":"no seats left","url":"https://x/"}"#, "no seats left"),
            (r#"{"ProtocolVersion":"1.5","ConnectionId":"x"}"#, "ASP.NET SignalR"),
        ] {
            let error = read_answer(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
