//! The gateway's REST calls as typed requests and answers, without an HTTP client.
//!
//! A [`Request`] knows its method, path and body, and reads what came back; who sends it is the caller's choice. All calls
//! are `POST` with JSON but [`Ping`], all answers are JSON but that one's, and a refusal comes with status 200.
//!
//! ```
//! use topstep_model::rest::{Answer, ApiError, PlaceOrder, Request};
//! use topstep_model::{OrderSide, PlaceErrorCode};
//!
//! let order = PlaceOrder::market(10000001.into(), "CON.F.US.MNQ.U26".into(), OrderSide::Bid, 1);
//! let body = order.body().expect("an order has a body");
//! assert_eq!(body.as_str(), r#"{"accountId":10000001,"contractId":"CON.F.US.MNQ.U26","type":2,"side":0,"size":1}"#);
//! // ... POST it to PlaceOrder::PATH with the token; then:
//! let answer = Answer::new(200, br#"{"orderId":null,"success":false,"errorCode":8,"errorMessage":null}"#);
//! let Err(ApiError::Refused(refusal)) = PlaceOrder::read(&answer) else { panic!("it was refused") };
//! assert_eq!(refusal.code, PlaceErrorCode::ContractNotFound);
//! ```

mod account;
mod answer;
mod auth;
mod bars;
mod contract;
mod envelope;
mod error;
mod order;
mod payload;
mod place;
mod position;
mod request;
mod secret;
mod trade;

pub use account::{Accounts, SearchAccounts};
pub use answer::{Answer, MAX_RETRY_AFTER};
pub use auth::{LogOut, LoggedIn, Login, Ping, Pong, Renewed, Validate};
pub use bars::{Bar, Bars, RetrieveBars};
pub use contract::{AvailableContracts, Contract, Contracts, FindContract, FoundContract, SearchContracts};
pub use error::{ApiError, ProblemDetails, Refusal};
pub use order::{
    CancelOrder, FindOrder, FoundOrder, ModifyOrder, OrderFilter, Orders, OrdersPage, QueryOrders, SearchOpenOrders,
    SearchOrders,
};
pub use payload::Done;
pub use place::{Bracket, PlaceOrder, Placed};
pub use position::{CloseContract, PartialCloseContract, Positions, SearchOpenPositions};
pub use request::{Body, Method, RateClass, Request};
pub use secret::Secret;
pub use trade::{SearchTrades, Trades};
