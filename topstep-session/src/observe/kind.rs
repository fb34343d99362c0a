//! What is counted, by kind.

use topstep_model::{Hub, Target, Timestamp};

use crate::gap::{GapNotice, Subject};

/// A kind of thing that a hub tells: the label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Accounts,
    Orders,
    Positions,
    Trades,
    Quotes,
    MarketTrades,
    Depth,
}

/// An update of a machine, as far as it is counted.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// The stream told a value. The stamp is the event's own time, where its way here is to be measured by it.
    Value(Kind, Option<Timestamp>),
    /// A gap opened or closed.
    Gap(&'a GapNotice),
    /// Something came that cannot be read; of this target.
    Malformed(&'static str),
    /// Nothing that is counted.
    Other,
}

impl Kind {
    pub(crate) const COUNT: usize = 7;

    /// Those of a hub.
    pub(crate) const fn of_hub(hub: Hub) -> &'static [Self] {
        match hub {
            Hub::User => &[Self::Accounts, Self::Orders, Self::Positions, Self::Trades],
            _ => &[Self::Quotes, Self::MarketTrades, Self::Depth],
        }
    }

    pub(crate) fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Accounts => Self::Accounts,
            Subject::Orders(_) => Self::Orders,
            Subject::Positions(_) => Self::Positions,
            Subject::Trades(_) => Self::Trades,
            Subject::Quotes(_) => Self::Quotes,
            Subject::MarketTrades(_) => Self::MarketTrades,
            Subject::Depth(_) => Self::Depth,
        }
    }

    /// The kind of thing that a target tells.
    pub(crate) fn of_target(target: &str) -> Option<Self> {
        Some(match target.parse().ok()? {
            Target::UserAccount => Self::Accounts,
            Target::UserOrder => Self::Orders,
            Target::UserPosition => Self::Positions,
            Target::UserTrade => Self::Trades,
            Target::Quote => Self::Quotes,
            Target::Trade => Self::MarketTrades,
            Target::Depth => Self::Depth,
            _ => return None,
        })
    }

    /// The same words as [`Subject::kind`].
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Orders => "orders",
            Self::Positions => "positions",
            Self::Trades => "trades",
            Self::Quotes => "quotes",
            Self::MarketTrades => "market_trades",
            Self::Depth => "depth",
        }
    }
}
