//! What the HTTP client says of a request that has no answer.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use adapter_core::{ConfigError, HttpAnswer, HttpCall, HttpClient, HttpError, IoFailureKind, Proxy, Runtime, Secret};
use bytes::Bytes;
use http::Method;
use http::header::{LOCATION, TRANSFER_ENCODING};

use crate::support::*;

scenarios! {
    an_answer_comes_with_status_headers_and_body,
    before_the_transport_stands_nothing_was_sent,
    once_the_request_was_read_the_outcome_is_unknown,
    a_redirect_is_an_answer,
    a_token_is_sent_as_a_header_and_to_this_origin_only,
    whoever_drops_a_request_hangs_up,
}

/// A server that does one thing with every connection, and tells what it read first.
fn server(act: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(act));
    address
}

/// Reads a request's head, and a body of that many bytes.
fn read_request(stream: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 1_024]);
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&request).into_owned(),
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}

fn answering(answer: &'static str) -> SocketAddr {
    server(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(answer.as_bytes());
    })
}

fn post() -> HttpCall {
    let mut call = HttpCall::new(Method::POST, "/api/order?key=canary");
    call.body = Bytes::from_static(b"{\"canary\":1}");
    call.token = Some(Secret::new("canary-token"));
    call.timeout = SECOND;
    call
}

async fn ask<R: Runtime>(root: String, call: HttpCall) -> Result<HttpAnswer, HttpError> {
    let answer = HttpClient::<R>::builder(root).build().unwrap().request(call).await;
    if let Err(error) = &answer {
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    answer
}

async fn an_answer_comes_with_status_headers_and_body<R: Runtime>() {
    let address = answering("HTTP/1.1 418 Teapot\r\nx-a: b\r\ncontent-length: 3\r\n\r\nabcSURPLUS");
    let answer = ask::<R>(format!("http://{address}"), post()).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (418, &b"abc"[..]));
    assert_eq!(answer.header(http::HeaderName::from_static("x-a")), Some("b"));
    // To the end of the transport, where no length is said.
    let address = answering("HTTP/1.1 200 OK\r\n\r\nto the end");
    assert_eq!(&*ask::<R>(format!("http://{address}/"), post()).await.unwrap().body, b"to the end");
}

