//! The sans-IO state machine of an ASP.NET Core SignalR client.

pub mod config;
mod connection;
pub mod error;
pub mod io;
pub mod json;
pub mod machine;
pub mod protocol;
pub mod retry;
pub mod secret;
pub mod sink;
pub mod subscription;
pub mod time;
pub mod url;

pub use config::*;
pub use connection::*;
pub use io::*;
pub use machine::Machine;
