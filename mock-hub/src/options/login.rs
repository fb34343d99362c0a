//! A user who can log in.

use std::fmt;

/// A user's name and API key. Its `Debug` does not tell the key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The name.
    pub user: String,
    /// The API key; compared exactly.
    pub api_key: String,
}

impl Login {
    /// A user with this name and key.
    pub fn new(user: impl Into<String>, api_key: impl Into<String>) -> Self {
        Self { user: user.into(), api_key: api_key.into() }
    }
}

impl Default for Login {
    /// The user that a hub has when nobody names one: `user`, with the key `mock-key`.
    fn default() -> Self {
        Self::new("user", "mock-key")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}
