use std::time::{Duration, Instant};

use mock_hub::faults::{AfterTruncation, Fault, Rule};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::common::End;
use super::{connected, event, inject, once, publish, quiet_hub};

const SOON: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_malformed_record_takes_the_place_of_one() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    let (mut other, _) = connected(&hub, "user").await;
    inject(&hub, Rule::new(Fault::MalformedRecord { text: None }).on_hub("market").pattern(".x".parse().unwrap()));
    for number in 0..4 {
        publish(&hub, "market", number);
        publish(&hub, "user", number);
    }
    let broken = |number| event(number).replacen(':', ";", 1);
    for expected in [event(0), broken(1), event(2), broken(3)] {
        assert_eq!(client.record().await, expected);
    }
    for number in 0..4 {
        assert_eq!(other.record().await, event(number));
    }
    assert_eq!((super::acted(&hub), hub.heal_all()), (2, 1));
    inject(&hub, once(Fault::MalformedRecord { text: Some("{\"type\":".to_owned()) }));
    publish(&hub, "market", 5);
    publish(&hub, "market", 6);
    assert_eq!((client.record().await, client.record().await), ("{\"type\":".to_owned(), event(6)));
}

#[tokio::test]
async fn a_truncated_record_is_the_last_or_has_the_next_one_right_behind() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    inject(&hub, once(Fault::TruncatedRecord { keep: Some(5), then: AfterTruncation::Nothing }));
    publish(&hub, "market", 1);
    publish(&hub, "market", 2);
    assert_eq!(client.record().await, format!("{}{}", &event(1)[..5], event(2)));

    inject(&hub, once(Fault::TruncatedRecord { keep: None, then: AfterTruncation::Fin }));
    publish(&hub, "market", 3);
    let half = event(3).len() / 2;
    assert_eq!(client.read_to_end().await, (event(3)[..half].to_owned(), End::Lost));
}

#[tokio::test]
async fn records_are_split_over_messages_and_fragments_of_every_size() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    let send = |number: u32| {
        hub.publish("market", "É🦀", &format!("[{number},\"ä🦀ö\"]"), None).unwrap();
    };
    let expected =
        |number| format!("{{\"type\":1,\"target\":\"É\\uD83E\\uDD80\",\"arguments\":[{number},\"ä\\uD83E\\uDD80ö\"]}}");
    for size in 1..80 {
        let number = size as u32;
        let split = inject(&hub, Fault::SplitRecords { size });
        send(number);
        let (mut text, mut messages) = (String::new(), 0);
        while !text.ends_with('\u{1e}') {
            text.push_str(client.message().await.unwrap().to_text().unwrap());
            messages += 1;
        }
        assert_eq!(text, format!("{}\u{1e}", expected(number)), "{size}");
        // Characters of two bytes make some messages a byte longer.
        let length = text.len();
        assert!(messages <= length.div_ceil(size) && messages >= length / (size + 1), "{messages} of {size}");
        assert!(hub.heal(split));
        for with_pings in [false, true] {
            let fragments = inject(&hub, Fault::FragmentedRecords { size, with_pings });
            send(number);
            // One message, however many fragments.
            assert_eq!(client.message().await.unwrap().to_text().unwrap(), format!("{}\u{1e}", expected(number)));
            assert_eq!(super::acted(&hub), 1);
            assert!(hub.heal(fragments));
        }
    }
}

#[tokio::test]
async fn glued_records_share_a_message_and_wait_no_longer_than_told() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    inject(&hub, Fault::GluedRecords { records: 3, hold: Duration::from_secs(60) });
    for number in 0..3 {
        assert!(number == 0 || client.is_silent_for(Duration::from_millis(50)).await);
        publish(&hub, "market", number);
    }
    let glued = |numbers: &[u32]| numbers.iter().map(|number| format!("{}\u{1e}", event(*number))).collect::<String>();
    assert_eq!(client.message().await.unwrap().to_text().unwrap(), glued(&[0, 1, 2]));
    hub.heal_all();
    inject(&hub, once(Fault::GluedRecords { records: 3, hold: SOON }));
    let began = Instant::now();
    publish(&hub, "market", 7);
    assert_eq!(client.message().await.unwrap().to_text().unwrap(), glued(&[7]));
    assert!(began.elapsed() >= SOON);
}

