//! The members of one object, as they come.

use serde::de::{IgnoredAny, MapAccess};

use super::element::Element;
use super::error::RowError;
use super::key::{Key, KeySeed};
use super::path::{Path, Step};
use crate::StreamAction;
use crate::row::Decode;
use crate::scalar::{Fault, FillMember};

/// What is known of an object so far, the row itself aside.
#[derive(Default)]
pub(super) struct Members {
    seen: u32,
    /// The last name that was a number.
    pub(super) number: u32,
    pub(super) action: Option<StreamAction>,
    /// What is wrong with the row: the last word on each member that was wrong, the first of them first.
    faults: Vec<(&'static str, Fault)>,
}

impl Members {
    #[inline]
    pub(super) fn next_key<'de, R: Decode, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
    ) -> Result<Option<Key<R::Tag>>, A::Error> {
        map.next_key_seed(KeySeed::<R>::new(&mut self.number))
    }

    pub(super) fn action<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let mut fault = None;
        map.next_value_seed(FillMember { place: &mut self.action, on_fault: &mut fault })?;
        self.note("action", fault);
        Ok(())
    }

    /// Reads members into a row, from this one on, and returns the first name that is none of a row's.
    #[inline]
    pub(super) fn fill<'de, R: Decode, A: MapAccess<'de>>(
        &mut self,
        mut key: Key<R::Tag>,
        row: &mut R,
        map: &mut A,
    ) -> Result<Option<Key<R::Tag>>, A::Error> {
        loop {
            let tag = match (key, R::ALIAS) {
                (Key::Known(tag), _) => Some(tag),
                (Key::Alias, Some((_, tag))) if self.seen & R::bit_of(tag) == 0 => Some(tag),
                (Key::Alias | Key::Other, _) => None,
                (other, _) => return Ok(Some(other)),
            };
            if let Some(tag) = tag {
                let mut fault = None;
                row.fill(tag, &mut self.seen, map, &mut fault)?;
                if fault.is_some() || !self.faults.is_empty() {
                    self.note(R::name_of(tag), fault);
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            match self.next_key::<R, A>(map)? {
                Some(next) => key = next,
                None => return Ok(None),
            }
        }
    }

    /// Says whether the row is one.
    #[inline]
    pub(super) fn finish<E: Element>(
        self,
        path: &Path<'_>,
        element: &mut E,
        has_contract: bool,
    ) -> Result<(), RowError> {
        if let Some((name, fault)) = self.faults.into_iter().next() {
            return Err(RowError::new(&path.then(Step::Member(name)), fault));
        }
        if let Some(name) = E::Row::missing(self.seen) {
            return Err(RowError::missing(path, E::Row::EXPECTED, name));
        }
        if !has_contract && !element.take_own_contract() {
            return Err(RowError::missing(path, E::Row::EXPECTED, "contractId"));
        }
        if let Some(action) = self.action {
            element.set_action(action);
        }
        Ok(())
    }

    /// What is wrong with this member.
    pub(super) fn fault_of(&self, name: &str) -> Option<Fault> {
        self.faults.iter().find(|(faulty, _)| *faulty == name).map(|(_, fault)| fault.clone())
    }

    #[cold]
    fn note(&mut self, name: &'static str, fault: Option<Fault>) {
        // A member that comes twice counts by its last value. Good again, it clears its own fault and no other's.
        let noted = self.faults.iter().position(|(noted, _)| *noted == name);
        match (fault, noted.and_then(|index| self.faults.get_mut(index))) {
            (Some(fault), Some(noted)) => noted.1 = fault,
            (Some(fault), None) => self.faults.push((name, fault)),
            (None, _) => _ = noted.map(|index| self.faults.remove(index)),
        }
    }
}
