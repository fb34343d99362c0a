//! What can happen.

use std::time::Duration;

use topstep_model::{Account, AccountId, ContractId, Hub, MarketTrade, Order, Position, UserTrade};

use crate::gap::{GapNotice, Subject};
use crate::keeper::Halt;
use crate::lifecycle::{Ending, Lifecycle};
use crate::market::{FeedState, MergedQuote};
use crate::moment::Moment;
use crate::session::DepthUpdate;
use crate::update::{Malformed, Told};

/// Something that happened, with its place in the order of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionEvent {
    /// Counts what happened, from 1. It has holes where a filter left something out.
    pub serial: u64,
    /// When it was taken in.
    pub at: Moment,
    /// What it is.
    pub kind: EventKind,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// An account changed, or was told again.
    Account(Told<Account>),
    /// An order changed.
    Order(Told<Order>),
    /// A position changed. One that was closed has the size 0.
    Position(Told<Position>),
    /// A trade of an account: once each, and once more when it is voided.
    Trade(Told<UserTrade>),
    /// The merged quote of a contract.
    Quote(Told<MergedQuote>),
    /// A trade of the market.
    MarketTrade {
        /// The contract.
        contract: ContractId,
        /// The trade.
        told: Told<MarketTrade>,
    },
    /// Rows of a contract's depth.
    Depth(Told<DepthUpdate>),
    /// A gap opened, or closed.
    Gap(GapNotice),
    /// Something came that cannot be read.
    Malformed(Malformed),
    /// The connection of a hub lives on, or not.
    Lifecycle {
        /// The hub.
        hub: Hub,
        /// What happened to it.
        life: Lifecycle,
    },
    /// The hub refused a subscription. It is asked for again.
    Refused {
        /// What was asked for.
        subject: Subject,
        /// The hub's words.
        error: String,
    },
    /// A hub said goodbye for good: nothing is heard until a new connection stands. Critical while money is at stake.
    Goodbye {
        /// The hub.
        hub: Hub,
        /// Its words.
        ending: Ending,
        /// When the next connection begins.
        begins_in: Duration,
        /// The token is the likely reason: it is replaced.
        is_unauthorized: bool,
    },
    /// Both hubs are left alone until they are told to resume. Critical.
    Halted(Halt),
    /// They begin again.
    Resumed,
    /// Quotes of a contract fell silent, or come again.
    Feed {
        /// The contract.
        contract: ContractId,
        /// How they stand.
        state: FeedState,
    },
    /// The trading hours known to this program have come to their end: whether a silent market is closed or broken cannot be told any more.
    CalendarEnded,
    /// A handler of the router failed, or panicked. The others are not concerned.
    HandlerFailed {
        /// The handler's name.
        name: String,
        /// Its error's text.
        error: String,
    },
    /// This reader was slow: so many events of the market are missing here.
    Missed {
        /// How many.
        events: u64,
    },
}

impl EventKind {
    /// The kind as one word in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Order(_) => "order",
            Self::Position(_) => "position",
            Self::Trade(_) => "trade",
            Self::Quote(_) => "quote",
            Self::MarketTrade { .. } => "market_trade",
            Self::Depth(_) => "depth",
            Self::Gap(_) => "gap",
            Self::Malformed(_) => "malformed",
            Self::Lifecycle { .. } => "lifecycle",
            Self::Refused { .. } => "refused",
            Self::Goodbye { .. } => "goodbye",
            Self::Halted(_) => "halted",
            Self::Resumed => "resumed",
            Self::Feed { .. } => "feed",
            Self::CalendarEnded => "calendar_ended",
            Self::HandlerFailed { .. } => "handler_failed",
            Self::Missed { .. } => "missed",
        }
    }

    /// The account that it is about, where it is about one.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(told) => Some(told.value.id),
            Self::Order(told) => Some(told.value.account_id),
            Self::Position(told) => Some(told.value.account_id),
            Self::Trade(told) => Some(told.value.account_id),
            Self::Gap(notice) => notice.gap().subject.account(),
            Self::Refused { subject, .. } => subject.account(),
            _ => None,
        }
    }

    /// The contract that it is about, where it is about one.
    pub fn contract(&self) -> Option<&ContractId> {
        match self {
            Self::Order(told) => Some(&told.value.contract_id),
            Self::Position(told) => Some(&told.value.contract_id),
            Self::Trade(told) => Some(&told.value.contract_id),
            Self::Quote(told) => Some(&told.value.contract),
            Self::Depth(told) => Some(&told.value.contract),
            Self::MarketTrade { contract, .. } | Self::Feed { contract, .. } => Some(contract),
            Self::Gap(notice) => notice.gap().subject.contract(),
            Self::Refused { subject, .. } => subject.contract(),
            _ => None,
        }
    }

    /// Whether it is a value of the market, of which more will come.
    pub fn is_market_data(&self) -> bool {
        matches!(self, Self::Quote(_) | Self::MarketTrade { .. } | Self::Depth(_))
    }
}
