//! The machine's rules, one by one.
