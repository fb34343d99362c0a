use std::time::{Duration, Instant};

use mock_hub::faults::{AfterClose, Direction, DropHow, Fault, Rule};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use super::common::{Client, DEADLINE, End};
use super::{connected, event, inject, publish, quiet_hub};

const SOON: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_drop_hits_its_scope_and_nobody_else() {
    let hub = quiet_hub();
    for how in [DropHow::Reset, DropHow::Fin] {
        let (mut one, id) = connected(&hub, "market").await;
        let (mut two, _) = connected(&hub, "market").await;
        let (mut three, _) = connected(&hub, "user").await;
        inject(&hub, Rule::new(Fault::Drop { how }).on_connection(&id));
        assert_eq!(one.read_to_end().await, (String::new(), End::Lost), "{how:?}");
        assert_eq!(super::acted(&hub), 1);
        publish(&hub, "market", 1);
        assert_eq!(two.record().await, event(1));
        inject(&hub, Rule::new(Fault::Drop { how }).on_hub("market"));
        assert_eq!(two.read_to_end().await.1, End::Lost);
        publish(&hub, "user", 2);
        assert_eq!(three.record().await, event(2));
        inject(&hub, Fault::Drop { how });
        assert_eq!(three.read_to_end().await.1, End::Lost);
    }
}

#[tokio::test]
async fn drops_come_later_and_again_as_often_as_told() {
    let hub = quiet_hub();
    let (mut first, _) = connected(&hub, "market").await;
    let rule = Rule::new(Fault::Drop { how: DropHow::Fin }).after(SOON).every(SOON).times(2);
    let began = Instant::now();
    inject(&hub, rule);
    assert_eq!(first.read_to_end().await.1, End::Lost);
    assert!(began.elapsed() >= SOON);
    let (mut second, _) = connected(&hub, "market").await;
    assert_eq!(second.read_to_end().await.1, End::Lost);
    assert!(began.elapsed() >= SOON * 2);
    let is_over = |hub: &mock_hub::MockHub| hub.faults()[0].phase == mock_hub::faults::Phase::Over;
    assert!(hub.until(DEADLINE, is_over).await);
    let (mut third, _) = connected(&hub, "market").await;
    assert!(third.is_silent_for(SOON * 2).await);
}

#[tokio::test]
async fn a_half_closed_socket_still_takes_what_the_client_says() {
    let hub = quiet_hub();
    let (mut client, id) = connected(&hub, "conformance").await;
    inject(&hub, Rule::new(Fault::Drop { how: DropHow::HalfClose }).on_connection(&id));
    assert_eq!(client.message().await, Err(End::Lost));
    // The client's WebSocket counts itself closed: a text frame by hand, masked with zeros.
    let call = "{\"type\":1,\"target\":\"Add\",\"arguments\":[1,2]}\u{1e}";
    let head = [0x81, 0x80 | u8::try_from(call.len()).unwrap(), 0, 0, 0, 0];
    let mut stream = client.into_stream();
    stream.write_all(&[&head, call.as_bytes()].concat()).await.unwrap();
    hub.calls_where(|calls| calls.len() == 1, DEADLINE).await.unwrap();
    assert_eq!(hub.connections().len(), 1);
    drop(stream);
    assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
}

#[tokio::test]
async fn a_stall_holds_bytes_back_and_lets_them_go_when_it_is_healed() {
    let hub = quiet_hub();
    let (mut client, id) = connected(&hub, "conformance").await;
    let (mut other, _) = connected(&hub, "conformance").await;
    let call = "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Add\",\"arguments\":[1,2]}\u{1e}";

    let out = inject(&hub, Rule::new(Fault::Stall { direction: Direction::Out }).on_connection(&id));
    client.send(call).await;
    hub.calls_where(|calls| calls.len() == 1, DEADLINE).await.unwrap();
    assert!(client.is_silent_for(SOON).await);
    assert_eq!(other.call("o", "Add", "[2,2]").await["result"], 4);
    assert!(hub.heal(out));
    assert_eq!(client.json().await["result"], 3);

    hub.clear_calls();
    let inward = inject(&hub, Rule::new(Fault::Stall { direction: Direction::In }).on_connection(&id));
    client.send(call).await;
    assert!(client.is_silent_for(SOON).await);
    assert!(hub.calls().is_empty());
    publish(&hub, "conformance", 1);
    assert_eq!(client.record().await, event(1));
    assert!(hub.heal(inward));
    assert_eq!(client.json().await["result"], 3);
}

#[tokio::test]
async fn a_hub_that_does_not_read_lets_the_clients_writes_fill_up() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "conformance").await;
    let stall = inject(&hub, Fault::Stall { direction: Direction::In });
    let flood = async {
        loop {
            client.send_message(Message::binary(vec![b' '; 1024 * 1024])).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(2), flood).await.is_err());
    assert_eq!(hub.connections().len(), 1);
    assert!(hub.heal(stall));
    // What was written then is one oversized record, and the hub says so.
    assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
}

