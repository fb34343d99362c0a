//! REST as a script has it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use topstep_model::Logout;
use topstep_model::rest::{self, ApiError, Request};

use super::lock;
use crate::session::{Backend, Pair};
use crate::user::{Answer, Query, QueryFailure};

type Rule = Box<dyn Fn(&str, &str) -> (u16, String) + Send + Sync>;

/// What REST answers.
#[derive(Default)]
pub(super) struct Script(Mutex<Option<Rule>>);

impl Script {
    pub(super) fn set(&self, rule: Rule) {
        *lock(&self.0) = Some(rule);
    }

    fn ask<Q: Request>(&self, request: &Q) -> Result<Q::Response, QueryFailure> {
        let body = request.body();
        let body = body.as_ref().map_or("", |body| body.as_str());
        let (status, text) = match &*lock(&self.0) {
            Some(rule) => rule(Q::PATH, body),
            None => (404, String::new()),
        };
        Q::read(&rest::Answer::new(status, text.as_bytes())).map_err(|error| failure(&error))
    }
}

/// What a call's failure means for a query.
pub(crate) fn failure<C: topstep_model::Code>(error: &ApiError<C>) -> QueryFailure {
    match error {
        ApiError::TooManyRequests { retry_after } => {
            QueryFailure::Throttled(retry_after.unwrap_or(Duration::from_secs(10)))
        }
        ApiError::Status { status: 404 | 405 | 501, .. } => QueryFailure::Unsupported,
        ApiError::Refused(_) => QueryFailure::NotFound,
        _ => QueryFailure::Failed,
    }
}

/// The gateway of a script.
pub(super) struct ScriptBackend {
    pub(super) script: Arc<Script>,
    pub(super) pair: Arc<Pair>,
    pub(super) forgotten: Arc<AtomicU64>,
}

impl Backend for ScriptBackend {
    fn query(&self, query: Query) -> BoxFuture<'static, Result<Answer, QueryFailure>> {
        let script = self.script.clone();
        async move {
            Ok(match query {
                Query::Accounts => Answer::Accounts(script.ask(&Query::search_accounts())?),
                Query::Positions(account) => Answer::Positions(script.ask(&Query::open_positions(account))?),
                Query::WorkingOrders { account, page } => {
                    Answer::Page(script.ask(&Query::working_orders(account, page))?)
                }
                Query::OpenOrders(account) => Answer::Orders(script.ask(&Query::open_orders(account))?),
                Query::OrdersSince { account, start } => {
                    Answer::Orders(script.ask(&Query::orders_since(account, start))?)
                }
                Query::Order { account, order } => Answer::Order(Box::new(script.ask(&Query::order(account, order))?)),
                Query::Trades { account, start } => Answer::Trades(script.ask(&Query::trades(account, start))?),
            })
        }
        .boxed()
    }

    fn forget_token(&self) {
        self.forgotten.fetch_add(1, Ordering::Relaxed);
    }

    fn logged_out(&self, _: Logout) {
        self.pair.logged_out(|| {});
    }

    fn pair(&self) -> &Pair {
        &self.pair
    }
}
