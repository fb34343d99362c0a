//! A WebSocket server on a thread of its own: it echoes, or speaks as little SignalR as the client needs.

use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::Value;
use tungstenite::{Error, Message, WebSocket};

/// What answers a handshake.
const ACCEPTED: &str = "{}\u{1e}";

/// Serves every connection for as long as the process lives; says on which port.
pub(crate) fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback interface");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Serves one connection until it ends, in whatever way.
fn serve(stream: TcpStream) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let Ok(mut socket) = tungstenite::accept(stream) else { return Ok(()) };
    let first = socket.read()?;
    if !matches!(&first, Message::Text(text) if text.starts_with(r#"{"protocol""#)) {
        return echo(&mut socket, first);
    }
    socket.send(Message::text(ACCEPTED))?;
    loop {
        let Message::Text(text) = socket.read()? else { continue };
        for record in text.split_terminator('\u{1e}') {
            answer(&mut socket, record)?;
        }
    }
}

fn echo(socket: &mut WebSocket<TcpStream>, mut message: Message) -> Result<(), Error> {
    loop {
        socket.send(message)?;
        message = socket.read()?;
    }
}

/// `Echo(value)` gives its value back; `StartFlood(events, recordsPerFrame)` sends so many quotes.
fn answer(socket: &mut WebSocket<TcpStream>, record: &str) -> Result<(), Error> {
    let Ok(record) = serde_json::from_str::<Value>(record) else { return Ok(()) };
    let argument = |index: usize| &record["arguments"][index];
    match record["target"].as_str() {
        Some("Echo") => {
            let completion =
                format!(r#"{{"type":3,"invocationId":{},"result":{}}}"#, record["invocationId"], argument(0));
            socket.send(Message::text(completion + "\u{1e}"))
        }
        Some("StartFlood") => {
            let count = |index| argument(index).as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
            let (events, records) = (count(0), count(1));
            let frame = Message::text(crate::data::frame(&crate::data::record(), records));
            for _ in 0..events / records {
                socket.write(frame.clone())?;
            }
            socket.flush()
        }
        _ => Ok(()),
    }
}
