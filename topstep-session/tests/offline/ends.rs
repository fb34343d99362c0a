//! Ends: of the last handle, and of the world.

use std::sync::{Arc, Weak};

use futures_util::{FutureExt, StreamExt};
use topstep_session::{Filter, Offline, SubscribeError};

use crate::support::*;

/// A world whose REST script is there for as long as anything of it is.
fn probed() -> (Offline, Weak<()>) {
    let world = world();
    let probe = Arc::new(());
    let weak = Arc::downgrade(&probe);
    world.rest(move |_, _| {
        let _held = &probe;
        (404, String::new())
    });
    (world, weak)
}

#[test]
fn a_world_that_is_dropped_leaves_nothing() {
    let (world, weak) = probed();
    let following = world.user().follow([ACCOUNT]);
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    let events = world.events(Filter::all());
    world.advance(SECOND);
    drop((following, quotes, events));
    assert!(weak.upgrade().is_some());
    drop(world);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_stream_ends_with_its_world_and_keeps_nothing_of_it() {
    let (world, weak) = probed();
    let session = world.market().clone();
    let mut quotes = world.drive(session.quotes(CONTRACT)).unwrap();
    let mut events = world.events(Filter::all());
    quote(&world, 6_000);
    let mut waiting = Box::pin(session.depth(CONTRACT));
    world.mute(topstep_model::Hub::Market, true);
    assert!(now(&mut waiting).is_none());
    drop(world);
    assert!(weak.upgrade().is_none(), "no task goes on");
    assert_eq!(now(&mut waiting).unwrap().unwrap_err(), SubscribeError::Closed);
    drop(waiting);
    // What was told before is told, then it is over.
    let told = words(&mut quotes);
    assert_eq!(told, ["opened cold_start", "closed ticks_lost", "live", "opened stopped"]);
    assert_eq!(quotes.next().now_or_never(), Some(None));
    assert_eq!(session.quotes(CONTRACT).now_or_never().unwrap().unwrap_err(), SubscribeError::Closed);
    assert_eq!(session.quote(&contract()).unwrap().known, topstep_session::Known::Stale);
    ready(&mut events);
    assert_eq!(events.next().now_or_never(), None, "the session's handle still holds the order of events");
    drop((quotes, session));
    ready(&mut events);
    assert_eq!(events.next().now_or_never(), Some(None));
}
