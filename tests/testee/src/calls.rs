//! Everything that goes on in the background under a `call` name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_channel::mpsc::UnboundedSender;
use futures_util::stream::{LocalBoxStream, SelectAll, Stream};
use futures_util::{FutureExt, StreamExt};
use serde_json::value::RawValue;

use crate::outcome::Outcome;

/// What a call has to tell.
pub(crate) enum Told {
    /// A stream's item.
    Item(Box<RawValue>),
    /// It is over.
    Outcome(Outcome),
}

/// An item on its way to the hub, or the error that ends its stream.
pub(crate) type Upload = Result<Box<RawValue>, String>;

/// The calls of one connection.
#[derive(Default)]
pub(crate) struct Calls {
    running: SelectAll<Running>,
    by_name: HashMap<Rc<str>, Known>,
}

/// A call that is under way, or over.
struct Known {
    slot: Slot,
    /// Streams to the hub; `None` once ended. They may outlive a `send`.
    uploads: Vec<Option<UnboundedSender<Upload>>>,
}

/// The library's future or stream, shared with who may drop it.
type Slot = Rc<RefCell<Shared>>;

struct Shared {
    stream: Option<LocalBoxStream<'static, Told>>,
    waker: Option<Waker>,
}

struct Running {
    name: Rc<str>,
    slot: Slot,
}

impl Calls {
    /// Whether a call of this name is under way.
    pub(crate) fn is_running(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|known| known.slot.borrow().stream.is_some())
    }

    /// Begins a call that has one outcome.
    pub(crate) fn begin(
        &mut self,
        context: &mut Context<'_>,
        name: String,
        call: impl Future<Output = Outcome> + 'static,
    ) -> Option<Told> {
        self.begin_stream(context, name, call.map(Told::Outcome).into_stream(), Vec::new())
    }

    /// Begins a call. The library acts when it is polled for the first time: that is now, so that calls are made in the order of their
    /// lines. Gives what it has to tell at once.
    pub(crate) fn begin_stream(
        &mut self,
        context: &mut Context<'_>,
        name: String,
        call: impl Stream<Item = Told> + 'static,
        uploads: Vec<UnboundedSender<Upload>>,
    ) -> Option<Told> {
        let name: Rc<str> = name.into();
        let slot = Rc::new(RefCell::new(Shared { stream: Some(call.boxed_local()), waker: None }));
        self.by_name
            .insert(name.clone(), Known { slot: slot.clone(), uploads: uploads.into_iter().map(Some).collect() });
        let mut running = Running { name, slot };
        let told = match running.poll_next_unpin(context) {
            Poll::Ready(Some((_, told))) => Some(told),
            Poll::Ready(None) => return None,
            Poll::Pending => None,
        };
        self.running.push(running);
        told
    }

    /// Drops the call's future or stream. `false`: it is not under way.
    pub(crate) fn cancel(&mut self, name: &str) -> bool {
        let Some(known) = self.by_name.get_mut(name) else { return false };
        known.uploads.fill_with(|| None);
        let mut shared = known.slot.borrow_mut();
        let dropped = shared.stream.take();
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
        dropped.is_some()
    }

    /// Sends an item, or nothing if the call or the stream is over. The error: there is no such call or stream.
    pub(crate) fn upload(&mut self, name: &str, stream: usize, item: Upload) -> Result<(), String> {
        let slot = self.upload_slot(name, stream)?;
        if let Some(sender) = slot {
            // Whoever has hung up does not want it.
            _ = sender.unbounded_send(item);
        }
        Ok(())
    }

    /// Ends a stream to the hub, with an error or well.
    pub(crate) fn end_upload(&mut self, name: &str, stream: usize, error: Option<String>) -> Result<(), String> {
        if let Some(error) = error {
            self.upload(name, stream, Err(error))?;
        }
        *self.upload_slot(name, stream)? = None;
        Ok(())
    }

    fn upload_slot(&mut self, name: &str, stream: usize) -> Result<&mut Option<UnboundedSender<Upload>>, String> {
        let known = self.by_name.get_mut(name).ok_or_else(|| format!("there is no call `{name}`"))?;
        known.uploads.get_mut(stream).ok_or_else(|| format!("the call `{name}` has no stream {stream}"))
    }

    /// What the next call has to tell; `Pending`, too, when there is none.
    pub(crate) fn poll_told(&mut self, context: &mut Context<'_>) -> Poll<(Rc<str>, Told)> {
        match self.running.poll_next_unpin(context) {
            Poll::Ready(Some(told)) => Poll::Ready(told),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Stream for Running {
    type Item = (Rc<str>, Told);

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut shared = this.slot.borrow_mut();
        let Some(stream) = &mut shared.stream else { return Poll::Ready(None) };
        let told = match stream.poll_next_unpin(context) {
            Poll::Pending => {
                shared.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(told) => told,
        };
        if !matches!(told, Some(Told::Item(_))) {
            shared.stream = None;
        }
        Poll::Ready(told.map(|told| (this.name.clone(), told)))
    }
}
