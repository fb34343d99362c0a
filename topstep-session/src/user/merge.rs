//! How what is newly said joins what was known, row by row.

use std::cmp::Ordering;

use topstep_model::{Account, AccountId, ContractId, Order, Position, PositionType, Timestamp, UserTrade};

use crate::known::Source;

/// A row of a list that is read as a whole, and of which no row says when it changed.
pub(super) trait Listed: Clone {
    /// What tells the rows of a list apart.
    type Key: Ord + Clone;

    fn key(&self) -> Self::Key;

    /// The newer row, with what was known where it says nothing.
    fn over(self, older: &Self) -> Self;

    /// Whether the other says something else.
    fn differs(&self, other: &Self) -> bool;

    /// Whether the row says that there is nothing.
    fn is_gone(&self) -> bool;

    /// What is told when the list no longer has it; `None` where rows have no such form.
    fn gone(&self) -> Option<Self>;
}

impl Listed for Account {
    type Key = AccountId;

    fn key(&self) -> AccountId {
        self.id
    }

    fn over(mut self, older: &Self) -> Self {
        self.name = self.name.or_else(|| older.name.clone());
        self.balance = self.balance.or(older.balance);
        self.can_trade = self.can_trade.or(older.can_trade);
        self.is_visible = self.is_visible.or(older.is_visible);
        self.simulated = self.simulated.or(older.simulated);
        self
    }

    fn differs(&self, other: &Self) -> bool {
        self.balance != other.balance || self.can_trade != other.can_trade || self.is_visible != other.is_visible
    }

    fn is_gone(&self) -> bool {
        false
    }

    fn gone(&self) -> Option<Self> {
        None
    }
}

impl Listed for Position {
    type Key = ContractId;

    fn key(&self) -> ContractId {
        self.contract_id.clone()
    }

    fn over(mut self, older: &Self) -> Self {
        self.contract_display_name = self.contract_display_name.or_else(|| older.contract_display_name.clone());
        // A closed position, or one with another id, says nothing of the one that came after it.
        let is_another =
            older.size == 0 && self.size != 0 || self.id.is_some_and(|id| older.id.is_some_and(|old| old != id));
        if is_another {
            return self;
        }
        self.id = self.id.or(older.id);
        self.creation_timestamp = self.creation_timestamp.or(older.creation_timestamp);
        if self.size != 0 {
            self.kind = self.kind.or(older.kind);
        }
        self.average_price = self.average_price.or(older.average_price);
        self
    }

    fn differs(&self, other: &Self) -> bool {
        if self.size == 0 && other.size == 0 {
            return false;
        }
        let is_another = self.id.is_some() && other.id.is_some() && self.id != other.id;
        is_another || self.size != other.size || self.kind != other.kind || self.average_price != other.average_price
    }

    fn is_gone(&self) -> bool {
        self.size == 0
    }

    fn gone(&self) -> Option<Self> {
        let mut flat = self.clone();
        flat.size = 0;
        flat.kind = Some(PositionType::Undefined);
        Some(flat)
    }
}

/// Whether a row says something newer of an order, or as new, than what is known.
///
/// By the time of the change in microseconds; then by how far along its life the order is, then by how much of it was filled; then the later
/// word counts. What has no time loses against what has one.
pub(super) fn is_newer(row: &Order, known: &Order) -> bool {
    let by_time = match (stamp(row.update_timestamp), stamp(known.update_timestamp)) {
        (Some(row), Some(known)) => row.cmp(&known),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => Ordering::Equal,
    };
    let by_rank = || row.status.terminal_rank().cmp(&known.status.terminal_rank());
    let by_fill = || row.fill_volume.unwrap_or(0).cmp(&known.fill_volume.unwrap_or(0));
    by_time.then_with(by_rank).then_with(by_fill) != Ordering::Less
}

/// The newer row of an order, with what was known where it says nothing.
///
/// REST writes every member, so that one of the documented ones which it leaves out is really absent; the stream leaves nulls out, and neither
/// documents the others.
pub(super) fn order_over(mut row: Order, older: &Order, source: Source) -> Order {
    row.symbol_id = row.symbol_id.or_else(|| older.symbol_id.clone());
    row.creation_timestamp = row.creation_timestamp.or(older.creation_timestamp);
    row.update_timestamp = row.update_timestamp.or(older.update_timestamp);
    row.kind = row.kind.or(older.kind);
    row.side = row.side.or(older.side);
    row.size = row.size.or(older.size);
    row.fill_volume = row.fill_volume.or(older.fill_volume);
    row.parent_order_id = row.parent_order_id.or(older.parent_order_id);
    row.linked_order_id = row.linked_order_id.or(older.linked_order_id);
    row.trail_distance = row.trail_distance.or(older.trail_distance);
    row.trail_price = row.trail_price.or(older.trail_price);
    if source == Source::Stream {
        row.limit_price = row.limit_price.or(older.limit_price);
        row.stop_price = row.stop_price.or(older.stop_price);
        row.filled_price = row.filled_price.or(older.filled_price);
        row.custom_tag = row.custom_tag.or_else(|| older.custom_tag.clone());
    }
    row
}

