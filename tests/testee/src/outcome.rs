//! How a call ended, in the words of the line protocol.

use adapter_core::{
    CallError, Cause, DisconnectReason, NotSent, OutcomeUnknown, StartError, StreamError, SubscribeError,
    UnsubscribeError,
};
use serde_json::value::RawValue;

use crate::output::Line;

/// The one outcome of a call.
pub(crate) struct Outcome {
    word: &'static str,
    value: Option<Box<RawValue>>,
    message: Option<String>,
    cause: Option<Cause>,
    is_behind_connected: bool,
}

impl Outcome {
    /// A start, stop, send, subscribe or unsubscribe succeeded.
    pub(crate) fn ok() -> Self {
        Self::new("ok")
    }

    /// A stream came to its end.
    pub(crate) fn end() -> Self {
        Self::new("end")
    }

    /// An invoke succeeded; the hub may have given a value.
    pub(crate) fn value(value: Option<Box<RawValue>>) -> Self {
        Self { value, ..Self::new("value") }
    }

    /// The call was dropped.
    pub(crate) fn cancelled() -> Self {
        Self::new("cancelled")
    }

    /// Marks the outcome of a start: if it succeeded it follows upon `connected`.
    pub(crate) fn behind_connected(self) -> Self {
        Self { is_behind_connected: self.word == "ok", ..self }
    }

    /// Whether it follows upon `connected`, and upon nothing later.
    pub(crate) fn is_behind_connected(&self) -> bool {
        self.is_behind_connected
    }

    /// The line that tells it.
    pub(crate) fn line(&self, call: &str) -> Line {
        Line::call(call)
            .with("outcome", self.word)
            .with_some_json("value", self.value.as_deref())
            .with_some("message", self.message.as_deref())
            .with_some("cause", self.cause.map(Cause::as_str))
    }

    fn new(word: &'static str) -> Self {
        Self { word, value: None, message: None, cause: None, is_behind_connected: false }
    }

    fn error(word: &'static str, error: &impl std::fmt::Display) -> Self {
        Self { message: Some(error.to_string()), ..Self::new(word) }
    }

    fn because(self, reason: Option<&DisconnectReason>) -> Self {
        Self { cause: reason.map(DisconnectReason::cause), ..self }
    }

    fn not_sent(why: &NotSent) -> Self {
        let reason = if let NotSent::Disconnected(reason) = why { Some(reason) } else { None };
        Self::error("not_sent", why).because(reason)
    }

    fn outcome_unknown(why: &OutcomeUnknown) -> Self {
        let reason = if let OutcomeUnknown::Disconnected(reason) = why { Some(reason) } else { None };
        Self::error("outcome_unknown", why).because(reason)
    }
}

impl From<Result<(), CallError>> for Outcome {
    fn from(result: Result<(), CallError>) -> Self {
        result.map_or_else(|error| Self::from(&error), |()| Self::ok())
    }
}

impl From<&CallError> for Outcome {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::Hub(error) => Self::error("hub_error", error),
            CallError::NotSent(why) => Self::not_sent(why),
            CallError::OutcomeUnknown(why) => Self::outcome_unknown(why),
            CallError::Rejected(rejection) => Self::error("rejected", rejection),
            CallError::Decode(_) => Self::error("decode_error", error),
            _ => Self::error("outcome_unknown", error),
        }
    }
}

impl From<&StreamError> for Outcome {
    fn from(error: &StreamError) -> Self {
        match error {
            StreamError::Hub(error) => Self::error("hub_error", error),
            StreamError::NotSent(why) => Self::not_sent(why),
            StreamError::OutcomeUnknown(why) => Self::outcome_unknown(why),
            StreamError::Rejected(rejection) => Self::error("rejected", rejection),
            StreamError::Decode(_) => Self::error("decode_error", error),
            // The library cancelled it on the hub, because nobody read its items.
            StreamError::Overflow => Self::error("cancelled", error),
            _ => Self::error("outcome_unknown", error),
        }
    }
}

impl From<Result<(), StartError>> for Outcome {
    fn from(result: Result<(), StartError>) -> Self {
        match result {
            Ok(()) => Self::ok(),
            Err(StartError::Rejected(rejection)) => Self::error("rejected", &rejection),
            Err(StartError::Failed(reason)) => Self::error("failed", &reason).because(Some(&reason)),
            Err(error) => Self::error("failed", &error),
        }
    }
}

impl From<Result<(), SubscribeError>> for Outcome {
    fn from(result: Result<(), SubscribeError>) -> Self {
        match result {
            Ok(()) => Self::ok(),
            Err(SubscribeError::Rejected(rejection)) => Self::error("rejected", &rejection),
            Err(SubscribeError::Hub(error)) => Self::error("hub_error", &error),
            Err(SubscribeError::NotSent(why)) => Self::not_sent(&why),
            Err(SubscribeError::OutcomeUnknown(why)) => Self::outcome_unknown(&why),
            Err(error @ SubscribeError::Cancelled) => Self::error("cancelled", &error),
            Err(error) => Self::error("outcome_unknown", &error),
        }
    }
}

impl From<Result<(), UnsubscribeError>> for Outcome {
    fn from(result: Result<(), UnsubscribeError>) -> Self {
        match result {
            Ok(()) => Self::ok(),
            Err(UnsubscribeError::Rejected(rejection)) => Self::error("rejected", &rejection),
            Err(UnsubscribeError::Hub(error)) => Self::error("hub_error", &error),
            Err(error) => Self::error("outcome_unknown", &error),
        }
    }
}
