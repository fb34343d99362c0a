//! Intervals in which something may have been missed.

use std::fmt;

use topstep_model::{AccountId, ContractId, Timestamp};

use crate::moment::Moment;

/// What can be followed, and therefore missed: one subscription of a hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Subject {
    /// The accounts of the user.
    Accounts,
    /// The orders of an account.
    Orders(AccountId),
    /// The positions of an account.
    Positions(AccountId),
    /// The trades of an account.
    Trades(AccountId),
    /// The quotes of a contract.
    Quotes(ContractId),
    /// The trades of a contract, whoever made them.
    MarketTrades(ContractId),
    /// The depth of a contract.
    Depth(ContractId),
}

impl Subject {
    /// The hub that tells it: `user` or `market`.
    pub fn hub(&self) -> &'static str {
        match self {
            Self::Accounts | Self::Orders(_) | Self::Positions(_) | Self::Trades(_) => "user",
            Self::Quotes(_) | Self::MarketTrades(_) | Self::Depth(_) => "market",
        }
    }

    /// The account, where it is about one.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Orders(account) | Self::Positions(account) | Self::Trades(account) => Some(*account),
            _ => None,
        }
    }

    /// The contract, where it is about one.
    pub fn contract(&self) -> Option<&ContractId> {
        match self {
            Self::Quotes(contract) | Self::MarketTrades(contract) | Self::Depth(contract) => Some(contract),
            _ => None,
        }
    }

    /// What kind of thing it is, as one word in snake case.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Orders(_) => "orders",
            Self::Positions(_) => "positions",
            Self::Trades(_) => "trades",
            Self::Quotes(_) => "quotes",
            Self::MarketTrades(_) => "market_trades",
            Self::Depth(_) => "depth",
        }
    }
}

impl fmt::Display for Subject {
    /// `user/orders/4711`, `market/quotes/CON.F.US.EP.Z26`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hub(), self.kind())?;
        match self {
            Self::Accounts => Ok(()),
            Self::Orders(account) | Self::Positions(account) | Self::Trades(account) => write!(f, "/{account}"),
            Self::Quotes(contract) | Self::MarketTrades(contract) | Self::Depth(contract) => write!(f, "/{contract}"),
        }
    }
}

/// Names a gap: counts up in one session, and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GapId(pub u64);

/// Why events may have been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapCause {
    /// Nothing was heard of it before: what is believed begins here.
    ColdStart,
    /// The connection was lost.
    TransportLost,
    /// The hub said goodbye.
    ClosedByHub,
    /// The session was stopped, or logged out, and begins again.
    Stopped,
    /// An event came that cannot be read.
    Malformed,
    /// Whoever reads the stream did not keep up.
    ConsumerOverflow,
    /// The subscription was refused or given up, and asked for anew.
    Resubscribed,
    /// REST tells what the stream did not, though the connection lived.
    AuditMismatch,
}

impl GapCause {
    /// The cause as one word in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ColdStart => "cold_start",
            Self::TransportLost => "transport_lost",
            Self::ClosedByHub => "closed_by_hub",
            Self::Stopped => "stopped",
            Self::Malformed => "malformed",
            Self::ConsumerOverflow => "consumer_overflow",
            Self::Resubscribed => "resubscribed",
            Self::AuditMismatch => "audit_mismatch",
        }
    }
}

impl fmt::Display for GapCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One end of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// When it was.
    pub at: Moment,
    /// Counts the connections of the session's hub, from 1; 0 before the first.
    pub generation: u64,
    /// The time that the venue put on the last event before this edge, where there was one.
    pub last_stamp: Option<Timestamp>,
}

/// An interval in which events of one subject may have been missed.
///
/// It is told in the subject's own stream, before the first event that follows the hole. A second cause before it has closed widens it: its
/// beginning stays, its causes grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its name.
    pub id: GapId,
    /// What may have been missed.
    pub subject: Subject,
    /// Why: the first cause, then what came on top. Never empty, no cause twice.
    pub causes: Vec<GapCause>,
    /// The last event delivered before it, or when the session began.
    pub from: Edge,
    /// When it closed; `None` while it is open.
    pub to: Option<Edge>,
}

/// What became of a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// REST told nothing that was not known.
    NothingMissed,
    /// REST told something new, which was delivered with [`Source::Rest`](crate::Source::Rest) before this verdict.
    StateRepaired {
        /// How many values changed.
        changes: u32,
    },
    /// The state is right again; the ticks in between are gone for good.
    TicksLost,
    /// Nothing proves it whole again, and nobody tries any more.
    Abandoned {
        /// Why.
        reason: &'static str,
    },
}

impl Verdict {
    /// The verdict as one word in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NothingMissed => "nothing_missed",
            Self::StateRepaired { .. } => "state_repaired",
            Self::TicksLost => "ticks_lost",
            Self::Abandoned { .. } => "abandoned",
        }
    }
}

/// News of a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapNotice {
    /// From here on events may be missing.
    Opened(Gap),
    /// It is over: `to` is there.
    Closed(Gap, Verdict),
}

impl GapNotice {
    /// The gap.
    pub fn gap(&self) -> &Gap {
        match self {
            Self::Opened(gap) | Self::Closed(gap, _) => gap,
        }
    }
}
