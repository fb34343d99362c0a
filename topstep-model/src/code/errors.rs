//! Why the gateway refuses a request: the `errorCode` of its answers, one list for each call (the venue's swagger).

use super::codes;

codes! {
    /// Why a login with a key is refused.
    pub enum LoginErrorCode {
        /// It is not.
        0 Success "success",
        /// There is no such user.
        1 UserNotFound "user not found",
        /// The password is wrong.
        2 PasswordVerificationFailed "password verification failed",
        /// The user's name or key is wrong.
        3 InvalidCredentials "invalid credentials",
        /// There is no such application.
        4 AppNotFound "app not found",
        /// The application's key is wrong.
        5 AppVerificationFailed "app verification failed",
        /// The device is not allowed.
        6 InvalidDevice "invalid device",
        /// The user has agreements to sign first.
        7 AgreementsNotSigned "agreements not signed",
        /// The gateway does not say; a wrong user's name was seen to end here.
        8 UnknownError "unknown error",
        /// The user has not bought access to the API.
        9 ApiSubscriptionNotFound "API subscription not found",
        /// Logging in with a key is switched off for the user.
        10 ApiKeyAuthenticationDisabled "API key authentication disabled",
    }

    /// Why a token is not renewed.
    pub enum ValidateErrorCode {
        /// It is.
        0 Success "success",
        /// The session is no longer valid.
        1 InvalidSession "invalid session",
        /// There is no such session.
        2 SessionNotFound "session not found",
        /// The token is too old.
        3 ExpiredToken "expired token",
        /// The gateway does not say.
        4 UnknownError "unknown error",
    }

    /// Why a logout is refused.
    pub enum LogoutErrorCode {
        /// It is not.
        0 Success "success",
        /// The session is no longer valid.
        1 InvalidSession "invalid session",
        /// The gateway does not say.
        2 UnknownError "unknown error",
    }

    /// Why a list of accounts or contracts is refused: no reason is documented.
    pub enum ListErrorCode {
        /// It is not.
        0 Success "success",
    }

    /// Why a search of an account's orders, positions or trades is refused.
    pub enum SearchErrorCode {
        /// It is not.
        0 Success "success",
        /// There is no such account, or it is somebody else's.
        1 AccountNotFound "account not found",
    }

    /// Why one contract is not found.
    pub enum ContractErrorCode {
        /// It is.
        0 Success "success",
        /// There is no such contract.
        1 ContractNotFound "contract not found",
    }

    /// Why one order is not found.
    pub enum OrderErrorCode {
        /// It is.
        0 Success "success",
        /// There is no such order.
        1 OrderNotFound "order not found",
    }

    /// Why bars are refused.
    pub enum BarsErrorCode {
        /// They are not.
        0 Success "success",
        /// There is no such contract.
        1 ContractNotFound "contract not found",
        /// The unit is not one of the list.
        2 UnitInvalid "unit invalid",
        /// The number of units is out of range.
        3 UnitNumberInvalid "unit number invalid",
        /// The limit is out of range.
        4 LimitInvalid "limit invalid",
    }

    /// Why an order is refused.
    ///
    /// Most refusals come as [`OrderRejected`](Self::OrderRejected), with the reason in the message only: outside of trading
    /// hours, too few ticks, not enough margin.
    pub enum PlaceErrorCode {
        /// It is not.
        0 Success "success",
        /// There is no such account.
        1 AccountNotFound "account not found",
        /// The message says why.
        2 OrderRejected "order rejected",
        /// The account has too little money.
        3 InsufficientFunds "insufficient funds",
        /// A rule of the account forbids it.
        4 AccountViolation "account violation",
        /// The market is closed.
        5 OutsideTradingHours "outside trading hours",
        /// The order is on its way and not yet confirmed.
        6 OrderPending "order pending",
        /// The gateway does not say.
        7 UnknownError "unknown error",
        /// There is no such contract.
        8 ContractNotFound "contract not found",
        /// The contract is not, or no longer, traded.
        9 ContractNotActive "contract not active",
        /// The account may not trade.
        10 AccountRejected "account rejected",
    }

    /// Why a cancellation is refused.
    pub enum CancelErrorCode {
        /// It is not.
        0 Success "success",
        /// There is no such account.
        1 AccountNotFound "account not found",
        /// There is no such order, or it is over.
        2 OrderNotFound "order not found",
        /// The message says why.
        3 Rejected "rejected",
        /// The cancellation is on its way and not yet confirmed.
        4 Pending "pending",
        /// The gateway does not say.
        5 UnknownError "unknown error",
        /// The account may not trade.
        6 AccountRejected "account rejected",
    }

    /// Why a change of an order is refused.
    pub enum ModifyErrorCode {
        /// It is not.
        0 Success "success",
        /// There is no such account.
        1 AccountNotFound "account not found",
        /// There is no such order, or it is over.
        2 OrderNotFound "order not found",
        /// The message says why.
        3 Rejected "rejected",
        /// The change is on its way and not yet confirmed.
        4 Pending "pending",
        /// The gateway does not say.
        5 UnknownError "unknown error",
        /// The account may not trade.
        6 AccountRejected "account rejected",
        /// There is no such contract.
        7 ContractNotFound "contract not found",
    }

    /// Why a position is not closed.
    pub enum CloseErrorCode {
        /// It is.
        0 Success "success",
        /// There is no such account.
        1 AccountNotFound "account not found",
        /// The account has no such position.
        2 PositionNotFound "position not found",
        /// There is no such contract.
        3 ContractNotFound "contract not found",
        /// The contract is not, or no longer, traded.
        4 ContractNotActive "contract not active",
        /// The order that would close it was refused; the message says why.
        5 OrderRejected "order rejected",
        /// The order that closes it is on its way and not yet confirmed.
        6 OrderPending "order pending",
        /// The gateway does not say.
        7 UnknownError "unknown error",
        /// The account may not trade.
        8 AccountRejected "account rejected",
    }

    /// Why a part of a position is not closed. The numbers differ from those of closing all of it.
    pub enum PartialCloseErrorCode {
        /// It is.
        0 Success "success",
        /// There is no such account.
        1 AccountNotFound "account not found",
        /// The account has no such position.
        2 PositionNotFound "position not found",
        /// There is no such contract.
        3 ContractNotFound "contract not found",
        /// The contract is not, or no longer, traded.
        4 ContractNotActive "contract not active",
        /// The size is none, or more than the position has.
        5 InvalidCloseSize "invalid close size",
        /// The order that would close it was refused; the message says why.
        6 OrderRejected "order rejected",
        /// The order that closes it is on its way and not yet confirmed.
        7 OrderPending "order pending",
        /// The gateway does not say.
        8 UnknownError "unknown error",
        /// The account may not trade.
        9 AccountRejected "account rejected",
    }
}
