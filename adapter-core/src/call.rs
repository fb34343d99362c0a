//! Calls of the hub's methods.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_channel::oneshot;
use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use signalr_proto::error::{HubError, NotSent, OutcomeUnknown, Rejection};
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{CallOutcome, CallSink};
use signalr_proto::{CallKind, CallRequest, CallTimeout, Command, Token};

use crate::arguments;
use crate::hub_stream::{self, HubStream};
use crate::shared::Lifeline;
use crate::upload::{self, BoxUpload};

/// Why a call has no result. It ended in exactly one of these ways; nothing was sent twice.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The hub's method failed.
    #[error(transparent)]
    Hub(HubError),
    /// Not one byte of it was sent: it is safe to try again.
    #[error(transparent)]
    NotSent(NotSent),
    /// It was sent, and no answer will come: whether it had its effect is unknown.
    #[error(transparent)]
    OutcomeUnknown(OutcomeUnknown),
    /// It was refused on the spot: the connection is not active, or the arguments are not what they should be.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The method succeeded, but its result does not fit the type asked for.
    #[error("the result does not fit: {0}")]
    Decode(DecodeError),
}

/// A call in the making: see [`HubConnection::call`](crate::HubConnection::call).
#[must_use = "a call does nothing until it is invoked, sent or streamed"]
pub struct Call {
    pub(crate) lifeline: Arc<Lifeline>,
    pub(crate) target: String,
    arguments: Result<String, Rejection>,
    headers: Vec<(String, String)>,
    timeout: CallTimeout,
    uploads: Vec<BoxUpload>,
}

impl Call {
    pub(crate) fn new(lifeline: Arc<Lifeline>, target: &str) -> Self {
        Self {
            lifeline,
            target: target.to_owned(),
            arguments: Ok("[]".to_owned()),
            headers: Vec::new(),
            timeout: CallTimeout::Configured,
            uploads: Vec::new(),
        }
    }

    /// The arguments: a tuple (or anything else that serializes to an array), one element an argument; `()` for none.
    pub fn arguments(mut self, arguments: impl Serialize) -> Self {
        self.arguments = arguments::to_json(&arguments);
        self
    }

    /// A stream of items from this side, in place of an argument. The hub's method sees the streams behind the plain arguments, in the
    /// order of these calls. An item that is an error ends the stream with its text.
    ///
    /// Items are taken from the stream only when there is room to send them. It is dropped when the call is over.
    pub fn upload<T, E, S>(mut self, items: S) -> Self
    where
        T: Serialize,
        E: std::fmt::Display,
        S: Stream<Item = Result<T, E>> + Send + 'static,
    {
        self.uploads.push(upload::boxed(items));
        self
    }

