//! Both clocks, as the driver of everything reads them.

use std::time::{Instant as Mono, SystemTime};

use signalr_proto::time::Instant;
use topstep_model::Timestamp;

use crate::moment::Moment;

/// A monotone clock that began with it, and the system's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Mono,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { origin: Mono::now() }
    }

    /// Now, on both.
    pub(crate) fn now(&self) -> Moment {
        let mono = Instant::from_nanos(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX));
        // A clock that is set beyond the year 9999 tells nothing.
        Moment { mono, wall: wall().unwrap_or(Timestamp::UNSET) }
    }
}

fn wall() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let nanos = i128::try_from(since.as_nanos()).ok()?;
    Timestamp::try_from(time::UtcDateTime::from_unix_timestamp_nanos(nanos).ok()?).ok()
}
