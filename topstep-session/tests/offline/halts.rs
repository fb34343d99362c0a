//! Logouts: both hubs are left alone, and begin again.

use topstep_model::Hub;
use topstep_session::{EventKind, Filter, Halt, Known, LogoutPolicy, Offline, SubscribeError};

use crate::support::*;

fn log_out(world: &Offline) {
    world.receive("GatewayLogout", "[]");
}

#[test]
fn a_logout_leaves_both_hubs_alone_until_they_are_to_resume() {
    let world = world();
    let following = world.user().follow([ACCOUNT]);
    world.advance(SECOND);
    let mut quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    quote(&world, 6_000);
    assert_eq!(account_known(&world), Some(Known::Verified));
    assert_eq!(world.market().quote(&contract()).unwrap().known, Known::Live);
    let mut events = world.events(Filter::all());

    log_out(&world);
    assert_eq!(world.halted(), Some(Halt::LoggedOut));
    assert_eq!(account_known(&world), Some(Known::Stale));
    assert_eq!(world.market().quote(&contract()).unwrap().known, Known::Stale);
    assert!(!world.user().link().is_connected && !world.market().link().is_connected);
    let told = kinds(&mut events);
    assert_eq!(told.iter().filter(|kind| **kind == "halted").count(), 1, "{told:?}");
    world.advance(3_600 * SECOND);
    assert!(!world.user().link().is_connected && !world.market().link().is_connected);

    // Nobody waits in vain, and what is followed meanwhile is followed afterwards.
    let result = world.drive(world.market().trades(CONTRACT));
    assert!(matches!(result, Err(SubscribeError::Halted(Halt::LoggedOut))), "{result:?}");
    let trades = world.market().follow_subjects([topstep_session::Subject::MarketTrades(contract())]);
    world.run();

    world.resume();
    world.advance(20 * SECOND);
    assert_eq!(account_known(&world), Some(Known::Verified));
    assert_eq!(world.halted(), None);
    trade(&world, 1);
    assert_eq!(world.market().counters().trades, 1);
    quote(&world, 6_001);
    let expected = [
        ["opened cold_start", "closed ticks_lost", "live"].as_slice(),
        &["opened stopped", "closed ticks_lost"],
        // Silent for as long as that in an open market, the quotes were asked for anew.
        &["opened resubscribed", "closed ticks_lost", "live"],
    ]
    .concat();
    let told = words(&mut quotes);
    assert_eq!(told, expected);
    assert!(kinds(&mut events).contains(&"resumed"));
    drop((following, trades));
}

#[test]
fn whoever_waits_at_a_logout_is_told() {
    let world = world();
    world.mute(Hub::Market, true);
    let mut waiting = pending(&world, world.market().quotes(CONTRACT));
    log_out(&world);
    let error = now(&mut waiting).unwrap().unwrap_err();
    assert_eq!(error, SubscribeError::Halted(Halt::LoggedOut));
    drop(waiting);
    // It leaves no wish behind.
    world.mute(Hub::Market, false);
    world.resume();
    quote(&world, 6_000);
    assert!(world.market().state().quotes.is_empty());
}

#[test]
fn a_hub_that_nobody_wants_is_not_dialled_by_resuming() {
    let world = world();
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    log_out(&world);
    world.resume();
    world.advance(20 * SECOND);
    assert_eq!(world.market().link().connections, 2);
    assert_eq!(world.user().link().connections, 0);
    drop(quotes);
}

#[test]
fn who_may_log_in_again_does_so_five_times_in_two_minutes_and_ever_later() {
    let world = world();
    world.on_logout(LogoutPolicy::Relogin);
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    let mut events = world.events(Filter::all());
    for seconds in [2, 4, 6, 8, 10] {
        log_out(&world);
        assert_eq!(world.halted(), Some(Halt::LoggedOut));
        world.advance(SECOND * seconds - SECOND / 1_000);
        assert!(world.halted().is_some(), "not before {seconds} s");
        world.advance(SECOND / 1_000);
        assert!(world.halted().is_none() && world.market().link().is_connected, "after {seconds} s");
    }
    log_out(&world);
    world.advance(3_600 * SECOND);
    assert_eq!(world.halted(), Some(Halt::LoggedOut), "the sixth in two minutes is the last word");
    let halts = ready(&mut events).iter().filter(|event| matches!(event.kind, EventKind::Halted(_))).count();
    assert_eq!(halts, 6);
    // Two minutes later it may again.
    world.resume();
    world.advance(SECOND);
    log_out(&world);
    world.advance(2 * SECOND);
    assert_eq!(world.halted(), None);
    drop(quotes);
}

#[test]
fn who_resumed_himself_is_not_resumed_again_by_an_old_relogin() {
    let world = world();
    world.on_logout(LogoutPolicy::Relogin);
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    log_out(&world);
    world.resume();
    world.advance(SECOND);
    log_out(&world);
    // The first one's 2 s are over now, the second one's 4 s are not.
    world.advance(2 * SECOND);
    assert_eq!(world.halted(), Some(Halt::LoggedOut));
    world.advance(2 * SECOND);
    assert_eq!(world.halted(), None);
    drop(quotes);
}
