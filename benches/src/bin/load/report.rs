//! One JSON line a repetition.

use std::time::Duration;

use crate::Failed;
use crate::flood::Tally;
use crate::measure::Spent;

/// Prints what a flood cost. Who does not parse has no order and no checksum to tell.
pub(crate) fn flood(peer: &str, records_per_frame: u64, tally: &Tally, spent: Spent) {
    let events = tally.events as f64;
    let each = |time: Duration| micros(time) / events;
    println!(
        r#"{{"peer":"{peer}","records_per_frame":{records_per_frame},"events":{},"events_per_second":{:.0},"cpu_us":{:.3},"user_us":{:.3},"sys_us":{:.3},"out_of_order":{},"checksum":{}}}"#,
        tally.events,
        events / spent.wall.as_secs_f64(),
        each(spent.user + spent.system),
        each(spent.user),
        each(spent.system),
        or_null(tally.out_of_order()),
        or_null(tally.checksum()),
    );
}

/// Prints what calls took, one after another. Sorts the times.
pub(crate) fn echo(peer: &str, times: &mut [Duration], spent: Spent) -> Result<(), Failed> {
    times.sort_unstable();
    let count = times.len();
    let rank = |percent: usize| times.get((count * percent / 100).min(count.saturating_sub(1)));
    let (Some(p50), Some(p99)) = (rank(50), rank(99)) else {
        return Err("no call was made".into());
    };
    println!(
        r#"{{"peer":"{peer}","count":{count},"rtt_p50_us":{:.1},"rtt_p99_us":{:.1},"rtt_cpu_us":{:.1}}}"#,
        micros(*p50),
        micros(*p99),
        micros(spent.user + spent.system) / count as f64,
    );
    Ok(())
}

/// Prints what open connections hold; the memory from before them is not theirs.
pub(crate) fn idle(peer: &str, connections: usize, before_kib: u64, resident_kib: u64) {
    println!(
        r#"{{"peer":"{peer}","connections":{connections},"rss_kib":{resident_kib},"kib_per_connection":{:.1}}}"#,
        resident_kib.saturating_sub(before_kib) as f64 / connections as f64,
    );
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn or_null(number: Option<u64>) -> String {
    number.map_or_else(|| "null".into(), |number| number.to_string())
}
