//! A machine on a table: the test is its hub, its REST and its clock.

use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::rest::{self, Request};
use topstep_model::{AccountId, Rows, UserEvent};
use topstep_session::user::{Action, Answer, Query, QueryFailure, Ticket, UserConfig, UserMachine, UserUpdate};
use topstep_session::{GapNotice, Moment, Subject};

pub(crate) const ACCOUNT: AccountId = AccountId::new(1);
pub(crate) const ES: &str = "CON.F.US.EP.Z26";

pub(crate) struct Rig {
    pub(crate) machine: UserMachine,
    pub(crate) now: Moment,
    /// Queries that are not answered.
    pub(crate) open: Vec<(Ticket, Query)>,
}

impl Rig {
    /// A machine that is connected and follows these subjects, which nothing acknowledged.
    pub(crate) fn following(subjects: &[Subject]) -> Self {
        Self::configured(UserConfig::default(), subjects)
    }

    pub(crate) fn configured(config: UserConfig, subjects: &[Subject]) -> Self {
        let wall = "2026-11-18T20:00:00Z".parse().expect("a time");
        let now = Moment::new(Instant::from_nanos(1_000_000_000), wall);
        let mut rig = Self { machine: UserMachine::new(config, now), now, open: Vec::new() };
        for subject in subjects {
            rig.machine.want(now, subject.clone());
            assert_eq!(rig.machine.poll_action(), Some(Action::Subscribe(subject.clone())));
        }
        rig.machine.handle_connected(now);
        rig
    }

    /// The same, acknowledged, with everything read: these are the bodies of the answers, in the order of the questions.
    pub(crate) fn settled(subject: &Subject, bodies: &[&str]) -> Self {
        let mut rig = Self::following(std::slice::from_ref(subject));
        rig.machine.handle_subscribed(rig.now, subject);
        rig.answer_all(bodies);
        assert_eq!(rig.machine.gaps_open(), []);
        rig.told();
        rig
    }

    pub(crate) fn lose_and_return(&mut self, subject: &Subject) {
        self.machine.handle_lost(self.now, topstep_session::GapCause::TransportLost);
        self.pass(20_000);
        self.machine.handle_connected(self.now);
        self.machine.handle_subscribed(self.now, subject);
    }

    /// Lets milliseconds pass, with every timeout at its time.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.machine.poll_timeout().filter(|at| *at <= end.mono) {
            self.now = self.now + at.saturating_since(self.now.mono);
            self.machine.handle_timeout(self.now);
        }
        self.now = self.now + end.mono.saturating_since(self.now.mono);
    }

    /// The questions that are asked now, as text.
    pub(crate) fn asked(&mut self) -> Vec<Query> {
        while let Some(query) = self.machine.poll_query() {
            self.open.push(query);
        }
        self.open.iter().map(|(_, query)| query.clone()).collect()
    }

    /// Answers every question that is open, and those that follow, with these lists in turn: `rows` of the answer.
    pub(crate) fn answer_all(&mut self, bodies: &[&str]) {
        self.answer_some(bodies);
        assert_eq!(self.asked(), [], "more is asked");
    }

    /// Answers so many questions; others may be open.
    pub(crate) fn answer_some(&mut self, bodies: &[&str]) {
        for body in bodies {
            self.asked();
            assert!(!self.open.is_empty(), "nobody asks for {body}");
            let (ticket, query) = self.open.remove(0);
            self.machine.handle_answer(self.now, ticket, Ok(answer(&query, body)));
        }
    }

    pub(crate) fn fail(&mut self, failure: QueryFailure) {
        self.asked();
        let (ticket, _) = self.open.remove(0);
        self.machine.handle_answer(self.now, ticket, Err(failure));
    }

    pub(crate) fn order(&mut self, row: &str) {
        self.machine.handle_orders(self.now, rows(row));
    }

    pub(crate) fn position(&mut self, row: &str) {
        self.machine.handle_positions(self.now, rows(row));
    }

    pub(crate) fn trade(&mut self, row: &str) {
        self.machine.handle_trades(self.now, rows(row));
    }

    /// What was told, in short.
    pub(crate) fn told(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.machine.poll_event()).map(|event| short(&event)).collect()
    }
}

