//! A client that does nothing but count: an upgrade written by hand, frames walked by their lengths, record separators counted.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failed;

const SEPARATOR: u8 = 0x1E;
const TEXT: u8 = 0x81;

/// Where the hub is.
pub(crate) struct Target {
    authority: String,
    query: String,
}

impl Target {
    pub(crate) fn parse(url: &str, token: Option<&str>) -> Result<Self, Failed> {
        let authority = url.strip_prefix("http://").ok_or("only http:// is known")?.trim_end_matches('/');
        let query = token.map(|token| format!("?access_token={token}")).unwrap_or_default();
        Ok(Self { authority: authority.to_owned(), query })
    }
}

pub(crate) struct Client {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Upgrades and shakes hands.
    pub(crate) async fn connect(target: &Target) -> Result<Self, Failed> {
        let mut socket = TcpStream::connect(&target.authority).await?;
        socket.set_nodelay(true)?;
        let request = format!(
            "GET /hubs/market{} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            target.query, target.authority
        );
        socket.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await?);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            return Err(format!("the upgrade was refused: {}", String::from_utf8_lossy(line)).into());
        }
        let mut client = Self { socket, buffer: Vec::new() };
        client.send(b"{\"protocol\":\"json\",\"version\":1}\x1e").await?;
        client.records(1).await?;
        Ok(client)
    }

    /// Subscribes, and waits for the full quote and the completion.
    pub(crate) async fn subscribe(&mut self, contract: &str) -> Result<(), Failed> {
        let call = format!(
            "{{\"type\":1,\"invocationId\":\"1\",\"target\":\"SubscribeContractQuotes\",\"arguments\":[\"{contract}\"]}}\u{1e}"
        );
        self.send(call.as_bytes()).await?;
        self.records(2).await
    }

    /// Counts records until the connection ends, and keeps it alive with a ping before the hub's patience is over.
    pub(crate) async fn count(mut self, records: &AtomicU64) {
        let mut ping = tokio::time::interval(std::time::Duration::from_secs(10));
        loop {
            tokio::select! {
                read = self.socket.read_buf(&mut self.buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return;
                    }
                    records.fetch_add(self.walk(), Ordering::Relaxed);
                }
                _ = ping.tick() => {
                    if self.send(b"{\"type\":6}\x1e").await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn records(&mut self, mut wanted: u64) -> Result<(), Failed> {
        while wanted > 0 {
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err("the hub hung up".into());
            }
            wanted = wanted.saturating_sub(self.walk());
        }
        Ok(())
    }

    /// Takes the whole frames out of the buffer: how many records of invocations and answers they held. Pings are not counted.
    fn walk(&mut self) -> u64 {
        let (mut at, mut records) = (0, 0);
        while let Some((start, end)) = frame(&self.buffer[at..]) {
            let payload = &self.buffer[at + start..at + end];
            if self.buffer[at] == TEXT {
                records += memchr::memchr_iter(SEPARATOR, payload).count() as u64;
                records -= u64::from(payload == b"{\"type\":6}\x1e");
            }
            at += end;
        }
        self.buffer.drain(..at);
        records
    }

    /// One masked text frame, its mask all zeros.
    async fn send(&mut self, payload: &[u8]) -> Result<(), Failed> {
        let mut frame = vec![TEXT];
        match u8::try_from(payload.len()) {
            Ok(length @ 0..126) => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(payload.len())?.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend_from_slice(payload);
        self.socket.write_all(&frame).await?;
        Ok(())
    }
}

/// Where the payload of the first frame begins and ends, if it is there in full. A server's frames are not masked.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (start, length): (usize, usize) = match *bytes.get(1)? & 0x7F {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => {
            let length: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
            (10, usize::try_from(u64::from_be_bytes(length)).ok()?)
        }
        short => (2, usize::from(short)),
    };
    let end = start.checked_add(length)?;
    (bytes.len() >= end).then_some((start, end))
}
