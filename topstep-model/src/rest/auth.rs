//! Logging in, keeping the token, logging out; and whether the gateway is there.

use std::fmt;

use serde::Serialize;

use super::answer::Answer;
use super::error::ApiError;
use super::payload::{Build, Done, Payload, answer};
use super::request::{Body, Method, Request, sealed::Sealed};
use super::secret::Secret;
use crate::decode::RowError;
use crate::excerpt::harmless;
use crate::{ListErrorCode, LoginErrorCode, LogoutErrorCode, ValidateErrorCode};

/// `Auth/loginKey`: gives a token for a user's name and API key.
///
/// A token is good for 24 hours. A wrong name may be answered as an unknown error (seen on the live gateway).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The user's name.
    pub user_name: String,
    /// The API key.
    pub api_key: Secret,
}

impl Login {
    /// Logs in with a key.
    pub fn new(user_name: impl Into<String>, api_key: impl Into<Secret>) -> Self {
        Self { user_name: user_name.into(), api_key: api_key.into() }
    }
}

answer! {
    /// A login that was accepted.
    pub struct LoggedIn, LoggedInBuild {
        /// The token for all other calls, and for the hubs.
        needed "token" token: Secret,
    }
}

impl Sealed for Login {}

impl Request for Login {
    const PATH: &'static str = "/api/Auth/loginKey";
    const NEEDS_TOKEN: bool = false;

    type Response = LoggedIn;
    type Code = LoginErrorCode;

    fn body(&self) -> Option<Body> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Json<'a> {
            user_name: &'a str,
            api_key: &'a str,
        }
        Some(Body::of(&Json { user_name: &self.user_name, api_key: self.api_key.expose() }))
    }
}

/// `Auth/validate`: renews the token that it is sent with, before that is over.
///
/// Whether the new token differs from the old one is not documented: take the new one. An answer that cannot be read should
/// lead to a new login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validate;

answer! {
    /// A token that was renewed.
    pub struct Renewed, RenewedBuild {
        /// The token from now on; absent where the old one stays.
        optional "newToken" new_token: Secret,
    }
}

impl Sealed for Validate {}

impl Request for Validate {
    const PATH: &'static str = "/api/Auth/validate";

    type Response = Renewed;
    type Code = ValidateErrorCode;

    fn body(&self) -> Option<Body> {
        None
    }
}

/// `Auth/logout`: ends the session of the token that it is sent with, with its hubs' connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogOut;

impl Sealed for LogOut {}

impl Request for LogOut {
    const PATH: &'static str = "/api/Auth/logout";

    type Response = Done;
    type Code = LogoutErrorCode;

    fn body(&self) -> Option<Body> {
        None
    }
}

/// `Status/ping`: whether the gateway is there. It needs no token, and brings plain text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping;

/// What a ping brings: text that is not specified, cut to 320 characters, with control characters escaped.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pong(String);

impl Pong {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pong").field(&self.0).finish()
    }
}

impl Payload for Pong {
    type Build = Self;
}

// It is never read from JSON.
impl Build<Self> for Pong {
    fn finish(self) -> Result<Self, RowError> {
        Ok(self)
    }
}

impl Sealed for Ping {}

impl Request for Ping {
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/api/Status/ping";
    const NEEDS_TOKEN: bool = false;

    type Response = Pong;
    type Code = ListErrorCode;

    fn body(&self) -> Option<Body> {
        None
    }

    fn read(answer: &Answer<'_>) -> Result<Pong, ApiError<ListErrorCode>> {
        answer.check()?;
        Ok(Pong(harmless(&String::from_utf8_lossy(answer.body()))))
    }
}
