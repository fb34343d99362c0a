//! Where a connection's records go into a session.

use std::sync::Arc;

use adapter_core::{HubConnection, Runtime, read_arguments};
use serde::de::DeserializeOwned;
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{Gap, InvocationSink, ResultTicket};
use topstep_model::{Logout, Target};

use super::machine::{Receive, SessionMachine};
use super::shared::Shared;
use crate::gap::Subject;
use crate::link::LinkNews;

/// Has a target's rows go into the session.
pub(crate) fn feed<R, M, T>(connection: &HubConnection<R>, shared: &Arc<Shared<M>>, target: Target)
where
    R: Runtime,
    M: SessionMachine + Receive<T>,
    T: DeserializeOwned + Send + 'static,
{
    let sink = RowSink { shared: shared.clone(), target, staged: None };
    // It stays as long as the connection does.
    drop(connection.register(target.name(), Box::new(sink)));
}

/// Has the connection's life and its logouts go into the session.
pub(crate) fn follow<R: Runtime, M: SessionMachine>(connection: &HubConnection<R>, shared: &Arc<Shared<M>>) {
    let sink = LogoutSink { shared: shared.clone(), staged: None };
    drop(connection.register(Target::Logout.name(), Box::new(sink)));
    let shared = shared.clone();
    connection.watch(move |event| {
        if let Some(news) = LinkNews::of(event) {
            shared.hear(news);
        }
    });
}

struct RowSink<M: SessionMachine, T> {
    shared: Arc<Shared<M>>,
    target: Target,
    staged: Option<T>,
}

impl<M, T> InvocationSink for RowSink<M, T>
where
    M: SessionMachine + Receive<T>,
    T: DeserializeOwned + Send + 'static,
{
    #[inline]
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        self.staged = Some(read_arguments(arguments)?);
        Ok(())
    }

    #[inline]
    fn commit(&mut self, _: usize, _: Option<ResultTicket>) {
        if let Some(rows) = self.staged.take() {
            self.shared.receive(rows);
        }
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn malformed(&mut self, error: DecodeError, _: usize) {
        self.shared.malformed(self.target, error.to_string());
    }

    fn gap(&mut self, gap: &Gap) {
        let subjects = gap.keys.iter().filter_map(Subject::of).filter(|subject| subject.target() == self.target);
        for subject in subjects {
            self.shared.gap(&subject, gap.reason.cause());
        }
    }

    fn flush(&mut self) {
        self.shared.flush();
    }

    fn is_full(&self) -> bool {
        self.shared.is_full()
    }
}

struct LogoutSink<M: SessionMachine> {
    shared: Arc<Shared<M>>,
    staged: Option<Logout>,
}

impl<M: SessionMachine> InvocationSink for LogoutSink<M> {
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        // Nobody has published what comes with it: whatever it is, it is a logout.
        self.staged = Some(read_arguments(arguments).unwrap_or_default());
        Ok(())
    }

    fn commit(&mut self, _: usize, _: Option<ResultTicket>) {
        if let Some(logout) = self.staged.take() {
            self.shared.logged_out(logout);
        }
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn malformed(&mut self, _: DecodeError, _: usize) {
        self.shared.logged_out(Logout::default());
    }

    fn gap(&mut self, _: &Gap) {}

    fn flush(&mut self) {}
}
