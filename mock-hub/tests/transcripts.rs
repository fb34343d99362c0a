//! What Microsoft's JavaScript client and an ASP.NET Core 10 server said to each other, recorded: the client's half is
//! played to the hub, whose half must be the server's, record for record.
//!
//! Ids, tokens and the hub's address have been made general. Left out are the transports that this hub does not offer,
//! the server's pings where they are not the point, and on the market hub the data, which is another market's.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see all of it")]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use common::{Client, DEADLINE, End, http};
use mock_hub::{How, MockHub, Options};
use serde::Deserialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

const RECORDED: &str = include_str!("data/aspnetcore-transcripts.jsonl");
const USER_AGENT: &str = "Microsoft SignalR/10.0 (10.0.11; Linux; NodeJS; 20.20.2)";
const PING: &str = "{\"type\":6}";

#[derive(Deserialize)]
struct Transcript {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    /// A negotiate request and its answer.
    Ask { ask: String, token: bool, status: u16, r#type: String, body: String },
    /// A WebSocket upgrade.
    Open { open: u32, path: String, token: String, status: u16 },
    /// One message of the client.
    Client { ws: u32, client: Vec<String> },
    /// Records of the server, however they were packed.
    Server { ws: u32, server: Vec<String> },
    /// The server's close; 1006: the socket was dropped without one.
    Closed { ws: u32, closed: u16 },
}

/// Plays one transcript.
struct Player {
    hub: MockHub,
    /// The token of the transcript's user.
    token: String,
    /// The connection tokens and ids that stand for the recorded ones: of the last negotiation.
    ids: HashMap<&'static str, String>,
    sockets: HashMap<u32, Client>,
    shows_pings: bool,
    /// Streams that the client gave up: items under way may still come.
    cancelled: Vec<String>,
}

impl Player {
    fn new(name: &str) -> Self {
        let options = Options {
            require_token: Some(Vec::new()),
            stateful_reconnect: name == "stateful_reconnect",
            close_on_token_expiration: true,
            quotes_per_second: 0.0,
            keep_alive: Duration::from_millis(if name == "pings" { 300 } else { 10_000 }),
            ..Options::default()
        };
        let hub = MockHub::start(options).unwrap();
        let lifetime = Duration::from_millis(if name == "token_expiry" { 700 } else { 60_000 });
        let token = hub.issue_token("user", lifetime);
        let shows_pings = name == "pings";
        Self { hub, token, ids: HashMap::new(), sockets: HashMap::new(), shows_pings, cancelled: Vec::new() }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Ask { ask, token, status, r#type, body } => {
                let bearer = self.bearer();
                let headers: &[_] = if *token { &[("Authorization", bearer.as_str())] } else { &[] };
                let (answered, head, text) = http("POST", &format!("{}{ask}", self.hub.url()), headers, "").await;
                assert_eq!((answered, self.general(&text)), (*status, body.clone()), "{ask}");
                let content_type =
                    head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
                assert_eq!(content_type, r#type, "{ask}");
            }
            Step::Open { open, path, token, status } => {
                let path = path.replace("TOKENID", self.ids.get("TOKENID").map_or("", String::as_str));
                let authorization = if token == "Bearer TOKEN" { self.bearer() } else { token.clone() };
                let mut headers = vec![("user-agent", USER_AGENT)];
                if !authorization.is_empty() {
                    headers.push(("authorization", &authorization));
                }
                match Client::open_with(&format!("{}{path}", self.hub.url()), &headers).await {
                    Ok(client) => {
                        assert_eq!(*status, 101);
                        self.sockets.insert(*open, client);
                    }
                    Err(refused) => assert_eq!(refused, *status),
                }
            }
            Step::Client { ws, client } => {
                for record in client {
                    let value: Value = serde_json::from_str(record).unwrap();
                    if value["type"] == 5 {
                        self.cancelled.push(value["invocationId"].as_str().unwrap().to_owned());
                    }
                }
                let text = format!("{}\u{1e}", client.join("\u{1e}"));
                // A client that was hung up on may still have something to say.
                let _ = self.socket(*ws).try_send(Message::text(text)).await;
            }
            Step::Server { ws, server } => {
                for expected in server {
                    let record = self.next_record(*ws, expected).await;
                    assert_eq!(record, *expected);
                }
            }
            Step::Closed { ws, closed: 1006 } => {
                // What the client said before must have come, as it had there.
                assert!(self.hub.until(DEADLINE, |hub| hub.accepted() > 0).await);
                let said = self.socket(*ws).calls_said();
                assert!(self.hub.calls_where(|calls| calls.len() >= said, DEADLINE).await.is_ok());
                self.hub.drop_all(How::Tcp);
                self.sockets.remove(ws);
            }
            Step::Closed { ws, closed } => {
                let shows_pings = self.shows_pings;
                let (rest, end) = self.socket(*ws).read_to_end().await;
                let rest = if shows_pings { rest.replace("{\"type\":6}\u{1e}", "") } else { rest };
                assert_eq!((rest.as_str(), end), ("", End::Closed(*closed)));
            }
        }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.ids.get("TOKEN").unwrap_or(&self.token))
    }

