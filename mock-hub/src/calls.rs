//! The log of hub methods that clients called.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::Value;

use crate::lock::lock;

/// The log forgets its oldest entries beyond this many.
const REMEMBERED_CALLS: usize = 100_000;

/// One invocation that a client sent, whatever became of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The connection that sent it.
    pub connection_id: String,
    /// The hub's name as in the path.
    pub hub: &'static str,
    /// The method as the client spelled it.
    pub target: String,
    /// The arguments, without those that are streams.
    pub arguments: Vec<Value>,
    /// The invocation id; `None` for a call that wants no answer.
    pub invocation_id: Option<String>,
    /// Whether it asked for a stream (StreamInvocation).
    pub is_stream: bool,
    /// How many client-to-server streams came with it.
    pub uploads: usize,
}

#[derive(Debug, Default)]
pub(crate) struct CallLog {
    calls: Mutex<VecDeque<Call>>,
}

impl CallLog {
    pub(crate) fn push(&self, call: Call) {
        let mut calls = lock(&self.calls);
        if calls.len() == REMEMBERED_CALLS {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        lock(&self.calls).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.calls).clear();
    }

    /// Asks a question of the log as it is now, without copying it.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&[Call]) -> T) -> T {
        question(lock(&self.calls).make_contiguous())
    }
}
