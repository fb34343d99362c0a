//! Groups of connections: who is in which, how many events each had, and which of them everybody was sent.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::oracle::{Ranges, SentEvents};
use crate::peers::Peer;

/// The groups without members whose count of events is remembered.
const MAX_EMPTY_GROUPS: usize = 20_000;
/// The longest name in bytes: there is no group of a longer one, whoever joins it.
const MAX_NAME: usize = 1_024;

/// The groups of one class of hubs.
#[derive(Debug, Default)]
pub(crate) struct Groups(HashMap<Arc<str>, Group>);

#[derive(Debug)]
pub(crate) struct Group {
    name: Arc<str>,
    /// The number of the latest event.
    last: u64,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    peer: Arc<Peer>,
    sent: Ranges,
}

impl Groups {
    /// Adds a connection, which is no member yet; none where the name is too long.
    pub(crate) fn add(&mut self, group: &str, peer: &Arc<Peer>) -> Option<Arc<str>> {
        let group = self.entry(group)?;
        group.members.push(Member { peer: Arc::clone(peer), sent: Ranges::default() });
        Some(Arc::clone(&group.name))
    }

    /// Takes a connection out, and says what it was sent.
    pub(crate) fn remove(&mut self, name: &str, peer: &Peer) -> Option<SentEvents> {
        let is_full = self.0.len() > MAX_EMPTY_GROUPS;
        let group = self.0.get_mut(name)?;
        let place = group.members.iter().position(|member| std::ptr::eq(&*member.peer, peer))?;
        let member = group.members.swap_remove(place);
        if group.members.is_empty() && (group.last == 0 || is_full) {
            self.0.remove(name);
        }
        Some(SentEvents { group: name.to_owned(), sent: member.sent.to_vec() })
    }

    /// The group, which is there from now on; none where the name is too long.
    pub(crate) fn entry(&mut self, name: &str) -> Option<&mut Group> {
        if name.len() > MAX_NAME {
            return None;
        }
        if !self.0.contains_key(name) {
            if self.0.len() > 2 * MAX_EMPTY_GROUPS {
                self.0.retain(|_, group| !group.members.is_empty());
            }
            let name: Arc<str> = name.into();
            self.0.insert(Arc::clone(&name), Group { name, last: 0, members: Vec::new() });
        }
        self.0.get_mut(name)
    }

    /// The groups that have members, and how many.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (&str, usize)> {
        let sizes = self.0.iter().map(|(name, group)| (&**name, group.members.len()));
        sizes.filter(|(_, members)| *members > 0)
    }

    /// What a member of a group was sent.
    pub(crate) fn sent(&self, name: &str, peer: &Peer) -> Option<SentEvents> {
        let members = &self.0.get(name)?.members;
        let member = members.iter().find(|member| std::ptr::eq(&*member.peer, peer))?;
        Some(SentEvents { group: name.to_owned(), sent: member.sent.to_vec() })
    }

    /// Notes that a member was sent an event after all.
    pub(crate) fn note_late(&mut self, name: &str, peer: &Peer, number: u64) {
        let members = self.0.get_mut(name).map(|group| &mut group.members);
        let member = members.and_then(|members| members.iter_mut().find(|member| std::ptr::eq(&*member.peer, peer)));
        if let Some(member) = member {
            member.sent.insert(number);
        }
    }
}

impl Group {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Counts an event.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Hands an event to every member that `deliver` says yes for, and counts those.
    pub(crate) fn deliver(
        &mut self,
        number: u64,
        record: &Bytes,
        mut deliver: impl FnMut(&Arc<Peer>) -> bool,
    ) -> usize {
        let mut reached = 0;
        for member in &mut self.members {
            if deliver(&member.peer) {
                member.sent.insert(number);
                member.peer.send(record.clone());
                reached += 1;
            }
        }
        reached
    }
}