/// Whether two rows of an order say different things, times aside; what one of them leaves out of what never changes is no difference.
pub(super) fn order_differs(one: &Order, other: &Order) -> bool {
    one.status != other.status
        || one.fill_volume.unwrap_or(0) != other.fill_volume.unwrap_or(0)
        || one.limit_price != other.limit_price
        || one.stop_price != other.stop_price
        || one.filled_price != other.filled_price
        || is_other(one.size, other.size)
        || is_other(one.kind, other.kind)
        || is_other(one.side, other.side)
        || is_other(one.trail_price, other.trail_price)
}

/// The trade with what another word on it adds: what was taken back stays so.
pub(super) fn trade_over(row: UserTrade, older: &UserTrade) -> UserTrade {
    let voided = if older.voided == Some(true) { older.voided } else { row.voided.or(older.voided) };
    let mut trade = row;
    trade.creation_timestamp = trade.creation_timestamp.or(older.creation_timestamp);
    trade.profit_and_loss = trade.profit_and_loss.or(older.profit_and_loss);
    trade.fees = trade.fees.or(older.fees);
    trade.commissions = trade.commissions.or(older.commissions);
    trade.voided = voided;
    trade
}

/// A time in microseconds; .NET's date that was never set is none.
fn stamp(at: Option<Timestamp>) -> Option<i128> {
    at.filter(|at| *at != Timestamp::UNSET).map(|at| at.utc().unix_timestamp_nanos().div_euclid(1000))
}

fn is_other<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

#[cfg(test)]
mod tests {
    use topstep_model::{OrderStatus, PositionId};

    use super::*;

    fn order(status: OrderStatus, stamp: Option<&str>, filled: i32) -> Order {
        let mut order = Order::new(7.into(), 1.into(), "CON.F.US.EP.Z26".into(), status);
        order.update_timestamp = stamp.map(|stamp| stamp.parse().unwrap());
        order.fill_volume = Some(filled);
        order
    }

    #[test]
    fn the_later_stamp_wins_then_the_rank_then_the_fill_then_arrival() {
        use OrderStatus::{Cancelled, Filled, Open, Pending, Suspended};
        let (early, late) = (Some("2026-08-19T20:00:00.0000010Z"), Some("2026-08-19T20:00:00.000002Z"));
        let nearly = Some("2026-08-19T20:00:00.0000019Z");
        for (row, known, expected) in [
            (order(Pending, late, 0), order(Open, early, 0), true),
            (order(Filled, early, 1), order(Open, late, 0), false),
            // Only microseconds count: these are the same.
            (order(Open, early, 0), order(Open, nearly, 0), true),
            (order(Open, early, 0), order(Filled, nearly, 1), false),
            (order(Open, early, 0), order(Suspended, nearly, 0), true),
            (order(Open, early, 1), order(Open, early, 2), false),
            (order(Open, early, 2), order(Open, early, 1), true),
            (order(Filled, early, 1), order(Cancelled, early, 1), true),
            (order(Open, early, 0), order(Filled, early, 1), false),
            (order(Filled, None, 1), order(Open, early, 0), false),
            (order(Open, early, 0), order(Filled, None, 1), true),
            (order(Open, Some("0001-01-01T00:00:00"), 0), order(Open, early, 0), false),
            (order(Open, None, 0), order(Open, None, 0), true),
            (order(Open, None, 0), order(Filled, None, 0), false),
        ] {
            assert_eq!(is_newer(&row, &known), expected, "{row:?} over {known:?}");
        }
    }

    #[test]
    fn the_stream_leaves_nulls_out_and_rest_does_not() {
        let mut known = order(OrderStatus::Open, None, 0);
        known.limit_price = Some("5000".parse().unwrap());
        known.parent_order_id = Some(3.into());
        let row = order(OrderStatus::Open, None, 0);
        let streamed = order_over(row.clone(), &known, Source::Stream);
        assert_eq!((streamed.limit_price, streamed.parent_order_id), (known.limit_price, known.parent_order_id));
        let read = order_over(row, &known, Source::Rest);
        assert_eq!((read.limit_price, read.parent_order_id), (None, known.parent_order_id));
    }

    #[test]
    fn a_position_that_was_opened_anew_takes_nothing_from_the_one_before() {
        let mut closed = Position::new(1.into(), "C".into(), 0);
        closed.kind = Some(PositionType::Undefined);
        closed.average_price = Some("10".parse().unwrap());
        let opened = Position::new(1.into(), "C".into(), 2).over(&closed);
        assert_eq!((opened.kind, opened.average_price), (None, None));

        let mut first = Position::new(1.into(), "C".into(), 2);
        first.id = Some(PositionId::new(1));
        first.kind = Some(PositionType::Long);
        let mut second = Position::new(1.into(), "C".into(), 2);
        assert_eq!(second.clone().over(&first).kind, Some(PositionType::Long));
        second.id = Some(PositionId::new(2));
        assert_eq!(second.clone().over(&first).kind, None);
        assert!(second.differs(&first));
    }

    #[test]
    fn what_was_taken_back_stays_so() {
        let price = "10".parse().unwrap();
        let mut taken =
            UserTrade::new(1.into(), 1.into(), "C".into(), 7.into(), price, 1, topstep_model::OrderSide::Bid);
        let mut again = taken.clone();
        taken.voided = Some(true);
        taken.fees = Some(price);
        again.voided = Some(false);
        let merged = trade_over(again, &taken);
        assert_eq!((merged.voided, merged.fees), (Some(true), Some(price)));
    }
}
