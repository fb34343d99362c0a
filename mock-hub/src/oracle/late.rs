//! Events that were told to come later: kept until then, in the order of their times, within a limit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::lock::lock;
use crate::peers::Peer;

/// The bytes that wait at once; an event beyond them comes at once.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// What an event costs besides its record.
const OVERHEAD: usize = 256;

/// An event whose time has not come.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) at: Instant,
    pub(crate) peer: Arc<Peer>,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) number: u64,
    pub(crate) record: Bytes,
}

/// The events that wait.
#[derive(Debug)]
pub(crate) struct LateEvents {
    bytes: AtomicUsize,
    sender: mpsc::UnboundedSender<Late>,
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Late>>>,
}

impl Default for LateEvents {
    fn default() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { bytes: AtomicUsize::new(0), sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl LateEvents {
    /// Keeps an event until its time; `false` when there is no room for it.
    pub(crate) fn keep(&self, late: Late) -> bool {
        let weight = late.weight();
        if self.bytes.fetch_add(weight, Ordering::Relaxed) + weight > MAX_BYTES || self.sender.send(late).is_err() {
            self.bytes.fetch_sub(weight, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Gives each event away when its time has come, for ever. There is one who does this; a second one returns at once.
    pub(crate) async fn run(&self, mut give: impl FnMut(Late)) {
        let Some(mut coming) = lock(&self.receiver).take() else {
            return;
        };
        let mut waiting = BTreeMap::new();
        let mut serial = 0_u64;
        loop {
            let next = waiting.first_key_value().map(|((at, _), _): (&(Instant, u64), &Late)| *at);
            let time = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                late = coming.recv() => {
                    let Some(late) = late else { return };
                    serial += 1;
                    waiting.insert((late.at, serial), late);
                }
                () = time => {
                    let later = waiting.split_off(&(Instant::now(), u64::MAX));
                    for late in std::mem::replace(&mut waiting, later).into_values() {
                        self.bytes.fetch_sub(late.weight(), Ordering::Relaxed);
                        give(late);
                    }
                }
            }
        }
    }
}

impl Late {
    fn weight(&self) -> usize {
        self.record.len() + OVERHEAD
    }
}
