//! Profit and loss.

use rust_decimal::Decimal;
use topstep_model::{Account, Position, Price, Tick, Timestamp};

use super::state::Entry;
use crate::known::Known;

/// What an account's trades of one trading day brought, in its currency.
///
/// Nothing in it is estimated: gross is the sum of what the venue puts on each closing trade that it did not take back, and costs are the fees
/// and commissions of all trades of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfitAndLoss {
    /// When the trading day began: 17:00 in Chicago.
    pub day_start: Timestamp,
    /// Profit less loss, before costs.
    pub gross: Decimal,
    /// Fees and commissions.
    pub costs: Decimal,
    /// Gross less costs.
    pub net: Decimal,
    /// How many trades the day has, those included that were taken back.
    pub trades: usize,
    /// How well it is known: as well as the account's trades.
    pub known: Known,
}

impl ProfitAndLoss {
    pub(super) const fn nothing(day_start: Timestamp, known: Known) -> Self {
        let zero = Decimal::ZERO;
        Self { day_start, gross: zero, costs: zero, net: zero, trades: 0, known }
    }
}

/// What a contract can be bought and sold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Market {
    /// The best bid.
    pub bid: Option<Price>,
    /// The best ask.
    pub ask: Option<Price>,
    /// The last price.
    pub last: Option<Price>,
    /// How well they are known.
    pub known: Known,
}

/// What a position would bring if it were closed now, before costs.
///
/// A long position is valued at the bid and a short one at the ask, for that is what closing it gets; at the last price where that side is
/// missing. It is known as well as the weaker of the two. `None` where a price, the position's side or its average price is missing, or the
/// result has more digits than a decimal keeps.
pub fn unrealised(position: &Entry<Position>, market: &Market, tick: &Tick) -> Option<Entry<Decimal>> {
    let known = position.known.weaker(market.known);
    let size = position.value.signed_size()?;
    if size == 0 {
        return Some(Entry::new(Decimal::ZERO, position.known));
    }
    let exit = if size > 0 { market.bid } else { market.ask }.or(market.last)?;
    let entry = position.value.average_price?;
    let worth = tick.value_of_move(entry, exit, size).ok()?;
    Some(Entry::new(worth.decimal(), known))
}

/// An account's balance and what its open positions would bring; known as well as the weakest part.
///
/// `None` where the balance is not known, or the result has more digits than a decimal keeps. Give it the value of every open position: one
/// left out makes it wrong.
pub fn equity(
    account: &Entry<Account>,
    unrealised: impl IntoIterator<Item = Entry<Decimal>>,
) -> Option<Entry<Decimal>> {
    let balance = Entry::new(account.value.balance?.decimal(), account.known);
    unrealised.into_iter().try_fold(balance, |sum, part| {
        Some(Entry::new(sum.value.checked_add(part.value)?, sum.known.weaker(part.known)))
    })
}
