//! The typed streams of a session.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use adapter_core::Delivery;
use adapter_core::queue::Consumer;
use futures_core::Stream;

use crate::gap::{GapId, GapNotice, Subject};
use crate::update::Update;

/// The values of one subject, in order, with the gaps between them. Dropping it ends the subscription, if nobody else wants it.
///
/// It ends (`None`) with the session.
#[must_use = "a stream does nothing unless it is polled"]
pub struct Updates<T> {
    consumer: Consumer<Update<T>>,
    /// Told before anything that still waits in the queue.
    ahead: Option<GapNotice>,
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
    fn overflow(&self, subject: &Subject) -> Option<GapNotice>;

    /// A listener has room again.
    fn made_room(&self);
}

impl Wish {
    pub(crate) fn new(subject: Subject, owner: Arc<dyn Owner>, keep: Option<Keep>) -> Self {
        Self { subject, owner, is_gone: Arc::default(), _keep: keep }
    }

    pub(crate) fn is_gone(&self) -> Arc<AtomicBool> {
        self.is_gone.clone()
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
        Self { consumer, ahead: None, told: None, wish }
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
            if let Some(notice) = this.ahead.take() {
                this.told = Some(notice.gap().id);
                return Poll::Ready(Some(Update::Gap(notice)));
            }
            let owner = &this.wish.owner;
            match ready!(this.consumer.poll_next(context, || owner.made_room())) {
                // It was told already, ahead of its place.
                Some(Delivery::Value(Update::Gap(GapNotice::Opened(gap)))) if this.told == Some(gap.id) => {}
                Some(Delivery::Value(update)) => return Poll::Ready(Some(update)),
                Some(Delivery::Lagged(_)) => this.ahead = owner.overflow(&this.wish.subject),
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
