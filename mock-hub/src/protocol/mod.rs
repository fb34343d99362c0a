//! The hub's side of SignalR's JSON protocol: records, the handshake, messages in and out.

pub(crate) mod handshake;
pub(crate) mod json;
pub(crate) mod message;
pub(crate) mod record;
pub(crate) mod write;

/// What ends a record (HubProtocol.md, JSON Encoding).
pub(crate) const RECORD_SEPARATOR: u8 = 0x1E;
