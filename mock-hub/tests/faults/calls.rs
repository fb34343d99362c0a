use std::time::Duration;

use mock_hub::faults::{Fault, Rule};
use serde_json::{Value, json};

use super::{connected, inject, once, quiet_hub};

const ADD: &str = "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Add\",\"arguments\":[1,2]}\u{1e}";
const NEXT: &str = "{\"type\":1,\"invocationId\":\"2\",\"target\":\"Add\",\"arguments\":[2,2]}\u{1e}";
const FIRST_ANSWER: &str = "{\"type\":3,\"invocationId\":\"1\",\"result\":3}";
const NEXT_ANSWER: &str = "{\"type\":3,\"invocationId\":\"2\",\"result\":4}";

#[tokio::test]
async fn completions_come_twice_late_never_or_with_both() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "conformance").await;

    inject(&hub, once(Fault::DuplicateCompletion));
    client.send(ADD).await;
    client.send(NEXT).await;
    for expected in [FIRST_ANSWER, FIRST_ANSWER, NEXT_ANSWER] {
        assert_eq!(client.record().await, expected);
    }

    inject(&hub, once(Fault::LateCompletion { by: Duration::from_millis(300) }));
    client.send(ADD).await;
    client.send(NEXT).await;
    for expected in [NEXT_ANSWER, FIRST_ANSWER] {
        assert_eq!(client.record().await, expected);
    }

    inject(&hub, once(Fault::LostCompletion));
    client.send(ADD).await;
    client.send(NEXT).await;
    assert_eq!(client.record().await, NEXT_ANSWER);

    inject(&hub, once(Fault::CompletionWithBoth));
    client.send(ADD).await;
    client.send(NEXT).await;
    let both = client.json().await;
    assert_eq!((&both["result"], both["error"].is_string()), (&json!(3), true));
    assert_eq!(client.record().await, NEXT_ANSWER);
    assert_eq!(hub.faults().iter().map(|report| report.acted).collect::<Vec<_>>(), [1, 1, 1, 1]);
}

#[tokio::test]
async fn subscriptions_are_refused_with_share_and_text() {
    let hub = quiet_hub();
    let (mut client, _) = connected(&hub, "market").await;
    let method = Some("SubscribeContractQ".to_owned());
    let text = Some("No data for you.".to_owned());
    inject(&hub, Rule::new(Fault::RejectedSubscriptions { method, text }).share(0.5));
    let mut refused = 0;
    for _ in 0..200 {
        let answer = client.call("1", "SubscribeContractQuotes", "[\"CON.F.US.EP.Z26\"]").await;
        match answer.get("error") {
            None => assert_eq!(answer["result"], Value::Null),
            Some(error) => {
                let expected = "An unexpected error occurred invoking 'SubscribeContractQuotes' on the server. \
                                HubException: No data for you.";
                assert_eq!(error, expected);
                refused += 1;
            }
        }
        assert!(client.call("2", "SubscribeContractTrades", "[\"CON.F.US.EP.Z26\"]").await.get("error").is_none());
    }
    // Half of 200: less than 60 or more than 140 does not happen, and the seed is fixed.
    assert!((60..=140).contains(&refused), "{refused}");
    assert_eq!(super::acted(&hub), refused);
}

#[tokio::test]
async fn a_zombie_subscription_is_accepted_and_never_fed() {
    let hub = quiet_hub();
    let (mut client, id) = connected(&hub, "user").await;
    inject(&hub, once(Fault::ZombieSubscriptions { method: None }).on_connection(&id));
    assert_eq!(client.call("1", "SubscribeOrders", "[7]").await["result"], Value::Null);
    assert_eq!(hub.publish("user", "GatewayUserOrder", "[1]", Some("orders/7")).unwrap(), 0);
    client.call("2", "SubscribeOrders", "[7]").await;
    assert_eq!(hub.publish("user", "GatewayUserOrder", "[2]", Some("orders/7")).unwrap(), 1);
    assert_eq!(client.json().await["arguments"], json!([2]));
}
