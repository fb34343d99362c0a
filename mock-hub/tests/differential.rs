//! The same bytes to this hub and to a real ASP.NET Core server: the answers must be the same.
//!
//! The real one is found by `ASPNETCORE_HUB`, its folder, or beside the repository; without it the test says that it
//! did nothing. What may differ stands in `common/allowed.rs`.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see all of it")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use common::allowed::{ALLOWED, ALLOWED_DETAILS, ALLOWED_REQUESTS, surprises};
use common::conversation::Conversation;
use common::http;
use futures_util::StreamExt;
use mock_hub::{MockHub, Options};
use serde_json::Value;

const RECORDED: &str = include_str!("data/aspnetcore-answers.jsonl");
/// So many conversations go on at once.
const AT_ONCE: usize = 8;
/// Unpacking the runtime for the first time takes a while.
const START_LIMIT: Duration = Duration::from_secs(60);
const KEY: (&str, &str) = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
const UPGRADE: &[(&str, &str)] =
    &[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), KEY];

/// Microsoft's server as a process; it ends when its standard input does.
struct Real {
    url: String,
    child: Child,
}

impl Real {
    fn start(options: &[&str]) -> Option<Self> {
        let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/aspnetcore-hub");
        let runner = std::env::var_os("ASPNETCORE_HUB").map_or(beside, PathBuf::from).join("run");
        if !runner.is_file() {
            println!("SKIPPED: there is no {}; ASPNETCORE_HUB may name its folder", runner.display());
            return None;
        }
        let mut child = Command::new(runner)
            .args(["hub", "--port", "0", "--exit-with-stdin", "--transports", "websockets"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Only the first line is waited for; the rest must be read lest the hub blocks.
                let _ = sender.send(line);
            }
        });
        let line = receiver.recv_timeout(START_LIMIT).expect("the ASP.NET Core hub did not start");
        let line: Value = serde_json::from_str(&line).unwrap();
        Some(Self { url: line["url"].as_str().unwrap().to_owned(), child })
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn conversations() -> Vec<Conversation> {
    RECORDED.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Plays all conversations to both and yields the names and answers of those that differ.
///
/// Both servers answer from several threads, and a busy machine shows: what differed is played again, by itself. Only what differs every
/// time is a difference.
async fn differences(real: &str, mock: &str) -> Vec<(String, String)> {
    let conversations = conversations();
    let (real, mock) = (format!("{real}/hubs/conformance"), format!("{mock}/hubs/conformance"));
    let play = async |conversation: &Conversation| {
        let (theirs, ours) = tokio::join!(conversation.play(&real), conversation.play(&mock));
        (theirs != ours).then(|| format!("{ours:?}\n  not {theirs:?}"))
    };
    let play = &play;
    let plays = conversations.iter().map(|conversation| async move { play(conversation).await.map(|_| conversation) });
    let suspects: Vec<_> =
        futures_util::stream::iter(plays).buffer_unordered(AT_ONCE).filter_map(async |suspect| suspect).collect().await;
    let mut differences = Vec::new();
    for conversation in suspects {
        let mut difference = play(conversation).await;
        if difference.is_some() {
            difference = play(conversation).await;
        }
        differences.extend(difference.map(|difference| (conversation.name.clone(), difference)));
    }
    differences.sort();
    differences
}

#[tokio::test]
async fn the_same_conversations_go_the_same_way() {
    let Some(real) = Real::start(&[]) else { return };
    let mock = MockHub::start(Options::default()).unwrap();
    let surprises = surprises(&differences(&real.url, &mock.url()).await, ALLOWED);
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[tokio::test]
async fn the_same_conversations_go_the_same_way_with_detailed_errors() {
    let Some(real) = Real::start(&["--detailed-errors"]) else { return };
    let mock = MockHub::start(Options { detailed_errors: true, ..Options::default() }).unwrap();
    let allowed = [ALLOWED, ALLOWED_DETAILS].concat();
    let surprises = surprises(&differences(&real.url, &mock.url()).await, &allowed);
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// A request: its name, method, path, headers. `ID` in a path is a fresh negotiated token.
type Request = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const REQUESTS: &[Request] = &[
    ("negotiate", "POST", "/hubs/conformance/negotiate?negotiateVersion=1", &[]),
    ("negotiate_no_version", "POST", "/hubs/conformance/negotiate", &[]),
    ("negotiate_0", "POST", "/hubs/conformance/negotiate?negotiateVersion=0", &[]),
    ("negotiate_2", "POST", "/hubs/conformance/negotiate?negotiateVersion=2", &[]),
    ("negotiate_42", "POST", "/hubs/conformance/negotiate?negotiateVersion=42", &[]),
    ("negotiate_negative", "POST", "/hubs/conformance/negotiate?negotiateVersion=-1", &[]),
    ("negotiate_empty", "POST", "/hubs/conformance/negotiate?negotiateVersion=", &[]),
    ("negotiate_bare", "POST", "/hubs/conformance/negotiate?negotiateVersion", &[]),
    ("negotiate_text", "POST", "/hubs/conformance/negotiate?negotiateVersion=x", &[]),
    ("negotiate_fraction", "POST", "/hubs/conformance/negotiate?negotiateVersion=1.0", &[]),
    ("negotiate_large", "POST", "/hubs/conformance/negotiate?negotiateVersion=2147483648", &[]),
    ("negotiate_twice", "POST", "/hubs/conformance/negotiate?negotiateVersion=1&negotiateVersion=1", &[]),
    ("negotiate_space", "POST", "/hubs/conformance/negotiate?negotiateVersion=%201", &[]),
    ("negotiate_plus", "POST", "/hubs/conformance/negotiate?negotiateVersion=%2B1", &[]),
    ("negotiate_name_case", "POST", "/hubs/conformance/negotiate?NEGOTIATEVERSION=1", &[]),
    ("negotiate_path_case", "POST", "/HUBS/Conformance/Negotiate?negotiateVersion=1", &[]),
    ("negotiate_slash", "POST", "/hubs/conformance/negotiate/?negotiateVersion=1", &[]),
    ("negotiate_stateful_off", "POST", "/hubs/conformance/negotiate?negotiateVersion=1&useStatefulReconnect=true", &[]),
    ("negotiate_get", "GET", "/hubs/conformance/negotiate?negotiateVersion=1", &[]),
    ("negotiate_put", "PUT", "/hubs/conformance/negotiate", &[]),
    ("negotiate_delete", "DELETE", "/hubs/conformance/negotiate", &[]),
    ("negotiate_options", "OPTIONS", "/hubs/conformance/negotiate", &[]),
    ("negotiate_secure", "POST", "/hubs/secure/negotiate?negotiateVersion=1", &[]),
    ("negotiate_bad_token", "POST", "/hubs/secure/negotiate?access_token=bad", &[]),
    ("negotiate_bad_bearer", "POST", "/hubs/secure/negotiate", &[("Authorization", "Bearer bad")]),
    ("negotiate_other_scheme", "POST", "/hubs/secure/negotiate", &[("Authorization", "Basic eDp4")]),
    ("negotiate_nowhere", "POST", "/hubs/nowhere/negotiate", &[]),
    ("hub_get", "GET", "/hubs/conformance", &[]),
    ("hub_post", "POST", "/hubs/conformance", &[]),
    ("hub_put", "PUT", "/hubs/conformance", &[]),
    ("hub_patch", "PATCH", "/hubs/conformance", &[]),
    ("hub_options", "OPTIONS", "/hubs/conformance", &[]),
    ("hub_delete", "DELETE", "/hubs/conformance", &[]),
    ("hub_unknown_id", "GET", "/hubs/conformance?id=nobody", &[]),
    ("hub_post_unknown_id", "POST", "/hubs/conformance?id=nobody", &[]),
    ("hub_delete_unknown_id", "DELETE", "/hubs/conformance?id=nobody", &[]),
    ("hub_empty_id", "GET", "/hubs/conformance?id=", &[]),
    ("hub_bare_id", "GET", "/hubs/conformance?id", &[]),
    ("hub_fresh_id", "GET", "/hubs/conformance?id=ID", &[]),
    ("hub_delete_fresh_id", "DELETE", "/hubs/conformance?id=ID", &[]),
    ("hub_post_fresh_id", "POST", "/hubs/conformance?id=ID", &[]),
    ("hub_secure", "GET", "/hubs/secure", &[]),
    ("hub_slash", "GET", "/hubs/conformance/", &[]),
    ("hub_deeper", "GET", "/hubs/conformance/more", &[]),
    ("upgrade_unknown_id", "GET", "/hubs/conformance?id=nobody", UPGRADE),
    ("upgrade_secure", "GET", "/hubs/secure", UPGRADE),
    ("upgrade_post", "POST", "/hubs/conformance", UPGRADE),
    (
        "upgrade_version_8",
        "GET",
        "/hubs/conformance",
        &[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "8"), KEY],
    ),
    ("upgrade_no_version", "GET", "/hubs/conformance", &[("Connection", "Upgrade"), ("Upgrade", "websocket"), KEY]),
    (
        "upgrade_no_key",
        "GET",
        "/hubs/conformance",
        &[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
    ),
    (
        "upgrade_short_key",
        "GET",
        "/hubs/conformance",
        &[
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "c2hvcnQ="),
        ],
    ),
    (
        "upgrade_other",
        "GET",
        "/hubs/conformance",
        &[("Connection", "Upgrade"), ("Upgrade", "h2c"), ("Sec-WebSocket-Version", "13"), KEY],
    ),
    ("redirect", "POST", "/redirect/conformance/negotiate?negotiateVersion=1", &[]),
    ("redirect_forever", "POST", "/redirect-forever/negotiate?negotiateVersion=1", &[]),
    ("negotiate_error", "POST", "/negotiate-error/negotiate?negotiateVersion=1", &[]),
    ("negotiate_legacy", "POST", "/negotiate-legacy/negotiate?negotiateVersion=1", &[]),
    ("negotiate_html", "POST", "/negotiate-html/negotiate?negotiateVersion=1", &[]),
    ("negotiate_503", "POST", "/negotiate-status/503/negotiate?negotiateVersion=1", &[]),
    ("negotiate_404", "POST", "/negotiate-status/404/negotiate?negotiateVersion=1", &[]),
];

/// What may be compared of an answer to HTTP: the status, some headers, the body with ids and hosts made general.
async fn answer(url: &str, request: &Request) -> String {
    let (_, method, path, headers) = request;
    let path = if path.contains("ID") { path.replace("ID", &fresh_id(url).await) } else { (*path).to_owned() };
    let (status, head, mut body) = ask(method, &format!("{url}{path}"), headers).await;
    for name in ["connectionId", "connectionToken"] {
        body = without_value(&body, name);
    }
    let kept = ["content-type", "allow", "www-authenticate", "upgrade"];
    let mut head: Vec<_> =
        head.lines().filter(|line| kept.iter().any(|name| line.starts_with(&format!("{name}:")))).collect();
    head.sort_unstable();
    format!("{status} {} {}", head.join(", "), body.replace(url, "URL"))
}

/// A request; its answer's body without the sizes of its chunks.
async fn ask(method: &str, url: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let (status, head, body) = http(method, url, headers, "").await;
    if !head.contains("transfer-encoding: chunked") {
        return (status, head, body);
    }
    let (mut joined, mut chunks) = (String::new(), body.as_str());
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or_default();
        let (chunk, rest) = rest.split_at(size.min(rest.len()));
        joined.push_str(chunk);
        chunks = rest.trim_start();
    }
    (status, head, joined)
}

async fn fresh_id(url: &str) -> String {
    let (_, _, body) = ask("POST", &format!("{url}/hubs/conformance/negotiate?negotiateVersion=1"), &[]).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer["connectionToken"].as_str().unwrap().to_owned()
}

fn without_value(body: &str, name: &str) -> String {
    let Some((before, rest)) = body.split_once(&format!("\"{name}\":\"")) else {
        return body.to_owned();
    };
    let length = rest.find('"').unwrap_or_default();
    let tail = rest.get(length..).unwrap_or_default();
    format!("{before}\"{name}\":\"{}{tail}", "#".repeat(length))
}

#[tokio::test]
async fn the_same_requests_get_the_same_answers() {
    let Some(real) = Real::start(&[]) else { return };
    let mock = MockHub::start(Options { require_token: Some(Vec::new()), ..Options::default() }).unwrap();
    let mut differences = Vec::new();
    for request in REQUESTS {
        let (theirs, ours) = (answer(&real.url, request).await, answer(&mock.url(), request).await);
        if theirs != ours {
            differences.push((request.0.to_owned(), format!("{ours}\n  not {theirs}")));
        }
    }
    let surprises = surprises(&differences, ALLOWED_REQUESTS);
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}
