use mock_hub::faults::Phase;
use serde_json::{Value, json};

use super::common::{End, http};
use super::{connected, event, publish, quiet_hub};

#[tokio::test]
async fn faults_are_switched_by_http() {
    let hub = quiet_hub();
    let url = format!("{}/control/faults", hub.url());
    let (mut client, id) = connected(&hub, "market").await;
    let post = async |body: Value| http("POST", &url, &[], &body.to_string()).await;

    let (status, _, body) = post(json!({ "fault": "binary-frames", "scope": { "connection": id }, "times": 1 })).await;
    assert_eq!((status, body.as_str()), (200, "{\"ids\":[1]}"));
    publish(&hub, "market", 1);
    assert!(client.message().await.unwrap().is_binary());

    let rules = json!([
        { "fault": { "malformed-record": { "text": "oops" } }, "scope": { "hub": "market" } },
        { "fault": { "rest-status": { "status": 503 } }, "after": "1h" },
    ]);
    assert_eq!(post(rules).await.2, "{\"ids\":[2,3]}");
    publish(&hub, "market", 2);
    assert_eq!(client.record().await, "oops");

    let (_, _, body) = http("GET", &url, &[], "").await;
    let reports: Value = serde_json::from_str(&body).unwrap();
    let seen: Vec<_> = reports.as_array().unwrap().iter().map(|it| (&it["id"], &it["phase"], &it["acted"])).collect();
    assert_eq!(
        seen,
        [
            (&json!(1), &json!("over"), &json!(1)),
            (&json!(2), &json!("active"), &json!(1)),
            (&json!(3), &json!("waiting"), &json!(0))
        ]
    );
    assert_eq!(reports[0]["rule"], json!({ "fault": "binary-frames", "scope": { "connection": id }, "times": 1 }));

    assert_eq!(http("DELETE", &format!("{url}/2"), &[], "").await.0, 200);
    assert_eq!(http("DELETE", &format!("{url}/2"), &[], "").await.0, 404);
    publish(&hub, "market", 3);
    assert_eq!(client.record().await, event(3));
    assert_eq!(http("DELETE", &url, &[], "").await.2, "{\"healed\":1}");
    assert!(hub.faults().iter().all(|report| report.phase == Phase::Over));

    post(json!({ "fault": { "drop": { "how": "reset" } } })).await;
    assert_eq!(client.read_to_end().await.1, End::Lost);
}

#[tokio::test]
async fn what_makes_no_sense_is_told_and_nothing_of_it_is_taken() {
    let hub = quiet_hub();
    let url = format!("{}/control/faults", hub.url());
    for (body, complaint) in [
        (r#"{"fault":"no-such-thing"}"#, "unknown variant `no-such-thing`"),
        (r#"{"fault":"no-pings","scop":"everyone"}"#, "unknown field `scop`"),
        (r#"{"fault":"no-pings","scope":{"hub":"nowhere"}}"#, "no hub has the name"),
        (r#"{"fault":{"split-records":{"size":0}}}"#, "size is at least 1"),
        (r#"[{"fault":"no-pings"},{"fault":"no-pings","times":0}]"#, "times is at least 1"),
        ("", "EOF"),
    ] {
        let (status, _, text) = http("POST", &url, &[], body).await;
        assert!(status == 400 && text.contains(complaint), "{body}: {status} {text}");
    }
    assert!(hub.faults().is_empty());
    let (status, _, names) = http("GET", &format!("{url}/names"), &[], "").await;
    assert!(status == 200 && names.contains("\"rest-drop\""), "{names}");
}
