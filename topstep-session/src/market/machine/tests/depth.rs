use super::*;

fn bids(desk: &Desk) -> Vec<(i64, i64)> {
    let price = |price: topstep_model::Price| price.to_string().parse().unwrap();
    desk.machine.book(&ES.into()).unwrap().bids().map(|level| (price(level.price), level.volume)).collect()
}

fn is_valid(desk: &Desk) -> bool {
    desk.machine.book(&ES.into()).unwrap().is_valid()
}

fn valid() -> Desk {
    let mut desk = Desk::following(&es_depth());
    desk.depth(false, &[(6, 0, 0), (2, 99, 5), (2, 98, 7), (1, 101, 4)]);
    assert!(is_valid(&desk));
    desk.events();
    desk.actions();
    desk
}

#[test]
fn a_record_with_a_reset_and_both_sides_is_a_book() {
    let mut desk = Desk::following(&es_depth());
    // Without a reset nobody knows what else there is.
    desk.depth(true, &[(4, 99, 1), (3, 101, 1)]);
    assert!(!is_valid(&desk) && bids(&desk).is_empty());
    desk.depth(false, &[(6, 0, 0), (2, 99, 5), (2, 98, 7), (1, 101, 4)]);
    let words = ["opened cold_start", "depth 2 invalid provisional", "closed ticks_lost", "depth 4 valid live"];
    assert_eq!(desk.words(), words);
    assert_eq!(bids(&desk), [(99, 5), (98, 7)]);
    // Levels, a print, the session's low: only levels move the book.
    desk.depth(true, &[(4, 99, 0), (9, 100, 2), (5, 100, 80), (11, 100, 80), (7, 50, 0)]);
    assert_eq!(bids(&desk), [(100, 2), (98, 7)]);
    assert_eq!(desk.words(), ["depth 5 valid live"]);
}

#[test]
fn a_snapshot_in_several_records_settles() {
    let mut desk = Desk::following(&es_depth());
    desk.depth(false, &[(6, 0, 0), (2, 99, 5)]);
    desk.pass(900);
    desk.depth(false, &[(2, 98, 5)]);
    desk.pass(900);
    desk.depth(true, &[(1, 101, 5)]);
    assert!(!is_valid(&desk));
    desk.pass(99);
    assert!(!is_valid(&desk));
    desk.pass(1);
    assert!(is_valid(&desk));
    assert_eq!(desk.words().split_off(4), ["closed ticks_lost", "depth 0 valid live"]);
}

#[test]
fn a_hub_that_dates_nothing_is_believed_in_the_end() {
    let mut desk = Desk::following(&es_depth());
    desk.depth(false, &[(6, 0, 0)]);
    for _ in 0..60 {
        desk.pass(100);
        desk.depth(false, &[(2, 98, 5)]);
    }
    assert!(is_valid(&desk));
}

#[test]
fn without_a_reset_the_gap_is_given_up_and_the_book_stays_invalid() {
    let mut desk = Desk::following(&es_depth());
    desk.depth(true, &[(4, 99, 1), (3, 101, 1)]);
    desk.pass(4_999);
    assert_eq!(desk.machine.gaps_open().len(), 1);
    desk.pass(1);
    assert_eq!(desk.words().pop().as_deref(), Some("closed abandoned"));
    desk.pass(100_000);
    assert!(!is_valid(&desk) && desk.machine.book_known(&ES.into()) == Known::Provisional);
    // One that comes after all is a book.
    desk.depth(false, &[(6, 0, 0), (2, 99, 5), (1, 101, 4)]);
    assert_eq!(desk.words(), ["depth 3 valid live"]);
}

