//! The way through an HTTP proxy: one CONNECT, for http and https hubs alike (RFC 9110, section 9.3.6).

use std::fmt;

use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Empty;
use percent_encoding::percent_decode_str;
use signalr_proto::io::{IoFailure, IoFailureKind};
use signalr_proto::url::{HubUrl, Origin};

use super::Peer;
use super::exchange::{Switched, switch};

/// An HTTP proxy that everything goes through, negotiation and WebSockets, by CONNECT.
///
/// It is used only where it is set: the environment (`HTTP_PROXY` and its kin) is never asked, for tokens would go where it points.
#[derive(Clone)]
pub struct Proxy {
    origin: Origin,
    authorization: Option<HeaderValue>,
}

/// Why a text is not a proxy's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It is no URL, or one with a path or a query.
    #[error("is not of the form http://user:password@host:port")]
    Malformed,
    /// Its scheme is not http: a proxy is spoken to without TLS, the hub through it with the TLS of its own URL.
    #[error("has a scheme other than http")]
    Scheme,
}

impl Proxy {
    /// Reads `http://host:port` or `http://user:password@host:port`; without a port it is 80.
    ///
    /// User and password are percent-decoded, and sent to the proxy alone, as Basic authentication (RFC 7617).
    pub fn http(url: &str) -> Result<Self, ProxyError> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(ProxyError::Malformed)?;
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(ProxyError::Scheme);
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(ProxyError::Malformed);
        }
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority),
        };
        let url = HubUrl::parse(&format!("http://{host}/")).map_err(|_| ProxyError::Malformed)?;
        let authorization = credentials.map(basic).transpose()?;
        Ok(Self { origin: url.origin().clone(), authorization })
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Has the proxy connect a transport that was dialled to it with `target`.
    pub(super) async fn tunnel<I>(&self, io: I, target: &Origin) -> Result<I, IoFailure>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin,
    {
        let proxy = Peer::of(&self.origin);
        let place = Peer::of(target).to_string();
        let connect = self.connect(&place)?;
        let Switched { response, transport } =
            switch(io, connect, &proxy, |response| response.status().is_success()).await?;
        let Some((io, read_ahead)) = transport else {
            let status = response.status().as_u16();
            let message = format!("the proxy {proxy} refused the way to {place} with status {status}");
            return Err(IoFailure::new(IoFailureKind::Refused, message));
        };
        if !read_ahead.is_empty() {
            let message = format!("the proxy {proxy} sent something before {place} was asked anything");
            return Err(IoFailure::new(IoFailureKind::Protocol, message));
        }
        Ok(io)
    }

    fn connect(&self, place: &str) -> Result<Request<Empty<bytes::Bytes>>, IoFailure> {
        let unfit = || IoFailure::new(IoFailureKind::Local, format!("{place} is no place for a proxy to connect with"));
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = Uri::try_from(place).map_err(|_| unfit())?;
        request.headers_mut().insert(HOST, HeaderValue::try_from(place).map_err(|_| unfit())?);
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = self.authorization.as_ref().map(|_| "[redacted]");
        write!(f, "Proxy({}, credentials: {credentials:?})", Peer::of(&self.origin))
    }
}

/// `Basic user:password`, marked as sensitive.
fn basic(credentials: &str) -> Result<HeaderValue, ProxyError> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    if plain.contains(&b':') {
        // The colon ends the user's name for whoever reads it (RFC 7617, section 2).
        return Err(ProxyError::Malformed);
    }
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let mut value = HeaderValue::try_from(format!("Basic {}", base64(&plain))).expect("base64 is a header value");
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, at| group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let index = (group >> (18 - 6 * at)) & 63;
            text.push(if at <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(url: &str) -> Option<String> {
        let proxy = Proxy::http(url).unwrap();
        proxy.authorization.map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn credentials_are_decoded_and_encoded() {
        assert_eq!(authorization("http://h:1"), None);
        assert_eq!(authorization("http://Aladdin:open%20sesame@h:1").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(authorization("HTTP://u:p@ss@h:1/").unwrap(), format!("Basic {}", base64(b"u:p@ss")));
        assert_eq!(authorization("http://u@h").unwrap(), format!("Basic {}", base64(b"u:")));
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for (url, error) in [
            ("h:1", ProxyError::Malformed),
            ("https://h:1", ProxyError::Scheme),
            ("socks5://h:1", ProxyError::Scheme),
            ("http://", ProxyError::Malformed),
            ("http://h:x", ProxyError::Malformed),
            ("http://h:1/path", ProxyError::Malformed),
            ("http://u%3Av:p@h:1", ProxyError::Malformed),
        ] {
            assert_eq!(Proxy::http(url).unwrap_err(), error, "{url}");
        }
    }

    #[test]
    fn debug_shows_no_credentials() {
        let proxy = Proxy::http("http://user:canary@[::1]:3128").unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy([::1]:3128, credentials: Some(\"[redacted]\"))");
        assert!(!format!("{:?}", proxy.connect("h:1").unwrap().headers()).contains("canary"));
    }

    #[test]
    fn the_target_always_has_its_port() {
        let proxy = Proxy::http("http://p").unwrap();
        for place in ["h:443", "[::1]:80"] {
            let request = proxy.connect(place).unwrap();
            assert_eq!(request.uri().to_string(), place);
            assert_eq!(request.headers()[HOST], place);
        }
    }
}
