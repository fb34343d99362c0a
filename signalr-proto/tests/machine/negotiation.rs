//! From a start to an open WebSocket: tokens, negotiation, redirects, cookies, failures.

use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use signalr_proto::error::ConfigError;
use signalr_proto::io::{Action, IoFailureKind};
use signalr_proto::secret::Secret;
use signalr_proto::{HubConnection, HubConnectionConfig, Input, State, TokenPlacement};

use crate::support::sim::{Sim, delays, failure, negotiated, reconnecting};

const HOME: &str = "https://home.test/hub?room=1";

fn with_token() -> HubConnectionConfig {
    HubConnectionConfig::default().token_provider(true)
}

fn header(headers: &HeaderMap, name: &http::HeaderName) -> Option<String> {
    assert!(headers.get_all(name).iter().count() <= 1, "{name} stands once");
    headers.get(name).map(|value| value.to_str().expect("it is text").to_owned())
}

fn cookies(lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (SET_COOKIE, HeaderValue::from_str(line).expect("it is a header"))).collect()
}

#[test]
fn it_negotiates_and_opens_with_the_connection_token() {
    let mut sim = Sim::at(HOME, with_token());
    sim.start();
    sim.provide(Some("secret"));
    let (url, headers) = sim.answer(200, &negotiated(1));
    assert_eq!(url, "https://home.test/hub/negotiate?room=1&negotiateVersion=1");
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Bearer secret"));
    assert_eq!(headers["x-requested-with"], "XMLHttpRequest");
    let (url, headers) = sim.open(Ok(()));
    assert_eq!(url, "https://home.test/hub?room=1&id=token1");
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Bearer secret"));
    assert!(headers[AUTHORIZATION].is_sensitive());
}

#[test]
fn the_token_goes_where_it_is_placed() {
    for (placement, in_header, query) in [
        (TokenPlacement::Header, true, ""),
        (TokenPlacement::Query, false, "&access_token=a%2Bb"),
        (TokenPlacement::Both, true, "&access_token=a%2Bb"),
    ] {
        let mut sim = Sim::at(HOME, with_token().token_placement(placement));
        sim.start();
        sim.provide(Some("a+b"));
        let (url, headers) = sim.answer(200, &negotiated(1));
        assert!(!url.contains("access_token"), "a negotiation has it in its header alone");
        assert!(headers.contains_key(AUTHORIZATION));
        let (url, headers) = sim.open(Ok(()));
        assert_eq!(url, format!("https://home.test/hub?room=1&id=token1{query}"));
        assert_eq!(headers.contains_key(AUTHORIZATION), in_header);
    }
}

#[test]
fn without_negotiation_it_dials_at_once_and_never_learns_an_id() {
    let mut sim = Sim::at(HOME, with_token().skip_negotiation(true));
    sim.start();
    sim.provide(Some("secret"));
    let (url, headers) = sim.open(Ok(()));
    assert_eq!(url, HOME);
    assert!(headers.contains_key(AUTHORIZATION));
    sim.hub("{}");
    assert_eq!(sim.events(), ["connected 1 -"]);
}

#[test]
fn no_token_means_no_header() {
    for token in [None, Some("")] {
        let mut sim = Sim::at(HOME, with_token());
        sim.start();
        sim.provide(token);
        let (_, headers) = sim.answer(200, &negotiated(1));
        assert!(!headers.contains_key(AUTHORIZATION));
    }
}

#[test]
fn a_version_that_the_user_wrote_stays() {
    let mut sim = Sim::at("http://h/x?NegotiateVersion=0", HubConnectionConfig::default());
    sim.start();
    let (url, _) = sim.answer(200, &negotiated(1));
    assert_eq!(url, "http://h/x/negotiate?NegotiateVersion=0");
}

