//! The hubs' events and methods as an AsyncAPI 3 document, and as TypeScript types generated from it.
//!
//! Both are made of the tables by which this crate decodes, so they say the same. Committed copies lie in the crate's folder
//! `schema`; `cargo run -p topstep-model --example schema` writes them anew.

mod asyncapi;
mod json_schema;
mod typescript;

pub use asyncapi::asyncapi;
pub use typescript::typescript;
