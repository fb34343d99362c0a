//! Holds the README and the guides against the compiler: their Rust examples are this crate's documentation tests.

#[doc = include_str!("../../../README.md")]
#[cfg(doctest)]
struct Readme;

#[doc = include_str!("../../../docs/from-microsoft-signalr.md")]
#[cfg(doctest)]
struct FromMicrosoftSignalr;

#[doc = include_str!("../../../docs/from-projectx-client.md")]
#[cfg(doctest)]
struct FromProjectxClient;
