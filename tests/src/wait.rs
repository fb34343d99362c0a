//! Waiting: always for something, and never for ever.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use adapter_core::Runtime;
use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::future::{Either, select};

/// What should happen at once has happened by then, on the busiest machine.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// How often a condition is looked at that cannot tell by itself.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The output of a future that should be done at once.
pub async fn within<R: Runtime, T>(what: &str, future: impl Future<Output = T>) -> T {
    match select(pin!(future), pin!(R::sleep(DEADLINE))).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("waited {DEADLINE:?} in vain: {what}"),
    }
}

/// The next item of a stream that does not end here.
pub async fn next<R: Runtime, T>(what: &str, stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    within::<R, _>(what, stream.next()).await.unwrap_or_else(|| panic!("the stream ended: {what}"))
}

/// Waits until a condition holds.
pub async fn eventually<R: Runtime>(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {DEADLINE:?} in vain: {what}");
        R::sleep(LOOK_EVERY).await;
    }
}

/// Polls a future once, so that a command of it is issued, and says whether it is still pending.
pub fn poll_once<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
