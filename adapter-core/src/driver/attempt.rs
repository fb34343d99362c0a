//! What an attempt waits for: a token, an answer, a socket.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use signalr_proto::io::{AttemptId, HttpRequest, HttpResponse, Input, IoFailure, OpenRequest};
use signalr_proto::secret::Secret;

use crate::dial::{self, DialOptions};
use crate::runtime::Runtime;
use crate::token::TokenProvider;

/// One thing under way for an attempt. Dropping it closes whatever it had opened.
pub(super) struct Attempt<R: Runtime> {
    id: AttemptId,
    future: Pin<Box<dyn Future<Output = Outcome<R>> + Send>>,
}

pub(super) enum Outcome<R: Runtime> {
    Token(Result<Option<Secret>, String>),
    Answer(Result<HttpResponse, IoFailure>),
    Socket(Result<R::WebSocket, IoFailure>),
}

impl<R: Runtime> Attempt<R> {
    /// `is_repeated`: the attempt has asked before.
    pub(super) fn token(id: AttemptId, provider: Option<&TokenProvider>, is_repeated: bool) -> Self {
        let answer = provider.map(|provider| provider.ask(is_repeated));
        let future = Box::pin(async move {
            Outcome::Token(match answer {
                Some(answer) => answer.await,
                None => Ok(None),
            })
        });
        Self { id, future }
    }

    pub(super) fn http(id: AttemptId, options: DialOptions, request: HttpRequest) -> Self {
        Self { id, future: Box::pin(async move { Outcome::Answer(dial::http::<R>(&options, request).await) }) }
    }

    pub(super) fn open(id: AttemptId, options: DialOptions, request: OpenRequest) -> Self {
        Self { id, future: Box::pin(async move { Outcome::Socket(dial::open::<R>(&options, request).await) }) }
    }

    pub(super) fn id(&self) -> AttemptId {
        self.id
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        self.future.as_mut().poll(context)
    }
}

impl<R: Runtime> Outcome<R> {
    /// What the machine is told, and the socket if there is one.
    pub(super) fn into_input(self, attempt: AttemptId) -> (Input<'static>, Option<R::WebSocket>) {
        match self {
            Self::Token(token) => (Input::TokenProvided { attempt, token }, None),
            Self::Answer(response) => (Input::Answered { attempt, response }, None),
            Self::Socket(Ok(socket)) => (Input::Opened { attempt, result: Ok(()) }, Some(socket)),
            Self::Socket(Err(failure)) => (Input::Opened { attempt, result: Err(failure) }, None),
        }
    }
}
