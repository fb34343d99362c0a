//! A server for one connection, on a thread, in plain blocking I/O: it shares nothing with what is tested.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tungstenite::handshake::derive_accept_key;

use super::DEADLINE;

/// A server that has accepted, or will accept, one connection.
pub(super) struct Server<T> {
    pub(super) port: u16,
    seen: Receiver<T>,
}

impl<T> Server<T> {
    /// What the server's side of the talk came to.
    #[track_caller]
    pub(super) fn seen(self) -> T {
        self.seen.recv_timeout(DEADLINE).expect("the server ends, and not by a panic")
    }
}

/// Accepts one connection and talks on it; afterwards the client's end of it is awaited, so that nothing sent is lost to a reset.
pub(super) fn serve<T, F>(talk: F) -> Server<T>
where
    T: Send + 'static,
    F: FnOnce(&TcpStream) -> T + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, seen) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let outcome = talk(&stream);
        let _ = stream.shutdown(Shutdown::Write);
        drain(&stream);
        let _ = tell.send(outcome);
    });
    Server { port, seen }
}

/// A port of this machine on which nobody listens, and nobody will while this lives.
pub(super) struct Nobody {
    pub(super) port: u16,
    _holders: (TcpStream, TcpListener),
}

impl Nobody {
    pub(super) fn new() -> Self {
        // The near end of a connection has a port, too; one that was free a moment ago may be another test's by now.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Self { port: stream.local_addr().unwrap().port(), _holders: (stream, listener) }
    }
}

/// Reads one head, answers it with these bytes, and returns the head.
pub(super) fn answering(answer: impl Into<Vec<u8>>) -> Server<String> {
    let answer = answer.into();
    serve(move |mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(&answer).unwrap();
        head
    })
}

/// Reads up to the empty line that ends a head; what follows stays unread.
pub(super) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// Reads until the client has gone, however it goes.
pub(super) fn drain(mut stream: impl Read) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
}

/// The value of a header, if the head has it.
pub(super) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The proper answer to an upgrade.
pub(super) fn upgraded(request_head: &str) -> String {
    let key = header(request_head, "sec-websocket-key").unwrap();
    let accept = derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// A short text message as a server sends it.
pub(super) fn text_frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).unwrap();
    [&[0x81, length], text.as_bytes()].concat()
}
