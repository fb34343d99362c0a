//! Accounts.

use serde::Serialize;

use super::payload::answer;
use super::request::request;
use crate::{Account, ListErrorCode};

/// `Account/search`: the user's accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchAccounts {
    /// Whether to leave out what can no longer be traded.
    pub only_active_accounts: bool,
}

impl SearchAccounts {
    /// Asks for all accounts, or for the active ones only.
    pub const fn new(only_active_accounts: bool) -> Self {
        Self { only_active_accounts }
    }
}

answer! {
    /// Some of the user's accounts.
    pub struct Accounts, AccountsBuild {
        /// The accounts; `None` where the answer has no list, which is not the same as an empty one.
        list "accounts" accounts: Account,
    }
}

request!(SearchAccounts, "/api/Account/search" => Accounts, ListErrorCode);
