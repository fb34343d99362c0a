//! The health report for a person.

use std::fmt;
use std::time::Duration;

use super::health::{BudgetHealth, HealthReport, HubHealth, LatencyHealth, RestHealth};
use crate::login::LoginState;

impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.user, self.market)?;
        if let Some(rest) = &self.rest {
            write!(f, "{rest}")?;
        }
        if let Some(ratio) = self.cache.ratio() {
            writeln!(f, "cache: {} hits, {} misses, ratio {ratio:.2}", self.cache.hits, self.cache.misses)?;
        }
        if let Some(budget) = &self.budget {
            write!(f, "{budget}")?;
        }
        if let Some(login) = &self.login {
            writeln!(f, "login: {}", login_word(login))?;
        }
        if let Some(halt) = &self.halted {
            writeln!(f, "halted: {halt}")?;
        }
        if self.alerts.is_empty() {
            return writeln!(f, "no alerts");
        }
        self.alerts.iter().try_for_each(|alert| writeln!(f, "ALERT {alert}"))
    }
}

impl fmt::Display for HubHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hub: {:?}, {} connections, {} reconnects",
            self.hub.name(),
            self.state,
            self.connections,
            self.reconnects
        )?;
        for (what, time) in [("down for", self.down), ("silent for", self.silence)] {
            if let Some(time) = time {
                write!(f, ", {what} {}", seconds(time))?;
            }
        }
        if !self.breaker_open.is_zero() {
            write!(f, ", breaker open for {}", seconds(self.breaker_open))?;
        }
        let wanted = &self.subscriptions;
        write!(f, "\n  subscriptions: {} of {} agreed, {} refused", wanted.acked, wanted.intended, wanted.refused)?;
        write!(f, "; gaps open: {}", self.gaps_open)?;
        if let Some(oldest) = self.oldest_gap {
            write!(f, ", the oldest for {}", seconds(oldest))?;
        }
        write!(f, "\n  messages: {} ({:.1}/s), {} malformed", self.messages, self.messages_per_second, self.malformed)?;
        writeln!(f, "; latency: {}", self.latency)
    }
}

impl fmt::Display for LatencyHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("none measured");
        }
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        write!(f, "p50 {:.1} ms, p95 {:.1} ms, max {:.1} ms", millis(self.p50), millis(self.p95), millis(self.max))
    }
}

impl fmt::Display for RestHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rest: {} calls, {} failed, {} of unknown outcome", self.calls, self.failures, self.outcome_unknown)?;
        writeln!(f, "; response: {}", self.response)
    }
}

impl fmt::Display for BudgetHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((general, most), (bars, most_bars)) = (self.general, self.bars);
        write!(f, "budget: {general} of {most} calls, {bars} of {most_bars} for bars, {} waiting", self.waiting)?;
        if let Some(held) = self.held {
            write!(f, ", held back for {}", seconds(held))?;
        }
        writeln!(f)
    }
}

fn login_word(login: &LoginState) -> &'static str {
    match login {
        LoginState::Idle => "idle",
        LoginState::LoggingIn => "logging in",
        LoginState::LoggedIn { .. } => "logged in",
        LoginState::LoggedOut => "logged out",
        LoginState::Ended(_) => "ended",
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
