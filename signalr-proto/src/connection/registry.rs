//! Who listens to which target.

use crate::error::DisconnectReason;
use crate::io::Token;
use crate::json::{Cursor, DecodeError};
use crate::sink::{Gap, InvocationSink, ResultTicket};
use crate::subscription::SubscriptionKey;

/// What a registration is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Hears events.
    Listener,
    /// Answers the hub, and hears events too. One for each target.
    Responder,
}

struct Registered {
    token: Token,
    role: Role,
    sink: Box<dyn InvocationSink>,
}

struct Target {
    name: String,
    sinks: Vec<Registered>,
}

/// What became of an invocation.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// Sinks that took it.
    pub(super) accepted: usize,
    /// What those said that did not.
    pub(super) malformed: Vec<DecodeError>,
    pub(super) responder: Responder,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Responder {
    #[default]
    None,
    Took,
    Failed,
}

#[derive(Default)]
pub(super) struct Registry {
    /// Sorted by name.
    targets: Vec<Target>,
    /// The target whose arguments are staged, and the sinks of it that failed to decode them.
    staged: Option<usize>,
    failures: Vec<(usize, DecodeError)>,
    /// Where the last invocation went: mostly the next one goes there too.
    last: usize,
    /// Targets with events that may not be visible yet.
    unflushed: Vec<usize>,
    is_any_full: bool,
}

impl Registry {
    /// `false`: there is a responder for this target already.
    pub(super) fn register(&mut self, token: Token, target: String, role: Role, sink: Box<dyn InvocationSink>) -> bool {
        let index = match self.targets.binary_search_by(|entry| entry.name.as_str().cmp(&target)) {
            Ok(index) => index,
            Err(index) => {
                self.flush();
                self.targets.insert(index, Target { name: target, sinks: Vec::new() });
                index
            }
        };
        let sinks = &mut self.targets[index].sinks;
        if role == Role::Responder && sinks.iter().any(|registered| registered.role == Role::Responder) {
            return false;
        }
        sinks.push(Registered { token, role, sink });
        true
    }

    pub(super) fn unregister(&mut self, token: Token) {
        self.flush();
        for target in &mut self.targets {
            target.sinks.retain(|registered| registered.token != token);
        }
        self.targets.retain(|target| !target.sinks.is_empty());
        self.recheck();
    }

    /// Lets every sink of the target decode the arguments at the cursor. `None`: there is none.
    pub(super) fn decode(&mut self, target: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), DecodeError>> {
        let index = self.find(target)?;
        self.staged = Some(index);
        self.failures.clear();
        let start = cursor.checkpoint();
        let mut end = None;
        for (position, registered) in self.targets[index].sinks.iter_mut().enumerate() {
            if position > 0 {
                cursor.restore(start);
            }
            match registered.sink.decode(cursor) {
                Ok(()) => end = Some(cursor.checkpoint()),
                Err(error) => self.failures.push((position, error)),
            }
        }
        match end {
            Some(end) => {
                if !self.failures.is_empty() {
                    cursor.restore(end);
                }
                Some(Ok(()))
            }
            None => self.failures.first().map(|(_, error)| Err(error.clone())),
        }
    }

    pub(super) fn discard(&mut self) {
        let Some(index) = self.staged.take() else { return };
        for registered in &mut self.targets[index].sinks {
            registered.sink.discard();
        }
        self.failures.clear();
    }

    /// Delivers what is staged.
    #[inline]
    pub(super) fn commit(&mut self, cost: usize, ticket: Option<ResultTicket>) -> Delivery {
        let mut delivery = Delivery::default();
        let Some(index) = self.staged.take() else { return delivery };
        if self.unflushed.last() != Some(&index) && !self.unflushed.contains(&index) {
            self.unflushed.push(index);
        }
        // One listener is what a target has, nearly always.
        if let ([Registered { role: Role::Listener, sink, .. }], true) =
            (self.targets[index].sinks.as_mut_slice(), self.failures.is_empty())
        {
            sink.commit(cost, None);
            delivery.accepted = 1;
            return delivery;
        }
        let mut failures = self.failures.drain(..).peekable();
        for (position, registered) in self.targets[index].sinks.iter_mut().enumerate() {
            let is_responder = registered.role == Role::Responder;
            if let Some((_, error)) = failures.next_if(|(failed, _)| *failed == position) {
                if is_responder {
                    delivery.responder = Responder::Failed;
                }
                delivery.malformed.push(error.clone());
                registered.sink.malformed(error, cost);
                continue;
            }
            delivery.accepted += 1;
            if is_responder {
                delivery.responder = Responder::Took;
                registered.sink.commit(cost, ticket.clone());
            } else {
                registered.sink.commit(cost, None);
            }
        }
        delivery
    }

    /// Tells that events may have been missed: every listener, or only those of a target that one of the keys names.
    pub(super) fn gap(
        &mut self,
        serial: u64,
        reason: &DisconnectReason,
        keys: &[(SubscriptionKey, Vec<String>)],
        named_only: bool,
    ) {
        for target in &mut self.targets {
            if named_only && !keys.iter().any(|(_, targets)| targets.contains(&target.name)) {
                continue;
            }
            let feeds = |targets: &Vec<String>| targets.is_empty() || targets.contains(&target.name);
            let keys = keys.iter().filter(|(_, targets)| feeds(targets)).map(|(key, _)| key.clone()).collect();
            let gap = Gap { serial, reason: reason.clone(), keys };
            for registered in &mut target.sinks {
                registered.sink.gap(&gap);
                registered.sink.flush();
            }
        }
    }

    /// Makes everything delivered visible, and looks whether anybody has had enough.
    pub(super) fn flush(&mut self) {
        while let Some(index) = self.unflushed.pop() {
            let Some(target) = self.targets.get_mut(index) else { continue };
            for registered in &mut target.sinks {
                registered.sink.flush();
            }
        }
    }

    /// Whether a consumer that is to be waited for is full. Looks at those that got something; at all, while one is full.
    pub(super) fn is_any_full(&mut self) -> bool {
        if self.is_any_full {
            self.recheck();
        } else {
            let is_full = |index: &usize| self.targets.get(*index).is_some_and(Target::is_any_full);
            self.is_any_full = self.unflushed.iter().any(is_full);
        }
        self.is_any_full
    }

    fn recheck(&mut self) {
        self.is_any_full = self.targets.iter().any(Target::is_any_full);
    }

    #[inline]
    fn find(&mut self, target: &str) -> Option<usize> {
        if self.targets.get(self.last).is_some_and(|entry| entry.name == target) {
            return Some(self.last);
        }
        let index = self.targets.binary_search_by(|entry| entry.name.as_str().cmp(target)).ok()?;
        self.last = index;
        Some(index)
    }
}

impl Target {
    fn is_any_full(&self) -> bool {
        self.sinks.iter().any(|registered| registered.sink.is_full())
    }
}
