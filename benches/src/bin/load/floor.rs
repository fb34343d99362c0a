//! The floors: a bare WebSocket and, at most, serde_json.
//!
//! What a client adds to these figures is its own. They are kept as fast as the parts allow: one read buffer of 16 KiB,
//! no copy of a frame, one parse a record straight from the frame's text.

mod record;

use std::time::{Duration, Instant};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Request;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message};

use self::record::{Borrowed, Meaning, Record, Text};
use crate::args::{Args, Mode, Task};
use crate::flood::Tally;
use crate::measure::Stopwatch;
use crate::{Failed, echo, flood, report};

const SEPARATOR: u8 = 0x1e;

/// More is zeroed before every read and costs more than it saves.
const READ_BUFFER: usize = 16 << 10;

/// A WebSocket of either runtime.
trait Socket: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin {}

impl<S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin> Socket for S {}

pub(crate) async fn tokio(args: Args) -> Result<(), Failed> {
    let (request, address) = destination(&args)?;
    let stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config())).await?;
    measure(args, socket).await
}

pub(crate) async fn async_std(args: Args) -> Result<(), Failed> {
    let (request, address) = destination(&args)?;
    let stream = async_std::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = async_tungstenite::client_async_with_config(request, stream, Some(config())).await?;
    measure(args, socket).await
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(READ_BUFFER)
}

/// The upgrade's request, and `host:port` to dial.
fn destination(args: &Args) -> Result<(Request, String), Failed> {
    let url = if args.task == Task::Echo { echo::raw_url(&args.url) } else { args.url.clone() };
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("ws://"));
    let rest = rest.ok_or("the floors speak http:// and ws:// only")?;
    let request = format!("ws://{rest}").into_client_request()?;
    let host = request.uri().host().ok_or("the url names no host")?;
    let address = format!("{host}:{}", request.uri().port_u16().unwrap_or(80));
    Ok((request, address))
}

async fn measure(args: Args, mut socket: impl Socket) -> Result<(), Failed> {
    match args.task {
        Task::Flood => measure_flood(&args, &mut socket).await?,
        Task::Echo => measure_echo(&args, &mut socket).await?,
        Task::Idle => return Err("the floors do not idle".into()),
    }
    socket.close().await?;
    Ok(())
}

