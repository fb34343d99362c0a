//! The one order of everything.

use std::sync::{Arc, Mutex};

use topstep_model::{AccountId, Hub};
use topstep_session::{EventKind, Filter};

use crate::support::*;

#[test]
fn everything_has_one_order() {
    let world = world();
    let mut events = world.events(Filter::all());
    let mut also = world.events(Filter::all());
    let following = world.user().follow([ACCOUNT]);
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    world.advance(SECOND);
    quote(&world, 6_000);
    order(&world, 11);
    world.lose(Hub::User);
    quote(&world, 6_001);
    world.restore(Hub::User);
    world.advance(20 * SECOND);
    let events = ready(&mut events);
    assert_eq!(
        events.iter().map(|event| event.serial).collect::<Vec<_>>(),
        (1..=events.len() as u64).collect::<Vec<_>>()
    );
    assert!(events.windows(2).all(|pair| pair[0].at.mono <= pair[1].at.mono));
    assert_eq!(ready(&mut also), events, "and it is the same for everybody");
    let kinds: Vec<_> =
        events.iter().map(|event| event.kind.as_str()).filter(|kind| ["quote", "order"].contains(kind)).collect();
    assert_eq!(kinds, ["quote", "order", "quote"]);
    drop((following, quotes));
}

#[test]
fn a_filter_chooses_values_and_leaves_what_concerns_everybody() {
    let world = world();
    let mut orders = world.events(Filter::all().kind("order").account(ACCOUNT));
    let mut other = world.events(Filter::all().kind("order").account(AccountId::new(8)));
    let mut market = world.events(Filter::market().contract("CON.F.US.ENQ.Z26"));
    let following = world.user().follow([ACCOUNT]);
    let quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    world.advance(SECOND);
    quote(&world, 5_999);
    for stream in [&mut orders, &mut other, &mut market] {
        ready(stream);
    }
    order(&world, 11);
    quote(&world, 6_000);
    world.lose(Hub::User);
    let told = kinds(&mut orders);
    assert_eq!(told[..2], ["order", "lifecycle"], "{told:?}");
    assert_eq!(told.iter().filter(|kind| **kind == "gap").count(), 4, "of the account and its subjects: {told:?}");
    assert_eq!(kinds(&mut other), ["lifecycle", "gap"], "that of all accounts");
    let told = kinds(&mut market);
    assert!(!told.contains(&"quote") && told.contains(&"lifecycle"), "{told:?}");
    drop((following, quotes));
}

#[test]
fn a_reader_of_the_market_that_is_full_misses_the_rest_and_is_told_how_much() {
    let world = world();
    let mut events = world.events(Filter::market());
    let trades = world.drive(world.market().trades(CONTRACT)).unwrap();
    ready(&mut events);
    for price in 1..=5_000 {
        trade(&world, price);
    }
    assert!(!world.is_held_up(Hub::User), "who hears no money holds up no money");
    let first = ready(&mut events);
    assert_eq!(first.len(), 4_096);
    trade(&world, 5_001);
    let told = ready(&mut events);
    assert_eq!(told[0].kind, EventKind::Missed { events: 5_000 - 4_096 });
    assert_eq!(told.len(), 2);
    drop(trades);
}

#[test]
fn a_reader_that_never_reads_grows_no_further_than_its_bound() {
    let world = world();
    let mut events = world.events(Filter::market());
    let trades = world.drive(world.market().trades(CONTRACT)).unwrap();
    ready(&mut events);
    for _ in 0..20_000 {
        world.receive("GatewayTrade", &format!(r#"["{CONTRACT}",[{{"price":"x"}}]]"#));
    }
    assert_eq!(ready(&mut events).len(), 4 * 4_096);
    drop(trades);
}

#[test]
fn a_reader_of_money_that_is_full_holds_the_user_hub_up() {
    let world = world();
    let following = world.user().follow([ACCOUNT]);
    world.advance(SECOND);
    let mut events = world.events(Filter::user());
    let mut told = 0;
    while !world.is_held_up(Hub::User) {
        told += 1;
        order(&world, told);
        assert!(told < 20_000, "it is held up at some time");
    }
    assert_eq!(kinds(&mut events).iter().filter(|kind| **kind == "order").count() as u32, told);
    assert!(!world.is_held_up(Hub::User));
    drop(following);
}

#[test]
fn a_handler_that_fails_or_panics_stops_nobody() {
    let world = world();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let (well, failing) = (heard.clone(), heard.clone());
    let good = world.handle("good", Filter::all(), move |event| {
        let word = match event.kind {
            EventKind::Order(told) => told.value.id.to_string(),
            EventKind::HandlerFailed { name, error } => format!("{name}: {error}"),
            _ => return std::future::ready(Ok::<_, String>(())),
        };
        well.lock().unwrap().push(word);
        std::future::ready(Ok(()))
    });
    let bad = world.handle("bad", Filter::user(), move |event| {
        let EventKind::Order(told) = event.kind else { return std::future::ready(Ok(())) };
        failing.lock().unwrap().push(format!("bad {}", told.value.id));
        match told.value.id.to_string().as_str() {
            "11" => std::future::ready(Err("no".to_owned())),
            "12" => panic!("this panic is the test's own"),
            _ => std::future::ready(Ok(())),
        }
    });
    let following = world.user().follow([ACCOUNT]);
    world.advance(SECOND);
    for id in [11, 12, 13] {
        order(&world, id);
    }
    let mut words = heard.lock().unwrap().clone();
    words.sort();
    assert_eq!(words, ["11", "12", "13", "bad 11", "bad 12", "bad 13", "bad: it panicked", "bad: no"]);

    // A handler ends with its guard.
    drop(good);
    world.run();
    heard.lock().unwrap().clear();
    order(&world, 14);
    assert_eq!(*heard.lock().unwrap(), ["bad 14"]);
    drop((bad, following));
}
