//! Access tokens, asked for before every attempt.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use signalr_proto::secret::Secret;

type Answer = Pin<Box<dyn Future<Output = Result<Option<Secret>, String>> + Send>>;

/// Gives the access token, anew before every attempt to connect: see
/// [`HubConnectionBuilder::access_token_provider`](crate::HubConnectionBuilder::access_token_provider).
#[derive(Clone)]
pub(crate) struct TokenProvider(Arc<dyn Fn() -> Answer + Send + Sync>);

impl TokenProvider {
    pub(crate) fn new<F, Fut, S, E>(provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: Into<Secret>,
        E: Display,
    {
        Self(Arc::new(move || {
            let answer = provider();
            // The error's text is the provider's own; it is asked not to put the token there.
            Box::pin(async move { answer.await.map(|token| Some(token.into())).map_err(|error| error.to_string()) })
        }))
    }

    pub(crate) fn ask(&self) -> Answer {
        (self.0)()
    }
}