#[tokio::test]
async fn a_black_hole_swallows_for_good() {
    let hub = quiet_hub();
    let (mut client, id) = connected(&hub, "conformance").await;
    let hole = inject(&hub, Rule::new(Fault::BlackHole { direction: Direction::In }).on_connection(&id));
    client.send("{\"type\":1,\"target\":\"Add\",\"arguments\":[1,2]}\u{1e}").await;
    publish(&hub, "conformance", 1);
    assert_eq!(client.record().await, event(1));
    assert!(hub.heal(hole));
    let (mut other, _) = connected(&hub, "conformance").await;
    let hole = inject(&hub, Rule::new(Fault::BlackHole { direction: Direction::Both }).on_connection(&id));
    assert!(hub.heal(hole));
    client.send("{\"type\":1,\"target\":\"Add\",\"arguments\":[3,4]}\u{1e}").await;
    publish(&hub, "conformance", 2);
    assert_eq!(other.record().await, event(2));
    assert!(client.is_silent_for(SOON).await);
    other.call("1", "Add", "[1,1]").await;
    assert_eq!(hub.calls().len(), 1, "a swallowed call arrived");
}

#[tokio::test]
async fn a_throttled_link_is_slow_both_ways_and_one_byte_writes_lose_nothing() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "conformance").await;
    let text = format!("[\"{}\"]", "x".repeat(20_000));
    for direction in [Direction::Out, Direction::In] {
        let rule = inject(&hub, Fault::Throttle { bytes_per_second: 40_000, direction });
        let began = Instant::now();
        assert_eq!(client.call("1", "Echo", &text).await["result"].as_str().map(str::len), Some(20_000));
        assert!(began.elapsed() >= Duration::from_millis(400), "{direction:?}: {:?}", began.elapsed());
        assert!(hub.heal(rule));
    }
    let began = Instant::now();
    inject(&hub, Rule::new(Fault::OneByteWrites).on_hub("conformance"));
    assert_eq!(client.call("2", "Echo", &text).await["result"].as_str().map(str::len), Some(20_000));
    assert!(began.elapsed() < DEADLINE);
}

#[tokio::test]
async fn short_lives_end_after_the_handshake_again_and_again() {
    let hub = quiet_hub();
    let (mut old, _) = connected(&hub, "market").await;
    let id = inject(&hub, Fault::ShortLife { life: Duration::from_millis(50), how: DropHow::Reset });
    for _ in 0..2 {
        assert_eq!(Client::connect(&hub.hub_url("market")).await.read_to_end().await.1, End::Lost);
    }
    assert!(old.is_silent_for(SOON).await);
    assert!(hub.heal(id));
    assert!(Client::connect(&hub.hub_url("market")).await.is_silent_for(SOON).await);
}

#[tokio::test]
async fn close_records_take_every_form() {
    let hub = quiet_hub();
    let close = |error: Option<serde_json::Value>, allow_reconnect: Option<serde_json::Value>, then| {
        Fault::CloseRecord { error, allow_reconnect, then }
    };
    let usual = AfterClose::WebsocketClose;
    for (fault, text, end) in [
        (close(None, None, usual), "{\"type\":7}", End::Closed(1000)),
        (close(None, Some(json!(true)), usual), "{\"type\":7,\"allowReconnect\":true}", End::Closed(1000)),
        (close(None, Some(json!(false)), usual), "{\"type\":7,\"allowReconnect\":false}", End::Closed(1000)),
        (close(None, Some(json!("yes")), usual), "{\"type\":7,\"allowReconnect\":\"yes\"}", End::Closed(1000)),
        (
            close(Some(json!("a \"b\"")), Some(json!(true)), usual),
            "{\"type\":7,\"error\":\"a \\\"b\\\"\",\"allowReconnect\":true}",
            End::Closed(1000),
        ),
        (close(Some(json!(5)), None, AfterClose::Fin), "{\"type\":7,\"error\":5}", End::Lost),
    ] {
        let (mut client, id) = connected(&hub, "market").await;
        inject(&hub, Rule::new(fault.clone()).on_connection(&id));
        assert_eq!(client.read_to_end().await, (format!("{text}\u{1e}"), end), "{fault:?}");
        assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
    }
    let (mut client, _) = connected(&hub, "market").await;
    inject(&hub, close(None, None, AfterClose::Nothing));
    assert_eq!(client.record().await, "{\"type\":7}");
    publish(&hub, "market", 1);
    assert_eq!(client.record().await, event(1));
}

#[tokio::test]
async fn a_websocket_close_has_its_code_and_reason() {
    let hub = quiet_hub();
    for (code, reason) in [(1012, "restart"), (1001, ""), (4000, "own")] {
        let (mut client, _) = connected(&hub, "market").await;
        inject(&hub, Fault::WebsocketClose { code, reason: reason.to_owned() });
        assert_eq!(client.close_frame().await, Some((code, reason.to_owned())));
        drop(client);
        assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
    }
}
