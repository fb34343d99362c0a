//! One HTTP/1.1 exchange over a transport of its own, by hyper: no pool, no redirects, no background task.

use std::fmt;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, Parts, SendRequest};
use signalr_proto::io::{HttpRequest, HttpResponse, IoFailure, IoFailureKind};
use signalr_proto::url::{HubUrl, Origin};

use super::retry_after::retry_after;
use super::{DialOptions, Peer, failure, reach};
use crate::runtime::Runtime;

/// The longest head of an answer, in bytes. It bounds as well what may be read ahead behind it.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// The most headers in an answer.
const MAX_HEADERS: usize = 100;

/// Headers that say how this very message travels: they are set here or not at all, whatever the caller asks for.
const HOP_BY_HOP: [HeaderName; 8] =
    [CONNECTION, CONTENT_LENGTH, EXPECT, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

type NoBody = Empty<Bytes>;

/// POSTs without a body and reads the answer, whatever its status; a redirect is an answer too.
pub async fn http<R: Runtime>(options: &DialOptions, request: HttpRequest) -> Result<HttpResponse, IoFailure> {
    let HttpRequest { url, headers, max_body_bytes } = request;
    let peer = Peer::of(url.origin());
    let mut post = bare_request(Method::POST, &url, headers)?;
    post.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));

    let io = reach::<R>(options, url.origin()).await?;
    let (mut sender, connection) = begin(io, &peer).await?;
    let exchange = async {
        let mut response = sender.send_request(post).await.map_err(|error| no_answer(&peer, &error))?;
        let body = read_body(&mut response, max_body_bytes, &peer).await?;
        let (head, _) = response.into_parts();
        let retry_after = retry_after(&head.headers);
        Ok(HttpResponse { status: head.status.as_u16(), headers: head.headers, body, retry_after })
    };
    match select(pin!(exchange), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        // The connection is over, but what it has read may still wait for the exchange.
        Either::Right((_, exchange)) => exchange.await,
    }
}

/// Why an exchange brought no answer, and whether the peer may have read the request.
pub(crate) struct Unanswered {
    pub(crate) may_have_been_sent: bool,
    pub(crate) failure: IoFailure,
}

/// Opens a transport and gets ready to speak HTTP over it; nothing of a request has left yet.
pub(crate) async fn ready<R: Runtime>(
    options: &DialOptions,
    origin: &Origin,
) -> Result<(SendRequest<Full<Bytes>>, Connection<R::Io, Full<Bytes>>), IoFailure> {
    let io = reach::<R>(options, origin).await?;
    begin(io, &Peer::of(origin)).await
}

/// Sends a request with a body over a transport that is [`ready`] and reads the answer, whatever its status.
pub(crate) async fn exchange<I>(
    (mut sender, connection): (SendRequest<Full<Bytes>>, Connection<I, Full<Bytes>>),
    request: Request<Full<Bytes>>,
    origin: &Origin,
    max_body_bytes: usize,
) -> Result<Response<Bytes>, Unanswered>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send,
{
    let peer = Peer::of(origin);
    let exchange = async {
        let sent = sender.try_send_request(request).await;
        let mut response = sent.map_err(|error| unanswered(&peer, error))?;
        let body = read_body(&mut response, max_body_bytes, &peer).await;
        let body = body.map_err(|failure| Unanswered { may_have_been_sent: true, failure })?;
        Ok(response.map(|_| body))
    };
    match select(pin!(exchange), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        // The connection is over, but what it has read may still wait for the exchange.
        Either::Right((_, exchange)) => exchange.await,
    }
}

/// hyper gives a request back when not one byte of it was written.
fn unanswered<B>(peer: &Peer<'_>, mut error: TrySendError<Request<B>>) -> Unanswered {
    let may_have_been_sent = error.take_message().is_none();
    Unanswered { may_have_been_sent, failure: no_answer(peer, error.error()) }
}

/// A request for a URL with the caller's headers, those aside that are not his to set.
pub(super) fn bare_request(method: Method, url: &HubUrl, headers: HeaderMap) -> Result<Request<NoBody>, IoFailure> {
    request(method, url, headers, Empty::new())
}

