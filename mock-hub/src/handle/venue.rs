//! The market, the exchange and their clock, in a test's hands.

use std::io;
use std::time::Duration;

use rust_decimal::Decimal;

use super::{MockHub, invalid};
use crate::exchange::{Account, Answer, Exchange, PlaceAnswer, PlaceOrder};
use crate::market::Market;

impl MockHub {
    /// Moves a [virtual clock](crate::Clock::Virtual), and with it the market and the exchange; an error where the clock
    /// is the system's, and beyond the year 2042.
    ///
    /// Everything that was due is published when this returns, in the order of its time. The pieces in which a time is
    /// gone through make no difference. A subscriber that does not read 64 MiB meanwhile is cut off: an hour of one
    /// contract at the usual rate is more than that.
    pub fn advance(&self, by: Duration) -> io::Result<()> {
        if let Some(complaint) = self.gateway.clock.refuses(by) {
            return Err(invalid(complaint));
        }
        let mut left = by;
        while !left.is_zero() {
            left = self.gateway.world.advance_a_step(left);
        }
        Ok(())
    }

    /// Changes the market's rate, in quotes a second and contract with trades and depth in proportion; 0 stands still.
    pub fn set_market_rate(&self, quotes_per_second: f64) {
        self.gateway.world.set_rate(quotes_per_second);
    }

    /// Moves a contract's price at once: quotes, a trade and depth rows follow, and orders that it touches.
    ///
    /// `false` for an unknown contract.
    pub fn set_price(&self, contract: &str, price: Decimal) -> bool {
        self.gateway.world.set_price(contract, price)
    }

    /// The accounts of a user, or of the first one.
    #[must_use]
    pub fn accounts(&self, user: Option<&str>) -> Vec<Account> {
        let user = user.unwrap_or(self.gateway.options.first_user());
        self.gateway.world.visit(|world| world.exchange.accounts(user, false))
    }

    /// Places an order, as somebody on another platform would.
    pub fn place(&self, order: PlaceOrder) -> PlaceAnswer {
        self.gateway.world.visit(|mut world| world.place(order))
    }

    /// Closes a position at the market, as somebody on another platform would.
    pub fn close_position(&self, account_id: i32, contract: &str) -> Answer {
        self.gateway.world.visit(|mut world| world.close(account_id, contract, None))
    }

    /// Asks or changes the exchange at the hub's time, which it gets as well; what follows is published at once.
    pub fn with_exchange<T>(&self, act: impl FnOnce(time::OffsetDateTime, &mut Exchange) -> T) -> T {
        self.gateway.world.visit(|world| act(world.now, world.exchange))
    }

    /// Asks the market, at the hub's time.
    pub fn with_market<T>(&self, ask: impl FnOnce(time::OffsetDateTime, &Market) -> T) -> T {
        self.gateway.world.visit(|world| ask(world.now, world.market))
    }
}
