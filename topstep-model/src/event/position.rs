//! Positions.

use crate::row::{Decode, row};
use crate::{AccountId, ContractId, PositionId, PositionType, Price, Text, Timestamp};

use super::UserRow;

row! {
    /// What an account holds of one contract, as `GatewayUserPosition` and `Position/searchOpen` tell it.
    ///
    /// There is one row for an account and a contract, which scaling in changes. The event fires at every change; closing
    /// says delete, size 0 and type 0, and keeps the average price (seen on the live hub). It has no time of its changes. An
    /// absent member keeps what was known of it.
    pub struct Position, "position", "a position" {
        /// Names the position; a later position in the same contract has another id.
        optional "id" id: PositionId,
        /// The account that holds it.
        required "accountId" account_id: AccountId,
        /// The contract.
        required "contractId" contract_id: ContractId,
        /// The contract as the platform shows it, such as `MNQU26`.
        optional "contractDisplayName" contract_display_name: Text,
        /// When the position was opened.
        optional "creationTimestamp" creation_timestamp: Timestamp,
        /// Whether it is long or short; undefined when it is closed.
        optional "type" kind: PositionType,
        /// How many contracts it holds, whichever way; 0 when it is closed.
        required "size" size: i32,
        /// The average price, which may be finer than a tick.
        optional "averagePrice" average_price: Price,
    }
}

impl Position {
    /// Makes a position of which nothing else is known.
    pub fn new(account_id: AccountId, contract_id: ContractId, size: i32) -> Self {
        Self { account_id, contract_id, size, ..Self::blank() }
    }

    /// The size with its sign, negative for a short position; `None` where the side is not known and the size is not 0.
    pub fn signed_size(&self) -> Option<i64> {
        if self.size == 0 {
            return Some(0);
        }
        let sign = self.kind?.sign()?;
        Some(i64::from(self.size) * i64::from(sign))
    }
}

impl UserRow for Position {}
