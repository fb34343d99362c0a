//! Scenarios: what happens to a hub, and when, written down in a file.
//!
//! A scenario has a seed, rules as in [`faults`](crate::faults), and steps, each with its time since the beginning and
//! one thing that then happens:
//!
//! ```
//! use mock_hub::scenario::Scenario;
//!
//! let scenario: Scenario = r#"
//! seed = 7
//!
//! [[rule]]                                # between the 2nd and the 5th second every tenth quote is lost
//! fault = { lost-events = { group = "quotes/" } }
//! pattern = ".........x"
//! after = "2s"
//! lasts = "3s"
//!
//! [[step]]
//! at = "4s"
//! rule = { fault = { drop = { how = "reset" } }, scope = { hub = "market" } }
//!
//! [[step]]
//! at = "6s"
//! price = { contract = "CON.F.US.EP.Z26", to = "5100.25" }
//! "#
//! .parse()?;
//! assert_eq!((scenario.rules.len(), scenario.steps.len()), (1, 2));
//! # Ok::<(), mock_hub::scenario::ScenarioError>(())
//! ```
//!
//! | step | what happens |
//! |---|---|
//! | `rule = {...}` | a rule is injected |
//! | `heal = "all"`, `heal = "drop"` | all rules end, or those of the fault of this name |
//! | `publish = { hub, target, arguments, group }` | an invocation for a hub, or for one group of it |
//! | `rate = 100.0` | the market's rate, in quotes a second and contract |
//! | `price = { contract, to }` | the market moves there at once |
//! | `order = { contract, side, size, type, limit, stop, account }` | somebody places an order on another platform |
//! | `close = { contract, account }` | somebody closes a position there |
//! | `account = { account, can-trade, balance }` | the venue changes an account |
//! | `login = "user"` | somebody logs in as this user, and whoever was logged in is out |
//! | `logout = "user"` | all sessions of the user end |
//!
//! An `account` is a number, or its place among the accounts of the hub's first user, from 1: `"#1"`, which is the
//! default. Times are the real clock's, whatever clock the market has.

mod decimal;
mod http;
mod parse;
mod play;

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use crate::faults::Rule;
use crate::files;
use crate::handle::MockHub;

pub(crate) use http::routes;

/// The longest file that is read.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What happens to a hub, and when.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// What the shares of rules are drawn from; `None` leaves the hub's own.
    pub seed: Option<u64>,
    /// The rules, whose times begin with the scenario.
    pub rules: Vec<Rule>,
    /// The steps, in order of their times.
    pub steps: Vec<Step>,
}

/// One thing that happens at its time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// When, since the scenario's beginning.
    pub at: Duration,
    /// What.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Injects a rule.
    Rule(Rule),
    /// Heals the rules of the fault of this name, or with `None` all.
    Heal(Option<String>),
    /// Sends an invocation.
    Publish(Publication),
    /// Sets the market's rate, in quotes a second and contract.
    Rate(f64),
    /// Moves a contract's price.
    Price(Move),
    /// Places an order.
    Order(ForeignOrder),
    /// Closes a position at the market.
    Close(Closing),
    /// Changes an account.
    Account(AccountChange),
    /// Logs in as this user, which logs out whoever was.
    Login(String),
    /// Ends all sessions of this user.
    Logout(String),
}

/// An invocation for the connections of a hub.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Publication {
    /// The hub's name as in the path.
    pub hub: String,
    /// The target.
    pub target: String,
    /// The arguments; default none.
    #[serde(default)]
    pub arguments: Vec<Value>,
    /// The group; default every connection of the hub.
    #[serde(default)]
    pub group: Option<String>,
}

/// Where a price goes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Move {
    /// The contract's id.
    pub contract: String,
    /// The price, as text so that it is exact.
    #[serde(deserialize_with = "decimal::required")]
    pub to: Decimal,
}

/// An order that somebody places on another platform.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ForeignOrder {
    /// The account; default the first.
    #[serde(default)]
    pub account: AccountName,
    /// The contract's id.
    pub contract: String,
    /// `buy` or `sell`.
    pub side: Side,
    /// Contracts; default 1.
    #[serde(default = "one")]
    pub size: i32,
    /// `market` (the default), `limit` or `stop`.
    #[serde(default)]
    pub r#type: OrderKind,
    /// A limit order's limit, as text.
    #[serde(default, deserialize_with = "decimal::optional")]
    pub limit: Option<Decimal>,
    /// A stop's price, as text.
    #[serde(default, deserialize_with = "decimal::optional")]
    pub stop: Option<Decimal>,
}

/// A position that somebody closes on another platform.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Closing {
    /// The account; default the first.
    #[serde(default)]
    pub account: AccountName,
    /// The contract's id.
    pub contract: String,
}

/// What the venue changes of an account.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct AccountChange {
    /// The account; default the first.
    #[serde(default)]
    pub account: AccountName,
    /// Whether it may trade from now on; default as it was.
    #[serde(default)]
    pub can_trade: Option<bool>,
    /// Its balance, as text; default as it was.
    #[serde(default, deserialize_with = "decimal::optional")]
    pub balance: Option<Decimal>,
}

/// How a scenario names an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountName {
    /// By its id.
    Id(i32),
    /// By its place among the first user's accounts, from 0.
    Place(usize),
}

/// The side of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Buys.
    Buy,
    /// Sells.
    Sell,
}

/// The kind of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OrderKind {
    /// At what is offered. The default.
    #[default]
    Market,
    /// At its limit or better.
    Limit,
    /// At the market, once the last price reaches its stop.
    Stop,
}

/// What is wrong with a scenario, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScenarioError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl Scenario {
    /// Reads a scenario from a file; the error names the file and the line.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let wrong = |error: ScenarioError| io::Error::new(io::ErrorKind::InvalidData, error);
        files::read(path, MAX_BYTES)?.parse().map_err(|error| files::named(path, &wrong(error)))
    }

    /// The same, so many times as fast: the times of rules and steps are divided, those inside of faults stay.
    ///
    /// A factor that is not above 0 changes nothing.
    #[must_use]
    pub fn faster(mut self, factor: f64) -> Self {
        let divided = |time: Duration| Duration::try_from_secs_f64(time.as_secs_f64() / factor).unwrap_or(time);
        let hurry = |rule: &mut Rule| {
            for time in [&mut rule.after, &mut rule.lasts, &mut rule.every] {
                *time = time.map(divided);
            }
        };
        self.rules.iter_mut().for_each(hurry);
        for step in &mut self.steps {
            step.at = divided(step.at);
            if let Action::Rule(rule) = &mut step.action {
                hurry(rule);
            }
        }
        self
    }
}

impl MockHub {
    /// Lets a scenario happen, from now on; its rules hold when this returns.
    ///
    /// A step that cannot be done, such as an order that is refused, is logged and left out. Scenarios may overlap, up to
    /// 100,000 steps that wait; beyond them, and where its rules are too many, it is an error of kind `InvalidInput` and
    /// nothing of it happens.
    pub fn play(&self, scenario: Scenario) -> io::Result<()> {
        let invalid = |complaint| io::Error::new(io::ErrorKind::InvalidInput, complaint);
        self.gateway.spawn(play::play(&self.gateway, scenario).map_err(invalid)?);
        Ok(())
    }
}

impl std::str::FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::parse(text)
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScenarioError {}

impl Default for AccountName {
    fn default() -> Self {
        Self::Place(0)
    }
}

fn one() -> i32 {
    1
}