    /// How long the hub may take; `None`: for ever. Default: the connection's `call_timeout` for an invocation without uploads, else none.
    /// For a stream it covers the time to its end.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout.map_or(CallTimeout::Never, CallTimeout::After);
        self
    }

    /// A header of the message. Nothing in the protocol reads it; some servers trace by it.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Calls the method and waits for its result. A method without a result gives what JSON's `null` gives: `()`, `None`.
    ///
    /// Dropping the future gives the call up; what was sent stays sent.
    pub async fn invoke<T: DeserializeOwned + Send + 'static>(self) -> Result<T, CallError> {
        match self.invoke_optional().await? {
            Some(value) => Ok(value),
            None => Cursor::new("null").decode().map_err(CallError::Decode),
        }
    }

    /// As [`invoke`](Self::invoke), but tells a method that gave no result (`None`) from one that gave `null`. The real ASP.NET Core gives
    /// `null` for `void`.
    pub async fn invoke_optional<T: DeserializeOwned + Send + 'static>(self) -> Result<Option<T>, CallError> {
        let (sender, receiver) = oneshot::channel();
        let sink = ResultSink { sender: Some(sender), staged: None };
        self.issue(CallKind::Invoke, Box::new(sink), receiver).await
    }

    /// Calls the method and wants no answer. Done when the record was handed to the transport; whether the hub has such a method stays
    /// unknown.
    pub async fn send(self) -> Result<(), CallError> {
        let (sender, receiver) = oneshot::channel();
        let sink = ResultSink::<serde::de::IgnoredAny> { sender: Some(sender), staged: None };
        self.issue(CallKind::Send, Box::new(sink), receiver).await.map(drop)
    }

    /// Calls a method that answers with a stream. Dropping the stream cancels it on the hub.
    pub fn stream<T: DeserializeOwned + Send + 'static>(self) -> HubStream<T> {
        let lifeline = self.lifeline.clone();
        let token = lifeline.shared.next_token();
        let (sink, consumer) = hub_stream::channel(lifeline.shared.limits.stream_bytes);
        match self.into_request(CallKind::Stream, Box::new(sink)) {
            Ok((request, uploads)) => issue(&lifeline, token, request, uploads),
            Err((rejection, sink)) => sink.finish(CallOutcome::Rejected(rejection)),
        }
        HubStream::new(consumer, token, lifeline)
    }

    async fn issue<T>(
        self,
        kind: CallKind,
        sink: Box<dyn CallSink>,
        receiver: oneshot::Receiver<Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let lifeline = self.lifeline.clone();
        let token = lifeline.shared.next_token();
        let (request, uploads) = self.into_request(kind, sink).map_err(|(rejection, _)| rejection)?;
        issue(&lifeline, token, request, uploads);
        Pending { receiver, token, lifeline, is_over: false, _result: PhantomData }.await
    }

    #[expect(clippy::type_complexity, reason = "the sink comes back to hear of the rejection")]
    fn into_request(
        self,
        kind: CallKind,
        sink: Box<dyn CallSink>,
    ) -> Result<(CallRequest, Vec<BoxUpload>), (Rejection, Box<dyn CallSink>)> {
        let arguments = match self.arguments {
            Ok(arguments) => arguments,
            Err(rejection) => return Err((rejection, sink)),
        };
        let request = CallRequest {
            kind,
            target: self.target,
            arguments,
            headers: self.headers,
            uploads: self.uploads.len(),
            timeout: self.timeout,
            sink,
        };
        Ok((request, self.uploads))
    }
}

fn issue(lifeline: &Lifeline, token: Token, request: CallRequest, uploads: Vec<BoxUpload>) {
    let shared = &lifeline.shared;
    shared.command(token, Command::Call(request));
    if uploads.is_empty() {
        return;
    }
    let run = |(stream, items)| upload::run(shared.clone(), token, stream, items);
    shared.spawn(&mut uploads.into_iter().enumerate().map(run).collect());
}

/// Waits for the one answer. Dropped before it: the call is given up.
struct Pending<T> {
    receiver: oneshot::Receiver<Result<T, CallError>>,
    token: Token,
    lifeline: Arc<Lifeline>,
    is_over: bool,
    _result: PhantomData<T>,
}

impl<T> Future for Pending<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = std::task::ready!(Pin::new(&mut self.receiver).poll(context));
        self.is_over = true;
        // A sink that is dropped unfinished went down with a machine that panicked.
        Poll::Ready(answer.unwrap_or(Err(CallError::OutcomeUnknown(OutcomeUnknown::Cancelled))))
    }
}

impl<T> Unpin for Pending<T> {}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        if !self.is_over {
            let shared = &self.lifeline.shared;
            shared.command(shared.next_token(), Command::Cancel { call: self.token });
        }
    }
}

/// Where a result goes.
struct ResultSink<T> {
    sender: Option<oneshot::Sender<Result<Option<T>, CallError>>>,
    staged: Option<T>,
}

impl<T: DeserializeOwned + Send> CallSink for ResultSink<T> {
    fn decode(&mut self, value: &mut Cursor<'_>) -> Result<(), DecodeError> {
        self.staged = Some(value.decode()?);
        Ok(())
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn finish(mut self: Box<Self>, outcome: CallOutcome) {
        let Some(sender) = self.sender.take() else { return };
        let result = match outcome {
            CallOutcome::Value => Ok(self.staged.take()),
            CallOutcome::Completed => Ok(None),
            CallOutcome::HubError(error) => Err(CallError::Hub(error)),
            CallOutcome::Malformed(error) => Err(CallError::Decode(error)),
            CallOutcome::NotSent(why) => Err(CallError::NotSent(why)),
            CallOutcome::OutcomeUnknown(why) => Err(CallError::OutcomeUnknown(why)),
            CallOutcome::Rejected(rejection) => Err(CallError::Rejected(rejection)),
            _ => Err(CallError::OutcomeUnknown(OutcomeUnknown::Cancelled)),
        };
        // Whoever does not wait any more does not want to know.
        drop(sender.send(result));
    }
}