async fn measure_flood(args: &Args, socket: &mut impl Socket) -> Result<(), Failed> {
    let peer = format!("{} {}", args.runtime, args.mode);
    shake_hands(socket).await?;
    for repetition in args.repetitions() {
        let watch = Stopwatch::start()?;
        socket.send(Message::text(flood::request(repetition.count, args.records_per_frame))).await?;
        let tally = match args.mode {
            Mode::Borrowed => {
                let mut tally = Tally::new();
                receive(socket, |frame| read::<Borrowed<'_>>(frame, &mut tally)).await?;
                tally
            }
            Mode::Owned => {
                let mut tally = Tally::new();
                receive(socket, |frame| read::<String>(frame, &mut tally)).await?;
                tally
            }
            _ => {
                receive(socket, |frame| Ok(ends_flood(frame))).await?;
                Tally::unread(repetition.count)
            }
        };
        let spent = watch.stop()?;
        if tally.events != repetition.count {
            return Err(format!("{} quotes came instead of {}", tally.events, repetition.count).into());
        }
        if !repetition.is_warm_up {
            report::flood(&peer, args.records_per_frame, &tally, spent);
        }
    }
    Ok(())
}

async fn measure_echo(args: &Args, socket: &mut impl Socket) -> Result<(), Failed> {
    let peer = format!("{} raw echo", args.runtime);
    let mut number = 0;
    for repetition in args.repetitions() {
        let mut times: Vec<Duration> = Vec::with_capacity(usize::try_from(repetition.count)?);
        let watch = Stopwatch::start()?;
        for _ in 0..repetition.count {
            let begin = Instant::now();
            let request = echo::request(number);
            let length = request.len();
            socket.send(Message::text(request)).await?;
            receive(socket, |frame| if frame.len() == length { Ok(true) } else { Err("no echo came back".into()) })
                .await?;
            times.push(begin.elapsed());
            number += 1;
        }
        let spent = watch.stop()?;
        if !repetition.is_warm_up {
            report::echo(&peer, &mut times, spent)?;
        }
    }
    Ok(())
}

/// SignalR's handshake (HubProtocol.md, Overview), by hand.
async fn shake_hands(socket: &mut impl Socket) -> Result<(), Failed> {
    socket.send(Message::text("{\"protocol\":\"json\",\"version\":1}\u{1e}")).await?;
    receive(socket, |frame| {
        if frame.starts_with("{}\u{1e}") {
            return Ok(true);
        }
        Err(format!("the handshake was answered with `{}`", frame.chars().take(200).collect::<String>().escape_debug())
            .into())
    })
    .await
}

/// Hands every frame's text over until one of them says that it was the last.
async fn receive(
    socket: &mut impl Socket,
    mut consume: impl FnMut(&str) -> Result<bool, Failed>,
) -> Result<(), Failed> {
    loop {
        let is_last = match socket.next().await.ok_or("the connection ended too early")?? {
            Message::Text(text) => consume(text.as_str())?,
            Message::Binary(bytes) => consume(std::str::from_utf8(&bytes)?)?,
            Message::Close(_) => return Err("the server closed too early".into()),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => false,
        };
        if is_last {
            return Ok(());
        }
    }
}

/// Parses each record of a frame once; says whether `Done` was among them.
fn read<'f, T: Text<'f>>(frame: &'f str, tally: &mut Tally) -> Result<bool, Failed> {
    let mut start = 0;
    for end in memchr::memchr_iter(SEPARATOR, frame.as_bytes()) {
        let text = frame.get(start..end).ok_or("a record cuts a character")?;
        start = end + 1;
        let record: Record<T> = serde_json::from_str(text)?;
        match record.meaning() {
            Meaning::Quote(quote) => tally.quote(quote.volume as i64, quote.best_bid + quote.best_ask),
            Meaning::Done => return Ok(true),
            Meaning::Other => {}
        }
    }
    if start == frame.len() { Ok(false) } else { Err("a frame ends within a record".into()) }
}

/// Whether `Done` is in this frame, without a parse: alone in a short one, or as the last record of any.
fn ends_flood(frame: &str) -> bool {
    const SHORT: usize = 128;
    (frame.len() <= SHORT && frame.contains(r#""Done""#))
        || frame.ends_with("\"target\":\"Done\",\"arguments\":[]}\u{1e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTE: &str = concat!(
        r#"{"type":1,"target":"GatewayQuote","arguments":["CON.F.US.EP.Z26",{"symbol":"F.US.EP","symbolName":"/ES","#,
        r#""lastPrice":5023.25,"bestBid":5023.00,"bestAsk":5023.25,"volume":0,"timestamp":"2026-11-20T14:30:00\u002B00:00"}]}"#,
        "\u{1e}",
    );
    const PING: &str = "{\"type\":6}\u{1e}";
    const DONE: &str = "{\"type\":1,\"target\":\"Done\",\"arguments\":[]}\u{1e}";

    #[test]
    fn both_parsers_read_quotes_pings_and_the_end() {
        let frame = [PING, QUOTE, QUOTE].concat();
        let mut tally = Tally::new();
        assert!(!read::<Borrowed<'_>>(&frame, &mut tally).unwrap());
        assert!(!read::<String>(&frame, &mut tally).unwrap());
        assert_eq!((tally.events, tally.out_of_order(), tally.checksum()), (4, Some(3), Some(40_185)));
        assert!(read::<Borrowed<'_>>(DONE, &mut tally).unwrap());
        assert!(read::<String>(DONE, &mut tally).unwrap());
        assert_eq!(tally.events, 4);
        let reordered = r#"{"arguments":[],"target":"Done","type":1}"#.to_owned() + "\u{1e}";
        assert!(read::<Borrowed<'_>>(&reordered, &mut tally).unwrap());
    }

    #[test]
    fn a_torn_frame_is_an_error() {
        let mut tally = Tally::new();
        assert!(read::<Borrowed<'_>>(QUOTE.trim_end_matches('\u{1e}'), &mut tally).is_err());
        assert!(read::<Borrowed<'_>>("{\u{1e}", &mut tally).is_err());
    }

    #[test]
    fn the_end_is_seen_without_a_parse() {
        assert!(ends_flood(DONE));
        assert!(ends_flood(&[QUOTE, DONE].concat()));
        assert!(!ends_flood(QUOTE));
        assert!(!ends_flood(PING));
    }
}
