//! Moves the world with the system's clock.

use std::sync::Arc;
use std::time::Duration;

use crate::gateway::Gateway;
use crate::lock::lock;

/// No shorter sleep: events that are due within it go out together.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);
/// No longer sleep, should a time be due that nobody tells of.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Starts what moves by itself: the world, unless a test moves it, and events that were told to come late.
pub(crate) fn start(gateway: &Arc<Gateway>) {
    if !gateway.world.has_virtual_clock() {
        tokio::spawn(pump(Arc::clone(gateway)));
    }
    let gateway = Arc::clone(gateway);
    tokio::spawn(async move {
        let peers = &gateway.peers;
        peers.late_events.run(|late| peers.send_late(late)).await;
    });
}

async fn pump(gateway: Arc<Gateway>) {
    let world = &gateway.world;
    loop {
        let woken = world.wake.notified();
        let sleep = {
            let mut state = lock(&world.state);
            let now = world.clock.now();
            if let Some(lag) = state.next_due().and_then(|due| (now - due).try_into().ok()) {
                gateway.metrics.lagged(lag);
            }
            if state.run(now) {
                Duration::ZERO
            } else {
                let wait = state.next_due().map(|due| (due - now).try_into().unwrap_or_default());
                wait.unwrap_or(LONGEST_SLEEP).clamp(SHORTEST_SLEEP, LONGEST_SLEEP)
            }
        };
        if sleep.is_zero() {
            tokio::task::yield_now().await;
            continue;
        }
        // The first sleep cannot be cut short, so that a burst of calls does not become a burst of wake-ups.
        tokio::time::sleep(SHORTEST_SLEEP).await;
        tokio::select! {
            () = tokio::time::sleep(sleep.saturating_sub(SHORTEST_SLEEP)) => {}
            () = woken => {}
        }
    }
}
