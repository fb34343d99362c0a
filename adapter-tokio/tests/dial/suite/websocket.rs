//! The upgrade and what comes after it.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use ::http::HeaderMap;
use ::http::header::{HeaderValue, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};
use adapter_core::dial::websocket_failure;
use futures_util::{SinkExt, StreamExt as _};
use signalr_proto::io::{IoFailure, IoFailureKind};
use tungstenite::Message;
use tungstenite::protocol::Role;

use super::authority::{Authority, accept};
use super::server::{Server, drain, header, read_head, serve, text_frame, upgraded};
use super::{MAX_MESSAGE_BYTES, WebSocket, direct, failure, local, open, open_with, quiet, run, trusting};

/// Upgrades, sends these bytes together with the answer, and goes.
fn sending(bytes: Vec<u8>) -> Server<String> {
    serve(move |mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(&[upgraded(&head).as_bytes(), &bytes].concat()).unwrap();
        head
    })
}

/// Answers the upgrade with what `change` makes of the proper answer.
fn changing(change: impl Fn(String) -> String + Send + 'static) -> Server<()> {
    serve(move |mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(change(upgraded(&head)).as_bytes()).unwrap();
    })
}

/// The failure that ends a WebSocket, after this many messages.
async fn end_of(mut websocket: WebSocket, after: usize) -> IoFailure {
    for _ in 0..after {
        websocket.next().await.unwrap().unwrap();
    }
    let error = websocket.next().await.unwrap().unwrap_err();
    quiet(websocket_failure(error))
}

#[test]
fn messages_go_both_ways() {
    let server = serve(|mut stream: &TcpStream| {
        let head = read_head(&mut stream);
        stream.write_all(upgraded(&head).as_bytes()).unwrap();
        let mut websocket = tungstenite::WebSocket::from_raw_socket(stream, Role::Server, None);
        let message = websocket.read().unwrap();
        websocket.send(message).unwrap();
        assert!(websocket.read().unwrap().is_close());
        head
    });
    let port = server.port;
    run(async {
        let mut websocket = open(&direct(), local("ws", port)).await.unwrap();
        SinkExt::send(&mut websocket, Message::text("hello")).await.unwrap();
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("hello"));
        SinkExt::close(&mut websocket).await.unwrap();
    });
    let head = server.seen();
    assert!(head.starts_with("GET /hub?access_token=canary HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "host"), Some(&*format!("localhost:{port}")));
    assert_eq!(header(&head, "upgrade"), Some("websocket"));
    assert_eq!(header(&head, "connection"), Some("Upgrade"));
    assert_eq!(header(&head, "sec-websocket-version"), Some("13"));
    assert_eq!(header(&head, "authorization"), Some("Bearer canary"));
    assert_eq!(header(&head, "content-length"), None);
}

#[test]
fn frames_glued_to_the_answer_are_not_lost() {
    // The last frame is cut in two: its second half comes later, over the transport itself.
    let server = serve(|mut stream| {
        let head = read_head(&mut stream);
        let frames = [text_frame("one"), text_frame("two"), text_frame("three")].concat();
        let (glued, late) = frames.split_at(frames.len() - 3);
        stream.write_all(&[upgraded(&head).as_bytes(), glued].concat()).unwrap();
        let mut pong = [0; 1];
        std::io::Read::read_exact(&mut stream, &mut pong).unwrap();
        stream.write_all(late).unwrap();
    });
    run(async {
        let mut websocket = open(&direct(), local("http", server.port)).await.unwrap();
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("one"));
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("two"));
        SinkExt::send(&mut websocket, Message::text("go on")).await.unwrap();
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("three"));
    });
    server.seen();
}

#[test]
fn an_answer_in_single_bytes_is_an_answer() {
    let server = serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.set_nodelay(true).unwrap();
        for byte in [upgraded(&head).into_bytes(), text_frame("hello")].concat() {
            stream.write_all(&[byte]).unwrap();
            std::thread::yield_now();
        }
    });
    run(async {
        let mut websocket = open(&direct(), local("http", server.port)).await.unwrap();
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("hello"));
    });
}

