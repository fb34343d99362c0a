//! Plays a recorded connection to a client.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::plan::{Act, Beat, Call, plan, with_ids_of_now};
use super::{Recording, Speed};
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::lock::lock;
use crate::peers::{Goodbye, Peer};
use crate::protocol::record::Splitter;
use crate::protocol::write;

/// The largest record taken.
const MAX_RECORD: usize = 16 * 1024 * 1024;
/// The calls that may wait for their turn.
const MAX_PENDING: usize = 10_000;

/// A recording that a hub plays.
#[derive(Debug)]
pub(crate) struct Replay {
    speed: Speed,
    /// The recorded connections by hub.
    reels: Mutex<HashMap<String, Reel>>,
}

#[derive(Debug, Default)]
struct Reel {
    plans: Vec<Arc<[Beat]>>,
    played: usize,
}

impl Replay {
    pub(crate) fn new(recording: &Recording, speed: Speed) -> Self {
        let mut reels: HashMap<String, Reel> = HashMap::new();
        for connection in recording.connections() {
            let hub = recording.entries.iter().find(|entry| entry.connection == connection).map(|entry| &entry.hub);
            let beats = plan(&recording.entries, connection);
            if let Some(hub) = hub.filter(|_| !beats.is_empty()) {
                reels.entry(hub.clone()).or_default().plans.push(beats.into());
            }
        }
        Self { speed, reels: Mutex::new(reels) }
    }

    fn next(&self, hub: Hub) -> Arc<[Beat]> {
        let mut reels = lock(&self.reels);
        let Some(reel) = reels.get_mut(hub.name()) else {
            return Arc::default();
        };
        let plan = reel.plans.get(reel.played).or(reel.plans.last()).cloned().unwrap_or_default();
        reel.played += 1;
        plan
    }

    /// The pause that a recorded one becomes.
    fn pause(&self, recorded: Duration) -> Duration {
        match self.speed {
            Speed::Real => recorded,
            Speed::Times(factor) => Duration::try_from_secs_f64(recorded.as_secs_f64() / factor).unwrap_or(recorded),
            Speed::AsFastAsRead => Duration::ZERO,
        }
    }
}

/// Plays the next recorded connection of the peer's hub; its end is the connection's.
pub(crate) async fn serve<S>(gateway: &Arc<Gateway>, replay: &Replay, peer: &Arc<Peer>, incoming: &mut S) -> Goodbye
where
    S: Stream<Item = Result<Message, Error>> + Unpin,
{
    let beats = replay.next(peer.hub);
    let mut player = Player {
        gateway,
        replay,
        peer,
        incoming,
        records: Splitter::new(MAX_RECORD),
        awaited: beats.iter().filter_map(|beat| beat.act.awaited_call().cloned()).collect(),
        has_shaken: false,
        pending: VecDeque::new(),
        ids: HashMap::new(),
        base: (Duration::ZERO, Instant::now()),
    };
    match player.play(&beats).await {
        Ok(goodbye) | Err(goodbye) => goodbye,
    }
}

struct Player<'a, S> {
    gateway: &'a Arc<Gateway>,
    replay: &'a Replay,
    peer: &'a Arc<Peer>,
    incoming: &'a mut S,
    records: Splitter,
    /// The recorded calls that have not been made yet.
    awaited: VecDeque<Call>,
    has_shaken: bool,
    /// Calls whose turn has not come.
    pending: VecDeque<Call>,
    /// The invocation ids of now by those of then.
    ids: HashMap<String, String>,
    /// A time of the recording and what it is now.
    base: (Duration, Instant),
}

impl<S: Stream<Item = Result<Message, Error>> + Unpin> Player<'_, S> {
    async fn play(&mut self, beats: &[Beat]) -> Result<Goodbye, Goodbye> {
        for Beat { at, act } in beats {
            match act {
                Act::AwaitHandshake => {
                    while !self.has_shaken {
                        self.listen(None).await?;
                    }
                    self.gateway.peers.join(self.peer);
                    self.gateway.changes.tell();
                    self.base = (*at, Instant::now());
                }
                Act::AwaitCall(then) => {
                    let now = loop {
                        if let Some(now) = self.take_call(then) {
                            break now;
                        }
                        self.listen(None).await?;
                    };
                    self.awaited.pop_front();
                    if let (Some(then), Some(now)) = (&then.id, now.id) {
                        self.ids.insert(then.clone(), now);
                    }
                    self.base = (*at, Instant::now());
                }
                Act::Record(record) => {
                    self.wait_for(*at).await?;
                    let record = with_ids_of_now(record, |then| self.ids.get(then).map(String::as_str));
                    self.peer.send_when_there_is_room(record).await;
                }
                Act::Message { bytes, is_text } => {
                    self.wait_for(*at).await?;
                    let kind = if *is_text { Data::Text } else { Data::Binary };
                    self.peer.outbox.push_frame(Frame::message(bytes.clone(), OpCode::Data(kind), true));
                }
                Act::Close(code) => {
                    self.wait_for(*at).await?;
                    return Ok(code.map_or(Goodbye::Tcp, Goodbye::WebSocket));
                }
            }
        }
        loop {
            self.listen(None).await?;
        }
    }

    /// Listens until a time of the recording has come.
    async fn wait_for(&mut self, at: Duration) -> Result<(), Goodbye> {
        let pause = self.replay.pause(at.saturating_sub(self.base.0));
        let due = self.base.1.checked_add(pause).unwrap_or(self.base.1);
        while Instant::now() < due {
            self.listen(Some(due)).await?;
        }
        Ok(())
    }

    /// Takes what the client says next; pings while it says nothing.
    async fn listen(&mut self, until: Option<Instant>) -> Result<(), Goodbye> {
        let keep_alive = self.gateway.options.keep_alive;
        let silence = async {
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None if keep_alive.is_zero() => std::future::pending().await,
                None => tokio::time::sleep(keep_alive).await,
            }
        };
        let message = tokio::select! {
            message = self.incoming.next() => message,
            () = silence => {
                if until.is_none() && self.has_shaken {
                    self.peer.send(write::PING);
                }
                return Ok(());
            }
        };
        match message {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => self.records.push(&message.into_data()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Goodbye::Gone),
            Some(Ok(_)) => {}
        }
        while let Some(record) = self.records.next().map_err(|_| Goodbye::failure(None))? {
            self.hear(&record);
        }
        Ok(())
    }

    fn hear(&mut self, record: &Bytes) {
        if !std::mem::replace(&mut self.has_shaken, true) {
            return;
        }
        let Some(call) = Call::of(&String::from_utf8_lossy(record)) else {
            return;
        };
        let is_known = self.awaited.iter().any(|then| then.is_like(&call));
        if is_known && self.pending.len() < MAX_PENDING {
            self.pending.push_back(call);
        } else if let Some(id) = call.id {
            self.peer.send(write::completion_error(&id, "The recording knows no such call."));
        }
    }

    /// The call of now that a recorded one stands for.
    fn take_call(&mut self, then: &Call) -> Option<Call> {
        let same = self.pending.iter().position(|now| now.is_same(then));
        let found = same.or_else(|| {
            let is_nobodys = |now: &Call| !self.awaited.iter().any(|other| other.is_same(now));
            self.pending.iter().position(|now| now.is_like(then) && is_nobodys(now))
        })?;
        self.pending.remove(found)
    }
}
