//! The JSON hub protocol as text: records, messages, the handshake, negotiation.

pub(crate) mod envelope;
pub(crate) mod handshake;
pub mod message;
pub(crate) mod negotiation;
pub(crate) mod record;

pub use message::HubMessage;
pub use record::RECORD_SEPARATOR;
