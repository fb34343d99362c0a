//! Rows of lists that are read as wholes: accounts, and the positions of an account.

use std::collections::{BTreeMap, BTreeSet};

use super::merge::Listed;
use super::state::Entry;
use crate::known::Known;

/// A row with where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Held<T> {
    pub(super) value: T,
    /// Whether REST said so last, or the stream.
    pub(super) is_verified: bool,
    /// The serial number of the last word of the stream that counts; 0 if there was none.
    pub(super) heard: u64,
    /// What was said of it contradicts itself, or nothing answers for it.
    pub(super) is_doubtful: bool,
}

impl<T> Held<T> {
    /// How well it is known, at best as well as `at_best`.
    pub(super) fn known(&self, at_best: Known) -> Known {
        let level = match (self.is_doubtful, self.is_verified) {
            (true, _) => Known::Provisional,
            (false, false) => Known::Live,
            (false, true) => Known::Verified,
        };
        at_best.weaker(level)
    }
}

/// The rows by their keys.
#[derive(Debug, Clone)]
pub(super) struct Table<T: Listed> {
    rows: BTreeMap<T::Key, Held<T>>,
}

/// What a list changed.
pub(super) struct Changes<T> {
    /// The rows to tell.
    pub(super) told: Vec<T>,
    /// How many rows went away that nothing can be told of.
    pub(super) removed: u32,
    /// Whether there was no room for a row.
    pub(super) is_cut: bool,
}

impl<T: Listed> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<T: Listed> Table<T> {
    /// Takes a row of the stream. `false`: there are too many, and it is not kept.
    pub(super) fn hear(&mut self, row: T, serial: u64, is_doubtful: bool, kept: usize) -> bool {
        let key = row.key();
        if !self.rows.contains_key(&key) && !self.make_room(kept, u64::MAX) {
            return false;
        }
        let value = match self.rows.get(&key) {
            Some(held) => row.over(&held.value),
            None => row,
        };
        self.rows.insert(key, Held { value, is_verified: false, heard: serial, is_doubtful });
        true
    }

    /// What a list says differently.
    pub(super) fn differences(&self, list: &[T], is_complete: bool) -> BTreeSet<T::Key> {
        let mut keys: BTreeSet<T::Key> = list
            .iter()
            .filter(|row| match self.rows.get(&row.key()) {
                Some(held) => held.value.differs(&(*row).clone().over(&held.value)),
                None => !row.is_gone(),
            })
            .map(Listed::key)
            .collect();
        if is_complete {
            let listed: BTreeSet<T::Key> = list.iter().map(Listed::key).collect();
            let absent = self.rows.iter().filter(|(key, held)| !held.value.is_gone() && !listed.contains(key));
            keys.extend(absent.map(|(key, _)| key.clone()));
        }
        keys
    }

    /// Takes a list. What the stream told after `since` is newer than it.
    pub(super) fn read(&mut self, list: Vec<T>, is_complete: bool, since: u64, kept: usize) -> Changes<T> {
        let mut changes = Changes { told: Vec::new(), removed: 0, is_cut: false };
        let mut listed = BTreeSet::new();
        for row in list {
            let key = row.key();
            listed.insert(key.clone());
            let Some(held) = self.rows.get_mut(&key) else {
                if row.is_gone() {
                    continue;
                }
                if !self.make_room(kept, since) {
                    changes.is_cut = true;
                    continue;
                }
                changes.told.push(row.clone());
                self.rows.insert(key, Held { value: row, is_verified: true, heard: 0, is_doubtful: false });
                continue;
            };
            if held.heard > since {
                continue;
            }
            let row = row.over(&held.value);
            if held.value.differs(&row) {
                changes.told.push(row.clone());
            }
            *held = Held { value: row, is_verified: true, heard: held.heard, is_doubtful: false };
        }
        if is_complete {
            self.rows.retain(|key, held| {
                if listed.contains(key) || held.heard > since {
                    return true;
                }
                if !held.value.is_gone() {
                    match held.value.gone() {
                        Some(gone) => changes.told.push(gone),
                        None => changes.removed += 1,
                    }
                }
                // The list as a whole says that there is nothing.
                false
            });
        }
        changes
    }

