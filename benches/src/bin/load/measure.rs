//! Time, CPU time and memory of this process.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::Failed;

/// Measures from its start to its stop.
pub(crate) struct Stopwatch {
    wall: Instant,
    user: Duration,
    system: Duration,
}

/// What went by between the two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Result<Self, Failed> {
        let (user, system) = cpu()?;
        Ok(Self { wall: Instant::now(), user, system })
    }

    pub(crate) fn stop(self) -> Result<Spent, Failed> {
        let wall = self.wall.elapsed();
        let (user, system) = cpu()?;
        Ok(Spent { wall, user: user.saturating_sub(self.user), system: system.saturating_sub(self.system) })
    }
}

/// User and system time of all threads, to the microsecond.
fn cpu() -> Result<(Duration, Duration), Failed> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((duration(usage.user_time()), duration(usage.system_time())))
}

fn duration(time: TimeVal) -> Duration {
    let micros = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_usec());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Resident memory in KiB (`VmRSS` of `/proc/self/status`).
pub(crate) fn resident_kib() -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the kernel tells no VmRSS")?;
    let number = line.trim().strip_suffix("kB").ok_or("VmRSS is not in kB")?;
    Ok(number.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_seen_as_cpu_time() {
        let watch = Stopwatch::start().unwrap();
        let begin = Instant::now();
        let mut turns = 0_u64;
        while begin.elapsed() < Duration::from_millis(50) {
            turns = std::hint::black_box(turns + 1);
        }
        let spent = watch.stop().unwrap();
        assert!(spent.wall >= Duration::from_millis(50));
        assert!(spent.user + spent.system > Duration::from_millis(1), "{spent:?}");
    }

    #[test]
    fn memory_is_seen() {
        assert!(resident_kib().unwrap() > 100);
    }
}
