//! The values and the vocabulary of TopstepX, for anyone who reads or writes its messages.
//!
//! This crate knows no socket, no runtime and nothing of SignalR: its types implement serde's traits and work with any
//! format, but they are made for JSON, where they keep what a careless reader loses:
//!
//! * [`Price`] is the decimal that stands on the wire, digit for digit. It never goes through a floating-point number.
//! * [`Timestamp`] keeps every fraction digit that .NET writes (100 ns), and reads .NET's zone-less minimum date.
//! * [`ContractId`] and [`SymbolId`] are opaque, and cost no allocation.
//! * [`Rows`] are the rows of an event, in whatever shape it came, each read or refused by itself: a bad row never costs its
//!   neighbours. [`Account`], [`Order`], [`Position`] and [`UserTrade`] come in a [`UserEvent`], [`Quote`], [`MarketTrade`] and
//!   [`DepthRow`] in a [`MarketEvent`] with their contract. [`AnyEvent`] is any of them, by its [`Target`].
//! * An optional member that is absent or `null` is `None`, and keeps what was known. Nothing is filled in.
//! * Numbers that stand for something ([`OrderStatus`], [`DomType`], every error code) keep those that are not known yet.
//! * [`rest`] has the gateway's calls as requests and answers, without an HTTP client.
//! * [`ContractParts`], [`ContractName`] and [`Tick`] take ids, names and prices apart; [`schema`] describes both hubs.
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
//!
//! A bad row is told with its place, and the others are there:
//!
//! ```
//! use topstep_model::{Order, OrderStatus, Rows, UserEvent};
//!
//! let arguments = r#"[[{"action":1,"data":{"id":2934939764,"accountId":1,"contractId":"CON.F.US.MYM.M26","status":6}},
//!                      {"action":1,"data":{"id":"?","accountId":1,"contractId":"CON.F.US.MYM.M26","status":6}}]]"#;
//! let orders: Rows<UserEvent<Order>> = serde_json::from_str(arguments)?;
//! assert_eq!(orders.values().next().map(|order| order.value.status), Some(OrderStatus::Pending));
//! assert_eq!(orders.errors().next().map(ToString::to_string).as_deref(), Some("at [0][1].data.id: `?` is not a whole number"));
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
