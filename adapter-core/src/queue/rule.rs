//! What happens when a consumer is slower than its events.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// What happens when a consumer is slower than its events.
pub struct QueueRule<T>(pub(super) Rule<T>);

pub(super) enum Rule<T> {
    Wait(Option<usize>),
    DropOldest(usize),
    Latest(Box<dyn Conflate<T>>),
}

/// How many keys a queue of the latest events holds.
pub(super) const MAX_KEYS: usize = 16_384;

impl<T> QueueRule<T> {
    /// Nothing is dropped: when so many events wait, the connection is not read any more until the consumer has caught up
    /// (unless the application awaits the hub: then reading goes on, up to `max_pending_bytes`).
    pub fn wait(capacity: usize) -> Self {
        Self(Rule::Wait(Some(capacity.max(1))))
    }

    /// The oldest events go; in their place stands [`Delivery::Lagged`](crate::Delivery::Lagged) with their count.
    pub fn drop_oldest(capacity: usize) -> Self {
        Self(Rule::DropOldest(capacity.max(1)))
    }

    /// Of each key only the latest event waits; [`On::conflated`](crate::On::conflated) counts those it replaced. At most
    /// 16,384 keys wait; beyond that the oldest events go, as with [`drop_oldest`](Self::drop_oldest).
    pub fn latest_by<K: Hash + Eq + Send + 'static>(key: impl Fn(&T) -> K + Send + 'static) -> Self
    where
        T: 'static,
    {
        Self(Rule::Latest(Box::new(ByKey { key, places: HashMap::new() })))
    }
}

impl<T> Default for QueueRule<T> {
    /// [`wait`](Self::wait), with the connection's `max_pending_events`.
    fn default() -> Self {
        Self(Rule::Wait(None))
    }
}

/// Finds the place of the waiting event of the same key.
pub(super) trait Conflate<T>: Send {
    /// The place of the waiting event that `value` replaces; or remembers `place` for it. What waits begins at `first`.
    fn place(&mut self, value: &T, first: u64, place: u64) -> Option<u64>;
    /// Nothing that waits is replaced any more.
    fn forget(&mut self);
    /// How many places are remembered.
    #[cfg(test)]
    fn known(&self) -> usize;
}

struct ByKey<F, K> {
    key: F,
    places: HashMap<K, u64>,
}

impl<T, K: Hash + Eq + Send, F: Fn(&T) -> K + Send> Conflate<T> for ByKey<F, K> {
    fn place(&mut self, value: &T, first: u64, place: u64) -> Option<u64> {
        // The places of what was taken stay until their key comes again, or there are too many.
        if self.places.len() >= 2 * MAX_KEYS {
            self.places.retain(|_, known| *known >= first);
        }
        match self.places.entry((self.key)(value)) {
            Entry::Occupied(known) if *known.get() >= first => Some(*known.get()),
            Entry::Occupied(mut taken) => {
                taken.insert(place);
                None
            }
            Entry::Vacant(vacant) => {
                vacant.insert(place);
                None
            }
        }
    }

    fn forget(&mut self) {
        self.places.clear();
    }

    #[cfg(test)]
    fn known(&self) -> usize {
        self.places.len()
    }
}
