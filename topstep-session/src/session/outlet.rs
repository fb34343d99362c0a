//! Where a session's updates go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adapter_core::Delivery;
use adapter_core::queue::Producer;

use crate::gap::{GapNotice, Subject};
use crate::update::{Malformed, Told, Update};

/// Those who hear a machine's updates.
pub(crate) trait Outlets<U>: Default + Send + 'static {
    /// Hands an update to everybody whom it concerns.
    fn tell(&mut self, update: U);

    /// Makes everything up to here visible.
    fn flush(&mut self);

    /// Forgets whoever is gone.
    fn forget_gone(&mut self);

    /// Whether somebody wants to be waited for.
    fn is_full(&mut self) -> bool;
}

/// One listener's end of a queue.
pub(crate) struct Outlet<T> {
    producer: Producer<Update<T>>,
    cost: usize,
    is_gone: Arc<AtomicBool>,
}

impl<T> Outlet<T> {
    /// `cost`: what an update counts against the connection's unread bytes.
    pub(crate) fn new(producer: Producer<Update<T>>, cost: usize, is_gone: Arc<AtomicBool>) -> Self {
        Self { producer, cost, is_gone }
    }

    #[inline]
    pub(crate) fn push(&mut self, update: Update<T>) {
        self.producer.push(Delivery::Value(update), self.cost);
    }

    pub(crate) fn flush(&mut self) {
        self.producer.flush();
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.producer.is_full()
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }
}

/// The listeners of one kind of value, each with the subject that it listens to.
pub(crate) struct Listeners<T>(Vec<(Subject, Outlet<T>)>);

impl<T> Default for Listeners<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> Listeners<T> {
    pub(crate) fn add(&mut self, subject: Subject, outlet: Outlet<T>) {
        self.0.push((subject, outlet));
    }

    /// Hands a value to those whose subject it is of. The last of them gets the value itself.
    pub(crate) fn tell(&mut self, told: Told<T>, is_of: impl Fn(&Subject) -> bool) {
        let mut outlets = self.0.iter_mut().filter(|(subject, _)| is_of(subject)).map(|(_, outlet)| outlet).peekable();
        while let Some(outlet) = outlets.next() {
            if outlets.peek().is_none() {
                return outlet.push(Update::Value(told));
            }
            outlet.push(Update::Value(told.clone()));
        }
    }

    pub(crate) fn tell_gap(&mut self, notice: &GapNotice) {
        let about = &notice.gap().subject;
        for (_, outlet) in self.0.iter_mut().filter(|(subject, _)| subject == about) {
            outlet.push(Update::Gap(notice.clone()));
        }
    }

    pub(crate) fn tell_malformed(&mut self, malformed: &Malformed) {
        for (_, outlet) in self.0.iter_mut().filter(|(subject, _)| subject.target().name() == malformed.target) {
            outlet.push(Update::Malformed(malformed.clone()));
        }
    }

    pub(crate) fn flush(&mut self) {
        for (_, outlet) in &mut self.0 {
            outlet.flush();
        }
    }

    pub(crate) fn forget_gone(&mut self) {
        self.0.retain(|(_, outlet)| !outlet.is_gone());
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.iter().any(|(_, outlet)| outlet.is_full())
    }
}