#[test]
fn a_gap_clears_the_book() {
    let mut desk = valid();
    desk.machine.handle_lost(desk.now(), GapCause::TransportLost);
    assert!(!is_valid(&desk) && bids(&desk).is_empty());
    assert_eq!(desk.machine.book_known(&ES.into()), Known::Stale);
    desk.machine.handle_connected(desk.now());
    desk.depth(false, &[(6, 0, 0), (2, 90, 5), (1, 91, 4)]);
    desk.machine.handle_subscribed(desk.now(), &es_depth());
    let words = ["opened transport_lost", "depth 3 valid provisional", "closed ticks_lost", "depth 0 valid live"];
    assert_eq!(desk.words(), words);
    assert_eq!((bids(&desk), desk.actions()), (vec![(90, 5)], vec![]));
}

#[test]
fn a_reset_out_of_the_blue_needs_a_snapshot() {
    let mut desk = valid();
    desk.depth(true, &[(6, 28_010, 5)]);
    assert_eq!(desk.words(), ["depth 1 invalid provisional"]);
    desk.depth(true, &[(2, 90, 5)]);
    desk.pass(1_000);
    assert_eq!(desk.words(), ["depth 1 invalid provisional", "depth 0 valid live"]);
    assert_eq!(bids(&desk), [(90, 5)]);
}

#[test]
fn a_listener_that_did_not_keep_up_begins_anew() {
    let mut desk = valid();
    desk.machine.handle_overflow(desk.now(), &es_depth());
    desk.machine.handle_overflow(desk.now(), &es_depth());
    assert_eq!(desk.actions(), [Action::Resubscribe(es_depth())]);
    assert_eq!(desk.words(), ["opened consumer_overflow"]);
    assert!(!is_valid(&desk));
    desk.machine.handle_subscribed(desk.now(), &es_depth());
    desk.actions();
    // The second overflow came after the request: once more, but not at once.
    desk.pass(4_999);
    assert_eq!(desk.actions(), []);
    desk.pass(1);
    assert_eq!(desk.actions(), [Action::Resubscribe(es_depth())]);
    desk.depth(false, &[(6, 0, 0), (2, 90, 5), (1, 91, 4)]);
    desk.machine.handle_subscribed(desk.now(), &es_depth());
    assert_eq!(desk.words(), ["depth 3 valid provisional", "closed ticks_lost", "depth 0 valid live"]);
    desk.pass(60_000);
    assert_eq!((desk.actions(), desk.machine.counters().resubscribes), (vec![], 2));
}

#[test]
fn a_hole_without_a_new_subscription_asks_for_one() {
    let mut desk = valid();
    desk.machine.handle_gap(desk.now(), &es_depth(), GapCause::Malformed);
    assert_eq!(desk.actions(), [Action::Resubscribe(es_depth())]);
    desk.machine.handle_gap(desk.now(), &es_depth(), GapCause::Resubscribed);
    assert_eq!(desk.actions(), []);
    desk.depth(false, &[(6, 0, 0), (2, 90, 5), (1, 91, 4)]);
    desk.machine.handle_subscribed(desk.now(), &es_depth());
    let Some(MarketUpdate::Gap(GapNotice::Opened(opened))) = desk.events().into_iter().next() else { panic!() };
    assert_eq!(opened.causes, [GapCause::Malformed]);
    assert!(desk.machine.gaps_open().is_empty() && is_valid(&desk));
}

#[test]
fn what_came_before_the_old_subscription_ended_proves_nothing() {
    let mut desk = valid();
    desk.machine.handle_gap(desk.now(), &es_depth(), GapCause::Resubscribed);
    assert!(!is_valid(&desk) && bids(&desk).is_empty());
    desk.depth(false, &[(6, 0, 0), (2, 90, 5), (1, 91, 4)]);
    assert!(is_valid(&desk));
    desk.machine.handle_unsubscribed(desk.now(), &es_depth());
    desk.machine.handle_subscribed(desk.now(), &es_depth());
    assert!(!is_valid(&desk) && desk.machine.gaps_open().len() == 1);
    // What is acknowledged already has no old subscription.
    desk.depth(false, &[(6, 0, 0), (2, 90, 5), (1, 91, 4)]);
    desk.machine.handle_unsubscribed(desk.now(), &es_depth());
    assert!(is_valid(&desk) && desk.machine.gaps_open().is_empty());
}

