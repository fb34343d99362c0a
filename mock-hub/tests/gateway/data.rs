//! Accounts, contracts and bars.

use mock_hub::Options;
use serde_json::{Value, json};

use crate::common::rest::{User, control};
use crate::{ACCOUNT, MNQ, start, still};

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn accounts_are_told_as_captured() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let (status, body) = user.post("Account/search", "{\"onlyActiveAccounts\":true}").await;
    let expected = r#"{"accounts":[{"id":10000001,"name":"PRAC-V2-000000-00000001","balance":150000,"canTrade":true,"isVisible":true,"simulated":true},{"id":10000002,"name":"50KTC-V2-DLL-000000-00000002","balance":50000,"canTrade":true,"isVisible":true,"simulated":true}],"success":true,"errorCode":0,"errorMessage":null}"#;
    assert_eq!((status, body.as_str()), (200, expected));

    control(&hub, "POST", &format!("account?accountId={ACCOUNT}&active=false")).await;
    let count = async |only| {
        let answer = user.done("Account/search", json!({ "onlyActiveAccounts": only })).await;
        answer["accounts"].as_array().unwrap().len()
    };
    assert_eq!((count(true).await, count(false).await), (1, 2));
}

#[tokio::test]
async fn contracts_are_found_by_text_and_id_and_only_in_the_tier_of_the_login() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let (_, body) = user.post("Contract/searchById", &json!({ "contractId": MNQ }).to_string()).await;
    let expected = r#"{"contract":{"id":"CON.F.US.MNQ.Z26","name":"MNQZ6","description":"Micro E-mini NASDAQ-100: December 2026","tickSize":0.25,"tickValue":0.5,"activeContract":true,"symbolId":"F.US.MNQ"},"success":true,"errorCode":0,"errorMessage":null}"#;
    assert_eq!(body, expected);
    let expired = user.done("Contract/searchById", json!({ "contractId": "CON.F.US.ENQ.H25" })).await;
    assert_eq!(expired["contract"]["activeContract"], false);
    assert_eq!(
        user.refused("Contract/searchById", json!({ "contractId": "CON.F.US.NOPE.U26" })).await,
        (1, Value::Null)
    );

    let contracts = async |call: &str, request: Value| {
        let answer = user.done(call, request).await;
        answer["contracts"].as_array().unwrap().clone()
    };
    let found = contracts("Contract/search", json!({ "searchText": "nq", "live": false })).await;
    let ids: Vec<_> = found.iter().map(|contract| contract["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["CON.F.US.ENQ.Z26", "CON.F.US.MNQ.Z26"]);
    assert_eq!(contracts("Contract/search", json!({ "searchText": "", "live": false })).await.len(), 20);
    let available = contracts("Contract/available", json!({ "live": false })).await;
    assert!(available.len() > 50 && available.iter().all(|contract| contract["activeContract"] == true));
    assert!(contracts("Contract/available", json!({ "live": true })).await.is_empty());
    assert!(contracts("Contract/search", json!({ "searchText": "nq", "live": true })).await.is_empty());

    let entitled = start(Options { live_data: true, quotes_per_second: 0.0, ..Options::default() });
    let user = User::log_in(&entitled).await;
    let available = user.done("Contract/available", json!({ "live": true })).await;
    assert!(available["contracts"].as_array().unwrap().len() > 50);
}

#[tokio::test]
async fn bars_come_newest_first_and_what_is_wrong_has_its_code() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let request = |change: Value| {
        let mut request = json!({
            "contractId": MNQ, "live": false, "startTime": "2026-11-20T13:00:00Z", "endTime": "2026-11-20T14:30:00Z",
            "unit": 2, "unitNumber": 5, "limit": 10, "includePartialBar": false,
        });
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        request
    };
    let answer = user.done("History/retrieveBars", request(json!({}))).await;
    let bars = answer["bars"].as_array().unwrap();
    let times: Vec<_> = bars.iter().map(|bar| bar["t"].as_str().unwrap()).collect();
    assert_eq!(bars.len(), 10);
    assert!(times.is_sorted_by(|a, b| a > b) && times[0] == "2026-11-20T14:25:00+00:00", "{times:?}");
    assert_eq!(names(&bars[0]), ["c", "h", "l", "o", "t", "v"]);
    for (change, code) in [
        (json!({ "contractId": "CON.F.US.NOPE.Z26" }), 1),
        (json!({ "unit": 0 }), 2),
        (json!({ "unit": 99 }), 2),
        (json!({ "unitNumber": 0 }), 3),
        (json!({ "unitNumber": -1 }), 3),
        (json!({ "limit": 0 }), 4),
        (json!({ "limit": 20_001 }), 4),
    ] {
        assert_eq!(
            user.refused("History/retrieveBars", request(change.clone())).await,
            (code, Value::Null),
            "{change}"
        );
    }
    let live = user.done("History/retrieveBars", request(json!({ "live": true }))).await;
    assert_eq!(live["bars"], json!([]));
}