/// Where a token and the user's own credentials go, by where a redirect leads.
#[test]
fn credentials_go_where_they_belong() {
    struct Case {
        redirect: &'static str,
        token: Option<&'static str>,
        bearer: Option<&'static str>,
        own_credentials: bool,
    }
    let cases = [
        // The same origin is home, however it is spelt.
        Case {
            redirect: "https://HOME.test:443/other",
            token: None,
            bearer: Some("Bearer provider"),
            own_credentials: true,
        },
        Case { redirect: "wss://home.test/other", token: None, bearer: Some("Bearer provider"), own_credentials: true },
        Case {
            redirect: "https://home.test/other",
            token: Some("theirs"),
            bearer: Some("Bearer theirs"),
            own_credentials: true,
        },
        // Another host, port or scheme is not.
        Case { redirect: "https://other.test/", token: None, bearer: None, own_credentials: false },
        Case { redirect: "https://home.test:444/", token: None, bearer: None, own_credentials: false },
        Case { redirect: "https://home.test.evil.test/", token: None, bearer: None, own_credentials: false },
        Case {
            redirect: "https://other.test/",
            token: Some("theirs"),
            bearer: Some("Bearer theirs"),
            own_credentials: false,
        },
        // A token of no characters is none.
        Case { redirect: "https://other.test/", token: Some(""), bearer: None, own_credentials: false },
        Case {
            redirect: "https://home.test/other",
            token: Some(""),
            bearer: Some("Bearer provider"),
            own_credentials: true,
        },
    ];
    for Case { redirect, token, bearer, own_credentials } in cases {
        let config = with_token()
            .header("Cookie", "own=1")
            .unwrap()
            .header("Proxy-Authorization", "p")
            .unwrap()
            .header("X-App", "a")
            .unwrap();
        let mut sim = Sim::at(HOME, config);
        sim.start();
        sim.provide(Some("provider"));
        let token = token.map_or(String::new(), |token| format!(r#","accessToken":"{token}""#));
        sim.answer(200, &format!(r#"{{"url":"{redirect}"{token}}}"#));
        let requests = [sim.answer(200, &negotiated(1)), sim.open(Ok(()))];
        for (url, headers) in requests {
            assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), bearer, "{url}");
            assert_eq!(header(&headers, &COOKIE).as_deref(), own_credentials.then_some("own=1"), "{url}");
            assert_eq!(headers.contains_key("proxy-authorization"), own_credentials, "{url}");
            assert_eq!(headers["x-app"], "a", "{url}");
            assert!(!url.contains("room=1"), "the redirect's own query counts: {url}");
        }
    }
}

#[test]
fn the_users_own_authorization_stays_at_home_too() {
    let config = HubConnectionConfig::default().header("Authorization", "Basic x").unwrap();
    let mut sim = Sim::at(HOME, config);
    sim.start();
    let (_, headers) = sim.answer(200, r#"{"url":"https://other.test/"}"#);
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Basic x"));
    let (_, headers) = sim.answer(200, r#"{"url":"https://home.test/hub"}"#);
    assert_eq!(header(&headers, &AUTHORIZATION), None);
    let (_, headers) = sim.answer(200, &negotiated(1));
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Basic x"), "home again");
}

#[test]
fn a_redirects_token_is_for_its_origin_alone() {
    let mut sim = Sim::at(HOME, with_token());
    sim.start();
    sim.provide(Some("provider"));
    sim.answer(200, r#"{"url":"https://a.test/","accessToken":"for-a"}"#);
    let (_, headers) = sim.answer(200, r#"{"url":"https://b.test/"}"#);
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Bearer for-a"));
    let (_, headers) = sim.answer(200, r#"{"url":"https://a.test/again"}"#);
    assert_eq!(header(&headers, &AUTHORIZATION), None, "b gets neither token");
    let (_, headers) = sim.answer(200, &negotiated(1));
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Bearer for-a"));
}

#[test]
fn redirects_that_lead_astray_end_the_attempt() {
    for (home, answer) in [
        (HOME, r#"{"url":"http://home.test/hub"}"#),
        (HOME, r#"{"url":"ws://other.test/"}"#),
        (HOME, r#"{"url":"http://127.0.0.1/"}"#),
        (HOME, r#"{"url":"/relative"}"#),
        (HOME, r#"{"url":""}"#),
        (HOME, r#"{"url":"ftp://x/"}"#),
        (HOME, r#"{"url":"https://user:pw@x/"}"#),
        (HOME, r#"{"url":"https://x/","accessToken":"a b"}"#),
        (HOME, r#"{"url":"https://x/","accessToken":"a\r\nX: y"}"#),
        ("http://127.0.0.1/hub", r#"{"url":"http://other.test/","accessToken":"t"}"#),
    ] {
        let mut sim = Sim::at(home, with_token());
        sim.start();
        sim.provide(Some("provider"));
        sim.answer(200, answer);
        assert_eq!(sim.replies(), ["#1 start_failed negotiation"], "{answer}");
        assert_eq!(sim.machine.state(), State::Disconnected);
    }
}

#[test]
fn plain_http_may_be_redirected_without_a_token() {
    let mut sim = Sim::at("http://127.0.0.1/hub", with_token());
    sim.start();
    sim.provide(Some("provider"));
    sim.answer(200, r#"{"url":"http://other.test/"}"#);
    let (url, headers) = sim.answer(200, &negotiated(1));
    assert!(url.starts_with("http://other.test/negotiate"));
    assert!(!headers.contains_key(AUTHORIZATION));
}

#[test]
fn a_hundred_negotiations_are_enough() {
    let mut sim = Sim::at(HOME, HubConnectionConfig::default().connect_timeout(Duration::from_secs(100)));
    sim.start();
    for hop in 1..=100 {
        assert_eq!(sim.machine.state(), State::Connecting, "before hop {hop}");
        sim.answer(200, r#"{"url":"https://other.test/"}"#);
    }
    assert_eq!(sim.replies(), ["#1 start_failed negotiation"]);
}

#[test]
fn the_next_attempt_begins_at_home_again() {
    let mut sim = Sim::at(HOME, with_token().automatic_reconnect(delays([0])));
    sim.start();
    sim.provide(Some("one"));
    sim.answer_with(200, r#"{"url":"https://other.test/","accessToken":"theirs"}"#, cookies(&["sticky=1"]), None);
    sim.answer(200, &negotiated(1));
    sim.open(Ok(()));
    sim.hub("{}");
    sim.lose();
    sim.seconds(0);
    sim.provide(Some("two"));
    let (url, headers) = sim.answer(200, &negotiated(2));
    assert!(url.starts_with("https://home.test/hub/negotiate"));
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Bearer two"));
    assert_eq!(header(&headers, &COOKIE), None, "cookies are for one attempt");
}

#[test]
fn cookies_stick_to_their_origin() {
    let config = HubConnectionConfig::default().header("Cookie", "own=1").unwrap().header("Cookie", "two=2").unwrap();
    let mut sim = Sim::at(HOME, config);
    sim.start();
    let home = cookies(&["route=a; Path=/; HttpOnly", "nonsense", "x=y"]);
    sim.answer_with(200, r#"{"url":"https://other.test/"}"#, home, None);
    let (_, headers) = sim.answer_with(200, r#"{"url":"https://home.test/"}"#, cookies(&["route=b"]), None);
    assert_eq!(header(&headers, &COOKIE), None);
    let (_, headers) = sim.answer_with(200, &negotiated(1), cookies(&["route=c"]), None);
    assert_eq!(header(&headers, &COOKIE).as_deref(), Some("own=1; two=2; route=a; x=y"));
    let (_, headers) = sim.open(Ok(()));
    assert_eq!(header(&headers, &COOKIE).as_deref(), Some("own=1; two=2; x=y; route=c"), "the newer one replaces");
}

#[test]
fn a_401_asks_the_provider_once_more_and_repeats_that_request() {
    // At the negotiation.
    let mut sim = Sim::at(HOME, with_token());
    sim.start();
    sim.provide(Some("old"));
    sim.answer(401, "");
    sim.provide(Some("new"));
    let (_, headers) = sim.answer(200, &negotiated(1));
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Bearer new"));
    assert!(sim.replies().is_empty());
    // At the upgrade: negotiated once.
    let mut sim = Sim::at(HOME, with_token());
    sim.start();
    sim.provide(Some("old"));
    sim.answer(200, &negotiated(1));
    sim.open(Err(failure(IoFailureKind::Status(401))));
    sim.provide(Some("new"));
    let (url, headers) = sim.open(Ok(()));
    assert!(url.ends_with("id=token1"));
    assert_eq!(header(&headers, &AUTHORIZATION).as_deref(), Some("Bearer new"));
}

#[test]
fn a_second_401_and_any_403_end_it_whatever_the_policy() {
    for (first, second) in [(401, Some(401)), (401, Some(403)), (403, None)] {
        let mut sim = Sim::at(HOME, with_token().automatic_reconnect(delays([0, 0, 0])).retry_initial_connect(true));
        sim.start();
        sim.provide(Some("t"));
        sim.answer(first, "");
        if let Some(second) = second {
            sim.provide(Some("t"));
            sim.answer(second, "");
        }
        assert_eq!(sim.replies(), ["#1 start_failed unauthorized"]);
        assert!(sim.events().is_empty());
        assert_eq!(sim.idle(), None);
    }
    // Also in an outage, and at the upgrade.
    let mut sim = Sim::at(HOME, with_token().automatic_reconnect(delays([0, 0, 0])));
    sim.start();
    sim.link();
    sim.log.take();
    sim.lose();
    sim.seconds(0);
    sim.provide(Some("t"));
    sim.answer(200, &negotiated(2));
    sim.open(Err(failure(IoFailureKind::Status(401))));
    sim.provide(Some("t"));
    sim.open(Err(failure(IoFailureKind::Status(401))));
    assert_eq!(sim.events(), ["reconnecting lost", "waiting 1 0ns lost", "disconnected unauthorized"]);
}

#[test]
fn without_a_provider_a_401_is_final() {
    let mut sim = Sim::at(HOME, HubConnectionConfig::default());
    sim.start();
    sim.answer(401, "");
    assert_eq!(sim.replies(), ["#1 start_failed unauthorized"]);
}

#[test]
fn a_401_of_another_origin_does_not_ask_the_provider() {
    let mut sim = Sim::at(HOME, with_token());
    sim.start();
    sim.provide(Some("t"));
    sim.answer(200, r#"{"url":"https://other.test/","accessToken":"theirs"}"#);
    sim.answer(401, "");
    assert_eq!(sim.replies(), ["#1 start_failed unauthorized"]);
}

#[test]
fn a_provider_that_fails_or_hangs_is_unauthorized_and_tried_again_by_the_policy() {
    let config = || with_token().automatic_reconnect(delays([5])).retry_initial_connect(true);
    let mut sim = Sim::at(HOME, config());
    sim.start();
    let Action::ProvideToken { attempt } = sim.action() else { panic!() };
    sim.input(Input::TokenProvided { attempt, token: Err("login is down".to_owned()) });
    assert_eq!(sim.events(), ["waiting 1 5ms unauthorized"]);

    let mut sim = Sim::at(HOME, config());
    sim.start();
    sim.advance(Duration::from_nanos(9_999_999_999));
    assert!(sim.events().is_empty());
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.events(), ["waiting 1 5ms unauthorized"]);
}

#[test]
fn a_token_with_characters_that_http_forbids_is_never_sent_or_shown() {
    for token in ["a b", "a\r\nX-Evil: 1", "é", "\u{7f}", "a\0"] {
        let mut sim = Sim::at(HOME, with_token());
        sim.start();
        let Action::ProvideToken { attempt } = sim.action() else { panic!() };
        sim.input(Input::TokenProvided { attempt, token: Ok(Some(Secret::from(token))) });
        assert_eq!(sim.replies(), ["#1 start_failed unauthorized"], "{token:?}");
        assert!(sim.wants().iter().all(|action| !action.starts_with("http")), "{token:?}");
    }
}

#[test]
fn every_stage_has_its_deadline_and_so_has_the_whole() {
    // Each negotiation and the dial: ten seconds.
    let mut sim = Sim::at(HOME, HubConnectionConfig::default());
    sim.start();
    sim.seconds(10);
    assert_eq!(sim.replies(), ["#1 start_failed connect_timeout"]);
    let mut sim = Sim::at(HOME, HubConnectionConfig::default());
    sim.start();
    sim.seconds(9);
    sim.answer(200, &negotiated(1));
    sim.seconds(9);
    assert!(sim.replies().is_empty());
    sim.seconds(1);
    assert_eq!(sim.replies(), ["#1 start_failed connect_timeout"]);
    // All of it: thirty.
    let mut sim = Sim::at(HOME, HubConnectionConfig::default());
    sim.start();
    for _ in 0..3 {
        sim.seconds(9);
        sim.answer(200, r#"{"url":"https://other.test/"}"#);
    }
    sim.advance(Duration::from_nanos(2_999_999_999));
    assert!(sim.replies().is_empty());
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.replies(), ["#1 start_failed connect_timeout"]);
    assert_eq!(sim.wants().last().map(String::as_str), Some("abort #1"));
}

#[test]
fn an_open_transport_has_the_handshakes_deadline_alone() {
    let mut sim = Sim::at(HOME, HubConnectionConfig::default());
    sim.start();
    for _ in 0..2 {
        sim.seconds(9);
        sim.answer(200, r#"{"url":"https://other.test/"}"#);
    }
    sim.seconds(9);
    sim.answer(200, &negotiated(1));
    sim.seconds(2);
    sim.open(Ok(()));
    sim.seconds(14);
    sim.hub("{}");
    assert_eq!(sim.replies(), ["#1 started"]);
}

#[test]
fn failures_have_their_causes() {
    for (kind, cause) in [
        (IoFailureKind::Refused, "refused"),
        (IoFailureKind::TimedOut, "connect_timeout"),
        (IoFailureKind::Tls, "tls"),
        (IoFailureKind::Status(503), "http_status"),
        (IoFailureKind::Status(200), "http_status"),
        (IoFailureKind::Status(403), "unauthorized"),
        (IoFailureKind::Lost, "lost"),
        (IoFailureKind::Local, "local"),
        (IoFailureKind::Protocol, "protocol_violation"),
    ] {
        let mut sim = Sim::at(HOME, HubConnectionConfig::default());
        sim.start();
        sim.answer(200, &negotiated(1));
        sim.open(Err(failure(kind)));
        assert_eq!(sim.replies(), [format!("#1 start_failed {cause}")]);
    }
    for (status, body, cause) in [
        (500, "", "http_status"),
        (404, "", "http_status"),
        (204, "", "http_status"),
        (200, "<html>", "negotiation"),
        (200, "", "negotiation"),
        (200, r#"{"error":"no seats"}"#, "negotiation"),
        (
            200,
            r#"{"connectionId":"a","availableTransports":[{"transport":"LongPolling","transferFormats":["Text"]}]}"#,
            "negotiation",
        ),
    ] {
        let mut sim = Sim::at(HOME, HubConnectionConfig::default());
        sim.start();
        sim.answer(status, body);
        assert_eq!(sim.replies(), [format!("#1 start_failed {cause}")], "{status} {body}");
    }
}

#[test]
fn retry_after_raises_the_wait_and_never_lowers_it() {
    for (retry_after, expected) in [(20, "20s"), (1, "5s")] {
        let mut sim = Sim::new(reconnecting([5_000]).retry_initial_connect(true));
        sim.start();
        sim.answer_with(503, "", HeaderMap::new(), Some(Duration::from_secs(retry_after)));
        assert_eq!(sim.events(), [format!("waiting 1 {expected} http_status")]);
        // The same of a dial.
        let mut sim = Sim::new(reconnecting([5_000]).retry_initial_connect(true));
        sim.start();
        sim.answer(200, &negotiated(1));
        let mut refusal = failure(IoFailureKind::Status(429));
        refusal.retry_after = Some(Duration::from_secs(retry_after));
        sim.open(Err(refusal));
        assert_eq!(sim.events(), [format!("waiting 1 {expected} http_status")]);
    }
}

#[test]
fn an_insecure_token_is_a_fault_of_the_configuration() {
    let make = |url: &str, config: HubConnectionConfig| HubConnection::new(url, config).map(drop);
    let refused = |host: &str| Err(ConfigError::InsecureToken { host: host.to_owned() });
    assert_eq!(make("http://h.test/", with_token()), refused("h.test"));
    assert_eq!(
        make("http://h.test/", HubConnectionConfig::default().header("cookie", "a=b").unwrap()),
        refused("h.test")
    );
    for (url, config) in [
        ("https://h.test/", with_token()),
        ("http://127.0.0.1/", with_token()),
        ("http://[::1]/", with_token()),
        ("ws://localhost/", with_token()),
        ("http://h.test/", with_token().allow_insecure_token(true)),
        ("http://h.test/", HubConnectionConfig::default()),
    ] {
        assert_eq!(make(url, config), Ok(()), "{url}");
    }
}

#[test]
fn secrets_show_up_in_no_debug_text() {
    let mut sim =
        Sim::at("https://home.test/hub?access_token=canary1", with_token().header("Authorization", "canary2").unwrap());
    sim.start();
    sim.provide(Some("canary3"));
    let action = sim.action();
    assert!(!format!("{action:?} {:?}", sim.machine).contains("canary"), "{action:?}");
}
