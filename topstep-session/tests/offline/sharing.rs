//! Listeners of one subject share one subscription of the hub.

use topstep_model::Hub;
use topstep_session::{Subject, SubscribeError};

use crate::support::*;

#[test]
fn five_listeners_cost_one_call_and_each_hears_every_value_once() {
    let world = world();
    let mut listeners: Vec<_> = (0..5).map(|_| world.drive(world.market().trades(CONTRACT)).unwrap()).collect();
    assert_eq!(world.calls(Hub::Market), [format!("subscribe {TRADES}")]);
    for price in 1..=20 {
        trade(&world, price);
    }
    let expected: Vec<_> = (1..=20).map(|price| price.to_string()).collect();
    for listener in &mut listeners {
        let heard: Vec<_> = values(listener).into_iter().map(|trade| trade.price.to_string()).collect();
        assert_eq!(heard, expected);
    }
    while let Some(listener) = listeners.pop() {
        assert!(world.calls(Hub::Market).is_empty(), "somebody listens still");
        drop(listener);
        world.run();
    }
    assert_eq!(world.calls(Hub::Market), [format!("unsubscribe {TRADES}")]);
    trade(&world, 21);
    assert_eq!(world.market().counters().foreign_rows, 1, "what still comes is nobody's");
}

#[test]
fn a_guard_and_a_listener_share_too() {
    let world = world();
    let following = world.market().follow([contract()]);
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    drop(following);
    world.run();
    assert_eq!(world.calls(Hub::Market), [format!("subscribe {QUOTES}")]);
    drop(quotes);
    world.run();
    assert_eq!(world.calls(Hub::Market), [format!("unsubscribe {QUOTES}")]);
}

#[test]
fn who_comes_later_gets_the_quote_and_the_book_first() {
    let world = world();
    let first = world.drive(world.market().quotes(CONTRACT)).unwrap();
    quote(&world, 6_000);
    let mut later = world.drive(world.market().quotes(CONTRACT)).unwrap();
    quote(&world, 6_001);
    let bids = |quotes: Vec<topstep_session::market::MergedQuote>| -> Vec<String> {
        quotes.iter().map(|quote| quote.bid().unwrap().to_string()).collect()
    };
    // Of quotes only the latest waits: they are read one by one.
    assert_eq!(bids(values(&mut later)), ["6001"]);
    let mut latest = world.drive(world.market().quotes(CONTRACT)).unwrap();
    assert_eq!(bids(values(&mut latest)), ["6001"]);
    drop(first);

    let depth = world.drive(world.market().depth(CONTRACT)).unwrap();
    snapshot(&world, 6_000);
    level(&world, 5_999, 2);
    let mut later = world.drive(world.market().depth(CONTRACT)).unwrap();
    let updates = values(&mut later);
    assert_eq!(updates.len(), 1);
    assert!(updates[0].is_valid);
    assert_eq!(updates[0].rows.len(), 4, "a reset and three levels: {:?}", updates[0].rows);
    drop(depth);
}

#[test]
fn who_comes_while_a_gap_is_open_is_told_of_it() {
    let world = world();
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    let mut later = world.drive(world.market().quotes(CONTRACT)).unwrap();
    assert_eq!(words(&mut later), ["opened cold_start"]);
    drop(quotes);

    let mut orders = world.drive(world.user().account(ACCOUNT).orders()).unwrap();
    world.advance(SECOND);
    assert_eq!(words(&mut orders), ["opened cold_start", "closed nothing_missed"]);
    world.lose(Hub::User);
    let session = world.user().account(ACCOUNT);
    let mut waiting = pending(&world, session.fills());
    let mut also_waiting = pending(&world, session.orders());
    world.restore(Hub::User);
    let mut later = now(&mut also_waiting).unwrap().unwrap();
    assert!(now(&mut waiting).unwrap().is_ok());
    world.advance(20 * SECOND);
    assert_eq!(words(&mut later), ["opened transport_lost", "closed nothing_missed"]);
}

