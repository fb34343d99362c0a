//! A stream whose values wait while a gap is open.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Updates;
use crate::gap::GapNotice;
use crate::update::Update;

/// The updates of a subject, with those of an open gap held back until it closes: see [`Updates::hold_until_reconciled`].
#[must_use = "a stream does nothing unless it is polled"]
pub struct Held<T> {
    updates: Updates<T>,
    waiting: VecDeque<Update<T>>,
    hold: Option<Hold>,
    has_ended: bool,
}

/// A gap that is waited for, and how long at most.
struct Hold(BoxFuture<'static, ()>);

impl<T> Updates<T> {
    /// Holds what comes while a gap is open, and gives it, in order and with the gap's verdict behind it, when it has closed. Until then nothing
    /// is told that REST may correct a moment later. The opening of a gap is told at once.
    ///
    /// No gap is waited for longer than 5 s, nor with more than 1,000 updates: then all of them come, behind [`Update::Unheld`]. For orders and
    /// positions of those who would rather act late than on what is provisional; without it everything is told at once, and says how it is known.
    pub fn hold_until_reconciled(self) -> Held<T> {
        Held { updates: self, waiting: VecDeque::new(), hold: None, has_ended: false }
    }
}

impl<T> Held<T> {
    /// The longest that a gap is waited for.
    pub const LONGEST: Duration = Duration::from_secs(5);
    /// The most updates that wait.
    pub const MOST: usize = 1_000;

    fn give_up(&mut self) {
        self.hold = None;
        self.waiting.push_front(Update::Unheld);
    }
}

impl<T> Stream for Held<T> {
    type Item = Update<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        let this = self.get_mut();
        loop {
            if this.hold.is_none() {
                if let Some(update) = this.waiting.pop_front() {
                    return Poll::Ready(Some(update));
                }
                if this.has_ended {
                    return Poll::Ready(None);
                }
            }
            match Pin::new(&mut this.updates).poll_next(context) {
                Poll::Ready(Some(Update::Gap(GapNotice::Opened(gap)))) => {
                    let longest = this.updates.wish.owner.sleep(Self::LONGEST);
                    this.hold.get_or_insert(Hold(longest));
                    return Poll::Ready(Some(Update::Gap(GapNotice::Opened(gap))));
                }
                Poll::Ready(Some(update)) if this.hold.is_some() => {
                    let is_over = matches!(update, Update::Gap(_));
                    this.waiting.push_back(update);
                    if is_over {
                        this.hold = None;
                    } else if this.waiting.len() > Self::MOST {
                        this.give_up();
                    }
                }
                Poll::Ready(Some(update)) => return Poll::Ready(Some(update)),
                Poll::Ready(None) => {
                    this.hold = None;
                    this.has_ended = true;
                }
                Poll::Pending => {
                    let Some(hold) = &mut this.hold else { return Poll::Pending };
                    if hold.0.poll_unpin(context).is_pending() {
                        return Poll::Pending;
                    }
                    this.give_up();
                }
            }
        }
    }
}

// Nothing in it is pinned but what is boxed.
impl<T> Unpin for Held<T> {}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
