//! What happens to the connection, as lines.

use adapter_core::{Cause, Event};

use crate::keys::Keys;
use crate::output::{Line, Output};

/// Tells an event. `received` comes once for each handler that was called: those of `on`, and that of `answer` too.
pub(crate) fn tell(output: &Output, keys: &Keys, event: &Event) {
    match event {
        Event::Connected(id) => output.tell(Line::event("connected").with("serverConnectionId", id.server_assigned())),
        Event::Reconnecting(reason) => {
            output.tell(
                Line::event("reconnecting").with("cause", reason.cause().as_str()).with("message", reason.explain()),
            );
        }
        Event::Waiting { attempt, delay, reason, breaker, .. } => {
            let line = Line::event("waiting").with("attempt", attempt).with("delayMs", delay.as_millis());
            let line = line.with("cause", reason.cause().as_str());
            output.tell(match breaker {
                Some(breaker) => line.with("breaker", breaker.as_str()),
                None => line,
            });
        }
        Event::Reconnected(id) => {
            output.tell(Line::event("reconnected").with("serverConnectionId", id.server_assigned()))
        }
        Event::Restored => output.tell(Line::event("restored")),
        Event::Disconnected(reason) => {
            // Whoever asked for it needs no explanation.
            let message = (reason.cause() != Cause::Stopped).then(|| reason.explain());
            output.tell(Line::event("disconnected").with("cause", reason.cause().as_str()).with("message", message));
        }
        Event::GapOpened { key, .. } => {
            tell_each(output, &keys.open_gap(key), |line| line.with("state", "open"), "gap")
        }
        Event::GapClosed { key } => tell_each(output, &keys.close_gap(key), |line| line.with("state", "closed"), "gap"),
        Event::SubscriptionFailed { key, error } => {
            tell_each(output, &keys.names(key), |line| line.with("message", &error.message), "subscription_failed");
        }
        Event::Invocation { target, arguments, accepted } => {
            for _ in 0..*accepted {
                output.tell(Line::event("received").with("target", target).with_json("arguments", arguments));
            }
        }
        Event::Malformed { target, error } => {
            output.tell(Line::event("malformed").with("target", target).with("message", error.to_string()));
        }
        Event::Unhandled { target } => output.tell(Line::event("unhandled").with("target", target)),
        Event::Violation(violation) => output.tell(Line::event("violation").with("message", violation.message())),
        // Nothing that the line protocol speaks of.
        _ => {}
    }
}

fn tell_each(output: &Output, names: &[String], complete: impl Fn(Line) -> Line, event: &str) {
    for name in names {
        output.tell(complete(Line::event(event).with("key", name)));
    }
}
