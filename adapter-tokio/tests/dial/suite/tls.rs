//! Whom TLS lets through, and what is said of those it does not.

use std::io::Write;

use rustls::ServerConfig;
use signalr_proto::io::{IoFailure, IoFailureKind};

use super::authority::{Authority, accept};
use super::server::{Server, drain, read_head, serve};
use super::{failure, local, post, run, trusting};

/// Answers one request under TLS; returns the protocol chosen by ALPN, or nothing if there was no request.
fn secure_server(config: ServerConfig) -> Server<Option<Vec<u8>>> {
    serve(move |stream| {
        let Ok(mut tls) = accept(config, stream) else { return None };
        read_head(&mut tls);
        tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        Some(tls.conn.alpn_protocol().unwrap_or_default().to_vec())
    })
}

/// The failure of a client that trusts `authority`, at a server with `config`.
fn refused(authority: &Authority, config: ServerConfig) -> IoFailure {
    let server = secure_server(config);
    let failed = failure(run(post(&trusting(authority.client()), local("https", server.port))));
    assert_eq!(server.seen(), None);
    failed
}

#[test]
fn a_trusted_server_answers_and_http1_is_chosen() {
    let authority = Authority::new();
    let mut config = Authority::server(authority.issue("localhost"));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut client = authority.client();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let server = secure_server(config);
    let answer = run(post(&trusting(client), local("https", server.port))).unwrap();
    assert_eq!(&answer.body[..], b"{}");
    assert_eq!(server.seen().unwrap(), b"http/1.1");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let failed = refused(&authority, Authority::server(authority.issue("elsewhere.example")));
    assert_eq!(failed.kind, IoFailureKind::Tls);
    assert!(failed.message.contains("not valid for name"), "{failed}");
}

#[test]
fn an_unknown_authority_is_refused() {
    let failed = refused(&Authority::new(), Authority::server(Authority::new().issue("localhost")));
    assert_eq!(failed.kind, IoFailureKind::Tls);
    assert!(!failed.message.contains("local clock"), "{failed}");
}

#[test]
fn an_expired_certificate_is_refused_with_the_local_clock_in_the_text() {
    let authority = Authority::new();
    let failed = refused(&authority, Authority::server(authority.issue_expired("localhost")));
    assert_eq!(failed.kind, IoFailureKind::Tls);
    assert!(failed.message.contains("expired") && failed.message.contains("local clock says"), "{failed}");
}

#[test]
fn a_client_certificate_lets_in() {
    let authority = Authority::new();
    let server = secure_server(authority.strict_server(authority.issue("localhost")));
    let client = authority.client_with(authority.issue("client"));
    assert_eq!(run(post(&trusting(client), local("https", server.port))).unwrap().status, 200);
    assert!(server.seen().is_some());
}

#[test]
fn without_the_client_certificate_it_is_a_tls_failure() {
    let authority = Authority::new();
    // Under TLS 1.3 the refusal comes only after the client believes the handshake done, in place of the answer.
    let failed = refused(&authority, authority.strict_server(authority.issue("localhost")));
    assert_eq!(failed.kind, IoFailureKind::Tls, "{failed}");
}

#[test]
fn a_server_without_tls_is_a_tls_failure() {
    let server = serve(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap());
    let failed = failure(run(post(&trusting(Authority::new().client()), local("https", server.port))));
    assert_eq!(failed.kind, IoFailureKind::Tls, "{failed}");
}

#[test]
fn a_body_ends_where_tls_says_so_and_nowhere_else() {
    for says_so in [true, false] {
        let authority = Authority::new();
        let config = Authority::server(authority.issue("localhost"));
        let server = serve(move |stream| {
            let mut tls = accept(config, stream).unwrap();
            read_head(&mut tls);
            tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n{}").unwrap();
            if says_so {
                tls.conn.send_close_notify();
            }
            tls.flush().unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            drain(stream);
        });
        let answer = run(post(&trusting(authority.client()), local("https", server.port)));
        match says_so {
            true => assert_eq!(&answer.unwrap().body[..], b"{}"),
            false => assert_eq!(failure(answer).kind, IoFailureKind::Lost),
        }
    }
}
