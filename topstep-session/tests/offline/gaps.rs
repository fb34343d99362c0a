//! Gaps, in their place in every stream.

use topstep_model::Hub;

use crate::support::*;

#[test]
fn a_loss_is_told_between_the_values_that_it_parts() {
    let world = world();
    let mut quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    let mut trades = world.drive(world.market().trades(CONTRACT)).unwrap();
    let mut depth = world.drive(world.market().depth(CONTRACT)).unwrap();
    quote(&world, 6_000);
    trade(&world, 1);
    snapshot(&world, 6_000);
    world.lose(Hub::Market);
    // Nobody hears what is told meanwhile.
    quote(&world, 6_001);
    trade(&world, 2);
    world.restore(Hub::Market);
    quote(&world, 6_002);
    trade(&world, 3);
    snapshot(&world, 6_002);

    let cold = ["opened cold_start", "closed ticks_lost"];
    assert_eq!(
        words(&mut quotes),
        [&cold[..], &["live", "opened transport_lost", "closed ticks_lost", "live"]].concat()
    );
    assert_eq!(
        words(&mut trades),
        [&cold[..], &["live", "opened transport_lost", "closed ticks_lost", "live"]].concat()
    );
    assert_eq!(
        words(&mut depth),
        [&cold[..], &["live", "opened transport_lost", "closed ticks_lost", "live"]].concat()
    );
}

#[test]
fn a_loss_asks_for_nothing_that_the_connection_restores_by_itself() {
    let world = world();
    let depth = world.drive(world.market().depth(CONTRACT)).unwrap();
    snapshot(&world, 6_000);
    world.calls(Hub::Market);
    world.lose(Hub::Market);
    world.restore(Hub::Market);
    snapshot(&world, 6_000);
    world.advance(20 * SECOND);
    assert!(world.calls(Hub::Market).is_empty());
    assert!(world.market().book(&contract()).unwrap().is_valid());
    drop(depth);
}

#[test]
fn orders_positions_and_trades_close_their_gaps_with_what_rest_says() {
    let world = world();
    let session = world.user().account(ACCOUNT);
    let mut orders = world.drive(session.orders()).unwrap();
    let mut positions = world.drive(session.positions()).unwrap();
    let mut fills = world.drive(session.fills()).unwrap();
    let mut accounts = world.drive(world.user().accounts()).unwrap();
    world.advance(SECOND);
    for stream in [words(&mut orders), words(&mut positions), words(&mut fills)] {
        assert_eq!(stream, ["opened cold_start", "closed nothing_missed"]);
    }
    let told = words(&mut accounts);
    assert_eq!(
        (told.first().unwrap().as_str(), told.last().unwrap().as_str()),
        ("opened cold_start", "closed state_repaired")
    );

    order(&world, 11);
    world.lose(Hub::User);
    world.advance(30 * SECOND);
    world.restore(Hub::User);
    order(&world, 12);
    world.advance(30 * SECOND);
    let told = words(&mut orders);
    assert_eq!(told, ["live", "opened transport_lost", "closed nothing_missed", "live"]);
}

#[test]
fn what_cannot_be_read_is_told_in_its_place() {
    let world = world();
    let mut trades = world.drive(world.market().trades(CONTRACT)).unwrap();
    let mut quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    trade(&world, 1);
    world.receive("GatewayTrade", &format!(r#"["{CONTRACT}",[{{"price":"x","volume":1,"type":0}}]]"#));
    trade(&world, 2);
    assert_eq!(words(&mut trades), ["opened cold_start", "closed ticks_lost", "live", "malformed", "live"]);
    assert_eq!(words(&mut quotes), ["opened cold_start"], "it is none of the quotes' affair");

    // On the user hub it opens a gap as well: it may have been any order.
    let mut orders = world.drive(world.user().account(ACCOUNT).orders()).unwrap();
    world.advance(20 * SECOND);
    words(&mut orders);
    world.receive("GatewayUserOrder", r#"[{"action":1,"data":{"id":"x"}}]"#);
    order(&world, 12);
    let told = words(&mut orders);
    assert_eq!(told, ["malformed", "opened malformed", "closed nothing_missed", "live"]);
}

#[test]
fn a_feed_that_is_refused_after_a_loss_keeps_its_gap_open_until_the_hub_agrees() {
    let world = world();
    let mut trades = world.drive(world.market().trades(CONTRACT)).unwrap();
    assert_eq!(words(&mut trades), ["opened cold_start", "closed ticks_lost"]);
    world.lose(Hub::Market);
    world.refuse(TRADES, Some("not now"));
    let mut events = world.events(topstep_session::Filter::all());
    world.restore(Hub::Market);
    assert_eq!(words(&mut trades), ["opened transport_lost"]);
    assert_eq!(kinds(&mut events), ["lifecycle", "refused", "lifecycle"]);
    assert_eq!(world.market().gaps_open().len(), 1);
    world.refuse(TRADES, None);
    world.lose(Hub::Market);
    world.restore(Hub::Market);
    assert_eq!(words(&mut trades), ["closed ticks_lost"]);
}

#[test]
fn a_goodbye_is_followed_by_a_new_connection_after_exactly_ten_seconds() {
    let world = world();
    let mut trades = world.drive(world.market().trades(CONTRACT)).unwrap();
    let mut events = world.events(topstep_session::Filter::all());
    trade(&world, 1);
    world.advance(60 * SECOND);
    world.close(Hub::Market, "maintenance");
    assert_eq!(world.market().link().connections, 1);
    assert_eq!(words(&mut trades), ["opened cold_start", "closed ticks_lost", "live", "opened closed_by_hub"]);
    let told = ready(&mut events);
    let goodbye = told.iter().find_map(|event| match &event.kind {
        topstep_session::EventKind::Goodbye { begins_in, is_unauthorized, .. } => Some((*begins_in, *is_unauthorized)),
        _ => None,
    });
    assert_eq!(goodbye, Some((10 * SECOND, false)));
    world.advance(10 * SECOND - SECOND / 1_000);
    assert_eq!(world.market().link().connections, 1);
    world.advance(SECOND / 1_000);
    assert_eq!((world.market().link().connections, world.market().link().is_connected), (2, true));
    trade(&world, 2);
    assert_eq!(words(&mut trades), ["closed ticks_lost", "live"]);
    assert_eq!(world.forgotten_tokens(), 0);
}

#[test]
fn a_goodbye_at_once_is_a_refused_token() {
    let world = world();
    world.mute(Hub::User, true);
    let session = world.user().account(ACCOUNT);
    let mut waiting = pending(&world, session.orders());
    world.advance(SECOND);
    world.close(Hub::User, "");
    let error = now(&mut waiting).unwrap().unwrap_err();
    assert!(matches!(error, topstep_session::SubscribeError::Unauthorized { .. }), "{error}");
    assert_eq!(world.forgotten_tokens(), 1);
    // With another token it goes on.
    world.mute(Hub::User, false);
    let mut orders = world.drive(session.orders()).unwrap();
    assert_eq!(world.user().link().connections, 2);
    order(&world, 11);
    assert_eq!(values(&mut orders).len(), 1);
}
