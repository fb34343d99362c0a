//! Through a proxy by CONNECT.

use std::io::{Read, Write};

use futures_util::StreamExt as _;
use signalr_proto::io::IoFailureKind;
use tungstenite::Message;

use super::authority::{Authority, accept};
use super::server::{Nobody, answering, drain, header, read_head, serve, text_frame, upgraded};
use super::{failure, hub, open, post, run, through};

/// A hub that only its proxy can find.
const HUB: &str = "hub.invalid";

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

#[test]
fn a_plain_hub_is_reached_through_a_tunnel_too() {
    let proxy = serve(|mut stream| {
        let connect = read_head(&mut stream);
        stream.write_all(ESTABLISHED).unwrap();
        let request = read_head(&mut stream);
        stream.write_all(ANSWER).unwrap();
        (connect, request)
    });
    let options = through(&format!("http://127.0.0.1:{}", proxy.port), Authority::new().client());
    assert_eq!(&run(post(&options, hub("http", HUB, 80))).unwrap().body[..], b"{}");
    let (connect, request) = proxy.seen();
    assert!(connect.starts_with("CONNECT hub.invalid:80 HTTP/1.1\r\n"), "{connect}");
    assert_eq!(header(&connect, "host"), Some("hub.invalid:80"));
    assert_eq!((header(&connect, "proxy-authorization"), header(&connect, "authorization")), (None, None));
    assert!(request.starts_with("POST /hub?"), "{request}");
    assert_eq!(header(&request, "host"), Some(HUB));
}

#[test]
fn credentials_go_to_the_proxy_and_no_further() {
    let authority = Authority::new();
    let config = Authority::server(authority.issue(HUB));
    let proxy = serve(move |mut stream| {
        let connect = read_head(&mut stream);
        stream.write_all(ESTABLISHED).unwrap();
        let mut tls = accept(config, stream).unwrap();
        let request = read_head(&mut tls);
        tls.write_all(&[upgraded(&request).as_bytes(), &text_frame("hello")].concat()).unwrap();
        drain(tls);
        (connect, request)
    });
    let options = through(&format!("http://Aladdin:open%20sesame@127.0.0.1:{}", proxy.port), authority.client());
    run(async {
        let mut websocket = open(&options, hub("https", HUB, 8443)).await.unwrap();
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("hello"));
    });
    let (connect, request) = proxy.seen();
    assert!(connect.starts_with("CONNECT hub.invalid:8443 HTTP/1.1\r\n"), "{connect}");
    assert_eq!(header(&connect, "proxy-authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!(header(&connect, "authorization"), None);
    assert_eq!(header(&request, "proxy-authorization"), None);
    assert_eq!(header(&request, "authorization"), Some("Bearer canary"));
}

#[test]
fn a_refusing_proxy_is_named_with_its_status() {
    for status in [
        "407 Proxy Authentication Required",
        "403 Forbidden",
        "502 Bad Gateway",
        "302 Found",
        "101 Switching Protocols",
    ] {
        let proxy = answering(format!(
            "HTTP/1.1 {status}\r\nRetry-After: 7\r\nX-Why: canary\r\nContent-Length: 6\r\n\r\ncanary"
        ));
        let options = through(&format!("http://user:canary@127.0.0.1:{}", proxy.port), Authority::new().client());
        let failed = failure(run(post(&options, hub("https", HUB, 443))));
        assert_eq!(failed.kind, IoFailureKind::Refused, "{failed}");
        assert!(failed.message.contains(&status[..3]) && failed.message.contains("proxy"), "{failed}");
    }
}

#[test]
fn a_proxy_that_nobody_runs_is_refused() {
    let nobody = Nobody::new();
    let port = nobody.port;
    let options = through(&format!("http://user:canary@127.0.0.1:{port}"), Authority::new().client());
    let failed = failure(run(post(&options, hub("https", HUB, 443))));
    assert_eq!(failed.kind, IoFailureKind::Refused, "{failed}");
    assert!(failed.message.contains(&port.to_string()), "{failed}");
}

#[test]
fn a_proxy_that_speaks_for_the_hub_is_a_protocol_failure() {
    let proxy = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(&[ESTABLISHED, ANSWER].concat()).unwrap();
        let mut sent = Vec::new();
        let _ = stream.take(1).read_to_end(&mut sent);
        sent
    });
    let options = through(&format!("http://127.0.0.1:{}", proxy.port), Authority::new().client());
    let failed = failure(run(post(&options, hub("http", HUB, 80))));
    assert_eq!(failed.kind, IoFailureKind::Protocol, "{failed}");
    assert!(proxy.seen().is_empty(), "the request went to a tunnel that cannot be trusted");
}