fn short(event: &UserUpdate) -> String {
    match event {
        UserUpdate::Account(told) => {
            let balance = told.value.balance.unwrap_or_default();
            format!("account {balance} {} {}", told.source, told.known)
        }
        UserUpdate::Order(told) => {
            format!("order {} {} {} {}", told.value.id, told.value.status, told.source, told.known)
        }
        UserUpdate::Position(told) => {
            let row = &told.value;
            let size = row.signed_size().map_or("?".into(), |size| size.to_string());
            format!("position {size} {} {}", told.source, told.known)
        }
        UserUpdate::Trade(told) => {
            let voided = if told.value.voided == Some(true) { " voided" } else { "" };
            format!("trade {}{voided} {} {}", told.value.id, told.source, told.known)
        }
        UserUpdate::Gap(GapNotice::Opened(gap)) => format!("opened {}", gap.causes[0]),
        UserUpdate::Gap(GapNotice::Closed(gap, verdict)) => {
            let causes: Vec<&str> = gap.causes.iter().map(|cause| cause.as_str()).collect();
            format!("closed {} {verdict:?}", causes.join("+"))
        }
        UserUpdate::Malformed(malformed) => format!("malformed {}", malformed.target),
        other => panic!("{other:?} is not known here"),
    }
}

/// Rows of the stream, each `{...}`.
pub(crate) fn rows<T>(rows: &str) -> Rows<UserEvent<T>>
where
    Rows<UserEvent<T>>: serde::de::DeserializeOwned,
{
    serde_json::from_str(&format!("[[{rows}]]")).expect("an array of rows")
}

/// An answer with these rows; `-` stands for no list at all.
fn answer(query: &Query, rows: &str) -> Answer {
    let name = match query {
        Query::Accounts => "accounts",
        Query::Positions(_) => "positions",
        Query::Trades { .. } => "trades",
        Query::Order { .. } => "order",
        _ => "orders",
    };
    let list = match (query, rows) {
        (_, "-") => String::new(),
        (Query::Order { .. }, row) => format!(r#","order":{row}"#),
        (_, rows) => format!(r#","{name}":[{rows}]"#),
    };
    let body = format!(r#"{{"success":true,"errorCode":0{list}}}"#);
    let body = rest::Answer::new(200, body.as_bytes());
    match query {
        Query::Accounts => Answer::Accounts(rest::SearchAccounts::read(&body).expect("accounts")),
        Query::Positions(_) => Answer::Positions(rest::SearchOpenPositions::read(&body).expect("positions")),
        Query::Trades { .. } => Answer::Trades(rest::SearchTrades::read(&body).expect("trades")),
        Query::Order { .. } => Answer::Order(Box::new(rest::FindOrder::read(&body).expect("an order"))),
        Query::WorkingOrders { .. } => Answer::Page(rest::QueryOrders::read(&body).expect("a page")),
        _ => Answer::Orders(rest::SearchOrders::read(&body).expect("orders")),
    }
}

/// A position's row: its size with a sign.
pub(crate) fn held(size: i32) -> String {
    let kind = if size > 0 { 1 } else { 2 };
    let kind = if size == 0 { 0 } else { kind };
    format!(r#"{{"accountId":1,"contractId":"{ES}","type":{kind},"size":{},"averagePrice":5000}}"#, size.abs())
}

/// An order's row: its status, and its stamp in seconds after 20:00.
pub(crate) fn order(id: i64, status: i64, second: u32) -> String {
    format!(
        r#"{{"id":{id},"accountId":1,"contractId":"{ES}","status":{status},"creationTimestamp":"2026-11-18T19:30:00Z","updateTimestamp":"2026-11-18T20:00:{second:02}Z"}}"#
    )
}

/// A trade's row: its profit, when it was, and whether it was taken back.
pub(crate) fn trade(id: i64, profit: &str, at: &str, voided: bool) -> String {
    format!(
        r#"{{"id":{id},"accountId":1,"contractId":"{ES}","orderId":7,"price":5000,"size":1,"side":0,"fees":0.5,"commissions":0.25,"profitAndLoss":{profit},"creationTimestamp":"{at}","voided":{voided}}}"#
    )
}
