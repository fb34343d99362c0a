//! The answers to requests that change something.

/// The answer to `Order/place`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceAnswer {
    /// The order's id; a refused order may have one too, and then stands in the record as rejected.
    pub order_id: Option<i64>,
    /// 0 where the order was taken, else the venue's code of a place.
    pub code: i32,
    /// The venue's words, where it has any.
    pub message: Option<String>,
}

impl PlaceAnswer {
    /// Whether the order was taken.
    pub const fn is_success(&self) -> bool {
        self.code == 0
    }

    pub(super) const fn taken(order_id: i64) -> Self {
        Self { order_id: Some(order_id), code: 0, message: None }
    }

    pub(super) const fn code(code: i32) -> Self {
        Self { order_id: None, code, message: None }
    }

    pub(super) fn refused(order_id: Option<i64>, message: impl Into<String>) -> Self {
        Self { order_id, code: place::ORDER_REJECTED, message: Some(message.into()) }
    }
}

/// The answer to `Order/modify`, `Order/cancel`, `Position/closeContract` and `Position/partialCloseContract`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 0 where it was done, else the venue's code of that request.
    pub code: i32,
    /// The venue's words, where it has any.
    pub message: Option<String>,
}

impl Answer {
    /// Whether it was done.
    pub const fn is_success(&self) -> bool {
        self.code == 0
    }

    pub(super) const fn done() -> Self {
        Self { code: 0, message: None }
    }

    pub(super) const fn code(code: i32) -> Self {
        Self { code, message: None }
    }

    pub(super) fn refused(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }
}

/// `PlaceOrderErrorCode` of the venue's swagger.
pub(super) mod place {
    pub(in crate::exchange) const ACCOUNT_NOT_FOUND: i32 = 1;
    pub(in crate::exchange) const ORDER_REJECTED: i32 = 2;
    pub(in crate::exchange) const CONTRACT_NOT_FOUND: i32 = 8;
    pub(in crate::exchange) const CONTRACT_NOT_ACTIVE: i32 = 9;
    pub(in crate::exchange) const ACCOUNT_REJECTED: i32 = 10;
}

/// `CancelOrderErrorCode` and `ModifyOrderErrorCode`, which agree in these.
pub(super) mod change {
    pub(in crate::exchange) const ACCOUNT_NOT_FOUND: i32 = 1;
    pub(in crate::exchange) const ORDER_NOT_FOUND: i32 = 2;
    pub(in crate::exchange) const REJECTED: i32 = 3;
    pub(in crate::exchange) const PENDING: i32 = 4;
}
