//! How it stands with a gateway.

use adapter_core::Runtime;

use super::Gateway;
use crate::observe::{BudgetHealth, HealthReport};

impl<R: Runtime> Gateway<R> {
    /// How both hubs, REST, the cache, the rate budget and the login stand, and which alerts that gives. It asks nobody, and costs little enough
    /// to be asked every second.
    pub fn health(&self) -> HealthReport {
        let sessions = self.sessions();
        let at = self.now();
        let report = HealthReport {
            at,
            user: sessions.user.health(),
            market: sessions.market.health(),
            rest: Some(self.inner.rest.health(at.mono)),
            cache: self.inner.latest.health(),
            budget: Some(self.budget_health()),
            login: Some(self.inner.login.state()),
            halted: self.halted(),
            alerts: Vec::new(),
        };
        report.judged()
    }

    fn budget_health(&self) -> BudgetHealth {
        let (now, limits) = (self.now().mono, self.inner.config.budget());
        self.with_budget(|budget| {
            let (general, bars) = budget.used(now);
            BudgetHealth {
                general: (general, limits.general.0),
                bars: (bars, limits.bars.0),
                waiting: budget.waiting(),
                held: budget.held_until(now).map(|until| until.saturating_since(now)),
            }
        })
    }
}
