use std::time::{Duration, Instant, SystemTime};

use mock_hub::faults::{Fault, RetryAfter, Rule};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::common::{Client, DEADLINE, End, HANDSHAKE, http};
use super::{connected, inject, once, quiet_hub};

const SOON: Duration = Duration::from_millis(200);

const UPGRADE: [(&str, &str); 4] = [
    ("Upgrade", "websocket"),
    ("Connection", "upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

#[tokio::test]
async fn the_port_refuses_for_a_while_and_existing_connections_stay() {
    let hub = quiet_hub();
    let (mut before, _) = connected(&hub, "conformance").await;
    let is_open = || std::net::TcpStream::connect(("127.0.0.1", hub.port())).is_ok();
    inject(&hub, Rule::new(Fault::RefuseConnections).lasts(Duration::from_millis(300)));
    assert!(hub.until(DEADLINE, |_| !is_open()).await);
    assert_eq!(before.call("1", "Add", "[1,1]").await["result"], 2);
    assert!(hub.until(DEADLINE, |_| is_open()).await);
    assert_eq!(super::acted(&hub), 1);
}

#[tokio::test]
async fn negotiate_and_upgrade_are_refused_with_retry_after_in_both_forms() {
    let hub = quiet_hub();
    let (market, user) = (hub.hub_url("market"), hub.hub_url("user"));
    let retry_after = Some(RetryAfter::Seconds(7));
    inject(
        &hub,
        once(Fault::NegotiateStatus { status: 503, retry_after, body: Some("later".to_owned()) }).on_hub("market"),
    );
    let negotiate = |url: &str| format!("{url}/negotiate?negotiateVersion=1");
    assert_eq!(http("POST", &negotiate(&user), &[], "").await.0, 200);
    let (status, head, body) = http("POST", &negotiate(&market), &[], "").await;
    assert_eq!((status, body.as_str()), (503, "later"));
    assert!(head.contains("retry-after: 7"), "{head}");
    assert_eq!(http("POST", &negotiate(&market), &[], "").await.0, 200);
    assert_eq!(hub.negotiations(), 3);

    let retry_after = Some(RetryAfter::Date(Duration::from_secs(60)));
    let id = inject(&hub, Rule::new(Fault::UpgradeStatus { status: 429, retry_after, body: None }).on_hub("market"));
    let headers: Vec<_> = UPGRADE.into_iter().collect();
    let (status, head, _) = http("GET", &market, &headers[..1], "").await;
    assert_eq!(status, 429, "{head}");
    let date = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    // The test's client prints heads in lower case; HTTP dates are not.
    let date = date.split(' ').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<Vec<_>>().join(" ");
    let wait =
        httpdate::parse_http_date(&date.replace("Gmt", "GMT")).unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
    assert_eq!(Client::open(&market).await.err(), Some(429));
    assert!(Client::open(&user).await.is_ok());
    assert!(hub.heal(id));
    assert!(Client::open(&market).await.is_ok());
}

#[tokio::test]
async fn a_slow_upgrade_comes_late_and_byte_by_byte() {
    let hub = quiet_hub();
    let slow = Fault::SlowUpgrade { delay: SOON, bytes_per_second: Some(500) };
    inject(&hub, once(slow));
    let began = Instant::now();
    let mut client = Client::connect(&hub.hub_url("market")).await;
    // The 101 has more than 100 bytes.
    assert!(began.elapsed() >= SOON * 2, "{:?}", began.elapsed());
    // From then on the link is fast: a record of 100 kB would take minutes.
    hub.publish("market", "E", &format!("[\"{}\"]", "x".repeat(100_000)), None).unwrap();
    assert!(client.record().await.len() > 100_000);

    inject(&hub, once(Fault::SlowNegotiate { delay: SOON }));
    let began = Instant::now();
    assert_eq!(http("POST", &format!("{}/negotiate", hub.hub_url("market")), &[], "").await.0, 200);
    assert!(began.elapsed() >= SOON);
}

#[tokio::test]
async fn an_unanswered_request_leaves_the_socket_open() {
    let hub = quiet_hub();
    for (fault, request) in [
        (
            Fault::UnansweredNegotiate,
            "POST /hubs/market/negotiate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            Fault::UnansweredUpgrade,
            "GET /hubs/market HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ),
    ] {
        inject(&hub, once(fault.clone()));
        let mut stream = TcpStream::connect(("127.0.0.1", hub.port())).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut byte = [0];
        assert!(timeout(SOON, stream.read(&mut byte)).await.is_err(), "{fault:?}");
        assert_eq!(super::acted(&hub), 1);
        // The next one is answered.
        let mut next = TcpStream::connect(("127.0.0.1", hub.port())).await.unwrap();
        next.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(timeout(DEADLINE, next.read(&mut byte)).await.unwrap().unwrap(), 1);
    }
}

#[tokio::test]
async fn a_wrong_accept_key_is_no_key_of_ours() {
    let hub = quiet_hub();
    inject(&hub, once(Fault::WrongAcceptKey));
    assert_eq!(Client::open(&hub.hub_url("market")).await.err(), Some(0));
    assert!(Client::open(&hub.hub_url("market")).await.is_ok());
}

#[tokio::test]
async fn the_handshake_fails_in_every_way() {
    let hub = quiet_hub();
    let open = async || {
        let mut client = Client::open(&hub.hub_url("market")).await.unwrap_or_else(|status| panic!("{status}"));
        client.send(HANDSHAKE).await;
        client
    };
    inject(&hub, once(Fault::HandshakeError { text: "no \"json\" here".to_owned() }));
    let said = "{\"error\":\"no \\\"json\\\" here\"}\u{1e}".to_owned();
    assert_eq!(open().await.read_to_end().await, (said, End::Closed(1000)));

    inject(&hub, once(Fault::HandshakeGarbage { text: None }));
    assert_eq!(open().await.record().await, "<html>502</html>");

    inject(&hub, once(Fault::HandshakeSilence));
    let mut silent = open().await;
    // The hub itself knows of no failure: the two before count as well.
    assert!(hub.until(DEADLINE, |hub| hub.accepted() == 3).await);
    super::publish(&hub, "market", 1);
    assert!(silent.is_silent_for(SOON).await);

    let records = Some(vec![super::event(1), super::event(2)]);
    inject(&hub, once(Fault::GluedHandshake { records }));
    let frame = open().await.message().await.unwrap();
    assert_eq!(frame.to_text().unwrap(), format!("{{}}\u{1e}{}\u{1e}{}\u{1e}", super::event(1), super::event(2)));

    Client::connect(&hub.hub_url("market")).await;
}
