//! Orders that wait until REST has spoken.

use futures_util::{FutureExt, Stream, StreamExt};
use topstep_model::{Hub, Order};
use topstep_session::{Held, Offline, Update};

use crate::support::*;

/// A session that is sure of an account without orders, and somebody who listens to them by holding.
fn listening(world: &Offline) -> Held<Order> {
    let mut held = world.drive(world.user().account(ACCOUNT).orders()).unwrap().hold_until_reconciled();
    world.advance(SECOND);
    assert_eq!(taken(&mut held), ["opened cold_start", "closed nothing_missed"]);
    held
}

/// What comes without waiting.
fn taken(stream: &mut (impl Stream<Item = Update<Order>> + Unpin)) -> Vec<String> {
    let next = || stream.next().now_or_never().flatten();
    std::iter::from_fn(next)
        .map(|update| match &update {
            Update::Value(told) => format!("{} {}", told.value.id, told.known),
            Update::Unheld => "unheld".to_owned(),
            other => word(other),
        })
        .collect()
}

/// REST does not answer from now on.
fn silence(world: &Offline) {
    world.rest(|_, _| (503, String::new()));
}

#[test]
fn what_comes_in_a_gap_comes_with_its_verdict() {
    let world = world();
    let mut held = listening(&world);
    order(&world, 1);
    assert_eq!(taken(&mut held), ["1 live"], "without a gap nothing waits");
    world.advance(20 * SECOND);
    world.lose(Hub::User);
    assert_eq!(taken(&mut held), ["opened transport_lost"], "that it opened is told at once");
    world.mute(Hub::User, true);
    world.restore(Hub::User);
    order(&world, 2);
    assert!(taken(&mut held).is_empty());
    world.mute(Hub::User, false);
    world.advance(SECOND);
    let told = taken(&mut held);
    assert_eq!(told.first().map(String::as_str), Some("2 provisional"), "{told:?}");
    assert!(told.last().is_some_and(|last| last.starts_with("closed")), "{told:?}");
    order(&world, 3);
    assert_eq!(taken(&mut held), ["3 live"]);
}

#[test]
fn no_gap_is_waited_for_longer_than_five_seconds() {
    let world = world();
    let mut held = listening(&world);
    silence(&world);
    world.lose(Hub::User);
    assert_eq!(taken(&mut held), ["opened transport_lost"]);
    world.restore(Hub::User);
    order(&world, 1);
    world.advance(Held::<Order>::LONGEST - SECOND);
    assert!(taken(&mut held).is_empty());
    world.advance(SECOND);
    assert_eq!(taken(&mut held), ["unheld", "1 provisional"]);
    order(&world, 2);
    assert_eq!(taken(&mut held), ["2 provisional"], "from there on nothing waits for this gap");
}

#[test]
fn no_more_than_a_thousand_wait() {
    let world = world();
    let mut held = listening(&world);
    silence(&world);
    world.lose(Hub::User);
    world.restore(Hub::User);
    assert_eq!(taken(&mut held), ["opened transport_lost"]);
    for id in 1..=1_000 {
        order(&world, id);
        assert!(taken(&mut held).is_empty());
    }
    order(&world, 1_001);
    let told = taken(&mut held);
    assert_eq!((told.len(), told[0].as_str(), told[1].as_str()), (1_002, "unheld", "1 provisional"));
    assert_eq!(told.last().map(String::as_str), Some("1001 provisional"));
}
