//! What the hub tells about itself: metrics, log, and the console's hub. And what it never tells.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

mod common;

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Client, http};
use mock_hub::faults::{Fault, Rule};
use mock_hub::{MockHub, Options};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

const CONTRACT: &str = "CON.F.US.EP.Z26";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn start(options: Options) -> MockHub {
    MockHub::start(options).expect("a hub on loopback starts")
}

async fn metrics(hub: &MockHub) -> String {
    let (status, head, body) = http("GET", &format!("{}/metrics", hub.url()), &[], "").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    body
}

/// The value of a sample whose name and labels are these.
fn sample(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

async fn login(hub: &MockHub, key: &str) -> String {
    let body = format!("{{\"userName\":\"user\",\"apiKey\":\"{key}\"}}");
    let json = [("Content-Type", "application/json")];
    let (_, _, answer) = http("POST", &format!("{}/api/Auth/loginKey", hub.url()), &json, &body).await;
    serde_json::from_str::<Value>(&answer).unwrap()["token"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn metrics_count_connections_subscriptions_events_calls_and_requests() {
    let hub = start(Options { quotes_per_second: 200.0, ..Options::default() });
    let mut client = Client::connect(&hub.hub_url("market")).await;
    client.call("1", "SubscribeContractQuotes", &format!("[\"{CONTRACT}\"]")).await;
    client.call("2", "NoSuchMethod", "[]").await;
    for _ in 0..3 {
        client.json().await;
    }
    let mut other = Client::connect(&hub.hub_url("conformance")).await;
    other.call("1", "ThrowHubException", "[\"x\"]").await;
    other.send("{\"type\":7}\u{1e}").await;
    other.read_to_end().await;
    assert!(hub.until(common::DEADLINE, |hub| hub.connections().len() == 1).await);
    login(&hub, "").await;
    http("GET", &format!("{}/control/connections", hub.url()), &[], "").await;

    let ended = "mock_hub_connections_ended_total{hub=\"conformance\",reason=\"closed\"}";
    let mut text = metrics(&hub).await;
    while sample(&text, ended).is_none() {
        text = metrics(&hub).await;
    }
    let at_least = |name: &str, least: f64| {
        let value = sample(&text, name);
        assert!(value.is_some_and(|value| value >= least), "{name} is {value:?} in\n{text}");
    };
    at_least("mock_hub_connections_open{hub=\"market\"}", 1.0);
    at_least("mock_hub_connections_accepted_total", 2.0);
    at_least(ended, 1.0);
    at_least("mock_hub_upgrades_total", 2.0);
    at_least("mock_hub_subscriptions{hub=\"market\",target=\"GatewayQuote\"}", 1.0);
    at_least("mock_hub_events_published_total{target=\"GatewayQuote\"}", 2.0);
    at_least("mock_hub_records_sent_total{target=\"GatewayQuote\"}", 2.0);
    at_least("mock_hub_received_bytes_total{hub=\"market\"}", 100.0);
    at_least("mock_hub_received_bytes_total{hub=\"conformance\"}", 100.0);
    at_least("mock_hub_written_bytes_total{hub=\"market\"}", 300.0);
    at_least("mock_hub_calls_total{hub=\"market\",method=\"SubscribeContractQuotes\",outcome=\"Ok\"}", 1.0);
    at_least("mock_hub_calls_total{hub=\"market\",method=\"other\",outcome=\"Refused\"}", 1.0);
    at_least("mock_hub_calls_total{hub=\"conformance\",method=\"ThrowHubException\",outcome=\"Error\"}", 1.0);
    at_least("mock_hub_logins_total{outcome=\"refused\"}", 1.0);
    at_least("mock_hub_http_request_seconds_count{path=\"/control/connections\",status=\"200\"}", 1.0);
    at_least("mock_hub_publish_lag_seconds_count", 1.0);
    assert_eq!(sample(&text, "mock_hub_queue_bytes").map(|bytes| bytes >= 0.0), Some(true));
    assert!(!text.contains(CONTRACT) && !text.contains(&hub.connections()[0].id), "{text}");
}

#[tokio::test]
async fn a_fault_that_acts_is_counted_and_noted_once() {
    let hub = start(Options { quotes_per_second: 500.0, ..Options::default() });
    let mut client = Client::connect(&hub.hub_url("market")).await;
    hub.inject(Rule::new(Fault::LostEvents { group: None }).times(3)).unwrap();
    client.call("1", "SubscribeContractQuotes", &format!("[\"{CONTRACT}\"]")).await;
    client.json().await;
    assert_eq!(sample(&metrics(&hub).await, "mock_hub_faults_acted_total{fault=\"lost-events\"}"), Some(3.0));
    let log = console_log(&hub).await;
    assert_eq!(log.matches("\"text\":\"lost-events, for everyone\"").count(), 1, "{log}");
}

#[tokio::test]
async fn no_token_and_no_key_is_ever_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("only this test sets it");

    let hub = start(Options { require_token: Some(vec!["listed-secret".to_owned()]), ..Options::default() });
    let key = "key-that-is-secret";
    let issued = hub.issue_token("ann", Duration::from_secs(60));
    let logged_in = login(&hub, key).await;
    let mut secrets = vec![key, "listed-secret", issued.as_str(), "bad-secret"];
    secrets.extend((!logged_in.is_empty()).then_some(logged_in.as_str()));

    let url = hub.hub_url("market");
    let header = format!("Bearer {issued}");
    let mut by_header = Client::open_with(&url, &[("authorization", &header)]).await.unwrap();
    let mut by_query = Client::open(&format!("{url}?access_token=listed-secret")).await.unwrap();
    for client in [&mut by_header, &mut by_query] {
        client.send(common::HANDSHAKE).await;
        assert_eq!(client.record().await, "{}");
        // As Python clients do: the token in the headers of an invocation.
        let headers = format!("\"headers\":{{\"Authorization\":\"{header}\"}}");
        let call = r#""type":1,"invocationId":"1","target":"SubscribeContractQuotes""#;
        client.send(&format!("{{{call},{headers},\"arguments\":[\"{CONTRACT}\"]}}\u{1e}")).await;
        client.record().await;
    }
    assert_eq!(Client::open(&format!("{url}?access_token=bad-secret")).await.err(), Some(401));
    http("POST", &format!("{}/control/revoke?token={issued}", hub.url()), &[], "").await;
    http("POST", &format!("{}/api/Auth/validate", hub.url()), &[("Authorization", "Bearer bad-secret")], "").await;
    drop((by_header, by_query));
    assert!(hub.until(common::DEADLINE, |hub| hub.connections().is_empty()).await);
    let console = console_log(&hub).await;
    drop(hub);

    let log = log.text();
    assert!(log.contains("connection-opened") && log.contains("for ann"), "{log}");
    assert!(log.contains("upgrade-refused"), "{log}");
    for secret in secrets {
        let signature = secret.rsplit('.').next().unwrap_or(secret);
        assert!(!log.contains(signature), "{signature} in\n{log}");
        assert!(!console.contains(signature), "{signature} in\n{console}");
    }
}

/// The lines of the console's log so far.
async fn console_log(hub: &MockHub) -> String {
    let mut client = Client::connect(&hub.hub_url("console")).await;
    client.send("{\"type\":4,\"invocationId\":\"1\",\"target\":\"Log\",\"arguments\":[0]}\u{1e}").await;
    let mut text = String::new();
    loop {
        let record = client.record().await;
        text.push_str(&record);
        if record.contains("console ") {
            return text;
        }
    }
}

#[tokio::test]
async fn the_console_hub_streams_views_of_the_hub() {
    let hub = start(Options { quotes_per_second: 100.0, ..Options::default() });
    let mut market = Client::connect(&hub.hub_url("market")).await;
    market.call("1", "SubscribeContractQuotes", &format!("[\"{CONTRACT}\"]")).await;
    let mut console = Client::connect(&hub.hub_url("console")).await;
    console.send("{\"type\":4,\"invocationId\":\"9\",\"target\":\"Watch\",\"arguments\":[100]}\u{1e}").await;
    let mut views = Vec::new();
    while views.len() < 2 {
        let record = console.json().await;
        if record["type"] == 2 {
            views.push(record["item"].clone());
        }
    }
    let connections = views[1]["connections"].as_array().unwrap();
    let subscriptions: Vec<_> = connections.iter().map(|one| (&one["hub"], &one["subscriptions"])).collect();
    assert_eq!(subscriptions[0], (&"market".into(), &serde_json::json!([format!("quotes/{CONTRACT}")])));
    assert_eq!(subscriptions[1], (&"console".into(), &serde_json::json!([])));
    let published = |view: &Value| view["targets"][0]["published"].as_u64();
    assert!(published(&views[1]) > published(&views[0]), "{views:?}");
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let hub = start(Options::default());
    let foreign = [("Origin", "http://evil.example"), ("Content-Type", "text/plain")];
    let token = format!("{}/control/token?user=ann", hub.url());
    assert_eq!(http("POST", &token, &foreign, "").await.0, 403);
    assert_eq!(http("POST", &format!("{}/api/Auth/loginKey", hub.url()), &foreign, "{}").await.0, 403);
    assert_eq!(http("POST", &format!("{}/control/drop?how=tcp", hub.url()), &foreign, "").await.0, 403);
    let console = Client::open_with(&hub.hub_url("console"), &[("origin", "http://evil.example")]).await;
    assert_eq!(console.err(), Some(403));

    let own = hub.url();
    let (status, head, _) = http("POST", &token, &[("Origin", &own)], "").await;
    assert_eq!(status, 200);
    assert!(!head.contains("access-control-"), "{head}");
    assert_eq!(http("POST", &token, &[], "").await.0, 200);
    let market = Client::open_with(&hub.hub_url("market"), &[("origin", "http://evil.example")]).await;
    assert!(market.is_ok(), "a page under test may have an origin of its own");
}

#[tokio::test]
async fn the_page_and_its_files_are_there_and_keep_to_themselves() {
    let hub = start(Options::default());
    let (status, head, body) = http("GET", &format!("{}/", hub.url()), &[], "").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    let policy = head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let files: Vec<_> = ["src=\"", "href=\""].iter().flat_map(|mark| body.split(*mark).skip(1)).collect();
    let files: Vec<_> = files.iter().filter_map(|rest| rest.split('"').next()).collect();
    for file in files.iter().filter(|file| file.starts_with('/')) {
        assert_eq!(http("GET", &format!("{}{file}", hub.url()), &[], "").await.0, 200, "{file}");
    }
    assert!(
        !body.contains("<script>") && !body.contains("style=") && !body.contains("onclick"),
        "inline script or style"
    );
}

#[test]
fn the_program_logs_json_on_standard_error_when_told_to() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_mock-hub"))
        .args(["--port", "0", "--log", "json", "--exit-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(program.stdout.take().unwrap()), &mut first).unwrap();
    let url = serde_json::from_str::<Value>(&first).unwrap()["url"].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { drop(Client::connect(&format!("{url}/hubs/conformance")).await) });
    drop(program.stdin.take());
    let output = program.wait_with_output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.iter().any(|line| line["kind"] == "connection-opened" && line["level"] == "INFO"), "{log}");
}
