//! When a fault happens, to whom, and how often.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fault::Fault;
use super::span;

/// The number of a rule, as [`MockHub::inject`](crate::MockHub::inject) gave it; never used twice by a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u64);

impl fmt::Display for FaultId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Whom a rule concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// Every connection of every hub, the console's own aside. The default.
    #[default]
    Everyone,
    /// The connections of one hub, by its name in the path: `market`, `user`, `conformance`, `secure`,
    /// `lenient-market`.
    Hub(String),
    /// One connection, by its id.
    Connection(String),
}

/// A fault with its scope and its times.
///
/// ```
/// use std::time::Duration;
/// use mock_hub::faults::{DropHow, Fault, Rule, Scope};
///
/// // Two seconds from now the market hub's connections are reset, and again every ten seconds, three times in all.
/// let rule = Rule::new(Fault::Drop { how: DropHow::Reset })
///     .on_hub("market")
///     .after(Duration::from_secs(2))
///     .every(Duration::from_secs(10))
///     .times(3);
/// assert_eq!(rule.scope, Scope::Hub("market".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// What goes wrong.
    #[serde(deserialize_with = "named_or_set")]
    pub fault: Fault,
    /// For whom; default everyone.
    #[serde(default)]
    pub scope: Scope,
    /// The time until it begins; default: at once.
    #[serde(with = "span::optional", default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Duration>,
    /// The time from its beginning to its end; default: until it is healed.
    #[serde(with = "span::optional", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
    /// How often it acts at most; default: an event without `every` once, anything else without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// For an event the time between two of them, for a damage the least time between two; default none.
    #[serde(with = "span::optional", default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// The share of opportunities that it takes, 0 to 1, drawn from the hub's seed; default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Which opportunities it takes, `x` for yes and `.` for no, again and again: `..x` is every third. Default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}

impl Rule {
    /// A rule for everyone, from now on and without end.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        let scope = Scope::Everyone;
        Self { fault, scope, after: None, lasts: None, times: None, every: None, share: None, pattern: None }
    }

    /// For the connections of one hub.
    #[must_use]
    pub fn on_hub(mut self, name: &str) -> Self {
        self.scope = Scope::Hub(name.to_owned());
        self
    }

    /// For one connection.
    #[must_use]
    pub fn on_connection(mut self, id: &str) -> Self {
        self.scope = Scope::Connection(id.to_owned());
        self
    }

    /// Sets [`Rule::after`].
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = Some(delay);
        self
    }

    /// Sets [`Rule::lasts`].
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// Sets [`Rule::times`].
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Sets [`Rule::every`].
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = Some(interval);
        self
    }

    /// Sets [`Rule::share`].
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    /// Sets [`Rule::pattern`].
    #[must_use]
    pub fn pattern(mut self, pattern: Pattern) -> Self {
        self.pattern = Some(pattern);
        self
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

/// A fault by its name alone has its default settings.
fn named_or_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fault, D::Error> {
    struct Either;

    impl<'de> Visitor<'de> for Either {
        type Value = Fault;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a fault's name, or a table with its name and settings")
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<Fault, E> {
            let plain = Fault::deserialize(StrDeserializer::<E>::new(name));
            plain.or_else(|unknown| {
                let settings = serde_json::json!({ name: {} });
                Fault::deserialize(settings).map_err(|error| {
                    // An unknown name is best told by the list of names, a missing setting by its own.
                    if error.to_string().starts_with("unknown variant") { unknown } else { E::custom(error) }
                })
            })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fault, A::Error> {
            Fault::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(Either)
}

/// Which of a series of opportunities are taken, `x` for yes and `.` for no, repeated for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<bool>);

impl Pattern {
    const LONGEST: usize = 10_000;

    /// Whether the opportunity of this number, counted from 0, is taken.
    #[must_use]
    pub fn takes(&self, number: u64) -> bool {
        let length = self.0.len().max(1) as u64;
        usize::try_from(number % length).ok().and_then(|index| self.0.get(index)).copied().unwrap_or_default()
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let complaint = || format!("a pattern is made of `x` and `.`, at most {}", Self::LONGEST);
        if text.is_empty() || text.len() > Self::LONGEST {
            return Err(complaint());
        }
        let take = |character| match character {
            'x' => Ok(true),
            '.' => Ok(false),
            _ => Err(complaint()),
        };
        text.chars().map(take).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|takes| formatter.write_str(if *takes { "x" } else { "." }))
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Its time has not come.
    Waiting,
    /// It acts where it can.
    Active,
    /// Its time is over, it has acted as often as it may, or it was healed.
    Over,
}

/// A rule that a hub was given, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RuleReport {
    /// Its number.
    pub id: FaultId,
    /// The rule as it was given.
    pub rule: Rule,
    /// Where it stands.
    pub phase: Phase,
    /// How often it acted: connections hit, records damaged, answers changed, events lost.
    pub acted: u64,
}
