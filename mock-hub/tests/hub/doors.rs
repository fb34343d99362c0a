//! Getting in: tokens, ids, upgrades, and the port itself.

use std::time::Duration;

use mock_hub::{BadToken, Options};
use serde_json::{Value, json};

use super::common::{Client, DEADLINE, End, HANDSHAKE, http};
use super::{connected, start};

#[tokio::test]
async fn upgrades_are_refused_as_often_as_told() {
    let hub = start(Options::default());
    let url = hub.hub_url("market");
    hub.refuse_upgrades(Some(2), 503);
    assert_eq!(Client::open(&url).await.err(), Some(503));
    assert_eq!(Client::open(&url).await.err(), Some(503));
    Client::connect(&url).await;
    hub.refuse_upgrades(None, 429);
    for _ in 0..3 {
        assert_eq!(Client::open(&url).await.err(), Some(429));
    }
    hub.accept_upgrades();
    Client::connect(&url).await;
    assert_eq!(hub.upgrades(), 7);
}

#[tokio::test]
async fn the_port_closes_and_opens_again() {
    let hub = start(Options::default());
    let mut before = Client::connect(&hub.hub_url("conformance")).await;
    let is_open = || std::net::TcpStream::connect(("127.0.0.1", hub.port())).is_ok();
    hub.refuse_connections();
    assert!(hub.until(DEADLINE, |_| !is_open()).await);
    assert_eq!(before.call("1", "Add", "[1,1]").await["result"], 2);
    hub.accept_connections();
    assert!(hub.until(DEADLINE, |_| is_open()).await);
    Client::connect(&hub.hub_url("conformance")).await;
}

#[tokio::test]
async fn tokens_open_doors_by_header_or_query_and_change_at_run_time() {
    let hub = start(Options { require_token: Some(vec!["good+/=".to_owned()]), ..Options::default() });
    let url = hub.hub_url("market");
    assert_eq!(Client::open(&url).await.err(), Some(401));
    assert!(Client::open_with(&url, &[("authorization", "Bearer good+/=")]).await.is_ok());
    assert!(Client::open(&format!("{url}?access_token=good%2B%2F%3D")).await.is_ok());

    let negotiate = format!("{url}/negotiate?negotiateVersion=1");
    let (status, head, body) = http("POST", &negotiate, &[("Authorization", "Bearer bad")], "").await;
    assert_eq!((status, body.as_str()), (401, ""));
    assert!(head.contains("www-authenticate: bearer error=\"invalid_token\""), "{head}");

    hub.set_tokens(Some(vec!["new".to_owned()]));
    assert_eq!(Client::open_with(&url, &[("authorization", "Bearer good+/=")]).await.err(), Some(401));
    assert!(Client::open_with(&url, &[("authorization", "Bearer new")]).await.is_ok());
    let issued = format!("Bearer {}", hub.issue_token("ann", DEADLINE));
    assert!(Client::open_with(&url, &[("authorization", &issued)]).await.is_ok());

    hub.set_bad_token(BadToken::AcceptThenClose);
    let mut unwelcome = Client::open(&url).await.unwrap_or_else(|status| panic!("{status}"));
    unwelcome.send(HANDSHAKE).await;
    assert_eq!(unwelcome.read_to_end().await, ("{}\u{1e}{\"type\":7}\u{1e}".to_owned(), End::Closed(1000)));
    hub.set_tokens(None);
    Client::connect(&url).await;
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let hub = start(Options::default());
    let token = hub.issue_token("ann", Duration::from_millis(300));
    let mut client = Client::connect(&format!("{}?access_token={token}", hub.hub_url("secure"))).await;
    assert_eq!(client.call("1", "WhoAmI", "[]").await["result"]["userIdentifier"], "ann");
    assert_eq!(
        client.read_to_end().await,
        ("{\"type\":7,\"allowReconnect\":true}\u{1e}".to_owned(), End::Closed(1000))
    );
}

#[tokio::test]
async fn negotiated_ids_are_good_for_one_connection() {
    let hub = start(Options { negotiation_lifetime: Duration::from_millis(500), ..Options::default() });
    let url = hub.hub_url("conformance");
    let (status, _, body) = http("POST", &format!("{url}/negotiate?negotiateVersion=1"), &[], "").await;
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        answer["availableTransports"],
        json!([{ "transport": "WebSockets", "transferFormats": ["Text", "Binary"] }])
    );
    let (id, token) = (answer["connectionId"].as_str().unwrap(), answer["connectionToken"].as_str().unwrap());
    assert_ne!(id, token);
    assert_eq!(Client::open(&format!("{url}?id={id}")).await.err(), Some(404));
    let with_token = format!("{url}?id={token}");
    let client = Client::connect(&with_token).await;
    assert_eq!(hub.connections()[0].id, id);
    assert_eq!(Client::open(&with_token).await.err(), Some(409));
    drop(client);
    connected(&hub, 0).await;
    assert_eq!(Client::open(&with_token).await.err(), Some(404));

    let (_, _, body) = http("POST", &format!("{url}/negotiate?negotiateVersion=1"), &[], "").await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    let late = format!("{url}?id={}", answer["connectionToken"].as_str().unwrap());
    assert!(!hub.until(Duration::from_millis(600), |_| false).await);
    assert_eq!(Client::open(&late).await.err(), Some(404));
    assert_eq!(hub.negotiations(), 2);
}

#[tokio::test]
async fn requests_that_are_no_upgrades_are_told_so() {
    let hub = start(Options::default());
    let url = hub.hub_url("conformance");
    for (method, path, status, body) in [
        ("GET", "", 400, "Connection ID required"),
        ("POST", "?id=", 400, "Connection ID required"),
        ("GET", "?id=x", 404, "No Connection with that ID"),
        ("PUT", "", 405, ""),
        ("GET", "/negotiate", 405, ""),
    ] {
        let (answered, head, text) = http(method, &format!("{url}{path}"), &[], "").await;
        assert_eq!((answered, text.as_str()), (status, body), "{method} {path}");
        assert!(!head.contains("allow:"), "{head}");
    }
    let (status, ..) = http("POST", &format!("{}/HUBS/Conformance/Negotiate/", hub.url()), &[], "").await;
    assert_eq!(status, 200);
    let (status, ..) = http("GET", &format!("{}/nothing", hub.url()), &[], "").await;
    assert_eq!(status, 404);
}
