//! HTTP for the layers above: one request, one answer, and the truth about what may have happened in between.

use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rustls::ClientConfig;
use signalr_proto::error::ConfigError;
use signalr_proto::io::{IoFailure, IoFailureKind};
use signalr_proto::secret::Secret;
use signalr_proto::url::HubUrl;

use crate::dial::{DialOptions, Proxy, Unanswered, exchange, full_request, ready, shared_tls_config};
use crate::runtime::Runtime;

/// Sends requests to one origin, each over a connection of its own; follows no redirect and sends nothing twice.
///
/// A clone shares everything.
pub struct HttpClient<R> {
    inner: Arc<Inner>,
    runtime: PhantomData<fn() -> R>,
}

struct Inner {
    root: HubUrl,
    options: DialOptions,
    may_carry_token: bool,
}

/// Builds an [`HttpClient`].
#[must_use = "a builder does nothing until `build`"]
pub struct HttpClientBuilder<R> {
    root: String,
    tls: Option<Arc<ClientConfig>>,
    proxy: Option<Proxy>,
    allow_insecure_token: bool,
    has_token: bool,
    runtime: PhantomData<fn() -> R>,
}

/// A request. It goes to the client's own origin: a token can go nowhere else.
#[derive(Clone)]
pub struct HttpCall {
    /// The method.
    pub method: Method,
    /// The path behind the client's root, beginning with `/`; it may have a query.
    pub path: String,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// Further headers. What frames a message is not the caller's.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body. Default: empty.
    pub body: Bytes,
    /// The longest body to accept in an answer. Default 16 MiB.
    pub max_body_bytes: usize,
    /// How long all of it may take, from looking the host up to the last byte of the answer. Default 5 s.
    pub timeout: Duration,
    /// After how long it must have left: if the host is not reached by then, it is not sent any more. Default: as long as all of it may take.
    pub leave_within: Duration,
}

/// An answer, whatever its status.
#[derive(Clone)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer. The text names host and port, never a path, a header or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No byte of the request can have reached whoever would act on it: nothing has happened.
    #[error("not sent: {0}")]
    NotSent(IoFailure),
    /// The request may have been read, wholly or in part: whether it had its effect is not known.
    #[error("no answer, and the request may have been sent: {0}")]
    OutcomeUnknown(IoFailure),
}

impl<R: Runtime> HttpClient<R> {
    /// Begins to build a client for what is beneath a URL, such as `https://api.example.com`.
    pub fn builder(root: impl Into<String>) -> HttpClientBuilder<R> {
        HttpClientBuilder {
            root: root.into(),
            tls: None,
            proxy: None,
            allow_insecure_token: false,
            has_token: false,
            runtime: PhantomData,
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// Dropping the future closes the connection; the request may have had its effect by then.
    pub async fn request(&self, call: HttpCall) -> Result<HttpAnswer, HttpError> {
        let Inner { root, options, .. } = &*self.inner;
        let (origin, max_body_bytes) = (root.origin(), call.max_body_bytes);
        let timeout = pin!(R::sleep(call.timeout));
        let too_late = pin!(R::sleep(call.leave_within.min(call.timeout)));
        let late = |kind: &str| IoFailure::new(IoFailureKind::TimedOut, format!("{kind} {origin} took too long"));
        let request = self.prepare(call).map_err(HttpError::NotSent)?;
        // Nothing of the request is written before the transport stands. Where both are there at once, it is too late.
        let transport = match select(too_late, pin!(ready::<R>(options, origin))).await {
            Either::Left(_) => return Err(HttpError::NotSent(late("reaching"))),
            Either::Right((transport, _)) => transport.map_err(HttpError::NotSent)?,
        };
        match select(pin!(exchange(transport, request, origin, max_body_bytes)), timeout).await {
            Either::Left((Ok(response), _)) => {
                let (head, body) = response.into_parts();
                Ok(HttpAnswer { status: head.status.as_u16(), headers: head.headers, body })
            }
            Either::Left((Err(Unanswered { may_have_been_sent: true, failure }), _)) => {
                Err(HttpError::OutcomeUnknown(failure))
            }
            Either::Left((Err(Unanswered { failure, .. }), _)) => Err(HttpError::NotSent(failure)),
            Either::Right(_) => Err(HttpError::OutcomeUnknown(late("the answer of"))),
        }
    }

    fn prepare(&self, call: HttpCall) -> Result<http::Request<http_body_util::Full<Bytes>>, IoFailure> {
        let local = |what: &str| IoFailure::new(IoFailureKind::Local, format!("{what} cannot be sent"));
        let mut headers: HeaderMap = call.headers.into_iter().collect();
        if let Some(token) = &call.token {
            let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
            let mut bearer = bearer.map_err(|_| local("the token"))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        if headers.contains_key(AUTHORIZATION) && !self.inner.may_carry_token {
            return Err(local("a token over plain http"));
        }
        let url = beneath(&self.inner.root, &call.path).ok_or_else(|| local("the path"))?;
        full_request(call.method, &url, headers, call.body)
    }
}

impl<R> Clone for HttpClient<R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for HttpClient<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("root", &self.inner.root).finish_non_exhaustive()
    }
}

impl<R: Runtime> HttpClientBuilder<R> {
    /// Says that requests will carry a token, so that a root in the clear is refused by `build` and not by the first request. Default: no.
    pub fn carries_token(mut self, carries: bool) -> Self {
        self.has_token = carries;
        self
    }

