//! Durable subscriptions by the names that the lines give them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use adapter_core::{Subscription, SubscriptionKey, UnsubscribeError};

use crate::outcome::Outcome;

/// The subscriptions of one connection. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Keys(Rc<RefCell<BTreeMap<String, Key>>>);

struct Key {
    key: SubscriptionKey,
    /// One for each `subscribe` of this name whose wish stands. The library counts subscribers; a name is one wish.
    wishes: Vec<(u64, Subscription)>,
    last: u64,
    gap_is_open: bool,
    /// Serves an `unsubscribe` without a wish, which the library then refuses.
    any: Subscription,
}

impl Keys {
    /// Subscribes under this name. The error: the name stands for something else.
    pub(crate) fn subscribe(
        &self,
        name: &str,
        subscription: Subscription,
    ) -> Result<impl Future<Output = Outcome> + 'static, String> {
        let mut keys = self.0.borrow_mut();
        let is_other = |known: &&Key| known.key != subscription.key() && !known.wishes.is_empty();
        if let Some(known) = keys.get(name).filter(is_other) {
            return Err(format!("the key `{name}` stands for {}", known.key));
        }
        let entry = keys.entry(name.to_owned()).or_insert_with(|| Key {
            key: subscription.key(),
            wishes: Vec::new(),
            last: 0,
            gap_is_open: false,
            any: subscription.clone(),
        });
        if entry.wishes.is_empty() {
            entry.key = subscription.key();
            entry.any = subscription.clone();
            entry.gap_is_open = false;
        }
        entry.last += 1;
        let serial = entry.last;
        entry.wishes.push((serial, subscription.clone()));
        drop(keys);
        let (keys, name) = (self.clone(), name.to_owned());
        Ok(async move {
            let result = subscription.subscribe().await;
            use adapter_core::SubscribeError::{Cancelled, Hub, Rejected};
            if matches!(result, Err(Hub(_) | Rejected(_) | Cancelled)) {
                keys.forget(&name, serial);
            }
            Outcome::from(result)
        })
    }

    /// Ends the wish of this name. The error: nobody ever subscribed under it.
    pub(crate) fn unsubscribe(&self, name: &str) -> Result<impl Future<Output = Outcome> + 'static, String> {
        let mut keys = self.0.borrow_mut();
        let entry = keys.get_mut(name).ok_or_else(|| format!("there is no key `{name}`"))?;
        let mut wishes: Vec<Subscription> =
            std::mem::take(&mut entry.wishes).into_iter().map(|(_, subscription)| subscription).collect();
        if wishes.is_empty() {
            wishes.push(entry.any.clone());
        }
        Ok(async move {
            let leaving = wishes.iter().map(Subscription::unsubscribe);
            let results: Vec<Result<(), UnsubscribeError>> = futures_util::future::join_all(leaving).await;
            Outcome::from(results.into_iter().collect::<Result<(), _>>())
        })
    }

    /// The names of a subscription, in their order.
    pub(crate) fn names(&self, key: &SubscriptionKey) -> Vec<String> {
        self.select(key, |_| true)
    }

    /// A gap opens: the names that it affects.
    pub(crate) fn open_gap(&self, key: &SubscriptionKey) -> Vec<String> {
        self.select(key, |known| {
            known.gap_is_open = true;
            true
        })
    }

    /// A gap closes: the names that it affected, and not those that came to share the subscription meanwhile.
    pub(crate) fn close_gap(&self, key: &SubscriptionKey) -> Vec<String> {
        self.select(key, |known| std::mem::take(&mut known.gap_is_open))
    }

    fn select(&self, key: &SubscriptionKey, mut is_wanted: impl FnMut(&mut Key) -> bool) -> Vec<String> {
        let mut keys = self.0.borrow_mut();
        let standing = keys.iter_mut().filter(|(_, known)| known.key == *key && !known.wishes.is_empty());
        standing.filter_map(|(name, known)| is_wanted(known).then(|| name.clone())).collect()
    }

    fn forget(&self, name: &str, serial: u64) {
        if let Some(key) = self.0.borrow_mut().get_mut(name) {
            key.wishes.retain(|(known, _)| *known != serial);
        }
    }
}
