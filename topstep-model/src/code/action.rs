//! What an event of the user hub says of its row.

use super::codes;

codes! {
    /// The `action` of the envelope in which the user hub's events come.
    ///
    /// It is no reliable news by itself: the first event of an order already says [`Update`](Self::Update), and a trade that
    /// is sent again says [`Create`](Self::Create) again (seen on the live hub). The venue's documentation does not have it.
    pub enum StreamAction {
        /// The row is new; seen on trades.
        0 Create "create",
        /// The row is new or changed; seen on accounts, orders and positions.
        1 Update "update",
        /// The row is gone; seen on positions, when they are closed.
        2 Delete "delete",
    }
}
