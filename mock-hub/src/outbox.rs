//! A connection's machine as everybody else reaches it: senders, the writer, hub methods, the driver.

use std::sync::Mutex;

use bytes::Bytes;
use signalr_proto::time::Instant;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;

pub(crate) use crate::connection::Outgoing;
use crate::connection::{CallId, Connection, Goodbye, Rules, UploadKey};
use crate::hubs::{Hub, MethodError};
use crate::lock::lock;

/// One connection, shared. Sending costs one short lock.
#[derive(Debug)]
pub(crate) struct Outbox {
    connection: Mutex<Connection>,
    /// The clock that the machine is told: time since here.
    origin: tokio::time::Instant,
    /// Something waits to be written.
    filled: Notify,
    /// Something was written.
    emptied: Notify,
    /// The driver has something to do.
    stirred: Notify,
}

impl Outbox {
    /// A connection whose socket has just opened; the token ends at `expires`.
    pub(crate) fn new(hub: Hub, mut rules: Rules, expires: Option<std::time::Instant>) -> Self {
        let origin = tokio::time::Instant::now();
        rules.expires = expires.map(|at| nanos(at.saturating_duration_since(origin.into_std())));
        Self {
            connection: Mutex::new(Connection::new(Instant::from_nanos(0), hub, rules)),
            origin,
            filled: Notify::new(),
            emptied: Notify::new(),
            stirred: Notify::new(),
        }
    }

    /// Queues a record, its separator included; `false` when the connection must end because it reads too slowly.
    pub(crate) fn push(&self, record: Bytes) -> bool {
        let mut connection = lock(&self.connection);
        let is_taken = connection.send(record);
        self.tell(connection);
        is_taken
    }

    /// Queues a frame as it is, between the records before and after it.
    pub(crate) fn push_frame(&self, frame: Frame) -> bool {
        let mut connection = lock(&self.connection);
        let is_taken = connection.send_frame(frame);
        self.tell(connection);
        is_taken
    }

    /// Queues a record once there is room for it; `false` as with [`Outbox::push`].
    pub(crate) async fn push_when_there_is_room(&self, record: Bytes) -> bool {
        loop {
            let room = self.emptied.notified();
            let mut room = std::pin::pin!(room);
            room.as_mut().enable();
            if lock(&self.connection).has_room() {
                return self.push(record);
            }
            room.await;
        }
    }

    /// Waits for the next thing to write.
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            let filled = self.filled.notified();
            if let Some(next) = self.take() {
                self.emptied.notify_waiters();
                return next;
            }
            filled.await;
        }
    }

    /// The bytes that wait.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.look(|connection| connection.queued_bytes())
    }

    /// Ends the connection; the first reason holds.
    pub(crate) fn end(&self, goodbye: Goodbye) {
        self.with(|connection, now| connection.handle_end(now, goodbye));
        self.emptied.notify_waiters();
    }

    /// Reports what became of a method.
    pub(crate) fn outcome(&self, call: CallId, outcome: Result<String, MethodError>) {
        self.with(|connection, now| connection.handle_outcome(now, call, outcome));
    }

    /// Reports that a method waits for the client and needs its place no more.
    pub(crate) fn release_place(&self, call: CallId) {
        self.with(|connection, now| connection.handle_place_released(now, call));
    }

    /// Reports that a method took an item.
    pub(crate) fn item_taken(&self, upload: UploadKey) {
        self.with(|connection, now| connection.handle_item_taken(now, upload));
    }

    /// Does something with the machine, and tells those who wait for what came of it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Connection, Instant) -> T) -> T {
        let mut connection = lock(&self.connection);
        let done = act(&mut connection, self.now());
        self.tell(connection);
        done
    }

    /// Looks at the machine, telling nobody.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Connection) -> T) -> T {
        look(&mut lock(&self.connection))
    }

    /// Wakes the driver.
    pub(crate) fn stir(&self) {
        self.stirred.notify_one();
    }

    /// Waits until the driver has something to do.
    pub(crate) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// A point of the machine's clock on the runtime's.
    pub(crate) fn at(&self, instant: Instant) -> tokio::time::Instant {
        self.origin + std::time::Duration::from_nanos(instant.as_nanos())
    }

    fn now(&self) -> Instant {
        nanos(self.origin.elapsed())
    }

    fn take(&self) -> Option<Outgoing> {
        let mut connection = lock(&self.connection);
        let next = connection.poll_transmit();
        if connection.is_stirred() {
            self.stirred.notify_one();
        }
        next
    }

    fn tell(&self, connection: std::sync::MutexGuard<'_, Connection>) {
        let (is_ready, is_stirred) = (connection.is_ready(), connection.is_stirred());
        drop(connection);
        if is_ready {
            self.filled.notify_one();
        }
        if is_stirred {
            self.stirred.notify_one();
        }
    }
}

fn nanos(duration: std::time::Duration) -> Instant {
    Instant::from_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}
