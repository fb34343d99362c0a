//! How often a user may call: a rolling window for each kind of call (ProjectX Gateway API, Rate Limits).

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// The users that are counted; beyond them those who have been silent longest are forgotten.
const MAX_USERS: usize = 10_000;

/// What a call counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `History/retrieveBars`.
    Bars,
    /// Everything else.
    Other,
}

impl Kind {
    /// So many calls in so long.
    const fn limit(self) -> (usize, Duration) {
        match self {
            Self::Bars => (50, Duration::from_secs(30)),
            Self::Other => (200, Duration::from_secs(60)),
        }
    }
}

/// The calls of each user in the windows that end now.
#[derive(Debug, Default)]
pub(crate) struct Limits(HashMap<String, Windows>);

#[derive(Debug, Default)]
struct Windows {
    bars: VecDeque<Instant>,
    other: VecDeque<Instant>,
}

impl Limits {
    /// Counts a call; one too many is not counted, and the error says when there is room again.
    pub(super) fn count(&mut self, now: Instant, user: &str, kind: Kind) -> Result<(), Duration> {
        if !self.0.contains_key(user) && self.0.len() >= MAX_USERS {
            self.forget_the_silent(now);
        }
        let windows = self.0.entry(user.to_owned()).or_default();
        let (most, length) = kind.limit();
        let window = match kind {
            Kind::Bars => &mut windows.bars,
            Kind::Other => &mut windows.other,
        };
        while window.front().is_some_and(|first| now.saturating_duration_since(*first) >= length) {
            window.pop_front();
        }
        if let Some(first) = window.front().filter(|_| window.len() >= most) {
            return Err(length.saturating_sub(now.saturating_duration_since(*first)));
        }
        window.push_back(now);
        Ok(())
    }

    fn forget_the_silent(&mut self, now: Instant) {
        let minute = Duration::from_secs(60);
        let is_recent = |window: &VecDeque<Instant>| {
            window.back().is_some_and(|last| now.saturating_duration_since(*last) < minute)
        };
        self.0.retain(|_, windows| is_recent(&windows.bars) || is_recent(&windows.other));
        if self.0.len() >= MAX_USERS {
            self.0.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_window_rolls() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for call in 0..200 {
            assert_eq!(limits.count(start + SECOND * (call / 10), "ann", Kind::Other), Ok(()), "{call}");
        }
        // Ten calls a second for twenty seconds: at 59 s the first ten are still in the window.
        assert_eq!(limits.count(start + 59 * SECOND, "ann", Kind::Other), Err(SECOND));
        assert_eq!(limits.count(start + 59 * SECOND, "bob", Kind::Other), Ok(()));
        assert_eq!(limits.count(start + 59 * SECOND, "ann", Kind::Bars), Ok(()));
        for _ in 0..10 {
            assert_eq!(limits.count(start + 60 * SECOND, "ann", Kind::Other), Ok(()));
        }
        assert_eq!(limits.count(start + 60 * SECOND, "ann", Kind::Other), Err(SECOND));
    }

    #[test]
    fn bars_have_a_limit_of_their_own() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        assert!((0..50).all(|_| limits.count(start, "ann", Kind::Bars).is_ok()));
        assert_eq!(limits.count(start + 10 * SECOND, "ann", Kind::Bars), Err(20 * SECOND));
        assert_eq!(limits.count(start + 30 * SECOND, "ann", Kind::Bars), Ok(()));
    }

    #[test]
    fn users_are_bounded() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for user in 0..2 * MAX_USERS {
            assert_eq!(limits.count(start, &user.to_string(), Kind::Other), Ok(()));
        }
        assert!(limits.0.len() <= MAX_USERS);
    }
}