#[test]
fn a_book_without_end_is_no_book() {
    let config = MarketConfig::default().hours(TradingHours::always_open()).most_levels(10);
    let mut desk = Desk::with(config, "2026-11-20T18:00:00Z");
    desk.follow(&es_depth());
    let rows: Vec<_> = [(6, 0, 0), (1, 1_000, 1)].into_iter().chain((1..=11).map(|price| (2, price, 1))).collect();
    desk.depth(false, &rows);
    assert!(!is_valid(&desk) && bids(&desk).is_empty());
    assert_eq!(desk.actions().pop(), Some(Action::Resubscribe(es_depth())));
    // It is the same each time, and is asked for no more often than is set.
    for _ in 0..10 {
        desk.machine.handle_subscribed(desk.now(), &es_depth());
        desk.depth(false, &rows);
        desk.pass(1_000);
    }
    assert!(desk.actions().len() <= 2);
}

#[test]
fn a_crossed_book_is_counted_when_it_becomes_so() {
    let mut desk = valid();
    desk.depth(true, &[(4, 101, 1)]);
    desk.depth(true, &[(4, 102, 1)]);
    assert!(desk.machine.book(&ES.into()).unwrap().is_crossed());
    assert_eq!(desk.machine.counters().crossed_books, 1);
    desk.depth(true, &[(2, 101, 0), (2, 102, 0)]);
    assert!(!desk.machine.book(&ES.into()).unwrap().is_crossed());
    desk.depth(true, &[(3, 99, 1)]);
    assert_eq!(desk.machine.counters().crossed_books, 2);
    let view = &desk.machine.state(desk.now()).books[0];
    assert!(view.is_crossed && view.is_valid && view.best_bid == Some((99.into(), 5)) && desk.actions().is_empty());
}

#[test]
fn a_row_that_cannot_be_read_makes_the_book_suspect_until_its_next_reset() {
    let mut desk = valid();
    let rows = format!(r#"["{ES}",[{{"price":99,"volume":6,"type":2}},{{"price":"x"}}]]"#);
    desk.machine.handle_depth(desk.now(), serde_json::from_str(&rows).unwrap());
    assert_eq!(desk.words(), ["depth 1 valid provisional", "malformed GatewayDepth"]);
    desk.depth(false, &[(6, 0, 0), (2, 90, 5), (1, 91, 4)]);
    assert_eq!(desk.words(), ["depth 3 valid live"]);
    desk.machine.handle_malformed(desk.now(), topstep_model::Target::Depth, "?".into());
    assert_eq!(desk.machine.book_known(&ES.into()), Known::Provisional);
}

#[test]
fn who_joins_later_gets_the_whole_book_as_rows() {
    let desk = valid();
    let joined = desk.machine.join(desk.now(), &es_depth());
    let [MarketUpdate::Depth { rows, is_valid: true, known: Known::Live, .. }] = joined.as_slice() else { panic!() };
    let mut other = Desk::following(&es_depth());
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            use topstep_model::Code as _;
            assert_eq!(row.timestamp, Some(Timestamp::UNSET));
            (row.kind.code() as u8, row.price.to_string().parse().unwrap(), row.volume)
        })
        .collect();
    other.depth(false, &rows);
    assert_eq!(other.machine.book(&ES.into()), desk.machine.book(&ES.into()));
}

#[test]
fn what_nobody_wants_has_no_book() {
    let mut desk = valid();
    desk.machine.unwant(desk.now(), &es_depth());
    assert!(desk.machine.book(&ES.into()).is_none());
    assert!(desk.machine.join(desk.now(), &es_depth()).is_empty());
    desk.pass(60_000);
    assert!(desk.words().is_empty());
}
