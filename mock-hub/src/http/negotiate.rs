//! The negotiate endpoint of a hub (TransportProtocols.md, `POST [endpoint-base]/negotiate`).

use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::access::{self, Access};
use super::{json, plain};
use crate::faults;
use crate::gateway::Gateway;
use crate::hubs::Hub;

const TRANSPORTS: &str = r#"[{"transport":"WebSockets","transferFormats":["Text","Binary"]}]"#;

pub(super) async fn negotiate(gateway: &Gateway, hub: Hub, request: Request) -> Response {
    gateway.negotiations.fetch_add(1, Ordering::Relaxed);
    gateway.changes.tell();
    if let Some(response) = faults::at_negotiate(gateway, hub).await {
        return response;
    }
    if let Access::Refused(response) = access::check(gateway, hub, request.uri(), request.headers()) {
        return *response;
    }
    if request.method() != Method::POST {
        return method_not_allowed();
    }
    let versions = access::query_values(request.uri(), "negotiateVersion");
    let version = match versions.as_slice() {
        [] => Ok(0),
        [version] => requested_version(version),
        _ => Err(NOT_AN_INTEGER.to_owned()),
    };
    let body = match version {
        Ok(version) => answer(gateway, version, wants_stateful(gateway, &request)),
        Err(error) => format!("{{\"error\":{}}}", crate::protocol::json::string(&error)),
    };
    json(StatusCode::OK, body)
}

/// Anything but a POST: no `Allow` header, as seen live.
pub(super) fn method_not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "")
}

const NOT_AN_INTEGER: &str = "The client requested a non-integer protocol version.";

/// The version to answer with: 1 at the most (ASP.NET Core; texts seen live).
fn requested_version(text: &str) -> Result<i64, String> {
    // .NET's parser takes white space around the number and a sign before it.
    let version: i32 = text.trim().parse().map_err(|_| NOT_AN_INTEGER.to_owned())?;
    if version < 0 {
        return Err(format!("The client requested version '{version}', but the server does not support this version."));
    }
    Ok(i64::from(version.min(1)))
}

/// Stateful reconnect is negotiated where both sides want it.
fn wants_stateful(gateway: &Gateway, request: &Request) -> bool {
    let asked = access::query_value(request.uri(), "useStatefulReconnect");
    gateway.options.stateful_reconnect && asked.is_some_and(|asked| asked.trim().eq_ignore_ascii_case("true"))
}

fn answer(gateway: &Gateway, version: i64, is_stateful: bool) -> String {
    let (id, token) = gateway.negotiate(version, is_stateful);
    let stateful = if is_stateful { "\"useStatefulReconnect\":true," } else { "" };
    let secret = if version == 0 { String::new() } else { format!("\"connectionToken\":\"{token}\",") };
    format!(
        "{{{stateful}\"negotiateVersion\":{version},\"connectionId\":\"{id}\",{secret}\"availableTransports\":{TRANSPORTS}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_judged_as_aspnetcore_judges_them() {
        assert_eq!(requested_version("0"), Ok(0));
        assert_eq!(requested_version(" 1"), Ok(1));
        assert_eq!(requested_version("+1"), Ok(1));
        assert_eq!(requested_version("42"), Ok(1));
        for bad in ["", "x", "1.0", "2147483648"] {
            assert_eq!(requested_version(bad), Err(NOT_AN_INTEGER.to_owned()), "{bad}");
        }
        let refused = "The client requested version '-1', but the server does not support this version.";
        assert_eq!(requested_version("-1"), Err(refused.to_owned()));
    }
}
