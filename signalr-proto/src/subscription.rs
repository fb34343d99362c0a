//! Durable subscriptions: what the application wants to hear, restored after every reconnect.
//!
//! The ledger holds one entry for each key in the order of the wishes. An entry knows who wants it, what the hub was asked and what it
//! answered; two calls of one key never overlap.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::io::Token;
use crate::retry::SubscriptionCounts;
use crate::time::Instant;

/// A call of a hub method: its name and its arguments as the text of a JSON array.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MethodCall {
    /// The method.
    pub target: String,
    /// The arguments: the text of a JSON array.
    pub arguments: String,
}

/// What to subscribe to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRequest {
    /// What asks the hub for the events.
    pub subscribe: MethodCall,
    /// What asks the hub to stop. Without it an unsubscribe is a matter of this side alone.
    pub unsubscribe: Option<MethodCall>,
    /// The targets of the events that this subscription feeds: a gap is then told to their listeners only. Empty: to all.
    pub targets: Vec<String>,
}

impl SubscriptionRequest {
    /// The key of this request: requests with the same methods and arguments are one subscription.
    pub fn key(&self) -> SubscriptionKey {
        SubscriptionKey(Arc::new((self.subscribe.clone(), self.unsubscribe.clone())))
    }
}

/// Names a durable subscription: its methods and arguments.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SubscriptionKey(Arc<(MethodCall, Option<MethodCall>)>);

impl SubscriptionKey {
    /// The call that subscribes.
    pub fn subscribe(&self) -> &MethodCall {
        &self.0.0
    }

    /// The call that unsubscribes, if there is one.
    pub fn unsubscribe(&self) -> Option<&MethodCall> {
        self.0.1.as_ref()
    }
}

impl fmt::Display for SubscriptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MethodCall { target, arguments } = self.subscribe();
        write!(f, "{target}{arguments}")
    }
}

impl fmt::Debug for SubscriptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubscriptionKey({self})")
    }
}

/// The place of an entry in the ledger: the order of the wishes.
pub(crate) type Serial = u64;

/// What the hub was asked for an entry on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing, or it refused.
    Idle,
    /// To subscribe, by the call of this id.
    Subscribing(u64),
    /// It has agreed.
    Acknowledged,
    /// To unsubscribe, by the call of this id.
    Unsubscribing(u64),
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: SubscriptionKey,
    pub(crate) targets: Vec<String>,
    /// How many subscribers want it. 0: on its way out.
    pub(crate) subscribers: usize,
    /// Those of them that wait for the hub's answer.
    pub(crate) waiting: Vec<Token>,
    /// Those who wait for the end of it.
    pub(crate) leaving: Vec<Token>,
    pub(crate) progress: Progress,
    /// Counts how often the hub was asked anew after an unsubscribe.
    pub(crate) epoch: u64,
    /// Its subscribe call was handed to a transport since the hub last answered one, be it on an earlier connection.
    pub(crate) was_asked: bool,
    /// Its subscribe call was handed to the transport of this connection.
    pub(crate) was_written: bool,
    /// Since when events may have been missed.
    pub(crate) gap_since: Option<Instant>,
    /// A gap is owed at the next connect: the application itself stopped the last connection.
    pub(crate) owes_gap: bool,
    /// `Restored` waits for its answer.
    pub(crate) is_awaited: bool,
    pub(crate) refusals: u32,
    /// How often the hub let the time pass that it had to restore it, since it last agreed.
    pub(crate) unanswered: u32,
    pub(crate) retry_at: Option<Instant>,
}

/// The delays before a refused subscription is tried again: 1, 5, 30 s, then every 60 s.
const RETRY_DELAYS: [u64; 4] = [1, 5, 30, 60];

impl Entry {
    /// A gap that is open already began earlier.
    pub(crate) fn open_gap(&mut self, now: Instant) {
        self.gap_since.get_or_insert(now);
    }

    pub(crate) fn schedule_retry(&mut self, now: Instant) {
        let rung = usize::try_from(self.refusals).unwrap_or(usize::MAX).min(RETRY_DELAYS.len() - 1);
        self.refusals = self.refusals.saturating_add(1);
        self.retry_at = Some(now + Duration::from_secs(RETRY_DELAYS[rung]));
    }
}

/// All durable subscriptions of a connection.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<Serial, Entry>,
    serials: HashMap<SubscriptionKey, Serial>,
    next: Serial,
}

impl Ledger {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn find(&self, key: &SubscriptionKey) -> Option<Serial> {
        self.serials.get(key).copied()
    }

    pub(crate) fn insert(&mut self, request: SubscriptionRequest) -> Serial {
        let serial = self.next;
        self.next += 1;
        let key = request.key();
        self.serials.insert(key.clone(), serial);
        let entry = Entry {
            key,
            targets: request.targets,
            subscribers: 0,
            waiting: Vec::new(),
            leaving: Vec::new(),
            progress: Progress::Idle,
            epoch: 0,
            was_asked: false,
            was_written: false,
            gap_since: None,
            owes_gap: false,
            is_awaited: false,
            refusals: 0,
            unanswered: 0,
            retry_at: None,
        };
        self.entries.insert(serial, entry);
        serial
    }

    pub(crate) fn get_mut(&mut self, serial: Serial) -> Option<&mut Entry> {
        self.entries.get_mut(&serial)
    }

    pub(crate) fn remove(&mut self, serial: Serial) -> Option<Entry> {
        let entry = self.entries.remove(&serial)?;
        self.serials.remove(&entry.key);
        Some(entry)
    }

    /// In the order of the wishes.
    pub(crate) fn serials(&self) -> Vec<Serial> {
        self.entries.keys().copied().collect()
    }

    /// Whether a subscriber waits for the hub's answer.
    pub(crate) fn is_awaited(&self) -> bool {
        self.entries.values().any(|entry| !entry.waiting.is_empty() || !entry.leaving.is_empty())
    }

    /// Whether `Restored` still waits for an answer.
    pub(crate) fn is_restoring(&self) -> bool {
        self.entries.values().any(|entry| entry.is_awaited)
    }

    /// The wishes by what the hub made of them, and how many have an open gap.
    pub(crate) fn counts(&self) -> (SubscriptionCounts, usize) {
        let (mut counts, mut gaps_open) = (SubscriptionCounts::default(), 0);
        for entry in self.entries.values().filter(|entry| entry.subscribers > 0) {
            counts.intended += 1;
            counts.acked += usize::from(entry.progress == Progress::Acknowledged);
            let was_refused = entry.retry_at.is_some() || entry.unanswered > 0;
            counts.failed += usize::from(was_refused && entry.progress != Progress::Acknowledged);
            gaps_open += usize::from(entry.gap_since.is_some());
        }
        (counts, gaps_open)
    }

    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.entries.values().filter_map(|entry| entry.retry_at).min()
    }

    pub(crate) fn due(&self, now: Instant) -> Vec<Serial> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.retry_at.is_some_and(|at| at <= now))
            .map(|(serial, _)| *serial)
            .collect()
    }
}
