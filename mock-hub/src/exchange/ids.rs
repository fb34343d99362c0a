//! Numbers as the venue gives them: large, growing, and shared with everybody else who trades there.

/// Hands out ids that grow by small random steps from where the captures of August 2026 were.
#[derive(Debug)]
pub(super) struct Ids {
    account: i32,
    order: i64,
    trade: i64,
    position: i32,
}

impl Ids {
    pub(super) fn new() -> Self {
        Self { account: 10_000_000, order: 3_425_270_000, trade: 3_004_518_000, position: 825_245_000 }
    }

    pub(super) fn account(&mut self) -> i32 {
        self.account = self.account.saturating_add(1);
        self.account
    }

    /// The first of `count` consecutive order ids: a bracketed entry gets its three at once.
    pub(super) fn orders(&mut self, dice: &mut fastrand::Rng, count: i64) -> i64 {
        let first = self.order + 1 + dice.i64(0..40);
        self.order = first + count - 1;
        first
    }

    pub(super) fn trade(&mut self, dice: &mut fastrand::Rng) -> i64 {
        self.trade += 1 + dice.i64(0..40);
        self.trade
    }

    pub(super) fn position(&mut self, dice: &mut fastrand::Rng) -> i32 {
        self.position = self.position.saturating_add(1 + dice.i32(0..10));
        self.position
    }
}