async fn before_the_transport_stands_nothing_was_sent<R: Runtime>() {
    let not_sent = |answer: Result<HttpAnswer, HttpError>| match answer {
        Err(HttpError::NotSent(failure)) => failure.kind,
        other => panic!("{other:?}"),
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(not_sent(ask::<R>(format!("http://{closed}"), post()).await), IoFailureKind::Refused);
    let unknown =
        not_sent(ask::<R>("http://no-such-host.invalid".to_owned(), HttpCall { token: None, ..post() }).await);
    assert!(matches!(unknown, IoFailureKind::Refused | IoFailureKind::TimedOut), "{unknown:?}");

    // No TLS where TLS is wanted: the server even answers something.
    let plain = answering("HTTP/1.1 400 Bad Request\r\n\r\n");
    not_sent(ask::<R>(format!("https://{plain}"), post()).await);
    // TLS that never comes: the server takes the connection, and is silent.
    let (keep, kept) = mpsc::channel();
    let silent = server(move |stream| keep.send(stream).unwrap());
    assert_eq!(not_sent(ask::<R>(format!("https://{silent}"), post()).await), IoFailureKind::TimedOut);
    // Whoever wants it to leave soon need not give up soon.
    let soon = HttpCall { timeout: 60 * SECOND, leave_within: SECOND / 5, ..post() };
    assert_eq!(not_sent(ask::<R>(format!("https://{silent}"), soon).await), IoFailureKind::TimedOut);
    drop(kept);

    // A proxy that refuses, and one that is silent.
    for (proxy, kind) in [
        (answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"), IoFailureKind::Refused),
        (server(|mut stream| drop(read_request(&mut stream))), IoFailureKind::Lost),
    ] {
        let proxy = Proxy::http(&format!("http://{proxy}")).unwrap();
        let client = HttpClient::<R>::builder("http://127.0.0.1:9").proxy(proxy).build().unwrap();
        assert_eq!(not_sent(client.request(post()).await), kind);
    }
    // Where a token must not go, it does not.
    assert_eq!(not_sent(ask::<R>("http://example.com".to_owned(), post()).await), IoFailureKind::Local);
    let path = HttpCall { path: "@example.com/".to_owned(), ..post() };
    assert_eq!(not_sent(ask::<R>("http://127.0.0.1:9".to_owned(), path).await), IoFailureKind::Local);
}

async fn once_the_request_was_read_the_outcome_is_unknown<R: Runtime>() {
    type Act = fn(TcpStream);
    let acts: [(&str, Act); 7] = [
        ("it hangs up", |mut stream| drop(read_request(&mut stream))),
        ("it is silent", |mut stream| {
            read_request(&mut stream);
            // Until the client has given up.
            let _ = stream.read(&mut [0]);
        }),
        ("it stops in the head", |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le");
        }),
        ("it stops in the body", |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
            let _ = stream.shutdown(Shutdown::Both);
        }),
        ("it speaks no HTTP", |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(b"canary, canary\r\n\r\n");
        }),
        ("it never ends", |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            while stream.write_all(b"1000\r\n").is_ok()
                && stream.write_all(&[b'x'; 0x1000]).is_ok()
                && stream.write_all(b"\r\n").is_ok()
            {}
        }),
        ("its head never ends", |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n").is_ok() {}
        }),
    ];
    for (name, act) in acts {
        let address = server(act);
        let call = HttpCall { max_body_bytes: 64 << 10, timeout: 3 * SECOND, ..post() };
        let answer = ask::<R>(format!("http://{address}"), call).await;
        assert!(matches!(answer, Err(HttpError::OutcomeUnknown(_))), "{name}: {answer:?}");
    }
}

async fn a_redirect_is_an_answer<R: Runtime>() {
    let address = answering("HTTP/1.1 307 Temporary\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    let answer = ask::<R>(format!("http://{address}"), post()).await.unwrap();
    assert_eq!((answer.status, answer.header(LOCATION)), (307, Some("http://127.0.0.1:1/")));
}

async fn a_token_is_sent_as_a_header_and_to_this_origin_only<R: Runtime>() {
    let (tell, told) = mpsc::channel();
    let address = server(move |mut stream| {
        tell.send(read_request(&mut stream)).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    let mut call = post();
    call.headers.push((TRANSFER_ENCODING, http::HeaderValue::from_static("chunked")));
    ask::<R>(format!("http://{address}/root"), call).await.unwrap();
    let request = told.recv().unwrap();
    assert!(request.starts_with("POST /root/api/order?key=canary HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("authorization: Bearer canary-token\r\n") && request.ends_with("{\"canary\":1}"),
        "{request}"
    );
    assert!(request.contains("content-length: 12\r\n") && !request.contains("chunked"), "{request}");
    let insecure = HttpClient::<R>::builder("http://example.com").carries_token(true).build();
    assert!(matches!(insecure, Err(ConfigError::InsecureToken { .. })));
}

async fn whoever_drops_a_request_hangs_up<R: Runtime>() {
    let (tell, told) = mpsc::channel();
    let address = server(move |mut stream| {
        read_request(&mut stream);
        tell.send("read").unwrap();
        let ended = matches!(stream.read(&mut [0]), Ok(0) | Err(_));
        tell.send(if ended { "ended" } else { "more" }).unwrap();
    });
    let request = Box::pin(ask::<R>(format!("http://{address}"), HttpCall { timeout: 60 * SECOND, ..post() }));
    let read = until::<R, _>("the request is read", async || told.try_recv() == Ok("read"));
    let dropped = match futures_util::future::select(request, Box::pin(read)).await {
        futures_util::future::Either::Right(((), request)) => request,
        futures_util::future::Either::Left((answer, _)) => panic!("{answer:?}"),
    };
    drop(dropped);
    until::<R, _>("the server sees the end", async || told.try_recv() == Ok("ended")).await;
}
