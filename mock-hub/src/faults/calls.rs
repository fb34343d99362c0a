//! Subscriptions that are refused, or accepted and forgotten.

use super::book::Whom;
use super::fault::Fault;
use crate::hubs::{Caller, Method, MethodError};

/// The outcome of a call whose method does not run.
pub(crate) fn intercept(method: &Method, caller: &Caller) -> Option<Result<String, MethodError>> {
    let faults = &caller.gateway.faults;
    if faults.are_none() || !method.name.starts_with("Subscribe") {
        return None;
    }
    let is_meant = |prefix: &Option<String>| prefix.as_deref().is_none_or(|prefix| method.name.starts_with(prefix));
    faults.damage(Whom::new(caller.peer.hub.name(), &caller.peer.id), |fault| match fault {
        Fault::RejectedSubscriptions { method, text } if is_meant(method) => {
            Some(Err(MethodError::Hub(text.clone().unwrap_or_else(|| "Subscription refused.".to_owned()))))
        }
        Fault::UnauthorizedSubscriptions { method } if is_meant(method) => Some(Err(MethodError::Unauthorized)),
        Fault::ZombieSubscriptions { method } if is_meant(method) => Some(Ok("null".to_owned())),
        _ => None,
    })
}
