//! A reader of everything.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use adapter_core::Delivery;
use adapter_core::queue::Consumer;
use futures_core::Stream;

use super::event::SessionEvent;

/// What happens on both hubs, in one order: see [`Gateway::events`](crate::Gateway::events).
#[must_use = "a stream does nothing unless it is polled"]
pub struct Events {
    consumer: Consumer<SessionEvent>,
    is_gone: Arc<AtomicBool>,
    made_room: Arc<dyn Fn() + Send + Sync>,
}

impl Events {
    pub(super) fn new(
        consumer: Consumer<SessionEvent>,
        is_gone: Arc<AtomicBool>,
        made_room: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        Self { consumer, is_gone, made_room }
    }
}

impl Stream for Events {
    type Item = SessionEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SessionEvent>> {
        let this = self.get_mut();
        loop {
            match ready!(this.consumer.poll_next(context, || (this.made_room)())) {
                Some(Delivery::Value(event)) => return Poll::Ready(Some(event)),
                // Its queue drops nothing, and the connection's own gaps do not go into it.
                Some(_) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

// Nothing in it is pinned.
impl Unpin for Events {}

impl Drop for Events {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
        self.consumer.abandon();
        (self.made_room)();
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}