#[tokio::test]
async fn oversized_things_have_their_size() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    inject(&hub, once(Fault::OversizedRecord { bytes: 2_000_000 }));
    publish(&hub, "market", 1);
    let record = client.record().await;
    let value: Value = serde_json::from_str(&record).unwrap();
    assert_eq!((record.len(), &value["arguments"][0]), (1_999_999, &Value::from(1)));

    inject(&hub, Fault::OversizedInvocation { bytes: 300_000 });
    assert_eq!(client.json().await["arguments"][0].as_str().map(str::len), Some(300_000));
    inject(&hub, Fault::OversizedMessage { bytes: 500_000 });
    let message = client.message().await.unwrap();
    assert!(message.len() >= 500_000 && message.to_text().unwrap().starts_with("{\"type\":6}\u{1e}{\"type\":6}"));
}

#[tokio::test]
async fn bytes_that_are_no_utf8_reach_the_client() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    inject(&hub, once(Fault::InvalidUtf8));
    publish(&hub, "market", 1);
    // The client's WebSocket fails the message.
    assert_eq!(client.message().await, Err(End::Lost));
}

#[tokio::test]
async fn binary_frames_carry_the_same_records() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    inject(&hub, once(Fault::BinaryFrames));
    publish(&hub, "market", 1);
    assert_eq!(client.message().await.unwrap(), Message::binary(format!("{}\u{1e}", event(1))));
    publish(&hub, "market", 2);
    assert!(client.message().await.unwrap().is_text());
}

#[tokio::test]
async fn records_that_nobody_asked_for() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    let (mut other, _) = connected(&hub, "user").await;
    for (fault, expected) in [
        (Fault::UnknownKind { kind: -7 }, "{\"type\":-7}"),
        (Fault::UnknownTarget { target: "X".to_owned() }, "{\"type\":1,\"target\":\"X\",\"arguments\":[1,\"two\"]}"),
        (Fault::UnknownCompletion { id: "9".to_owned() }, "{\"type\":3,\"invocationId\":\"9\",\"result\":null}"),
        (Fault::ForeignRecord { record: "[]".to_owned() }, "[]"),
    ] {
        inject(&hub, Rule::new(fault).on_hub("market"));
        assert_eq!(client.record().await, expected);
    }
    for binary in [false, true] {
        inject(&hub, Rule::new(Fault::ForeignMessage { text: "half a".to_owned(), binary }).on_hub("market"));
        let message = client.message().await.unwrap();
        assert_eq!((message.is_binary(), message.into_data().as_ref()), (binary, &b"half a"[..]));
    }
    assert!(other.is_silent_for(Duration::from_millis(50)).await);
}

#[tokio::test]
async fn pings_flood_or_fail() {
    let options = mock_hub::Options { keep_alive: Duration::from_millis(20), ..mock_hub::Options::default() };
    let hub = mock_hub::MockHub::start(options).unwrap();
    let (mut client, _) = connected(&hub, "user").await;
    assert_eq!(client.record().await, "{\"type\":6}");
    let id = inject(&hub, Fault::NoPings);
    // Whatever had left before.
    while !client.is_silent_for(SOON).await {}
    assert!(super::acted(&hub) > 0 && hub.heal(id));
    assert_eq!(client.record().await, "{\"type\":6}");

    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "user").await;
    inject(&hub, Fault::PingFlood { count: 5000 });
    for _ in 0..5000 {
        assert_eq!(client.record().await, "{\"type\":6}");
    }
    assert!(client.is_silent_for(Duration::from_millis(50)).await);
}
