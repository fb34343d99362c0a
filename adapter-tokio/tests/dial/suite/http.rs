//! One exchange without TLS.

use std::io::Write;
use std::pin::pin;
use std::sync::mpsc::channel;
use std::time::Duration;

use adapter_core::Runtime;
use futures_util::future::{Either, select};
use signalr_proto::io::IoFailureKind;

use super::server::{Nobody, answering, drain, header, read_head, serve};
use super::{MAX_BODY_BYTES, direct, failure, hub, local, open, post, quiet, run};
use crate::Subject;

#[test]
fn a_post_goes_out_and_its_answer_comes_back() {
    let server = answering("HTTP/1.1 200 OK\r\nX-Hub: yes\r\nContent-Length: 2\r\n\r\n{}");
    let port = server.port;
    let answer = run(post(&direct(), local("http", port))).unwrap();
    assert_eq!((answer.status, &answer.body[..], answer.retry_after), (200, &b"{}"[..], None));
    assert_eq!(answer.headers["x-hub"], "yes");
    let head = server.seen();
    assert!(head.starts_with("POST /hub?access_token=canary HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "content-length"), Some("0"));
    assert_eq!(header(&head, "host"), Some(&*format!("localhost:{port}")));
    assert_eq!(header(&head, "authorization"), Some("Bearer canary"));
}

#[test]
fn a_redirect_is_an_answer() {
    let server =
        answering("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n");
    let answer = run(post(&direct(), local("http", server.port))).unwrap();
    assert_eq!(answer.status, 307);
    assert_eq!(answer.headers["location"], "http://elsewhere/");
}

#[test]
fn a_refusal_says_how_long_to_wait() {
    for (fields, expected) in [
        ("Retry-After: 7", 7),
        ("Date: Wed, 21 Oct 2026 12:00:00 GMT\r\nRetry-After: Wed, 21 Oct 2026 12:01:30 GMT", 90),
    ] {
        let answer = format!("HTTP/1.1 401 Unauthorized\r\n{fields}\r\nContent-Length: 0\r\n\r\n");
        let expected = Some(Duration::from_secs(expected));

        let server = answering(answer.clone());
        let answered = run(post(&direct(), local("http", server.port))).unwrap();
        assert_eq!((answered.status, answered.retry_after), (401, expected));

        let server = answering(answer);
        let failed = failure(run(open(&direct(), local("http", server.port))));
        assert_eq!((failed.kind, failed.retry_after), (IoFailureKind::Status(401), expected));
    }
}

#[test]
fn a_slow_body_is_waited_for() {
    let server = serve(|mut stream| {
        read_head(&mut stream);
        stream.set_nodelay(true).unwrap();
        for byte in b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" {
            stream.write_all(&[*byte]).unwrap();
            std::thread::yield_now();
        }
    });
    let answer = run(post(&direct(), local("http", server.port))).unwrap();
    assert_eq!(&answer.body[..], b"abcde");
    server.seen();
}

#[test]
fn a_body_up_to_the_limit_is_read_and_a_longer_one_is_not() {
    let body = |length: usize| "x".repeat(length);
    let counted = |length| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", body(length));
    let chunked = |length| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{}\r\n0\r\n\r\n", body(length))
    };
    let until_the_end = |length| format!("HTTP/1.1 200 OK\r\n\r\n{}", body(length));
    for answer in [&counted as &dyn Fn(usize) -> String, &chunked, &until_the_end] {
        let server = answering(answer(MAX_BODY_BYTES));
        assert_eq!(run(post(&direct(), local("http", server.port))).unwrap().body.len(), MAX_BODY_BYTES);
        let server = answering(answer(MAX_BODY_BYTES + 1));
        assert_eq!(failure(run(post(&direct(), local("http", server.port)))).kind, IoFailureKind::Protocol);
    }
}

#[test]
fn what_breaks_the_rules_of_http_is_a_protocol_failure() {
    for answer in [
        "SSH-2.0-canary\r\n\r\n".to_owned(),
        "HTTP/1.1 2x0 canary\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: canary\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Canary: canary\r\n".repeat(101)),
        format!("HTTP/1.1 200 OK\r\nX-Canary: {}\r\n\r\n", "canary".repeat(12_000)),
    ] {
        let server = answering(answer.clone());
        let failed = failure(run(post(&direct(), local("http", server.port))));
        assert_eq!(failed.kind, IoFailureKind::Protocol, "{failed} for {answer:.60}");
    }
}

#[test]
fn an_answer_that_is_cut_off_is_a_lost_transport() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let server = answering(answer);
        let failed = failure(run(post(&direct(), local("http", server.port))));
        assert_eq!(failed.kind, IoFailureKind::Lost, "{failed} for {answer:?}");
    }
}

#[test]
fn where_nobody_listens_it_is_refused() {
    let nobody = Nobody::new();
    let port = nobody.port;
    for host in ["127.0.0.1", "localhost"] {
        let failed = failure(run(post(&direct(), hub("http", host, port))));
        assert_eq!(failed.kind, IoFailureKind::Refused, "{failed}");
        assert!(failed.message.contains(&format!("{host}:{port}")), "{failed}");
    }
}

#[test]
fn an_unknown_name_is_refused() {
    // Longer than a label may be (RFC 1035), so that no name server need be asked.
    let failed = failure(run(open(&direct(), hub("https", &"x".repeat(64), 1))));
    assert_eq!(failed.kind, IoFailureKind::Refused, "{failed}");
    assert!(failed.message.contains("looking up"), "{failed}");
}

#[test]
fn dropping_the_exchange_closes_its_socket() {
    for is_upgrade in [false, true] {
        let (tell, asked) = channel();
        let server = serve(move |mut stream| {
            read_head(&mut stream);
            tell.send(()).unwrap();
            // Ends when the client has gone, or panics at its read timeout.
            drain(stream);
        });
        let port = server.port;
        run(async {
            let options = direct();
            let exchange = async {
                match is_upgrade {
                    true => drop(quiet(open(&options, local("http", port)).await.err())),
                    false => drop(quiet(post(&options, local("http", port)).await.err())),
                }
            };
            let asked = async {
                while asked.try_recv().is_err() {
                    Subject::sleep(Duration::from_millis(2)).await;
                }
            };
            let is_answered = matches!(select(pin!(exchange), pin!(asked)).await, Either::Left(_));
            assert!(!is_answered, "answered by a server that says nothing");
        });
        server.seen();
    }
}
