//! What is true, and what was said.

use serde_json::Value;

use super::MockHub;
use crate::oracle;
use crate::{LoggedEvent, SentEvents};

impl MockHub {
    /// What is true now, as `GET /control/truth` tells it: `accounts`, `orders`, `positions`, `trades` of a user (the
    /// first of the options without one), the merged `quotes` of every contract that moved, and `connections` with what
    /// each was sent.
    #[must_use]
    pub fn truth(&self, user: Option<&str>) -> Value {
        oracle::truth(&self.gateway, user)
    }

    /// The events that were published, from a serial on, oldest first: of the last 65,536 (and 32 MiB) at most `limit`.
    ///
    /// Events are logged whether anybody heard them or not; a group narrows it to its own.
    #[must_use]
    pub fn log(&self, from: u64, group: Option<&str>, limit: usize) -> Vec<LoggedEvent> {
        self.gateway.peers.log(from, group, limit)
    }

    /// Which events of its groups a connection was sent: of the groups that it is in, or was in when it left.
    ///
    /// None for a connection that never was, or left long ago.
    #[must_use]
    pub fn serials(&self, connection_id: &str) -> Option<Vec<SentEvents>> {
        self.gateway.peers.sent(connection_id)
    }
}
