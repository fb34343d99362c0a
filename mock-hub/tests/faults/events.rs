use std::time::Duration;

use mock_hub::faults::{Fault, Rule};
use mock_hub::{MockHub, Options};

use super::common::{Client, DEADLINE, End};
use super::{connected, inject, quiet_hub};

async fn subscribed(hub: &MockHub) -> (Client, String) {
    let (mut client, id) = connected(hub, "user").await;
    client.call("1", "SubscribeOrders", "[7]").await;
    client.call("2", "SubscribePositions", "[7]").await;
    (client, id)
}

fn publish(hub: &MockHub, group: &str, number: u32) {
    hub.publish("user", "E", &format!("[{number}]"), Some(group)).unwrap();
}

#[tokio::test]
async fn events_are_lost_by_pattern_for_one_connection() {
    let hub = quiet_hub();
    let (mut hit, id) = subscribed(&hub).await;
    let (mut spared, spared_id) = subscribed(&hub).await;
    let group = Some("orders/".to_owned());
    inject(&hub, Rule::new(Fault::LostEvents { group }).on_connection(&id).pattern("x.".parse().unwrap()));
    for number in 0..4 {
        publish(&hub, "orders/7", number);
        publish(&hub, "positions/7", 10 + number);
    }
    for expected in [10, 1, 11, 12, 3, 13] {
        assert_eq!(hit.json().await["arguments"][0], expected);
    }
    for expected in [0, 10, 1, 11, 2, 12, 3, 13] {
        assert_eq!(spared.json().await["arguments"][0], expected);
    }
    assert_eq!(super::acted(&hub), 2);
    // What was lost is a hole in the numbers of the one and not of the other.
    let sent = |id: &str| {
        let sent = hub.serials(id).unwrap_or_default();
        sent.into_iter().find(|group| group.group == "orders/7").map(|group| group.sent)
    };
    assert_eq!(sent(&id), Some(vec![(2, 2), (4, 4)]));
    assert_eq!(sent(&spared_id), Some(vec![(1, 4)]));
}

#[tokio::test]
async fn delayed_events_are_overtaken() {
    let hub = quiet_hub();
    let (mut client, _) = subscribed(&hub).await;
    inject(&hub, super::once(Fault::DelayedEvents { by: Duration::from_millis(200), group: None }));
    publish(&hub, "orders/7", 1);
    publish(&hub, "orders/7", 2);
    assert_eq!(
        (client.json().await["arguments"][0].as_i64(), client.json().await["arguments"][0].as_i64()),
        (Some(2), Some(1))
    );
}

#[tokio::test]
async fn tokens_expire_at_once_and_take_their_connections_along_if_told_to() {
    let hub = MockHub::start(Options { require_token: Some(Vec::new()), ..Options::default() }).unwrap();
    let open = async |token: &str| Client::open(&format!("{}?access_token={token}", hub.hub_url("user"))).await;
    let connect = async |token: &str| Client::connect(&format!("{}?access_token={token}", hub.hub_url("user"))).await;
    let (ann, bob) = (hub.issue_token("ann", DEADLINE), hub.issue_token("bob", DEADLINE));
    let (mut of_ann, mut of_bob) = (connect(&ann).await, connect(&bob).await);
    assert!(hub.until(DEADLINE, |hub| hub.connections().len() == 2).await);

    inject(&hub, Fault::TokenExpiry { user: Some("ann".to_owned()), close: true });
    let said = "{\"type\":7,\"allowReconnect\":true}\u{1e}".to_owned();
    assert_eq!(of_ann.read_to_end().await, (said, End::Closed(1000)));
    assert_eq!(open(&ann).await.err(), Some(401));
    assert!(open(&bob).await.is_ok());

    inject(&hub, Fault::TokenExpiry { user: None, close: false });
    assert_eq!(open(&bob).await.err(), Some(401));
    assert!(of_bob.call("1", "SubscribeAccounts", "[]").await.get("error").is_none());

    inject(&hub, Fault::Logout { user: None });
    let (text, end) = of_bob.read_to_end().await;
    assert!(text.contains("\"target\":\"GatewayLogout\"") && text.ends_with("{\"type\":7}\u{1e}"), "{text}");
    assert_eq!(end, End::Closed(1000));
}
