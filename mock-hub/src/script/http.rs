//! HTTP/1.1 by hand: requests as they came, and answers that need not be any.

use std::io;
use std::time::Instant;

use tokio::io::AsyncReadExt;

use crate::wire::Wire;

/// The longest request head taken.
const MAX_HEAD: usize = 64 * 1024;
/// The longest request body taken.
const MAX_BODY: usize = 1024 * 1024;

/// A request that a client made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The number of requests of the same kind (upgrades, or all others) before it.
    pub serial: usize,
    /// The method, such as `POST`.
    pub method: String,
    /// The path with its query, as sent.
    pub target: String,
    /// The headers in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it had arrived in full.
    pub at: Instant,
}

impl Request {
    /// The value of a header, whatever the case of its name; the first of several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The value of a query parameter as sent, not decoded; the first of several.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// Whether it asks for a WebSocket.
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        self.header("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
    }

    /// Whether it is a negotiate request.
    #[must_use]
    pub fn is_negotiate(&self) -> bool {
        !self.is_upgrade() && self.path().ends_with("/negotiate")
    }
}

/// An HTTP answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// An answer with this status, no headers but its length, and no body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A 200 with a JSON body.
    #[must_use]
    pub fn json(body: impl Into<String>) -> Self {
        Self::new(200).header("Content-Type", "application/json").body(body.into())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// An upgrade succeeds and its script runs; a negotiate gets ids and WebSockets; anything else a 404.
    Accept,
    /// This answer.
    Answer(Answer),
    /// No answer at all; the socket stays open until the client gives up.
    Never,
    /// These bytes, whatever they are, and then the end of the socket.
    Bytes(Vec<u8>),
    /// The end of the socket, without an answer.
    Close,
    /// A reset of the socket (RST), without an answer.
    Reset,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// Status, headers and body.
impl<B: Into<Vec<u8>>> From<(u16, Vec<(String, String)>, B)> for Reply {
    fn from((status, headers, body): (u16, Vec<(String, String)>, B)) -> Self {
        Self::Answer(Answer { status, headers, body: body.into() })
    }
}

/// Reads one request; `buffer` keeps what follows it. `None` at the end of the socket.
pub(super) async fn read_request(wire: &mut Wire, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if buffer.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if wire.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head: Vec<u8> = buffer.drain(..end).collect();
    let mut request = parse_head(&head).ok_or(io::ErrorKind::InvalidData)?;
    let length = match request.header("content-length") {
        Some(length) => length.parse().map_err(|_| io::ErrorKind::InvalidData)?,
        None => 0_usize,
    };
    if length > MAX_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    while buffer.len() < length {
        if wire.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    request.body = buffer.drain(..length).collect();
    request.at = Instant::now();
    Ok(Some(request))
}

fn parse_head(head: &[u8]) -> Option<Request> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    let headers = lines.filter(|line| !line.is_empty()).map(header).collect::<Option<Vec<_>>>()?;
    Some(Request { serial: 0, method, target, headers, body: Vec::new(), at: Instant::now() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_taken_apart() {
        let head = b"GET /hub?id=a%2B&id=b HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n\r\n";
        let request = parse_head(head).unwrap();
        assert_eq!((request.method.as_str(), request.path()), ("GET", "/hub"));
        assert_eq!((request.query("id"), request.query("no")), (Some("a%2B"), None));
        assert!(request.is_upgrade() && !request.is_negotiate());
        assert!(parse_head(b"GET /\r\nno colon\r\n\r\n").is_none());
    }
}
