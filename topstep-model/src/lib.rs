//! The values and the vocabulary of TopstepX, for anyone who reads or writes its messages.
//!
//! This crate knows no socket, no runtime and nothing of SignalR: its types implement serde's traits and work with any
//! format, but they are made for JSON, where they keep what a careless reader loses:
//!
//! * [`Price`] is the decimal that stands on the wire, digit for digit. It never goes through a floating-point number.
//! * [`Timestamp`] keeps every fraction digit that .NET writes (100 ns), and reads .NET's zone-less minimum date.
//! * [`ContractId`] and [`SymbolId`] are opaque, and cost no allocation.
//! * [`Quote`] has optional members only: the market hub leaves out what did not change.
//!
//! ```
//! use topstep_model::{ContractId, Quote};
//!
//! let arguments = r#"["CON.F.US.MNQ.U26", {"symbol":"F.US.MNQ","bestBid":29547,"bestAsk":29547.50}]"#;
//! let (contract, quote): (ContractId, Quote) = serde_json::from_str(arguments)?;
//! assert_eq!(contract.as_str(), "CON.F.US.MNQ.U26");
//! assert_eq!(quote.best_ask.map(|price| price.to_string()).as_deref(), Some("29547.50"));
//! assert_eq!(quote.last_price, None);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod code;
mod contract;
mod decode;
mod event;
mod excerpt;
mod id;
mod number_id;
mod price;
pub mod rest;
mod row;
mod scalar;
pub mod schema;
mod text;
mod timestamp;

pub use code::{
    BarUnit, BarsErrorCode, CancelErrorCode, CloseErrorCode, Code, ContractErrorCode, DomType, ListErrorCode,
    LoginErrorCode, LogoutErrorCode, ModifyErrorCode, OrderErrorCode, OrderSide, OrderSortBy, OrderStatus, OrderType,
    PartialCloseErrorCode, PlaceErrorCode, PositionType, SearchErrorCode, SortDirection, StreamAction, TradeLogType,
    ValidateErrorCode,
};
pub use contract::{
    ContractIdError, ContractName, ContractNameError, ContractParts, DeliveryMonth, Product, Rounding, Tick, TickError,
};
pub use decode::{DecodeError, RowError, Rows};
pub use event::{
    Account, AnyEvent, DepthRow, Event, Hub, Logout, MarketEvent, MarketRow, MarketTrade, Order, Position, Quote,
    Target, UserEvent, UserRow, UserTrade,
};
pub use id::{ContractId, SymbolId};
pub use number_id::{AccountId, OrderId, PositionId, TradeId};
pub use price::{Price, PriceError};
pub use row::{CodeEntry, Kind, Member, Row, Shown};
pub use text::Text;
pub use timestamp::{Timestamp, TimestampError};