    fn socket(&mut self, ws: u32) -> &mut Client {
        self.sockets.get_mut(&ws).expect("the socket was opened")
    }

    async fn next_record(&mut self, ws: u32, expected: &str) -> String {
        loop {
            let record = self.socket(ws).record().await;
            let record = self.general(&record);
            let value: Value = serde_json::from_str(&record).unwrap();
            let is_late = value["type"] == 2 && self.cancelled.iter().any(|id| value["invocationId"] == **id);
            let is_ping = record == PING && expected != PING;
            let is_data = matches!(value["target"].as_str(), Some("GatewayDepth" | "GatewayTrade"));
            if value["target"] == "GatewayQuote" {
                return format!(
                    "{{\"type\":1,\"target\":\"GatewayQuote\",\"arguments\":[{},{{}}]}}",
                    value["arguments"][0]
                );
            }
            if !(is_late && record != expected || is_ping || is_data) {
                return record;
            }
        }
    }

    /// The text as the recording has it: what is random replaced, and remembered.
    fn general(&mut self, text: &str) -> String {
        let mut text = text.replace(&self.hub.url(), "URL");
        for (member, name) in [("connectionToken", "TOKENID"), ("connectionId", "CONNECTION"), ("accessToken", "TOKEN")]
        {
            let Some((before, rest)) = text.split_once(&format!("\"{member}\":\"")) else { continue };
            let (value, after) = rest.split_once('"').unwrap();
            // An answer that a test made up keeps its ids.
            if value.len() > 1 {
                self.ids.insert(name, value.to_owned());
                text = format!("{before}\"{member}\":\"{name}\"{after}");
            }
        }
        text
    }
}

async fn play(name: &str) {
    let transcript = RECORDED.lines().map(|line| serde_json::from_str::<Transcript>(line).unwrap());
    let transcript = transcript.into_iter().find(|transcript| transcript.name == name).expect("it was recorded");
    let mut player = Player::new(name);
    for (index, step) in transcript.steps.iter().enumerate() {
        eprintln!("{name}: step {index}");
        player.step(step).await;
    }
}

macro_rules! transcripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                play(stringify!($name)).await;
            }
        )*

        #[test]
        fn every_transcript_is_played() {
            let names = [$(stringify!($name)),*];
            for line in RECORDED.lines() {
                let transcript: Transcript = serde_json::from_str(line).unwrap();
                assert!(names.contains(&transcript.name.as_str()), "{}", transcript.name);
            }
        }
    };
}

transcripts! {
    client_results,
    invocations,
    market,
    pings,
    reconnect,
    redirect,
    refusals,
    server_abort,
    skip_negotiation,
    stateful_reconnect,
    streams,
    token_expiry,
    uploads,
}