    /// Lets a token cross the network in the clear. Default: refused, unless the host is loopback.
    pub fn allow_insecure_token(mut self, allow: bool) -> Self {
        self.allow_insecure_token = allow;
        self
    }

    /// Your own TLS. Default: as for hubs, rustls with ring, trusting Mozilla's roots (or the system's, by the feature `native-roots`).
    pub fn tls_config(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Goes through an HTTP proxy, by CONNECT. The environment's proxies are never used.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Builds the client. It connects for each request.
    pub fn build(self) -> Result<HttpClient<R>, ConfigError> {
        let root = HubUrl::parse(&self.root)?;
        let origin = root.origin();
        let may_carry_token = origin.is_secure() || origin.is_loopback() || self.allow_insecure_token;
        if self.has_token && !may_carry_token {
            return Err(ConfigError::InsecureToken { host: origin.host().to_owned() });
        }
        let tls = match self.tls {
            Some(tls) => tls,
            None => shared_tls_config()
                .map_err(|error| ConfigError::Option { option: "tls_config", problem: error.to_string() })?,
        };
        let inner = Inner { root, options: DialOptions::new(tls, self.proxy), may_carry_token };
        Ok(HttpClient { inner: Arc::new(inner), runtime: PhantomData })
    }
}

impl<R> fmt::Debug for HttpClientBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder").finish_non_exhaustive()
    }
}

impl HttpCall {
    /// A request with the defaults.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            token: None,
            headers: Vec::new(),
            body: Bytes::new(),
            max_body_bytes: 16 << 20,
            timeout: Duration::from_secs(5),
            leave_within: Duration::MAX,
        }
    }
}

impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        f.debug_struct("HttpCall").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}

impl HttpAnswer {
    /// A header's text, if there is one header of that name with visible ASCII characters only.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for HttpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer").field("status", &self.status).field("body_bytes", &self.body.len()).finish()
    }
}

impl HttpError {
    /// What was seen.
    pub fn failure(&self) -> &IoFailure {
        match self {
            Self::NotSent(failure) | Self::OutcomeUnknown(failure) => failure,
        }
    }
}

/// The URL of a path beneath a root, if it is one.
fn beneath(root: &HubUrl, path: &str) -> Option<HubUrl> {
    let path = path.strip_prefix('/')?;
    let slash = if root.path().ends_with('/') { "" } else { "/" };
    HubUrl::parse(&format!("{}{}{slash}{path}", root.origin(), root.path())).ok()
}
