//! The latest price of a contract, from whoever can tell it in time.
//!
//! The live stream first; without one the last bar by REST, within a deadline; else what was known last, marked as that, with its age and a
//! warning.

pub(crate) mod cache;
pub(crate) mod desk;

use std::fmt;
use std::time::Duration;

use topstep_model::{ContractId, Price};

use crate::moment::Moment;

/// The latest price of a contract.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Latest {
    /// The contract.
    pub contract: ContractId,
    /// The last price.
    pub price: Price,
    /// The best bid; a bar has none.
    pub bid: Option<Price>,
    /// The best ask; a bar has none.
    pub ask: Option<Price>,
    /// Who told it.
    pub source: LatestSource,
    /// How old the price may be. Of a bar: since its interval was over.
    pub age: Duration,
    /// Why it is not as good as it should be.
    pub warning: Option<LatestWarning>,
}

/// Who told a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LatestSource {
    /// The hub's stream.
    Live,
    /// The last bar, by REST: there is no live quote.
    Rest,
    /// Nobody now; it was known before.
    Cache,
}

/// What is wrong with a price from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LatestWarning {
    /// REST did not answer in time.
    ExternalApiTimeout,
    /// REST answered with an error, or with no bar.
    ExternalApiError,
}

/// Why there is no price at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LatestError {
    /// REST did not answer in time, and nothing was known before.
    #[error("no price in time, and none was known before")]
    TimedOut,
    /// REST answered with an error, and nothing was known before.
    #[error("the price cannot be asked for, and none was known before")]
    Failed,
    /// The venue has no bar of it: it may not exist, or was not traded for a week.
    #[error("the venue has no bar of this contract, and no price was known before")]
    NoBars,
}

/// A quote from the stream that is good now: nothing was lost, and it is not too old.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LiveQuote {
    /// The last price.
    pub(crate) price: Price,
    /// The best bid.
    pub(crate) bid: Option<Price>,
    /// The best ask.
    pub(crate) ask: Option<Price>,
    /// How long ago it was heard.
    pub(crate) age: Duration,
}

/// Whoever follows quotes, as far as `Gateway::latest` asks.
pub(crate) trait LiveQuotes: Send + Sync + 'static {
    /// The quote of a contract, only if it is live. Must not block.
    fn live_quote(&self, now: Moment, contract: &ContractId) -> Option<LiveQuote>;
}

impl LatestSource {
    /// The source as one word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Rest => "rest",
            Self::Cache => "cache",
        }
    }
}

impl LatestWarning {
    /// The warning as one word in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExternalApiTimeout => "external_api_timeout",
            Self::ExternalApiError => "external_api_error",
        }
    }
}

impl fmt::Display for LatestSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for LatestWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
