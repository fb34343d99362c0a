//! From a dialled transport to a WebSocket (RFC 6455, section 4.1).
//!
//! The upgrade goes through hyper and not through tungstenite's own handshake: that one logs the request, whose query may hold a token.

use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, StatusCode, Version};
use signalr_proto::io::{IoFailure, IoFailureKind, OpenRequest};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::WebSocketConfig;

use super::exchange::{Switched, bare_request, switch};
use super::retry_after::retry_after;
use super::{DialOptions, Peer, reach};
use crate::runtime::Runtime;

/// tungstenite fills this much with zeros before every read: its default of 128 KiB costs more than the read itself.
const READ_BUFFER_BYTES: usize = 16 << 10;
/// The most that may wait unsent inside the WebSocket: far above what is queued in front of it, so that only a runaway meets it.
const MAX_WRITE_BUFFER_BYTES: usize = 64 << 20;

/// Dials, asks for the upgrade and hands over the open WebSocket.
pub async fn open<R: Runtime>(options: &DialOptions, request: OpenRequest) -> Result<R::WebSocket, IoFailure> {
    let OpenRequest { url, headers, max_message_bytes } = request;
    let peer = Peer::of(url.origin());
    let key = generate_key();
    let mut get = bare_request(Method::GET, &url, headers)?;
    let fields = get.headers_mut();
    fields.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    fields.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    fields.insert(SEC_WEBSOCKET_KEY, HeaderValue::try_from(&key).expect("base64 is a header value"));
    // None is spoken here, so none may be offered.
    fields.remove(SEC_WEBSOCKET_EXTENSIONS);
    let offered = fields.clone();

    let io = reach::<R>(options, url.origin()).await?;
    let is_upgraded = |response: &http::Response<_>| response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let Switched { response, transport } = switch(io, get, &peer, is_upgraded).await?;
    let Some((io, read_ahead)) = transport else {
        let status = response.status().as_u16();
        let message = format!("the upgrade at {peer} was answered with status {status}");
        let retry_after = retry_after(response.headers());
        return Err(IoFailure { retry_after, ..IoFailure::new(IoFailureKind::Status(status), message) });
    };
    if let Err(fault) = check(response.version(), response.headers(), &offered, &key) {
        let message = format!("the upgrade at {peer} was answered with {fault}");
        return Err(IoFailure::new(IoFailureKind::Protocol, message));
    }
    Ok(R::websocket(io, read_ahead.into(), config(max_message_bytes)).await)
}

fn config(max_message_bytes: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(Some(max_message_bytes))
        .max_frame_size(Some(max_message_bytes))
        .accept_unmasked_frames(false)
}

/// Checks an answer with status 101 (RFC 6455, section 4.1, the list "If the response ..."), or says what is wrong with it.
fn check(version: Version, answer: &HeaderMap, offered: &HeaderMap, key: &str) -> Result<(), &'static str> {
    if version != Version::HTTP_11 {
        return Err("a version of HTTP that has no upgrade");
    }
    if !tokens(answer, UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket")) {
        return Err("an Upgrade to something other than WebSocket");
    }
    if !tokens(answer, CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return Err("a Connection that is not upgraded");
    }
    let mut accepts = answer.get_all(SEC_WEBSOCKET_ACCEPT).iter();
    let is_accepted =
        accepts.next().is_some_and(|accept| accept.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes());
    if !is_accepted || accepts.next().is_some() {
        return Err("a Sec-WebSocket-Accept that does not fit the key");
    }
    if answer.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return Err("a WebSocket extension that was not offered");
    }
    let is_offered = |chosen: &HeaderValue| {
        tokens(offered, SEC_WEBSOCKET_PROTOCOL).any(|offer| offer.as_bytes() == chosen.as_bytes())
    };
    if !answer.get_all(SEC_WEBSOCKET_PROTOCOL).iter().all(is_offered) {
        return Err("a WebSocket subprotocol that was not offered");
    }
    Ok(())
}

/// The members of a comma-separated header.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 6455, section 1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const GOOD: &[(&str, &str)] = &[
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, UPGRADE"),
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ];

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn with(changed: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut all = headers(GOOD);
        for (name, _) in changed {
            all.remove(*name);
        }
        for (name, value) in headers(changed).iter().filter(|(_, value)| !value.is_empty()) {
            all.append(name, value.clone());
        }
        all
    }

    #[test]
    fn a_proper_answer_passes() {
        let offered = headers(&[("sec-websocket-protocol", "json, other")]);
        assert_eq!(check(Version::HTTP_11, &with(&[]), &offered, KEY), Ok(()));
        assert_eq!(check(Version::HTTP_11, &with(&[("sec-websocket-protocol", "other")]), &offered, KEY), Ok(()));
    }

    #[test]
    fn each_fault_is_found() {
        let nothing = HeaderMap::new();
        assert!(check(Version::HTTP_10, &with(&[]), &nothing, KEY).is_err());
        for changed in [
            &[("upgrade", "")][..],
            &[("upgrade", "h2c")],
            &[("connection", "")],
            &[("connection", "close")],
            &[("sec-websocket-accept", "")],
            &[("sec-websocket-accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=")],
            &[("sec-websocket-accept", GOOD[2].1), ("sec-websocket-accept", GOOD[2].1)],
            &[("sec-websocket-extensions", "permessage-deflate")],
            &[("sec-websocket-protocol", "json")],
        ] {
            assert!(check(Version::HTTP_11, &with(changed), &nothing, KEY).is_err(), "{changed:?}");
        }
    }
}
