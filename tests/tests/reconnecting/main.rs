//! Losing a hub and coming back to it, over real sockets.
//!
//! What the machine does in virtual time to the nanosecond is seen here from both ends: at the hub, which notes when it is dialled, and in
//! what the application is told. Waits are asserted exactly as told; at the hub no dial comes early, and none ten times too late.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod breaker;
mod dialling;
mod feeds;
mod hints;
mod old_connections;
mod reconnection;
mod subscriptions;
mod suite;

use std::time::Duration;

use adapter_core::{
    BreakerConfig, BreakerState, Event, Events, Exponential, FailureClass, RetryPolicy, Runtime, WaitReason,
};
use mock_hub::script::{Answer, Reply, ScriptHub};
use tests::events::find;
use tests::scripted::{builder, connect, echo};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A hub that echoes, and whose answer to each upgrade depends on how many came before it.
fn answering(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> ScriptHub {
    ScriptHub::builder().on_upgrade(move |request| reply(request.serial)).start(echo).unwrap()
}

/// A hub that is not well after the first connection, for so many dials.
fn failing(dials: usize) -> ScriptHub {
    answering(move |serial| if (1..=dials).contains(&serial) { unwell() } else { Reply::Accept })
}

fn unwell() -> Reply {
    Answer::new(500).into()
}

/// Five quick dials, then a breaker that opens for so long.
fn soon_broken(open: Duration, longest: Duration) -> RetryPolicy {
    let quick = Exponential::default().first(ms(1));
    RetryPolicy::exponential(quick).guarded().breaker(BreakerConfig::default().open_for(open, longest))
}

/// A wait as the application is told of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wait {
    attempt: u32,
    delay: Duration,
    why: WaitReason,
    breaker: Option<BreakerState>,
    class: FailureClass,
}

/// The next waits.
async fn waits<R: Runtime>(events: &mut Events, count: usize) -> Vec<Wait> {
    let mut waits = Vec::new();
    while waits.len() < count {
        let what = format!("a wait after {waits:?}");
        waits.push(find::<R, _>(&what, events, wait_of).await);
    }
    waits
}

fn wait_of(event: &Event) -> Option<Wait> {
    match event {
        Event::Waiting { attempt, delay, why, breaker, reason, .. } => {
            Some(Wait { attempt: *attempt, delay: *delay, why: *why, breaker: *breaker, class: reason.class() })
        }
        Event::Disconnected(reason) => panic!("the end, in place of a wait: {reason}"),
        _ => None,
    }
}

fn delays(waits: &[Wait]) -> Vec<Duration> {
    waits.iter().map(|wait| wait.delay).collect()
}

/// The times between the hub's dials, from one of them on.
fn apart(hub: &ScriptHub, from: usize) -> Vec<Duration> {
    hub.requests()[from..].windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

/// None of these came early, and none ten times too late; what is shorter than 100 ms may take a second.
fn assert_timely(gaps: &[Duration], nominal: &[Duration]) {
    assert_eq!(gaps.len(), nominal.len(), "{gaps:?}");
    for (gap, nominal) in gaps.iter().zip(nominal) {
        assert!(gap >= nominal, "{nominal:?} was {gap:?}, of {gaps:?}");
        assert!(*gap <= (*nominal * 10).max(ms(1_000)), "{nominal:?} was {gap:?}, of {gaps:?}");
    }
}
