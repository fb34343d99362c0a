//! Tokens for hub connections.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use adapter_core::{Runtime, Secret, TokenRequest};

use super::{Login, LoginError, Revision};

/// Gives one hub connection its tokens, and knows which one it has: what
/// [`access_token_source`](adapter_core::HubConnectionBuilder::access_token_source) asks. A clone is for the same connection.
pub struct HubTokens<R> {
    login: Login<R>,
    given: Arc<AtomicU64>,
    /// The token given last is good for nothing, though no answer said so.
    is_refused: Arc<AtomicBool>,
}

impl<R: Runtime> Login<R> {
    /// Tokens for one hub connection.
    pub fn hub_tokens(&self) -> HubTokens<R> {
        HubTokens { login: self.clone(), given: Arc::default(), is_refused: Arc::default() }
    }
}

impl<R: Runtime> HubTokens<R> {
    /// The token for an attempt. One that the hub has just refused is not given again.
    pub fn token(&self, request: TokenRequest) -> impl Future<Output = Result<Secret, LoginError>> + Send + use<R> {
        let Self { login, given, is_refused } = self.clone();
        async move {
            let refused = Some(Revision(given.load(Ordering::Acquire)))
                .filter(|_| request.is_repeated || is_refused.load(Ordering::Acquire));
            // A connection can wait, and a dial with a bad token costs more than that.
            let token = login.token(refused.max(login.refused())).await?;
            is_refused.store(false, Ordering::Release);
            given.store(token.revision.0, Ordering::Release);
            Ok(token.secret)
        }
    }

    /// Says that the token given last is good for nothing, though no answer said so: the hub hung up on it.
    pub fn refuse(&self) {
        self.is_refused.store(true, Ordering::Release);
    }

    /// The token that the connection was given last; `None`: it has asked for none.
    pub fn given(&self) -> Option<Revision> {
        Some(Revision(self.given.load(Ordering::Acquire))).filter(|revision| revision.0 > 0)
    }
}

impl<R> Clone for HubTokens<R> {
    fn clone(&self) -> Self {
        Self { login: self.login.clone(), given: self.given.clone(), is_refused: self.is_refused.clone() }
    }
}

impl<R> fmt::Debug for HubTokens<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubTokens").finish_non_exhaustive()
    }
}
