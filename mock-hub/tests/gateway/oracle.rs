//! What was published, what each connection was sent of it, and that a seed decides it all.

use std::time::Duration;

use mock_hub::{Clock, How, MockHub, Options};
use serde_json::{Value, json};

use crate::common::rest::{User, control};
use crate::common::{Client, DEADLINE, http};
use crate::{ACCOUNT, MNQ, market, pass, start, still};

const SECOND: Duration = Duration::from_secs(1);

fn moving(seed: u64) -> MockHub {
    start(Options { clock: Clock::Virtual, seed, ..Options::default() })
}

#[tokio::test]
async fn each_connection_was_sent_what_came_since_it_joined() {
    let hub = moving(1);
    let mut early = market(&hub).await;
    early.call("1", "SubscribeContractQuotes", &format!("[\"{MNQ}\"]")).await;
    hub.advance(SECOND).unwrap();
    let mut late = market(&hub).await;
    late.call("1", "SubscribeContractQuotes", &format!("[\"{MNQ}\"]")).await;
    hub.advance(SECOND).unwrap();

    let group = format!("quotes/{MNQ}");
    let published = hub.log(0, Some(&group), usize::MAX);
    let numbers: Vec<_> = published.iter().filter(|event| event.number > 0).map(|event| event.number).collect();
    let last = *numbers.last().unwrap();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    let truth = control(&hub, "GET", "truth").await;
    let sent: Vec<_> =
        truth["connections"].as_array().unwrap().iter().map(|one| one["subscriptions"][0]["sent"].clone()).collect();
    assert_eq!(sent[0], json!([[1, last]]));
    let first_of_late = sent[1][0][0].as_u64().unwrap();
    assert_eq!(sent[1], json!([[first_of_late, last]]));
    assert!((30..=60).contains(&first_of_late), "{first_of_late}");
    // The full quotes are in the log too, each for its connection.
    let own: Vec<_> = published.iter().filter_map(|event| event.connection_id.clone()).collect();
    assert_eq!(own, hub.connections().iter().map(|connection| connection.id.clone()).collect::<Vec<_>>());

    // What a connection heard in the end is known after it has gone.
    let id = hub.connections()[0].id.clone();
    hub.drop_connection(&id, How::Tcp);
    assert!(hub.until(DEADLINE, |hub| hub.connections().len() == 1).await);
    hub.advance(SECOND).unwrap();
    let kept = hub.serials(&id).unwrap();
    assert_eq!((kept[0].group.as_str(), kept[0].sent.as_slice()), (group.as_str(), &[(1, last)][..]));
    let by_http = control(&hub, "GET", &format!("serials?connectionId={id}")).await;
    assert_eq!(by_http["subscriptions"], json!([{ "group": group, "sent": [[1, last]] }]));
    assert_eq!(hub.serials("nobody"), None);
}

#[tokio::test]
async fn the_log_holds_every_event_whoever_heard_it() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let order = json!({ "accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1 });
    user.done("Order/place", order).await;
    pass(&hub);
    let all = control(&hub, "GET", "log").await["events"].clone();
    let events = all.as_array().unwrap();
    let serials: Vec<_> = events.iter().map(|event| event["serial"].as_u64().unwrap()).collect();
    assert_eq!(serials, (1..=events.len() as u64).collect::<Vec<_>>());
    let groups: Vec<_> = events.iter().map(|event| event["group"].as_str().unwrap()).collect();
    let (orders, trades) = (format!("orders/{ACCOUNT}"), format!("trades/{ACCOUNT}"));
    assert_eq!(groups[..3], [orders.as_str(), &trades, &orders]);
    assert_eq!(events[0]["arguments"][0]["data"]["status"], 6);
    let part = control(&hub, "GET", &format!("log?from=2&limit=1&group={orders}")).await;
    assert_eq!(part["events"], json!([events[2]]));
    assert!(events[2]["at"].as_str() > events[0]["at"].as_str(), "the clock of the world");
}

/// Everything that a hub of a seed has to say after the same day.
async fn day(seed: u64, pieces: &[Duration]) -> Vec<(u64, String, Option<String>, String)> {
    let hub = moving(seed);
    let mut client = market(&hub).await;
    client.call("1", "SubscribeContractQuotes", &format!("[\"{MNQ}\"]")).await;
    client.call("2", "SubscribeContractMarketDepth", "[\"CON.F.US.EP.Z26\"]").await;
    let user = User::log_in(&hub).await;
    let order = json!({
        "accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1,
        "stopLossBracket": { "ticks": -4, "type": 4 }, "takeProfitBracket": { "ticks": 4, "type": 1 },
    });
    user.done("Order/place", order).await;
    for piece in pieces {
        hub.advance(*piece).unwrap();
    }
    let told = |event: mock_hub::LoggedEvent| (event.serial, event.at.to_string(), event.group, event.arguments);
    hub.log(0, None, usize::MAX).into_iter().map(told).collect()
}

#[tokio::test]
async fn two_hubs_of_one_seed_say_the_same_however_time_passes() {
    let once = day(7, &[10 * SECOND]).await;
    assert!(once.len() > 1000, "{}", once.len());
    let pieces: Vec<_> = (0..1000).map(|_| Duration::from_millis(10)).collect();
    let again = day(7, &pieces).await;
    let differs = again.iter().zip(&once).find(|(a, b)| a != b);
    assert!(again.len() == once.len() && differs.is_none(), "{} of {}: {differs:?}", again.len(), once.len());
    assert!(day(8, &[10 * SECOND]).await != once);
}

#[tokio::test]
async fn the_virtual_clock_moves_over_http_and_the_system_s_does_not() {
    let hub = still();
    assert_eq!(control(&hub, "POST", "advance?ms=1500").await["now"], "2026-11-20T14:30:01.5+00:00");
    assert!(hub.advance(SECOND).is_ok());
    assert_eq!(control(&hub, "POST", "advance?ms=0").await["now"], "2026-11-20T14:30:02.5+00:00");
    let real = start(Options { quotes_per_second: 0.0, ..Options::default() });
    assert!(real.advance(SECOND).is_err());
    assert_eq!(http("POST", &format!("{}/control/advance?ms=1", real.url()), &[], "").await.0, 400);
}

#[tokio::test]
async fn published_by_hand_is_logged_as_well() {
    let hub = still();
    let mut client = Client::connect(&hub.hub_url("user")).await;
    client.call("1", "SubscribeOrders", "[5]").await;
    assert_eq!(hub.publish("user", "GatewayUserOrder", "[{\"id\":1}]", Some("orders/5")).unwrap(), 1);
    hub.publish("user", "GatewayLogout", "[]", None).unwrap();
    let id = hub.connections()[0].id.clone();
    assert_eq!(hub.serials(&id).unwrap()[0].sent, [(1, 1)]);
    let log = hub.log(0, None, 10);
    let told: Vec<_> = log.iter().map(|event| (event.target.as_str(), event.group.as_deref(), event.number)).collect();
    assert_eq!(told, [("GatewayUserOrder", Some("orders/5"), 1), ("GatewayLogout", None, 0)]);
    let arguments: Value = serde_json::from_str(&log[0].arguments).unwrap();
    assert_eq!(arguments, json!([{ "id": 1 }]));
}
