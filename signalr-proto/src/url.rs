//! A hub's URL: parsed once, compared by origin, printed without its secrets.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986's unreserved characters stay as they are; everything else in a query value is escaped.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The URL of a hub, with the scheme http or https (ws and wss are read as these).
///
/// `Debug` and `Display` leave the query out: it may hold a token or a connection token.
#[derive(Clone, PartialEq, Eq)]
pub struct HubUrl {
    origin: Origin,
    path: String,
    query: Option<String>,
}

/// Scheme, host and port: what decides whether a credential may be sent somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    is_secure: bool,
    host: String,
    port: u16,
}

/// Why a text is not a hub's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is not an absolute URL at all.
    #[error("is not an absolute URL")]
    Malformed,
    /// Its scheme is not http, https, ws or wss.
    #[error("has a scheme other than http, https, ws or wss")]
    Scheme,
    /// It names a user or a password, which would end up in logs.
    #[error("holds a user name or a password")]
    UserInfo,
}

impl HubUrl {
    /// Reads an absolute URL. A fragment is dropped.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.trim().parse().map_err(|_| UrlError::Malformed)?;
        let is_secure = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            Some(_) => return Err(UrlError::Scheme),
            None => return Err(UrlError::Malformed),
        };
        let authority = uri.authority().ok_or(UrlError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::UserInfo);
        }
        let host = authority.host().to_ascii_lowercase();
        let port = match authority.port_u16() {
            Some(0) => return Err(UrlError::Malformed),
            Some(port) => port,
            // A port that is no number would otherwise be read as none at all.
            None if authority.as_str().len() > authority.host().len() => return Err(UrlError::Malformed),
            None if is_secure => 443,
            None => 80,
        };
        if host.is_empty() {
            return Err(UrlError::Malformed);
        }
        let origin = Origin { is_secure, host, port };
        Ok(Self { origin, path: uri.path().to_owned(), query: uri.query().map(str::to_owned) })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path, beginning with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Path and query as a request line needs them. May hold secrets: for the wire only.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Whether the query has a parameter of this name, in any case: ASP.NET Core matches names so.
    pub fn has_query(&self, name: &str) -> bool {
        let Some(query) = &self.query else { return false };
        query.split('&').any(|pair| pair.split('=').next().is_some_and(|key| key.eq_ignore_ascii_case(name)))
    }

    /// The same URL with another segment behind its path.
    #[must_use]
    pub fn with_segment(&self, segment: &str) -> Self {
        let slash = if self.path.ends_with('/') { "" } else { "/" };
        Self { path: format!("{}{slash}{segment}", self.path), ..self.clone() }
    }

    /// The same URL with another query parameter behind the ones it has; the value is percent-encoded.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let value = utf8_percent_encode(value, QUERY_VALUE);
        let query = match &self.query {
            Some(query) if !query.is_empty() => format!("{query}&{name}={value}"),
            _ => format!("{name}={value}"),
        };
        Self { query: Some(query), ..self.clone() }
    }
}

impl fmt::Display for HubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)?;
        if self.query.is_some() { f.write_str("?[redacted]") } else { Ok(()) }
    }
}

impl fmt::Debug for HubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Origin {
    /// Whether TLS protects it.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The host in lower case; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host as a name service or a certificate names it: an IPv6 address without its brackets.
    pub fn host_name(&self) -> &str {
        self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&self.host)
    }

    /// The port, the scheme's own one included.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        match (self.is_secure, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether it is this machine by its very name: `localhost`, 127.0.0.0/8 or ::1. No name is looked up.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host_name().parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_secure { "https" } else { "http" }, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> HubUrl {
        HubUrl::parse(text).unwrap()
    }

    #[test]
    fn the_path_gets_a_segment_and_the_query_stays() {
        for (given, expected) in [
            ("http://h/hub", "/hub/negotiate"),
            ("http://h/hub/", "/hub/negotiate"),
            ("http://h", "/negotiate"),
            ("http://h/hub?x=1", "/hub/negotiate?x=1"),
        ] {
            assert_eq!(url(given).with_segment("negotiate").path_and_query(), expected, "{given}");
        }
    }

    #[test]
    fn query_values_are_escaped() {
        assert_eq!(
            url("http://h/x?a=b").with_query("access_token", "a+b/c=&\r\n").path_and_query(),
            "/x?a=b&access_token=a%2Bb%2Fc%3D%26%0D%0A"
        );
        assert_eq!(url("ws://h/x?").with_query("id", "1").path_and_query(), "/x?id=1");
    }

    #[test]
    fn nothing_of_the_query_is_printed() {
        let url = url("https://h:444/x?access_token=canary").with_query("id", "other");
        assert_eq!(format!("{url} {url:?}"), "https://h:444/x?[redacted] \"https://h:444/x?[redacted]\"");
    }

    #[test]
    fn only_exact_loopback_is_loopback() {
        for (text, expected) in [
            ("http://localhost/", true),
            ("http://LOCALHOST:8080/", true),
            ("http://127.0.0.1/", true),
            ("http://127.8.9.1:1/", true),
            ("http://[::1]:9/", true),
            ("http://localhost.evil.com/", false),
            ("http://127.0.0.1.nip.io/", false),
            ("http://[::ffff:127.0.0.1]/", false),
            ("http://localhost./", false),
            ("http://128.0.0.1/", false),
            ("http://0.0.0.0/", false),
            ("http://[::]/", false),
            ("http://example.com/", false),
        ] {
            assert_eq!(url(text).origin().is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_hub_url_is_refused() {
        for (text, error) in [
            ("", UrlError::Malformed),
            ("/hubs/market", UrlError::Malformed),
            ("ftp://h/", UrlError::Scheme),
            ("http://user:pw@h/", UrlError::UserInfo),
            ("http://localhost@evil.com/", UrlError::UserInfo),
            ("http://h:0/", UrlError::Malformed),
            ("http://h:99999/", UrlError::Malformed),
            ("http://h:x/", UrlError::Malformed),
            ("http://a b/", UrlError::Malformed),
        ] {
            assert_eq!(HubUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn origins_compare_by_scheme_host_and_port() {
        assert_eq!(url("https://H/a").origin(), url("wss://h:443/b?c").origin());
        assert_ne!(url("http://h/").origin(), url("https://h/").origin());
        assert_ne!(url("https://h/").origin(), url("https://h:444/").origin());
    }
}
