//! A client of the gateway, as one would write it with the core alone: login by REST, both hubs, trades that come back as events.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod events;
mod logins;
mod restoring;
mod storm;

use tests::gateway::{account, connect, gateway, recipe, rest, token};
