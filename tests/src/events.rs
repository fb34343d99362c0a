//! Reading what a connection tells.

use adapter_core::{Event, Events, Runtime};
use futures_util::{FutureExt, StreamExt};

use crate::wait::next;

/// An event as one word, with its cause where it has one: `reconnecting:lost`.
pub fn name(event: &Event) -> String {
    match event {
        Event::Connected(_) => "connected".to_owned(),
        Event::Reconnecting(reason) => format!("reconnecting:{}", reason.cause()),
        Event::Interrupted(reason) => format!("interrupted:{}", reason.cause()),
        Event::Resumed => "resumed".to_owned(),
        Event::Waiting { reason, .. } => format!("waiting:{}", reason.cause()),
        Event::Reconnected(_) => "reconnected".to_owned(),
        Event::Restored => "restored".to_owned(),
        Event::Disconnected(reason) => format!("disconnected:{}", reason.cause()),
        Event::GapOpened { .. } => "gap_opened".to_owned(),
        Event::Subscribed { .. } => "subscribed".to_owned(),
        Event::GapClosed { .. } => "gap_closed".to_owned(),
        Event::SubscriptionFailed { .. } => "subscription_failed".to_owned(),
        Event::Invocation { target, .. } => format!("invocation:{target}"),
        Event::Malformed { target, .. } => format!("malformed:{target}"),
        Event::Unhandled { target } => format!("unhandled:{target}"),
        Event::Violation(_) => "violation".to_owned(),
        Event::SlowConsumer => "slow_consumer".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The names of the events up to and with the one of that name.
pub async fn up_to<R: Runtime>(events: &mut Events, last: &str) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let event = next::<R, _>(&format!("the event {last} after {names:?}"), events).await;
        names.push(name(&event));
        if names.last().is_some_and(|name| name == last) {
            return names;
        }
    }
}

/// The first event that `pick` picks, and what it makes of it.
pub async fn find<R: Runtime, T>(what: &str, events: &mut Events, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
    let mut names = Vec::new();
    loop {
        let event = next::<R, _>(&format!("{what}, after {names:?}"), events).await;
        if let Some(picked) = pick(&event) {
            return picked;
        }
        names.push(name(&event));
    }
}

/// The names of the events that wait already.
pub fn waiting(events: &mut Events) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(Some(event)) = events.next().now_or_never() {
        names.push(name(&event));
    }
    names
}
