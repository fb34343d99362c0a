//! Access tokens, asked for before every attempt.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use signalr_proto::secret::Secret;

type Answer = Pin<Box<dyn Future<Output = Result<Option<Secret>, String>> + Send>>;

/// What a provider is told of the token that is wanted: see
/// [`HubConnectionBuilder::access_token_source`](crate::HubConnectionBuilder::access_token_source).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Whether the hub has just refused the token before, in the same attempt: the same one would be refused again.
    pub is_repeated: bool,
}

/// Gives the access token, anew before every attempt to connect: see
/// [`HubConnectionBuilder::access_token_provider`](crate::HubConnectionBuilder::access_token_provider).
#[derive(Clone)]
pub(crate) struct TokenProvider(Arc<dyn Fn(TokenRequest) -> Answer + Send + Sync>);

impl TokenProvider {
    pub(crate) fn new<F, Fut, S, E>(provider: F) -> Self
    where
        F: Fn(TokenRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: Into<Secret>,
        E: Display,
    {
        Self(Arc::new(move |request| {
            let answer = provider(request);
            // The error's text is the provider's own; it is asked not to put the token there.
            Box::pin(async move { answer.await.map(|token| Some(token.into())).map_err(|error| error.to_string()) })
        }))
    }

    pub(crate) fn ask(&self, is_repeated: bool) -> Answer {
        (self.0)(TokenRequest { is_repeated })
    }
}