#[test]
fn leaving_while_the_hub_has_not_answered_leaves_nothing_behind() {
    let world = world();
    world.mute(Hub::Market, true);
    let asking = pending(&world, world.market().quotes(CONTRACT));
    drop(asking);
    world.run();
    let again = pending(&world, world.market().quotes(CONTRACT));
    let expected = [format!("subscribe {QUOTES}"), format!("unsubscribe {QUOTES}"), format!("subscribe {QUOTES}")];
    assert_eq!(world.calls(Hub::Market), expected);
    world.mute(Hub::Market, false);
    let mut stream = world.drive(again).unwrap();
    quote(&world, 6_000);
    assert_eq!(words(&mut stream), ["opened cold_start", "closed ticks_lost", "live"]);
    drop(stream);
    world.run();
    assert_eq!(world.calls(Hub::Market), [format!("unsubscribe {QUOTES}")]);
    assert!(world.market().state().quotes.is_empty());
}

#[test]
fn who_comes_and_goes_before_the_hub_was_asked_costs_no_call() {
    let world = world();
    for _ in 0..1_000 {
        drop(world.market().follow([contract()]));
    }
    world.run();
    assert!(world.calls(Hub::Market).is_empty());
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    world.calls(Hub::Market);
    // Gone and there again: the hub is told both.
    drop(quotes);
    let following = world.market().follow([contract()]);
    world.run();
    assert_eq!(world.calls(Hub::Market), [format!("unsubscribe {QUOTES}"), format!("subscribe {QUOTES}")]);
    drop(following);
}

#[test]
fn a_refused_subject_is_asked_for_again_and_each_who_waits_hears_it() {
    let world = world();
    world.refuse(DEPTH, Some("no entitlement"));
    assert_eq!(refusal(world.drive(world.market().depth(CONTRACT))), "no entitlement");
    world.run();
    world.calls(Hub::Market);

    // Whoever follows it all the same has it asked for after 1, 5, 30 and then every 60 s.
    let following = world.market().follow_subjects([Subject::Depth(contract())]);
    world.run();
    let mut asked = world.calls(Hub::Market).len();
    assert_eq!(asked, 1);
    for wait in [1, 5, 30, 60, 60] {
        world.advance(SECOND * wait - SECOND / 10);
        assert!(world.calls(Hub::Market).is_empty(), "not before {wait} s");
        world.advance(SECOND / 10);
        asked += world.calls(Hub::Market).len();
    }
    assert_eq!(asked, 6);

    // Who listens meanwhile need not wait for that, and adds no rhythm of his own.
    world.advance(10 * SECOND);
    assert_eq!(refusal(world.drive(world.market().depth(CONTRACT))), "no entitlement");
    assert_eq!(world.calls(Hub::Market), [format!("subscribe {DEPTH}")]);
    world.advance(59 * SECOND);
    assert!(world.calls(Hub::Market).is_empty());
    world.advance(SECOND);
    assert_eq!(world.calls(Hub::Market).len(), 1);

    world.refuse(DEPTH, None);
    let stream = world.drive(world.market().depth(CONTRACT)).unwrap();
    drop((stream, following));
    world.run();
    assert_eq!(world.calls(Hub::Market).pop().unwrap(), format!("unsubscribe {DEPTH}"));
    world.advance(300 * SECOND);
    assert!(world.calls(Hub::Market).is_empty(), "nobody asks any more");
}

#[test]
fn too_many_contracts_are_declined_and_leave_no_trace() {
    let wall = "2026-08-19T14:30:00Z".parse().unwrap();
    let market = topstep_session::market::MarketConfig::default().most_contracts(1);
    let world = topstep_session::Offline::with_config(wall, topstep_session::user::UserConfig::default(), market);
    let one = world.drive(world.market().trades("CON.F.US.EP.Z26")).unwrap();
    let result = world.drive(world.market().trades("CON.F.US.ENQ.Z26"));
    assert!(matches!(result, Err(SubscribeError::Refused { .. })), "{result:?}");
    let declined = world.market().follow([topstep_model::ContractId::new("CON.F.US.ENQ.Z26")]);
    drop(one);
    // There is room now, and the guard that was declined must take nothing from who has it.
    let mut other = world.drive(world.market().quotes("CON.F.US.ENQ.Z26")).unwrap();
    drop(declined);
    world.receive("GatewayQuote", r#"["CON.F.US.ENQ.Z26",{"bestBid":1,"bestAsk":2}]"#);
    assert_eq!(values(&mut other).len(), 1);
}
