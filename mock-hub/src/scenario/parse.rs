//! From TOML to a scenario, with the line of whatever is wrong.

use std::ops::Range;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{
    AccountChange, AccountName, Action, Closing, ForeignOrder, Move, OrderKind, Publication, Scenario, ScenarioError,
    Step,
};
use crate::faults::{self, Fault, Rule, span};
use crate::hubs::Hub;
use crate::market::Market;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    seed: Option<u64>,
    #[serde(default)]
    rule: Vec<Spanned<Rule>>,
    #[serde(default)]
    step: Vec<Spanned<RawStep>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    #[serde(with = "span")]
    at: Duration,
    rule: Option<Rule>,
    heal: Option<String>,
    publish: Option<Publication>,
    rate: Option<f64>,
    price: Option<Move>,
    order: Option<ForeignOrder>,
    close: Option<Closing>,
    account: Option<AccountChange>,
    login: Option<String>,
    logout: Option<String>,
}

pub(super) fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    let at = |span: Option<Range<usize>>, message: String| {
        let before = text.get(..span.unwrap_or_default().start).unwrap_or(text);
        ScenarioError { line: before.matches('\n').count() + 1, message }
    };
    let file: File = toml::from_str(text).map_err(|error| at(error.span(), error.message().to_owned()))?;
    let mut rules = Vec::with_capacity(file.rule.len());
    for rule in file.rule {
        faults::check(rule.get_ref()).map_err(|complaint| at(Some(rule.span()), complaint.to_owned()))?;
        rules.push(rule.into_inner());
    }
    let mut steps = Vec::with_capacity(file.step.len());
    for step in file.step {
        let span = step.span();
        steps.push(step.into_inner().into_step().map_err(|complaint| at(Some(span), complaint))?);
    }
    steps.sort_by_key(|step| step.at);
    Ok(Scenario { seed: file.seed, rules, steps })
}

impl RawStep {
    fn into_step(self) -> Result<Step, String> {
        let heal = |name: String| if name == "all" { Action::Heal(None) } else { Action::Heal(Some(name)) };
        let actions = [
            self.rule.map(Action::Rule),
            self.heal.map(heal),
            self.publish.map(Action::Publish),
            self.rate.map(Action::Rate),
            self.price.map(Action::Price),
            self.order.map(Action::Order),
            self.close.map(Action::Close),
            self.account.map(Action::Account),
            self.login.map(Action::Login),
            self.logout.map(Action::Logout),
        ];
        let mut actions = actions.into_iter().flatten();
        let (Some(action), None) = (actions.next(), actions.next()) else {
            return Err("a step does one thing".to_owned());
        };
        check(&action)?;
        Ok(Step { at: self.at, action })
    }
}

/// What can be said against an action before it is done.
fn check(action: &Action) -> Result<(), String> {
    let complaint = match action {
        Action::Rule(rule) => return faults::check(rule).map_err(str::to_owned),
        Action::Heal(Some(name)) if !Fault::names().iter().any(|known| known == name) => {
            return Err(format!("heal is `all` or the name of a fault, which `{name}` is not"));
        }
        Action::Publish(publication) if Hub::named(&publication.hub).is_none() => "no hub has this name",
        Action::Rate(rate) if !(0.0..=Market::HIGHEST_RATE).contains(rate) => "a rate is 0 to 50000",
        Action::Order(order) if order.size < 1 => "size is at least 1",
        Action::Order(order) if (order.r#type == OrderKind::Limit) != order.limit.is_some() => {
            "a limit order has a limit, and no other has"
        }
        Action::Order(order) if (order.r#type == OrderKind::Stop) != order.stop.is_some() => {
            "a stop order has a stop, and no other has"
        }
        Action::Account(change) if change.can_trade.is_none() && change.balance.is_none() => {
            "an account's change has can-trade or balance"
        }
        _ => return Ok(()),
    };
    Err(complaint.to_owned())
}

impl<'de> Deserialize<'de> for AccountName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = AccountName;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an account's id, or its place such as \"#1\"")
            }

            fn visit_i64<E: de::Error>(self, id: i64) -> Result<AccountName, E> {
                i32::try_from(id).map(AccountName::Id).map_err(|_| E::custom("no account has this id"))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AccountName, E> {
                let place = text.strip_prefix('#').and_then(|place| place.parse::<usize>().ok());
                let place = place.and_then(|place| place.checked_sub(1));
                place.map(AccountName::Place).ok_or_else(|| E::custom("a place is `#1` or higher"))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::DropHow;

    #[test]
    fn steps_come_in_the_order_of_their_times() {
        let text = r##"
            [[step]]
            at = "2s"
            rate = 0.0
            [[step]]
            at = "500ms"
            heal = "drop"
            [[step]]
            at = "2s"
            order = { contract = "C", side = "sell", type = "limit", limit = "12.50", account = "#2" }
            [[step]]
            at = "1s"
            [step.rule]
            fault = { drop = { how = "reset" } }
        "##;
        let actions: Vec<_> = parse(text).unwrap().steps.into_iter().map(|step| step.action).collect();
        let [Action::Heal(Some(name)), Action::Rule(rule), Action::Rate(0.0), Action::Order(order)] = &actions[..]
        else {
            panic!("{actions:?}");
        };
        assert_eq!((name.as_str(), &rule.fault), ("drop", &Fault::Drop { how: DropHow::Reset }));
        assert_eq!((order.account, order.limit.unwrap().to_string()), (AccountName::Place(1), "12.50".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, message) in [
            ("seed = 1\nsede = 2\n", 2, "unknown field `sede`"),
            ("\n\n[[rule]]\nfault = \"no-pings\"\nlasts = \"soon\"\n", 5, "`soon` is no duration"),
            ("[[rule]]\nfault = \"no-pings\"\n\n[[rule]]\nfault = \"no-pingz\"\n", 5, "unknown variant `no-pingz`"),
            ("[[rule]]\nfault = \"no-pings\"\n\n[[rule]]\nfault = \"no-pings\"\ntimes = 0\n", 4, "times is at least 1"),
            ("[[rule]]\nfault = { drop = { how = \"softly\" } }\n", 2, "unknown variant `softly`"),
            ("[[step]]\nat = \"1s\"\n", 1, "a step does one thing"),
            ("\n[[step]]\nat = \"1s\"\nrate = 1.0\nheal = \"all\"\n", 2, "a step does one thing"),
            ("[[step]]\nat = \"1s\"\nheal = \"dorp\"\n", 1, "the name of a fault, which `dorp` is not"),
            ("[[step]]\nrate = 1.0\n", 1, "missing field `at`"),
            ("[[step]]\nat = \"1s\"\norder = { contract = \"C\", side = \"long\" }\n", 3, "unknown variant `long`"),
            (
                "[[step]]\nat = \"1s\"\norder = { contract = \"C\", side = \"buy\", limit = \"1\" }\n",
                1,
                "a limit order has",
            ),
            ("[[step]]\nat = \"1s\"\nprice = { contract = \"C\", to = \"much\" }\n", 3, "`much` is no number"),
            ("seed = \n", 1, ""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.line == line && error.message.contains(message), "{text}: {error}");
        }
    }
}
