//! Reads JSON in one pass, decoding in place what somebody asked for and checking the rest in full.
//!
//! Validating once, in whoever consumes the bytes, is what makes a delivered event cheap: a record is neither scanned
//! before it is decoded nor turned into a tree. [`Cursor`] stands at a place in the text of a record and does three things
//! there:
//!
//! * it walks the members of an object and the elements of an array for a reader that knows what it looks for
//!   ([`Cursor::begin_object`], [`Cursor::next_key`], [`Cursor::string`] and their like);
//! * it decodes any [`serde::Deserialize`] type in place ([`Cursor::decode`]), borrowing from the text where it can;
//! * it skips everything else with the whole grammar checked ([`Cursor::skip_value`], RFC 8259).
//!
//! Nothing here allocates on the good path, except for strings that hold an escape. Nothing recurses without a bound:
//! [`Cursor::MAX_DEPTH`] holds in all three.
//!
//! # Where it differs from `serde_json`
//!
//! What is accepted, and the value that comes out, is that of `serde_json`, except that
//!
//! * objects and arrays nest 64 deep here (what System.Text.Json allows a hub) and 127 there;
//! * a float is the nearest one to its digits here, and may be one unit in the last place off there;
//! * bytes asked for as a string with half a surrogate pair are refused here, and are WTF-8 there;
//! * a tuple's surplus element says which element it is.
//!
//! ```
//! use signalr_proto::json::Cursor;
//!
//! let mut cursor = Cursor::new(r#"{"type":1,"unknown":[true],"arguments":["ES",{"bid":4.25}]}"#);
//! cursor.begin_object()?;
//! let mut first = true;
//! while let Some(key) = cursor.next_key(first)? {
//!     first = false;
//!     match &*key {
//!         "arguments" => {
//!             #[derive(serde::Deserialize)]
//!             struct Quote {
//!                 bid: f64,
//!             }
//!             let (symbol, quote) = cursor.decode::<(&str, Quote)>()?;
//!             assert_eq!((symbol, quote.bid), ("ES", 4.25));
//!         }
//!         _ => {
//!             cursor.skip_value()?;
//!         }
//!     }
//! }
//! cursor.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod cursor;
mod de;
mod error;
mod key;
mod number;
mod place;
mod raw;
mod scalar;
mod skip;
mod string;
mod write;

pub use cursor::{Checkpoint, Cursor, Kind};
pub use error::{DecodeError, DecodeErrorKind, ReadError, SyntaxError, SyntaxErrorKind};
pub use write::{write_string, write_string_bytes};
