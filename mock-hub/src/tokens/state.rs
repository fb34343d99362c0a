//! Which tokens are good.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::jwt::{Key, seconds_at_end_of};
use super::{Bearer, Session};

/// The tokens issued that are remembered; beyond them the oldest is good no more.
const MAX_ISSUED: usize = 100_000;

pub(super) struct State {
    pub(super) listed: Option<Vec<String>>,
    first_user: String,
    key: Key,
    issued: HashMap<String, Bearer>,
    order: VecDeque<String>,
}

impl State {
    pub(super) fn new(listed: Option<Vec<String>>, first_user: &str) -> Self {
        let first_user = first_user.to_owned();
        Self { listed, first_user, key: Key::random(), issued: HashMap::new(), order: VecDeque::new() }
    }

    pub(super) fn check(&self, token: &str) -> Option<Bearer> {
        if let Some(bearer) = self.issued.get(token) {
            return bearer.expires.is_none_or(|at| at > Instant::now()).then(|| bearer.clone());
        }
        let is_listed = self.listed.as_ref().is_some_and(|listed| listed.iter().any(|good| good == token));
        is_listed.then(|| Bearer { user: self.first_user.clone(), session: None, expires: None })
    }

    pub(super) fn issue(&mut self, user: &str, session: Session, lifetime: Duration) -> String {
        // Two tokens of one session within a second would be one: nothing in the claims but their end tells them apart.
        let mut end = seconds_at_end_of(lifetime);
        let mut token = self.key.sign(user, &session.id, end);
        while self.issued.contains_key(&token) {
            end = end.saturating_add(1);
            token = self.key.sign(user, &session.id, end);
        }
        let expires = Instant::now().checked_add(lifetime);
        self.issued.insert(token.clone(), Bearer { user: user.to_owned(), session: Some(session), expires });
        self.order.push_back(token.clone());
        self.prune();
        token
    }

    pub(super) fn revoke(&mut self, token: &str) {
        self.issued.remove(token);
        if let Some(listed) = &mut self.listed {
            listed.retain(|good| good != token);
        }
    }

    pub(super) fn forget(&mut self, mut is_over: impl FnMut(&Bearer) -> bool) {
        self.issued.retain(|_, bearer| !is_over(bearer));
    }

    fn prune(&mut self) {
        while self.order.len() > MAX_ISSUED {
            if let Some(oldest) = self.order.pop_front() {
                self.issued.remove(&oldest);
            }
        }
    }
}
