//! How a fault acts under its rule, and what its settings may be.

use super::fault::Fault;

const MAX_GLUED: usize = 10_000;
const MAX_OVERSIZE: usize = 32 * 1024 * 1024;
const MAX_FLOOD: u32 = 1_000_000;

/// How a fault acts under its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Event,
    State,
    Damage,
}

impl Fault {
    pub(crate) fn manner(&self) -> Manner {
        match self {
            Self::Drop { .. }
            | Self::CloseRecord { .. }
            | Self::WebsocketClose { .. }
            | Self::ForeignRecord { .. }
            | Self::ForeignMessage { .. }
            | Self::UnknownKind { .. }
            | Self::UnknownTarget { .. }
            | Self::OversizedInvocation { .. }
            | Self::OversizedMessage { .. }
            | Self::PingFlood { .. }
            | Self::UnknownCompletion { .. }
            | Self::TokenExpiry { .. }
            | Self::Logout { .. } => Manner::Event,
            Self::RefuseConnections
            | Self::Stall { .. }
            | Self::BlackHole { .. }
            | Self::Throttle { .. }
            | Self::OneByteWrites => Manner::State,
            _ => Manner::Damage,
        }
    }

    /// Whether it concerns the whole gateway, so that a narrower scope could never match.
    pub(crate) fn is_for_everyone(&self) -> bool {
        matches!(
            self,
            Self::RefuseConnections
                | Self::TokenExpiry { .. }
                | Self::Logout { .. }
                | Self::RestDelay { .. }
                | Self::RestStatus { .. }
                | Self::RestGarbage { .. }
                | Self::RestDrop { .. }
                | Self::RestTruncated { .. }
        )
    }

    /// What is wrong with its settings, if anything.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        match self {
            Self::NegotiateStatus { status, .. }
            | Self::UpgradeStatus { status, .. }
            | Self::RestStatus { status, .. }
                if !(200..=599).contains(status) =>
            {
                Some("status is 200 to 599")
            }
            Self::SplitRecords { size: 0 } | Self::FragmentedRecords { size: 0, .. } => Some("size is at least 1"),
            Self::GluedRecords { records, .. } if !(2..=MAX_GLUED).contains(records) => Some("records is 2 to 10000"),
            Self::Throttle { bytes_per_second: 0, .. } => Some("bytes-per-second is at least 1: a stall is `stall`"),
            Self::SlowUpgrade { bytes_per_second: Some(0), .. } => Some("bytes-per-second is at least 1"),
            Self::OversizedRecord { bytes }
            | Self::OversizedInvocation { bytes }
            | Self::OversizedMessage { bytes }
                if *bytes > MAX_OVERSIZE =>
            {
                Some("bytes is at most 32 MiB")
            }
            Self::WebsocketClose { reason, .. } if reason.len() > 123 => Some("reason is at most 123 bytes"),
            Self::PingFlood { count } if *count > MAX_FLOOD => Some("count is at most 1000000"),
            _ => None,
        }
    }
}