/// The same with a body.
pub(crate) fn full_request(
    method: Method,
    url: &HubUrl,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, IoFailure> {
    let length = HeaderValue::from(body.len());
    let is_get = method == Method::GET;
    let mut request = request(method, url, headers, Full::new(body))?;
    if !is_get {
        request.headers_mut().insert(CONTENT_LENGTH, length);
    }
    Ok(request)
}

fn request<B>(method: Method, url: &HubUrl, mut headers: HeaderMap, body: B) -> Result<Request<B>, IoFailure> {
    let unfit =
        |_| IoFailure::new(IoFailureKind::Local, format!("the URL of {} cannot be sent", Peer::of(url.origin())));
    let uri = Uri::try_from(url.path_and_query()).map_err(unfit)?;
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    if !headers.contains_key(HOST) {
        let host = HeaderValue::try_from(url.origin().authority()).expect("a host of a parsed URL is a header value");
        headers.insert(HOST, host);
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The head of an answer, and what is left of the transport if that answer took it away from HTTP.
pub(super) struct Switched<I> {
    pub(super) response: Response<Incoming>,
    /// The transport and what was read of it beyond the answer; absent if the answer did not switch.
    pub(super) transport: Option<(I, Bytes)>,
}

/// Sends a request that asks to switch protocols; `is_switched` tells from the answer whether it was granted.
pub(super) async fn switch<I>(
    io: I,
    request: Request<NoBody>,
    peer: &Peer<'_>,
    is_switched: impl Fn(&Response<Incoming>) -> bool,
) -> Result<Switched<I>, IoFailure>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let (mut sender, connection) = begin(io, peer).await?;
    let ended = |error: hyper::Error| no_answer(peer, &error);
    let (response, parts) = match select(pin!(sender.send_request(request)), pin!(connection.without_shutdown())).await
    {
        Either::Left((response, connection)) => {
            let response = response.map_err(ended)?;
            let parts = if is_switched(&response) { Some(connection.await.map_err(ended)?) } else { None };
            (response, parts)
        }
        Either::Right((parts, response)) => {
            let response = response.await.map_err(ended)?;
            let parts = if is_switched(&response) { Some(parts.map_err(ended)?) } else { None };
            (response, parts)
        }
    };
    let transport = parts.map(|Parts { io, read_buf, .. }| (io, read_buf));
    Ok(Switched { response, transport })
}

async fn begin<I, B>(io: I, peer: &Peer<'_>) -> Result<(SendRequest<B>, Connection<I, B>), IoFailure>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: Body + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = Builder::new();
    builder.max_headers(MAX_HEADERS).max_header_size(MAX_HEAD_BYTES).max_buf_size(MAX_HEAD_BYTES);
    builder.handshake(io).await.map_err(|error| no_answer(peer, &error))
}

async fn read_body(response: &mut Response<Incoming>, limit: usize, peer: &Peer<'_>) -> Result<Bytes, IoFailure> {
    // Copied rather than kept as it comes: a peer that sends single bytes must not make each of them an allocation.
    let mut body = BytesMut::new();
    while let Some(frame) = response.frame().await {
        let frame = frame.map_err(|error| no_answer(peer, &error))?;
        let Some(data) = frame.data_ref() else { continue };
        if data.len() > limit.saturating_sub(body.len()) {
            let message = format!("the answer of {peer} is longer than {limit} bytes");
            return Err(IoFailure::new(IoFailureKind::Protocol, message));
        }
        body.extend_from_slice(data);
    }
    Ok(body.freeze())
}

fn no_answer(peer: &dyn fmt::Display, error: &hyper::Error) -> IoFailure {
    failure::from_hyper(format_args!("HTTP with {peer}"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> Request<NoBody> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        bare_request(Method::POST, &HubUrl::parse("http://h:81/hub?x=1").unwrap(), headers).unwrap()
    }

    #[test]
    fn the_host_is_the_caller_s_or_that_of_the_url() {
        assert_eq!(request(&[]).headers()[HOST], "h:81");
        assert_eq!(request(&[("host", "other")]).headers()[HOST], "other");
        assert_eq!(request(&[]).uri(), "/hub?x=1");
    }

    #[test]
    fn what_frames_a_message_and_what_is_for_a_proxy_is_not_the_caller_s() {
        let request = request(&[
            ("proxy-authorization", "canary"),
            ("content-length", "7"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-kept", "yes"),
        ]);
        let mut names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["host", "x-kept"]);
    }

    #[test]
    fn a_url_too_long_to_send_is_our_own_failure() {
        let url = HubUrl::parse("http://h/").unwrap().with_query("access_token", &"canary".repeat(20_000));
        let failure = bare_request(Method::POST, &url, HeaderMap::new()).unwrap_err();
        assert_eq!(failure.kind, IoFailureKind::Local);
        assert!(!failure.message.contains("canary"));
    }
}
