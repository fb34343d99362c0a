//! The typed streams of a session.

mod held;

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use adapter_core::Delivery;
use adapter_core::queue::Consumer;
use futures_core::Stream;
use futures_util::future::BoxFuture;

use crate::gap::{Gap, GapId, GapNotice, Subject};
use crate::update::Update;

pub use held::Held;

/// The values of one subject, in order, with the gaps between them. Dropping it ends the subscription, if nobody else wants it.
///
/// Who reads so slowly that values are dropped is told of a gap in their place ([`GapCause::ConsumerOverflow`](crate::GapCause)), or of their
/// number where none opens ([`Update::Lagged`]); notices of earlier gaps may be among what was dropped, and are over with it.
///
/// It keeps its session alive, and ends (`None`) if the runtime does.
#[must_use = "a stream does nothing unless it is polled"]
pub struct Updates<T> {
    consumer: Consumer<Update<T>>,
    /// The gap that was told last, ahead of its place or there.
    told: Option<GapId>,
    wish: Wish,
}

/// A listener's wish for a subject: it ends with this.
pub(crate) struct Wish {
    subject: Subject,
    owner: Arc<dyn Owner>,
    is_gone: Arc<AtomicBool>,
    _keep: Option<Keep>,
}

/// Something that must live as long as a stream does: its gateway.
pub(crate) type Keep = Arc<dyn Any + Send + Sync>;

/// Whose streams they are.
pub(crate) trait Owner: Send + Sync {
    /// A listener leaves.
    fn unwant(&self, subject: &Subject);

    /// A listener lost values.
    fn overflow(&self, subject: &Subject) -> Option<Gap>;

    /// A listener has room again.
    fn made_room(&self);

    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl Wish {
    /// One that is counted already. `is_gone`: says that its listener is.
    pub(crate) fn new(subject: Subject, owner: Arc<dyn Owner>, is_gone: Arc<AtomicBool>, keep: Option<Keep>) -> Self {
        Self { subject, owner, is_gone, _keep: keep }
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
        self.owner.unwant(&self.subject);
    }
}

impl<T> Updates<T> {
    pub(crate) fn new(consumer: Consumer<Update<T>>, wish: Wish) -> Self {
        Self { consumer, told: None, wish }
    }

    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.wish.subject
    }

    /// How many values gave way to a later one because this stream was not read in time. 0 but for quotes, of which only the latest matters.
    pub fn conflated(&self) -> u64 {
        self.consumer.conflated()
    }
}

impl<T> Stream for Updates<T> {
    type Item = Update<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        let this = self.get_mut();
        loop {
            let owner = &this.wish.owner;
            match ready!(this.consumer.poll_next(context, || owner.made_room())) {
                Some(Delivery::Value(Update::Gap(GapNotice::Opened(gap)))) => {
                    // It may have been told already, ahead of its place.
                    if this.told.replace(gap.id) != Some(gap.id) {
                        return Poll::Ready(Some(Update::Gap(GapNotice::Opened(gap))));
                    }
                }
                Some(Delivery::Value(update)) => return Poll::Ready(Some(update)),
                // Told at once, before anything that still waits.
                Some(Delivery::Lagged(count)) => {
                    let gap = owner.overflow(&this.wish.subject);
                    return Poll::Ready(Some(match gap.filter(|gap| this.told.replace(gap.id) != Some(gap.id)) {
                        Some(gap) => Update::Gap(GapNotice::Opened(gap)),
                        None => Update::Lagged(count),
                    }));
                }
                // The connection's own words, which do not go into this queue.
                Some(_) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

// Nothing in it is pinned.
impl<T> Unpin for Updates<T> {}

impl<T> Drop for Updates<T> {
    fn drop(&mut self) {
        self.consumer.abandon();
        self.wish.owner.made_room();
    }
}

impl<T> fmt::Debug for Updates<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("kind", &self.wish.subject.kind()).finish_non_exhaustive()
    }
}