    /// Whether there is room for one more. What is closed gives way, unless the stream said so after `since`: the list may not know it yet.
    fn make_room(&mut self, kept: usize, since: u64) -> bool {
        if self.rows.len() < kept {
            return true;
        }
        let may_go = |held: &Held<T>| held.value.is_gone() && held.heard <= since;
        let gone = self.rows.iter().find(|(_, held)| may_go(held)).map(|(key, _)| key.clone());
        gone.is_some_and(|gone| self.rows.remove(&gone).is_some())
    }

    /// One row.
    pub(super) fn row(&self, key: &T::Key) -> Option<&Held<T>> {
        self.rows.get(key)
    }

    /// Every row that is there.
    pub(super) fn entries(&self, at_best: Known) -> impl Iterator<Item = Entry<T>> {
        let present = self.rows.values().filter(|held| !held.value.is_gone());
        present.map(move |held| Entry::new(held.value.clone(), held.known(at_best)))
    }

    /// Whether there is any row.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.values().all(|held| held.value.is_gone())
    }

    /// Whether anything is contradictory.
    pub(super) fn has_doubts(&self) -> bool {
        self.rows.values().any(|held| held.is_doubtful)
    }
}

#[cfg(test)]
mod tests {
    use topstep_model::{Position, PositionType};

    use super::*;

    fn position(contract: &str, size: i32) -> Position {
        let mut position = Position::new(1.into(), contract.into(), size);
        position.kind = Some(PositionType::Long);
        position
    }

    #[test]
    fn a_complete_list_closes_what_it_does_not_have() {
        let mut table = Table::default();
        assert!(table.hear(position("A", 1), 1, false, 9) && table.hear(position("B", 2), 2, false, 9));
        let list = vec![position("B", 2)];
        assert_eq!(table.differences(&list, true).into_iter().collect::<Vec<_>>(), ["A"]);
        assert!(table.differences(&list, false).is_empty());

        assert!(table.clone().read(list.clone(), false, 2, 9).told.is_empty(), "absence from a part proves nothing");
        let told = table.read(list, true, 2, 9).told;
        assert_eq!(told.iter().map(|row| (row.contract_id.as_str(), row.size)).collect::<Vec<_>>(), [("A", 0)]);
        assert_eq!(told[0].kind, Some(PositionType::Undefined));
        assert_eq!(table.entries(Known::Verified).map(|entry| entry.known).collect::<Vec<_>>(), [Known::Verified]);
    }

    #[test]
    fn what_the_stream_told_after_the_question_stays() {
        let mut table = Table::default();
        table.hear(position("A", 1), 5, false, 9);
        table.hear(position("B", 1), 3, false, 9);
        let told = table.read(vec![position("A", 7), position("B", 7)], true, 4, 9).told;
        assert_eq!(told.iter().map(|row| row.contract_id.as_str()).collect::<Vec<_>>(), ["B"]);
        assert_eq!(table.row(&"A".into()).map(|held| (held.value.size, held.is_verified)), Some((1, false)));
    }

    #[test]
    fn a_list_takes_the_room_of_what_is_closed_and_says_if_there_is_none() {
        let mut table = Table::default();
        assert!(table.hear(position("A", 0), 1, false, 1));
        let changes = table.clone().read(vec![position("B", 2)], true, 0, 1);
        assert!(changes.told.is_empty() && changes.is_cut, "the stream closed it after the question");
        let changes = table.read(vec![position("B", 2), position("C", 1)], true, 1, 1);
        assert_eq!(changes.told.iter().map(|row| row.contract_id.as_str()).collect::<Vec<_>>(), ["B"]);
        assert!(changes.is_cut);
    }

    #[test]
    fn a_full_table_takes_no_more_unless_something_is_closed() {
        let mut table = Table::default();
        assert!(table.hear(position("A", 1), 1, false, 1));
        assert!(!table.hear(position("B", 1), 2, false, 1));
        assert!(table.hear(position("A", 0), 3, false, 1));
        assert!(table.hear(position("B", 1), 4, false, 1));
        assert!(table.row(&"A".into()).is_none());
    }
}
