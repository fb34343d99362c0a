//! Who may enter: the token of a request, and what it opens.

use std::time::Instant;

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::empty;
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::tokens::Bearer;

/// The verdict on a request for a hub.
pub(super) enum Access {
    /// Welcome, with or without a name.
    Granted(Option<Bearer>),
    /// Let in only to be shown out after the handshake.
    Unwelcome,
    Refused(Box<Response>),
}

pub(super) fn check(gateway: &Gateway, hub: Hub, uri: &Uri, headers: &HeaderMap) -> Access {
    let token = token_of(uri, headers);
    let bearer = token.as_deref().and_then(|token| gateway.tokens.check(token));
    let is_needed = match hub {
        Hub::Conformance | Hub::Console => false,
        Hub::Secure => true,
        Hub::Market | Hub::User | Hub::LenientMarket => gateway.tokens.are_required(),
    };
    if bearer.is_some() || !is_needed {
        return Access::Granted(bearer);
    }
    let closes = hub == Hub::LenientMarket || (hub != Hub::Secure && gateway.bad_token_closes());
    if closes {
        return Access::Unwelcome;
    }
    let mut response = empty(StatusCode::UNAUTHORIZED);
    if token.is_some() && hub != Hub::Secure {
        // As the real market hub was seen to say.
        let reason = "Bearer error=\"invalid_token\", error_description=\"The signature key was not found\"";
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(reason));
    }
    Access::Refused(Box::new(response))
}

/// When a connection ends because its token does.
pub(super) fn expiry(gateway: &Gateway, hub: Hub, bearer: &Option<Bearer>) -> Option<Instant> {
    let is_topstep = matches!(hub, Hub::Market | Hub::User | Hub::LenientMarket);
    let expires = bearer.as_ref()?.expires?;
    (!is_topstep || gateway.options.close_on_token_expiration).then_some(expires)
}

/// The token: whatever follows `Bearer `, whose case counts, beats the query; another scheme falls through to it.
pub(crate) fn token_of(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = match header.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) => token.to_owned(),
        None => query_value(uri, "access_token")?,
    };
    (!token.is_empty()).then_some(token)
}

/// The value of a query parameter whose name is compared without case; the first of several.
pub(super) fn query_value(uri: &Uri, name: &str) -> Option<String> {
    query_values(uri, name).into_iter().next()
}

/// All values of a query parameter, `+` and `%` decoded.
pub(super) fn query_values(uri: &Uri, name: &str) -> Vec<String> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    };
    let query = uri.query().unwrap_or_default();
    query.split('&').map(pair).filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_comes_from_the_header_or_the_query() {
        let token = |uri: &'static str, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = header {
                headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            token_of(&Uri::from_static(uri), &headers)
        };
        assert_eq!(token("/h?x=1&ACCESS_TOKEN=a%2Bb%3D", None).as_deref(), Some("a+b="));
        assert_eq!(token("/h?access_token=q", Some("Bearer h")).as_deref(), Some("h"));
        assert_eq!(token("/h?access_token=q", Some("bearer h")).as_deref(), Some("q"));
        assert_eq!(token("/h?access_token=q&access_token=r", None).as_deref(), Some("q"));
        assert_eq!(token("/h?access_token=", None), None);
        assert_eq!(token("/h", Some("Basic x")), None);
    }
}
