//! What a contract's id says, what its name says, and what its ticks are worth.

mod name;
mod parts;
mod product;
mod tick;

pub use name::{ContractName, ContractNameError};
pub use parts::{ContractIdError, ContractParts, DeliveryMonth};
pub use product::Product;
pub use tick::{Rounding, Tick, TickError};
