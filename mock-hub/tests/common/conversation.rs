//! A client's half of a conversation, played to a hub; what the hub said comes back in one form.

use serde::Deserialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Client, End};

/// What a client says, and what ASP.NET Core answered.
#[derive(Deserialize)]
pub(crate) struct Conversation {
    pub(crate) name: String,
    /// The client's messages: text, `{"hex":...}` for binary ones, `{"answer":...}` to the hub's last question, whose
    /// id stands for `$id`, anything else for a WebSocket close.
    pub(crate) send: Vec<Value>,
    /// Everything that came, the ids of the hub's questions as `s#`.
    pub(crate) received: String,
    /// The WebSocket close that followed; absent where the connection lived on.
    pub(crate) close: Option<u16>,
    /// Whether the hub listens no more, though the connection lives.
    #[serde(default)]
    pub(crate) stuck: bool,
}

/// What a hub said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) received: String,
    pub(crate) end: Option<End>,
}

impl Conversation {
    /// The recorded answer.
    pub(crate) fn expected(&self) -> Answer {
        // One that is stuck still hears a WebSocket close.
        let close = if self.stuck { Some(1000) } else { self.close };
        Answer { received: self.received.clone(), end: close.map(End::Closed) }
    }

    /// Plays it to a hub. A connection that should live is asked for a sum at the end, so that nothing more can follow.
    pub(crate) async fn play(&self, url: &str) -> Answer {
        let mut client = match Client::open(url).await {
            Ok(client) => client,
            Err(status) => return Answer { received: format!("status {status}"), end: None },
        };
        let mut received = String::new();
        for part in &self.send {
            let message = match part["answer"].as_str() {
                Some(template) => match question(&mut client, &mut received).await {
                    Ok(id) => Message::text(template.replace("$id", &id)),
                    Err(end) => return Answer { received: general(&received), end: Some(end) },
                },
                None => message(part),
            };
            client.send_message(message).await;
        }
        let records = self.received.matches('\u{1e}').count();
        if self.close.is_none() {
            while received.matches('\u{1e}').count() < records {
                match client.message().await {
                    Ok(message) => received.push_str(&String::from_utf8_lossy(&message.into_data())),
                    Err(end) => return Answer { received: general(&received), end: Some(end) },
                }
            }
            if !self.stuck {
                return alive(client, received).await;
            }
            client.send(ALIVE).await;
            client.send_message(message(&Value::Null)).await;
        }
        let (rest, end) = client.read_to_end().await;
        received.push_str(&rest);
        Answer { received: general(&received), end: Some(end) }
    }
}

const ALIVE: &str = "{\"type\":1,\"invocationId\":\"alive\",\"target\":\"Add\",\"arguments\":[20,22]}\u{1e}";
const IS_ALIVE: &str = "{\"type\":3,\"invocationId\":\"alive\",\"result\":42}\u{1e}";

async fn alive(mut client: Client, mut received: String) -> Answer {
    client.send(ALIVE).await;
    loop {
        match client.message().await {
            Ok(message) => received.push_str(&String::from_utf8_lossy(&message.into_data())),
            Err(end) => return Answer { received: general(&received), end: Some(end) },
        }
        if let Some((before, after)) = received.split_once(IS_ALIVE) {
            return Answer { received: general(&format!("{before}{after}")), end: None };
        }
    }
}

/// The id of the last question, waiting for it if none has come.
async fn question(client: &mut Client, received: &mut String) -> Result<String, End> {
    loop {
        let is_question = |record: &&str| record.starts_with("{\"type\":1,\"invocationId\":\"s");
        let last = received.split_terminator('\u{1e}').rfind(is_question);
        if let Some(record) = last.filter(|_| received.ends_with('\u{1e}')) {
            let record: Value = serde_json::from_str(record).unwrap();
            return Ok(record["invocationId"].as_str().unwrap().to_owned());
        }
        received.push_str(&String::from_utf8_lossy(&client.message().await?.into_data()));
    }
}

/// The text without what differs from run to run: the ids of the hub's questions.
fn general(received: &str) -> String {
    let mut general = String::with_capacity(received.len());
    let mut rest = received;
    while let Some((before, after)) = rest.split_once("\"invocationId\":\"s") {
        let digits = after.len() - after.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        general.push_str(before);
        general.push_str("\"invocationId\":\"s");
        general.push_str(if digits > 0 { "#" } else { "" });
        rest = after.get(digits..).unwrap_or_default();
    }
    general.push_str(rest);
    general
}

fn message(part: &Value) -> Message {
    if let Some(text) = part.as_str() {
        return Message::text(text);
    }
    match part["hex"].as_str() {
        Some(hex) => Message::binary(data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("the recording is hex")),
        None => Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: Default::default() })),
    }
}
