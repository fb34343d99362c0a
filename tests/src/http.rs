//! One HTTP request, blocking: what a test asks a server to do to a connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Sends a request to `http://HOST:PORT/...` and gives the status and the body.
pub fn request(method: &str, url: &str, body: &str) -> (u16, String) {
    request_with(method, url, &[], body)
}

/// The same with headers.
pub fn request_with(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    try_request(method, url, headers, body).unwrap()
}

/// The same where the server may be out of reach, or may go before it has answered.
pub fn try_request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<(u16, String)> {
    let (authority, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap();
    let mut socket = TcpStream::connect(authority)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let length = body.len();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    // 1.0, so that the answer ends with the socket and comes in one piece.
    write!(
        socket,
        "{method} /{path} HTTP/1.0\r\nHost: {authority}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Ok((status, body.to_owned()))
}

/// POSTs, and insists on success.
pub fn post(url: &str, body: &str) -> String {
    let (status, answer) = request("POST", url, body);
    assert!((200..300).contains(&status), "{url} answered {status}: {answer}");
    answer
}

/// GETs JSON.
pub fn get_json(url: &str) -> Value {
    let (status, answer) = request("GET", url, "");
    assert_eq!(status, 200, "{url} answered {answer}");
    serde_json::from_str(&answer).unwrap()
}
