//! Holds the README against the compiler: its Rust examples are this crate's documentation tests.

#[doc = include_str!("../../../README.md")]
#[cfg(doctest)]
struct Readme;
