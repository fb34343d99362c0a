//! The calls of one connection that run, the streams that can be cancelled, the uploads that feed them.

use std::collections::HashMap;

use crate::hubs::Method;
use crate::protocol::dotnet::Type;

/// The calls of one connection that may be under way; beyond them its reading waits.
const MAX_RUNNING: usize = 10_000;

/// A call under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CallId(u64);

/// One upload of one call; the id that the client gave it may come again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UploadKey(u64);

#[cfg(test)]
impl UploadKey {
    pub(super) fn first_of(calls: &Calls) -> Self {
        calls.uploads.values().next().expect("an upload is open").key
    }
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) invocation_id: Option<String>,
    pub(super) method: &'static Method,
    pub(super) is_stream: bool,
    pub(super) holds_place: bool,
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) key: UploadKey,
    owner: CallId,
    item_type: Type,
    /// The items that wait for the method.
    waiting: usize,
}

/// What became of an item.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fed {
    Taken(UploadKey),
    /// As many items wait as may: the connection reads no further.
    Full,
    NoSuchUpload,
}

#[derive(Debug)]
pub(super) struct Calls {
    last: u64,
    free_places: usize,
    /// Places of calls that have ended and whose Completion has still no room to leave.
    held_places: usize,
    running: HashMap<CallId, Running>,
    /// Streams that a cancel can reach, by invocation id.
    streams: HashMap<String, CallId>,
    uploads: HashMap<String, Upload>,
    upload_capacity: usize,
}

impl Calls {
    pub(super) fn new(places: usize, upload_capacity: usize) -> Self {
        Self {
            last: 0,
            free_places: places.max(1),
            held_places: 0,
            running: HashMap::new(),
            streams: HashMap::new(),
            uploads: HashMap::new(),
            upload_capacity: upload_capacity.max(1),
        }
    }

    /// Whether another call may begin; `needs_place` where it is one of those that are limited.
    pub(super) fn may_begin(&self, needs_place: bool) -> bool {
        self.running.len() < MAX_RUNNING && !(needs_place && self.free_places == 0)
    }

    pub(super) fn begin(&mut self, running: Running) -> CallId {
        self.last += 1;
        let call = CallId(self.last);
        if running.holds_place {
            self.free_places = self.free_places.saturating_sub(1);
        }
        self.running.insert(call, running);
        call
    }

    /// Makes a running stream known by its id; `false` when the id is in use, which makes both unreachable (seen live).
    pub(super) fn register_stream(&mut self, invocation_id: &str, call: CallId) -> bool {
        if self.streams.remove(invocation_id).is_some() {
            return false;
        }
        self.streams.insert(invocation_id.to_owned(), call);
        true
    }

    pub(super) fn stream(&self, invocation_id: &str) -> Option<CallId> {
        self.streams.get(invocation_id).copied()
    }

    /// Gives a call's place to others while the call goes on.
    pub(super) fn release_place(&mut self, call: CallId) {
        if let Some(running) = self.running.get_mut(&call).filter(|running| running.holds_place) {
            running.holds_place = false;
            self.free_places += 1;
        }
    }

    /// Ends a call; its place stays taken until [`Calls::release_held`].
    pub(super) fn end(&mut self, call: CallId) -> Option<Running> {
        let running = self.running.remove(&call)?;
        if running.holds_place {
            self.held_places += 1;
        }
        if let Some(id) = running.invocation_id.as_deref().filter(|_| running.is_stream)
            && self.streams.get(id) == Some(&call)
        {
            self.streams.remove(id);
        }
        Some(running)
    }

    pub(super) fn has_held(&self) -> bool {
        self.held_places > 0
    }

    pub(super) fn release_held(&mut self) {
        self.free_places += std::mem::take(&mut self.held_places);
    }

    /// Opens the uploads of a call. One of the same id is replaced, and its own call never hears of its end (seen live).
    pub(super) fn open_uploads(&mut self, call: CallId, ids: &[String], types: &[Type]) -> Vec<UploadKey> {
        let mut keys = Vec::with_capacity(ids.len());
        for (id, item_type) in ids.iter().zip(types) {
            self.last += 1;
            let key = UploadKey(self.last);
            keys.push(key);
            self.uploads.insert(id.clone(), Upload { key, owner: call, item_type: *item_type, waiting: 0 });
        }
        keys
    }

    /// The type of an upload's items; an upload with an empty id can never be fed (seen live).
    pub(super) fn item_type(&self, stream_id: &str) -> Option<Type> {
        self.uploads.get(stream_id).filter(|_| !stream_id.is_empty()).map(|upload| upload.item_type)
    }

    pub(super) fn feed(&mut self, stream_id: &str) -> Fed {
        match self.uploads.get_mut(stream_id) {
            None => Fed::NoSuchUpload,
            Some(upload) if upload.waiting >= self.upload_capacity => Fed::Full,
            Some(upload) => {
                upload.waiting += 1;
                Fed::Taken(upload.key)
            }
        }
    }

    /// Notes that the method took an item.
    pub(super) fn item_taken(&mut self, key: UploadKey) {
        if let Some(upload) = self.uploads.values_mut().find(|upload| upload.key == key) {
            upload.waiting = upload.waiting.saturating_sub(1);
        }
    }

    pub(super) fn close_upload(&mut self, stream_id: &str) -> Option<UploadKey> {
        self.uploads.remove(stream_id).map(|upload| upload.key)
    }

    /// Closes what is left of a call's uploads.
    pub(super) fn close_uploads_of(&mut self, call: CallId) -> Vec<UploadKey> {
        let mut closed = Vec::new();
        self.uploads.retain(|_, upload| {
            if upload.owner == call {
                closed.push(upload.key);
            }
            upload.owner != call
        });
        closed
    }
}
