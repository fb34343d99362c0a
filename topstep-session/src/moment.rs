//! Now, on both clocks.

use std::ops::Add;
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::Timestamp;

/// A point in time on both clocks: the monotone one drives every timer, the wall's is a label and a bound for queries.
///
/// Whoever drives a machine reads both clocks; machines read none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// On the driver's monotone clock.
    pub mono: Instant,
    /// In UTC, as this computer's clock has it. It may be wrong, and it may go back.
    pub wall: Timestamp,
}

impl Moment {
    /// A point on both clocks.
    pub const fn new(mono: Instant, wall: Timestamp) -> Self {
        Self { mono, wall }
    }

    /// When this was, by the wall's clock of now: if that was set back since, it was ahead then.
    pub(crate) fn wall_by(self, now: Self) -> Timestamp {
        let since = time::Duration::try_from(now.mono.saturating_since(self.mono)).unwrap_or(time::Duration::MAX);
        let at = now.wall.utc().checked_sub(since).and_then(|at| Timestamp::try_from(at).ok());
        at.map_or(self.wall, |at| at.min(self.wall))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    /// Moves both clocks. The wall's stays where the calendar ends.
    fn add(self, duration: Duration) -> Self {
        let wall = self.wall.utc().checked_add(time::Duration::try_from(duration).unwrap_or(time::Duration::MAX));
        let wall = wall.and_then(|wall| Timestamp::try_from(wall).ok()).unwrap_or(self.wall);
        Self { mono: self.mono + duration, wall }
    }
}
