//! Accounts.

use adapter_core::Runtime;
use topstep_model::rest::{LogOut, Ping, Pong, SearchAccounts};
use topstep_model::{Account, AccountId, ListErrorCode, LogoutErrorCode, Rows};

use super::Gateway;
use crate::budget::Priority;
use crate::rest::CallError;

/// Which account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AccountSelector {
    /// The one of this id.
    Id(AccountId),
    /// The one of this name, exactly.
    Name(String),
}

/// Why there is no account.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The accounts cannot be read.
    #[error(transparent)]
    Call(#[from] CallError<ListErrorCode>),
    /// The login has no such account.
    #[error("the login has no such account")]
    NotFound,
    /// Several accounts have this name: choose by id.
    #[error("several accounts have this name")]
    Ambiguous,
    /// No readable account fits, but some accounts cannot be read.
    #[error("no readable account fits, and {0} cannot be read")]
    Unreadable(usize),
}

impl<R: Runtime> Gateway<R> {
    /// All accounts of the login, those included that can no longer be traded.
    ///
    /// [`Account::can_trade`] says whether one takes orders. [`Account::simulated`] says how orders are routed, and is true of funded accounts
    /// as well.
    pub async fn accounts(&self) -> Result<Rows<Account>, CallError<ListErrorCode>> {
        self.search_accounts(false).await
    }

    /// The accounts that can be traded, or all of them.
    pub async fn search_accounts(&self, only_active: bool) -> Result<Rows<Account>, CallError<ListErrorCode>> {
        let answer = self.call(&SearchAccounts::new(only_active), Priority::Read).await?;
        answer.accounts.ok_or(CallError::NoList)
    }

    /// One account, by id or by name.
    pub async fn account(&self, which: impl Into<AccountSelector>) -> Result<Account, AccountError> {
        let which = which.into();
        let accounts = self.accounts().await?;
        let unreadable = accounts.errors().count();
        let mut fitting = accounts.into_iter().flatten().filter(|account| which.fits(account));
        match (fitting.next(), fitting.next()) {
            (Some(account), None) => Ok(account),
            (Some(_), Some(_)) => Err(AccountError::Ambiguous),
            (None, _) if unreadable > 0 => Err(AccountError::Unreadable(unreadable)),
            (None, _) => Err(AccountError::NotFound),
        }
    }

    /// Whether the venue is there. It needs no token.
    pub async fn ping(&self) -> Result<Pong, CallError<ListErrorCode>> {
        self.call(&Ping::default(), Priority::Read).await
    }

    /// Ends the login at the venue, its hub connections with it, and forgets the token. [`Login::resume`](crate::Login::resume) begins again.
    pub async fn log_out(&self) -> Result<(), CallError<LogoutErrorCode>> {
        self.call(&LogOut::default(), Priority::Exit).await?;
        self.login().on_logout();
        Ok(())
    }
}

impl AccountSelector {
    /// Whether it is this one.
    pub fn fits(&self, account: &Account) -> bool {
        match self {
            Self::Id(id) => account.id == *id,
            Self::Name(name) => account.name.as_ref().is_some_and(|text| text.as_str() == name),
        }
    }
}

impl From<AccountId> for AccountSelector {
    fn from(id: AccountId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for AccountSelector {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for AccountSelector {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}
