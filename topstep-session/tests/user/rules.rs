//! The machine's rules, one by one.

mod gaps;
mod orders;
mod positions;
mod rig;
mod trades;
