//! `/hubs/console`: what the live console at `/` shows. Reading only; what the page changes goes through `/control`.

use std::time::Duration;

use super::{Caller, Method, MethodError};
use crate::observe::snapshot;
use crate::protocol::write;

pub(super) const METHODS: &[Method] =
    &[Method::plain("About", 0), Method::stream("Watch", 1), Method::stream("Log", 1)];

/// The shortest time between two views.
const MIN_INTERVAL_MS: u64 = 100;
const MAX_INTERVAL_MS: u64 = 60_000;

/// `About()`: what the page must know to begin.
pub(super) fn call(caller: &Caller) -> String {
    let options = &caller.gateway.options;
    let users: Vec<_> = options.users.iter().map(|login| &login.user).collect();
    serde_json::json!({ "user": options.first_user(), "users": users }).to_string()
}

/// `Watch(milliseconds)`: a view of the hub, again and again. `Log(serial)`: the lines behind that serial, then new ones.
pub(super) async fn stream(name: &str, invocation_id: &str, caller: &Caller) -> Result<(), MethodError> {
    let argument = caller.arguments.long(0)?;
    let argument = u64::try_from(argument).unwrap_or_default();
    match name {
        "Watch" => watch(caller, invocation_id, argument).await,
        _ => log(caller, invocation_id, argument).await,
    }
    Ok(())
}

async fn watch(caller: &Caller, invocation_id: &str, milliseconds: u64) {
    let period = Duration::from_millis(milliseconds.clamp(MIN_INTERVAL_MS, MAX_INTERVAL_MS));
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let view = snapshot(&caller.gateway);
        caller.peer.send_when_there_is_room(write::stream_item(invocation_id, &view)).await;
    }
}

async fn log(caller: &Caller, invocation_id: &str, mut serial: u64) {
    let journal = &caller.gateway.journal;
    let mut changes = journal.watch();
    loop {
        changes.borrow_and_update();
        for entry in journal.after(serial) {
            serial = entry.serial;
            let line = serde_json::to_string(&entry).unwrap_or_else(|_| "null".to_owned());
            caller.peer.send_when_there_is_room(write::stream_item(invocation_id, &line)).await;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
