//! Listeners who do not keep up.

use topstep_model::Hub;
use topstep_session::{GapCause, GapNotice, Update};

use crate::support::*;

#[test]
fn a_slow_reader_of_quotes_gets_the_latest_between_two_gaps() {
    let world = world();
    let mut quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    for bid in 0..100 {
        quote(&world, 6_000 + bid);
    }
    world.lose(Hub::Market);
    world.restore(Hub::Market);
    for bid in 0..50 {
        quote(&world, 7_000 + bid);
    }
    let told: Vec<_> = ready(&mut quotes)
        .into_iter()
        .map(|update| match update {
            Update::Value(told) => told.value.bid().unwrap().to_string(),
            other => word(&other),
        })
        .collect();
    let expected =
        ["opened cold_start", "closed ticks_lost", "6099", "opened transport_lost", "closed ticks_lost", "7049"];
    assert_eq!(told, expected);
    assert_eq!(quotes.conflated(), 99 + 49);
}

#[test]
fn a_slow_reader_of_trades_hears_of_the_gap_before_the_next_value() {
    let world = world();
    let mut slow = world.drive(world.market().trades(CONTRACT)).unwrap();
    let mut quick = world.drive(world.market().trades(CONTRACT)).unwrap();
    let mut heard = values(&mut quick).len();
    for price in 1..=10_000 {
        trade(&world, price);
        heard += values(&mut quick).len();
    }
    assert_eq!(heard, 10_000, "whoever keeps up loses nothing");
    let told = ready(&mut slow);
    let Update::Gap(GapNotice::Opened(gap)) = &told[0] else { panic!("{:?}", told[0]) };
    assert_eq!(gap.causes, [GapCause::ConsumerOverflow]);
    let prices: Vec<u32> = told
        .iter()
        .filter_map(|update| match update {
            Update::Value(told) => Some(told.value.price.to_string().parse().unwrap()),
            _ => None,
        })
        .collect();
    assert!((4_000..=4_096).contains(&prices.len()), "{}", prices.len());
    assert!(prices.windows(2).all(|pair| pair[1] == pair[0] + 1) && prices.ends_with(&[10_000]));
    assert_eq!(
        told.iter().filter(|update| matches!(update, Update::Gap(GapNotice::Opened(_)))).count(),
        1,
        "told once"
    );
    assert_eq!(word(told.last().unwrap()), "closed ticks_lost");
}

#[test]
fn a_slow_reader_of_depth_has_the_book_sent_again() {
    let world = world();
    let mut depth = world.drive(world.market().depth(CONTRACT)).unwrap();
    snapshot(&world, 6_000);
    words(&mut depth);
    world.calls(Hub::Market);
    for volume in 1..=2_000 {
        level(&world, 5_999, volume);
    }
    let told = words(&mut depth);
    assert_eq!(told[0], "opened consumer_overflow");
    world.run();
    assert_eq!(world.calls(Hub::Market), [format!("unsubscribe {DEPTH}"), format!("subscribe {DEPTH}")]);
    assert!(!world.market().book(&contract()).unwrap().is_valid());
    snapshot(&world, 6_000);
    assert_eq!(words(&mut depth), ["closed ticks_lost", "live"]);
}

#[test]
fn a_full_stream_of_orders_holds_the_hub_up_and_loses_nothing() {
    let world = world();
    let session = world.user().account(ACCOUNT);
    let mut orders = world.drive(session.orders()).unwrap();
    world.advance(SECOND);
    assert!(!world.is_held_up(Hub::User));
    let mut told = 0;
    while !world.is_held_up(Hub::User) {
        told += 1;
        order(&world, told);
        assert!(told < 5_000, "it is held up at some time");
    }
    let heard: Vec<_> = values(&mut orders).into_iter().map(|order| order.id.to_string()).collect();
    assert_eq!(heard, (1..=told).map(|id| id.to_string()).collect::<Vec<_>>());
    assert!(!world.is_held_up(Hub::User), "there is room again");

    // A listener that is gone holds nobody up.
    for id in told + 1..=told + 1_100 {
        order(&world, id);
    }
    assert!(world.is_held_up(Hub::User));
    drop(orders);
    assert!(!world.is_held_up(Hub::User));
}
