//! Where trades may be missing.

use topstep_model::Timestamp;

/// More holes than this are closed up to one.
const MOST: usize = 32;

/// A stretch in which trades may be missing, in the venue's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) from: Timestamp,
    /// The first trade that came after it; `None` until then.
    pub(super) to: Option<Timestamp>,
}

/// All of them that REST has not repaired, the earliest first. At most the last one has no end.
#[derive(Debug, Default)]
pub(super) struct Holes(Vec<Hole>);

impl Holes {
    /// A stretch begins; one that has no end yet goes on, from the earlier beginning.
    pub(super) fn open(&mut self, from: Timestamp) {
        match self.0.last_mut() {
            Some(hole) if hole.to.is_none_or(|to| to >= from) => {
                hole.from = hole.from.min(from);
                hole.to = None;
            }
            _ => self.0.push(Hole { from, to: None }),
        }
        if self.0.len() > MOST
            && let [first, second, ..] = self.0.as_mut_slice()
        {
            second.from = first.from;
            self.0.remove(0);
        }
    }

    /// A trade came: what was missing was before it.
    pub(super) fn end(&mut self, at: Timestamp) {
        if let Some(hole) = self.0.last_mut()
            && hole.to.is_none()
        {
            hole.to = Some(at.max(hole.from));
        }
    }

    /// Whether trades of this interval may be missing.
    pub(super) fn touch(&self, start: Timestamp, end: Option<Timestamp>) -> bool {
        self.0.iter().any(|hole| end.is_none_or(|end| hole.from < end) && hole.to.is_none_or(|to| to >= start))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Hole> + '_ {
        self.0.iter().copied()
    }

    /// REST told everything before this.
    pub(super) fn repaired(&mut self, until: Timestamp) {
        self.0.iter_mut().for_each(|hole| hole.from = hole.from.max(until));
        self.0.retain(|hole| hole.to.is_none_or(|to| to >= hole.from));
    }

    /// The last one ends with what was repaired of it.
    pub(super) fn forget_open(&mut self) {
        self.0.retain(|hole| hole.to.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::try_from(time::UtcDateTime::from_unix_timestamp(second).unwrap()).unwrap()
    }

    #[test]
    fn a_hole_lasts_until_the_next_trade() {
        let mut holes = Holes::default();
        holes.open(at(10));
        assert!(holes.touch(at(99), Some(at(100))) && !holes.touch(at(0), Some(at(10))));
        holes.end(at(20));
        holes.end(at(30));
        assert!(holes.touch(at(20), Some(at(25))) && !holes.touch(at(21), None));
        // Another loss before the trade that ended it was followed by a second one.
        holes.open(at(20));
        assert_eq!(holes.iter().next(), Some(Hole { from: at(10), to: None }));
    }

    #[test]
    fn rest_repairs_from_the_front() {
        let mut holes = Holes::default();
        holes.open(at(70));
        holes.repaired(at(120));
        assert_eq!(holes.iter().next(), Some(Hole { from: at(120), to: None }));
        holes.end(at(130));
        holes.open(at(200));
        holes.repaired(at(180));
        assert_eq!(holes.iter().next(), Some(Hole { from: at(200), to: None }));
    }

    #[test]
    fn there_are_never_many() {
        let mut holes = Holes::default();
        for second in 0..1_000 {
            holes.open(at(second * 10));
            holes.end(at(second * 10 + 5));
        }
        assert!(holes.0.len() <= MOST);
        assert!((0..1_000).all(|second| holes.touch(at(second * 10), Some(at(second * 10 + 1)))));
    }
}
