use std::time::{Duration, Instant};

use mock_hub::faults::{DropHow, Fault, Moment, RetryAfter, Rule};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::common::rest::User;
use super::common::{DEADLINE, http};
use super::{inject, once, quiet_hub};

const LOGIN: &str = r#"{"userName":"ann","apiKey":"k"}"#;
const SOON: Duration = Duration::from_millis(200);

async fn login(hub: &mock_hub::MockHub) -> (u16, String, String) {
    http("POST", &format!("{}/api/Auth/loginKey", hub.url()), &[("Content-Type", "application/json")], LOGIN).await
}

/// Everything that comes before the end of the socket.
async fn raw_login(hub: &mock_hub::MockHub) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", hub.port())).await.unwrap();
    let request = format!(
        "POST /api/Auth/loginKey HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{LOGIN}",
        LOGIN.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end like any other here.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("the socket stayed open");
    String::from_utf8(answer).unwrap()
}

fn is_logged_in((status, _, body): &(u16, String, String)) -> bool {
    *status == 200 && serde_json::from_str::<Value>(body).is_ok_and(|answer| answer["success"] == true)
}

#[tokio::test]
async fn answers_come_late_changed_or_not_at_all_for_the_paths_that_are_meant() {
    let hub = quiet_hub();
    let path = Some("/api/auth/LoginKey".to_owned());
    for moment in [Moment::Before, Moment::After] {
        inject(&hub, once(Fault::RestDelay { path: path.clone(), by: SOON, moment }));
        let began = Instant::now();
        assert!(is_logged_in(&login(&hub).await));
        assert!(began.elapsed() >= SOON, "{moment:?}");

        let retry_after = Some(RetryAfter::Seconds(3));
        inject(&hub, once(Fault::RestStatus { path: path.clone(), status: 502, retry_after, body: None, moment }));
        let (status, head, body) = login(&hub).await;
        assert_eq!((status, body.as_str(), head.contains("retry-after: 3")), (502, "", true));

        inject(&hub, once(Fault::RestGarbage { path: path.clone(), body: Some("{".to_owned()), moment }));
        let (status, _, body) = login(&hub).await;
        assert_eq!((status, body.as_str()), (200, "{"));

        for how in [DropHow::Reset, DropHow::Fin] {
            inject(&hub, once(Fault::RestDrop { path: path.clone(), how, moment }));
            assert_eq!(raw_login(&hub).await, "", "{how:?} {moment:?}");
        }
        assert!(is_logged_in(&login(&hub).await));
    }
    inject(
        &hub,
        Fault::RestStatus {
            path: Some("/api/Order".to_owned()),
            status: 500,
            retry_after: None,
            body: None,
            moment: Moment::Before,
        },
    );
    assert!(is_logged_in(&login(&hub).await));
    assert_eq!(http("POST", &format!("{}/api/Order/place", hub.url()), &[], "").await.0, 500);
}

#[tokio::test]
async fn a_truncated_answer_ends_in_the_middle_of_its_body() {
    let hub = quiet_hub();
    inject(&hub, once(Fault::RestTruncated { path: None, keep: Some(10) }));
    let answer = raw_login(&hub).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), 10);
    let length =
        head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
    assert!(length.unwrap().parse::<usize>().unwrap() > 10);
}

#[tokio::test]
async fn a_narrower_scope_is_refused() {
    let hub = quiet_hub();
    let fault = Fault::RestGarbage { path: None, body: None, moment: Moment::Before };
    let error = hub.inject(Rule::new(fault).on_hub("user")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_exists_or_does_not() {
    let hub = quiet_hub();
    let user = User::log_in(&hub).await;
    let account = hub.accounts(None)[0].id;
    let order = json!({ "accountId": account, "contractId": "CON.F.US.EP.Z26", "type": 1, "side": 0, "size": 1, "limitPrice": 100 });
    let everything = json!({ "accountId": account, "startTimestamp": "2000-01-01T00:00:00Z" });
    for (moment, expected) in [(Moment::Before, 0), (Moment::After, 1)] {
        let path = Some("/api/Order/place".to_owned());
        inject(&hub, once(Fault::RestStatus { path, status: 502, retry_after: None, body: None, moment }));
        assert_eq!(user.post("Order/place", &order.to_string()).await.0, 502);
        let orders = user.done("Order/search", everything.clone()).await;
        assert_eq!(orders["orders"].as_array().map(Vec::len), Some(expected), "{moment:?}");
    }
}