#[test]
fn an_answer_that_does_not_fit_the_question_is_a_protocol_failure() {
    for (name, from, to) in [
        ("accept key", "Accept: ", "Accept: x"),
        ("extension", "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        ("subprotocol", "\r\n\r\n", "\r\nSec-WebSocket-Protocol: canary\r\n\r\n"),
        ("upgrade", "Upgrade: websocket", "Upgrade: canary"),
        ("connection", "Connection: Upgrade", "Connection: close"),
        ("version", "HTTP/1.1", "HTTP/1.0"),
    ] {
        let server = changing(move |answer| answer.replace(from, to));
        let failed = failure(run(open(&direct(), local("http", server.port))));
        assert_eq!(failed.kind, IoFailureKind::Protocol, "{name}: {failed}");
    }
}

#[test]
fn a_subprotocol_is_taken_if_it_was_offered_and_an_extension_is_never_offered() {
    let server = serve(|mut stream| {
        let head = read_head(&mut stream);
        let answer = upgraded(&head).replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: json\r\n\r\n");
        stream.write_all(answer.as_bytes()).unwrap();
        head
    });
    let headers = HeaderMap::from_iter([
        (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("other, json")),
        (SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate")),
    ]);
    assert!(run(open_with(&direct(), local("http", server.port), headers)).is_ok());
    assert_eq!(header(&server.seen(), "sec-websocket-extensions"), None);
}

#[test]
fn any_other_status_is_told() {
    for status in [200, 204, 302, 403, 404, 503] {
        let server =
            changing(move |_| format!("HTTP/1.1 {status} canary\r\nX-Why: canary\r\nContent-Length: 0\r\n\r\n"));
        let failed = failure(run(open(&direct(), local("http", server.port))));
        assert_eq!(failed.kind, IoFailureKind::Status(status), "{failed}");
    }
}

#[test]
fn a_message_over_the_limit_is_oversize() {
    let frame = |head: u8, length: usize| {
        let length_field = u16::try_from(length).unwrap().to_be_bytes();
        [&[head, 126], &length_field[..], &"x".repeat(length).into_bytes()].concat()
    };
    let fits = frame(0x81, MAX_MESSAGE_BYTES);
    let too_long = frame(0x81, MAX_MESSAGE_BYTES + 1);
    let too_long_in_two_frames = [frame(0x01, MAX_MESSAGE_BYTES), frame(0x80, 200)].concat();
    for message in [too_long, too_long_in_two_frames] {
        let server = sending([fits.clone(), message].concat());
        let ended = run(async { end_of(open(&direct(), local("http", server.port)).await.unwrap(), 1).await });
        assert_eq!(ended.kind, IoFailureKind::Oversize, "{ended}");
    }
}

#[test]
fn what_breaks_the_rules_of_websocket_is_a_protocol_failure() {
    for (name, bytes) in [
        ("masked", vec![0x81, 0x81, 0, 0, 0, 0, b'x']),
        ("reserved bits", vec![0xf1, 0x01, b'x']),
        ("not UTF-8", vec![0x81, 0x01, 0xff]),
        ("continues nothing", vec![0x80, 0x01, b'x']),
    ] {
        let server = sending(bytes);
        let ended = run(async { end_of(open(&direct(), local("http", server.port)).await.unwrap(), 0).await });
        assert_eq!(ended.kind, IoFailureKind::Protocol, "{name}: {ended}");
    }
}

#[test]
fn an_end_without_a_close_frame_is_a_loss() {
    let server = sending(text_frame("hello"));
    let ended = run(async { end_of(open(&direct(), local("http", server.port)).await.unwrap(), 1).await });
    assert_eq!(ended.kind, IoFailureKind::Lost, "{ended}");
}

#[test]
fn under_tls_too_an_end_without_a_close_frame_is_a_loss() {
    for has_close_notify in [true, false] {
        let authority = Authority::new();
        let config = Authority::server(authority.issue("localhost"));
        let server = serve(move |stream| {
            let mut tls = accept(config, stream).unwrap();
            let head = read_head(&mut tls);
            tls.write_all(&[upgraded(&head).as_bytes(), &text_frame("hello")].concat()).unwrap();
            if has_close_notify {
                tls.conn.send_close_notify();
            }
            tls.flush().unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            drain(stream);
        });
        let options = trusting(authority.client());
        let ended = run(async { end_of(open(&options, local("wss", server.port)).await.unwrap(), 1).await });
        assert_eq!(ended.kind, IoFailureKind::Lost, "{ended}");
    }
}
