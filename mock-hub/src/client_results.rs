//! Questions that the hub asks of clients, and their answers (HubProtocol.md, Client Results).

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::connection::Outcome;
use crate::lock::lock;
use crate::peers::Peer;
use crate::protocol::write;

type Answer = Result<Box<RawValue>, String>;

/// The questions that wait for an answer. Ids are counted over the whole server, as ASP.NET Core does.
#[derive(Debug, Default)]
pub(crate) struct ClientResults {
    last: AtomicU64,
    pending: Mutex<HashMap<String, Pending>>,
}

#[derive(Debug)]
struct Pending {
    connection_id: String,
    answer: oneshot::Sender<Answer>,
}

impl ClientResults {
    /// Asks a client; `arguments` is a JSON array. The error is what a HubException would say.
    pub(crate) async fn ask(&self, peer: &Peer, target: &str, arguments: &str) -> Answer {
        let id = format!("s{}", self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (answer, answered) = oneshot::channel();
        let pending = Pending { connection_id: peer.id.clone(), answer };
        lock(&self.pending).insert(id.clone(), pending);
        peer.send(write::invocation(Some(&id), target, arguments));
        let disconnected = || Err(format!("Connection '{}' disconnected.", peer.id));
        tokio::select! {
            biased;
            answer = answered => answer.unwrap_or_else(|_| disconnected()),
            _ = peer.ended() => {
                lock(&self.pending).remove(&id);
                disconnected()
            }
        }
    }

    /// Takes an answer; `true` for one to somebody else's question, which is not taken.
    pub(crate) fn answer(&self, peer: &Peer, id: &str, outcome: Outcome) -> bool {
        let mut pending = lock(&self.pending);
        if pending.get(id).is_some_and(|question| question.connection_id != peer.id) {
            return true;
        }
        let Some(question) = pending.remove(id) else {
            return false;
        };
        let answer = match outcome {
            Outcome::Result(result) => Ok(result),
            Outcome::Error(error) => Err(error),
            Outcome::Nothing => {
                Err("Exception of type 'Microsoft.AspNetCore.SignalR.HubException' was thrown.".to_owned())
            }
        };
        // Whoever asked may have gone meanwhile.
        let _ = question.answer.send(answer);
        false
    }

    /// Forgets the questions to a connection that left.
    pub(crate) fn forget(&self, peer: &Peer) {
        lock(&self.pending).retain(|_, question| question.connection_id != peer.id);
    }
}
