//! The wire: records, and JSON as .NET reads and writes it. The messages themselves are `signalr_proto`'s.

pub(crate) mod dotnet;
pub(crate) mod handshake;
pub(crate) mod json;
pub(crate) mod record;
pub(crate) mod write;
