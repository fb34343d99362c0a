//! A server of bare bytes: what happens on its sockets is written out by the test.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tungstenite::handshake::derive_accept_key;

/// The server; its threads end with their sockets, or with the process.
pub struct RawServer {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl RawServer {
    /// Reads the head of each connection's first request and hands it, with the socket, to `serve`.
    pub fn start(serve: impl Fn(String, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (serve, requests) = (Arc::new(serve), Arc::<AtomicUsize>::default());
        let counted = requests.clone();
        thread::spawn(move || {
            for mut socket in listener.incoming().map_while(Result::ok) {
                let (serve, counted) = (serve.clone(), counted.clone());
                thread::spawn(move || {
                    let Some(head) = read_head(&mut socket) else { return };
                    counted.fetch_add(1, Ordering::SeqCst);
                    serve(head, socket);
                });
            }
        });
        Self { port, requests }
    }

    /// The URL of a path, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn read_head(socket: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// The answer that accepts the upgrade of this head.
pub fn switching(head: &str) -> String {
    let key = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| line[18..].trim()));
    let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// A text frame of a server.
pub fn text_frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(short) if short < 126 => frame.push(short),
        _ => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}

/// Writes one byte at a time, as long as the peer takes them.
pub fn drip(socket: &mut TcpStream, bytes: &[u8], mut between: impl FnMut()) {
    socket.set_nodelay(true).unwrap();
    for byte in bytes {
        if socket.write_all(&[*byte]).is_err() {
            return;
        }
        between();
    }
}

/// Reads and forgets until the peer has gone.
pub fn drain(mut socket: TcpStream) {
    let mut buffer = [0; 4096];
    while socket.read(&mut buffer).is_ok_and(|read| read > 0) {}
    // It may be gone already.
    let _ = socket.shutdown(Shutdown::Both);
}
