//! What the hub's process has used, as Linux tells it.

use std::fs;
use std::time::Duration;

use crate::Failed;

/// A clock tick of `/proc`: 100 a second on every Linux there is (`sysconf(_SC_CLK_TCK)`).
const TICK: Duration = Duration::from_millis(10);
const PAGE_BYTES: u64 = 4_096;

pub(crate) struct Process {
    pid: u32,
}

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// CPU time so far, of all threads, user and system.
    pub(crate) fn cpu(&self) -> Result<Duration, Failed> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th after it.
        let rest = stat.rsplit_once(')').ok_or("no name in stat")?.1;
        let mut fields = rest.split_ascii_whitespace().skip(11);
        let mut ticks = || -> Result<u32, Failed> { Ok(fields.next().ok_or("stat is short")?.parse()?) };
        Ok(TICK * (ticks()? + ticks()?))
    }

    pub(crate) fn resident_bytes(&self) -> Result<u64, Failed> {
        let statm = fs::read_to_string(format!("/proc/{}/statm", self.pid))?;
        let pages: u64 = statm.split_ascii_whitespace().nth(1).ok_or("statm is short")?.parse()?;
        Ok(pages * PAGE_BYTES)
    }
}
