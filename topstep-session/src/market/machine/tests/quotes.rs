use rust_decimal::Decimal;

use super::*;
use crate::market::QuoteMember;

#[test]
fn a_gap_closes_with_both_sides_and_no_spread_mixes_two_epochs() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10}"#);
    desk.quote(r#"{"bestAsk":11,"lastPrice":10.5}"#);
    assert_eq!(desk.words(), ["opened cold_start", "quote 10/- provisional", "closed ticks_lost", "quote 10/11 live"]);
    desk.machine.handle_lost(desk.now(), GapCause::TransportLost);
    assert_eq!(desk.quote_known(), Known::Stale);
    desk.machine.handle_connected(desk.now());
    desk.machine.handle_subscribed(desk.now(), &es_quotes());
    desk.quote(r#"{"bestAsk":12}"#);
    let quote = desk.machine.quote(desk.now(), &ES.into()).unwrap();
    assert_eq!((quote.bid(), quote.ask()), (Some(10.into()), Some(12.into())));
    assert_eq!((quote.spread(), quote.mid(), quote.sides()), (None, None, None));
    assert!(quote.is_current(QuoteMember::Ask) && !quote.is_current(QuoteMember::Bid));
    assert!(!quote.is_current(QuoteMember::Last) && !quote.is_last_outside_spread());
    assert_eq!(desk.words(), ["opened transport_lost", "quote 10/12 stale"]);
    desk.quote(r#"{"bestBid":11}"#);
    let quote = desk.machine.quote(desk.now(), &ES.into()).unwrap();
    assert_eq!((quote.spread(), quote.mid()), (Some(Decimal::ONE), Some("11.5".parse().unwrap())));
    assert_eq!(desk.words(), ["closed ticks_lost", "quote 11/12 live"]);
}

#[test]
fn a_full_quote_before_the_acknowledgement_counts_and_is_told_again() {
    let mut desk = Desk::new();
    desk.machine.want(desk.now(), es_quotes());
    desk.machine.handle_connected(desk.now());
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    desk.machine.handle_subscribed(desk.now(), &es_quotes());
    let words = ["opened cold_start", "quote 10/11 provisional", "closed ticks_lost", "quote 10/11 live"];
    assert_eq!(desk.words(), words);
}

#[test]
fn without_both_sides_the_gap_closes_after_five_seconds_of_an_open_market() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10}"#);
    desk.pass(4_999);
    assert_eq!(desk.machine.gaps_open().len(), 1);
    desk.pass(1);
    assert_eq!(desk.words(), ["opened cold_start", "quote 10/- provisional", "closed ticks_lost"]);
    // A side that was never heard is not known to be absent.
    assert_eq!(desk.quote_known(), Known::Provisional);
    desk.machine.handle_lost(desk.now(), GapCause::TransportLost);
    desk.pass(60_000);
    desk.machine.handle_connected(desk.now());
    desk.machine.handle_subscribed(desk.now(), &es_quotes());
    desk.pass(5_000);
    assert_eq!(desk.words(), ["opened transport_lost", "closed ticks_lost"]);
    assert_eq!(desk.quote_known(), Known::Stale, "the bid is from before the gap");
}

#[test]
fn a_closed_market_keeps_the_gap_until_five_seconds_after_its_opening() {
    // Monday, a minute before the break, which ends at 23:00 UTC.
    let mut desk = Desk::with(MarketConfig::default(), "2026-11-16T22:00:00Z");
    desk.follow(&es_quotes());
    desk.pass(3_604_900);
    assert_eq!(desk.machine.gaps_open().len(), 1);
    desk.pass(200);
    assert!(desk.machine.gaps_open().is_empty());
}

#[test]
fn silence_in_an_open_market_is_an_alarm_once() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    desk.pass(15_000);
    assert_eq!(desk.quote_known(), Known::Live);
    desk.events();
    desk.pass(1);
    assert_eq!(desk.quote_known(), Known::Stale);
    assert_eq!(desk.words(), ["feed Stale { age: 15.001s }", "opened resubscribed"]);
    desk.machine.handle_subscribed(desk.now(), &es_quotes());
    desk.pass(100_000);
    assert_eq!(desk.words(), ["closed ticks_lost"]);
    desk.quote(r#"{"bestBid":10}"#);
    assert_eq!(desk.words(), ["feed Fresh", "quote 10/11 stale"]);
    desk.pass(10_000);
    assert_eq!(desk.machine.counters().stale_alarms, 1);
    desk.pass(10_000);
    assert_eq!(desk.machine.counters().stale_alarms, 2);
}

#[test]
fn a_subscription_that_is_silent_in_an_open_market_is_asked_for_anew_less_and_less_often() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    desk.actions();
    let mut asked_after = Vec::new();
    for second in 1..=8_000 {
        desk.pass(1_000);
        if desk.actions().contains(&Action::Resubscribe(es_quotes())) {
            asked_after.push(second);
            desk.machine.handle_subscribed(desk.now(), &es_quotes());
            // The hub had forgotten it, and says now what was missed.
            desk.quote(r#"{"bestBid":12,"bestAsk":13}"#);
            assert_eq!(desk.quote_known(), Known::Live);
        }
    }
    // Each answer is followed by an alarm, and by a look once a minute.
    assert_eq!(asked_after, [16, 152, 408, 904, 1_880, 2_856, 3_832, 4_808, 5_784, 6_760, 7_736]);
    // Quotes that come by themselves begin it anew.
    desk.pass(16_000);
    desk.quote(r#"{"bestBid":14}"#);
    desk.actions();
    desk.pass(15_001);
    assert_eq!(desk.actions(), [Action::Resubscribe(es_quotes())]);
}

#[test]
fn silence_in_a_closed_market_is_quiet_and_the_opening_has_its_time() {
    let mut desk = Desk::with(MarketConfig::default(), "2026-11-16T21:59:50Z");
    desk.follow(&es_quotes());
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    desk.events();
    desk.pass(3_600_000);
    assert_eq!(desk.words(), ["feed Quiet"]);
    assert_eq!(desk.quote_known(), Known::Live);
    // It opens ten seconds later; the first quote comes another ten after that.
    desk.pass(20_000);
    assert_eq!(desk.quote_known(), Known::Stale, "it is old in an open market");
    desk.quote(r#"{"bestBid":10}"#);
    assert_eq!(desk.words(), ["quote 10/11 live"]);
    desk.pass(15_001);
    assert_eq!(desk.words(), ["feed Stale { age: 15.001s }", "opened resubscribed"]);
}

#[test]
fn quotes_that_come_late_are_stale_though_they_come() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10,"bestAsk":11,"lastUpdated":"2026-11-20T17:59:30Z"}"#);
    let words = ["opened cold_start", "closed ticks_lost", "feed Stale { age: 30s }", "quote 10/11 stale"];
    assert_eq!(desk.words(), words);
    desk.quote(r#"{"bestBid":10,"lastUpdated":"2026-11-20T17:59:59Z"}"#);
    assert_eq!(desk.words(), ["feed Fresh", "quote 10/11 live"]);
}

#[test]
fn an_age_is_never_negative_and_a_frozen_time_does_not_count() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(
        r#"{"bestBid":10,"bestAsk":11,"lastUpdated":"2026-11-20T18:00:00Z","timestamp":"2026-11-20T17:00:00Z"}"#,
    );
    let quote = desk.machine.quote(desk.now(), &ES.into()).unwrap();
    assert_eq!(quote.age(desk.now()), Duration::ZERO);
    let behind = Moment::new(desk.now().mono, "2026-11-20T17:00:00Z".parse().unwrap());
    assert_eq!(quote.age(behind), Duration::ZERO);
    let set_forward = Moment::new(desk.now().mono, "2026-11-20T18:00:07Z".parse().unwrap());
    assert_eq!(quote.age(set_forward), Duration::from_secs(7));
    assert_eq!(quote.age(desk.now() + Duration::from_secs(3)), Duration::from_secs(3));
    // A row without a time does not make an older time count.
    desk.pass(14_000);
    desk.quote(r#"{"bestBid":10}"#);
    desk.pass(5_000);
    assert_eq!(desk.machine.quote(desk.now(), &ES.into()).unwrap().age(desk.now()), Duration::from_secs(5));
}

#[test]
fn a_hole_while_connected_closes_like_any_other() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    desk.events();
    desk.machine.handle_gap(desk.now(), &es_quotes(), GapCause::AuditMismatch);
    assert_eq!(desk.quote_known(), Known::Stale);
    desk.pass(5_000);
    assert_eq!(desk.words(), ["opened audit_mismatch", "closed ticks_lost"]);
}

#[test]
fn rows_of_the_subscription_before_prove_nothing_but_a_full_row_does() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    desk.events();
    // Asked for anew: nothing closes before the hub has agreed, however long that takes.
    desk.machine.handle_gap(desk.now(), &es_quotes(), GapCause::Resubscribed);
    desk.quote(r#"{"bestBid":10,"bestAsk":12}"#);
    desk.pass(60_000);
    desk.machine.handle_subscribed(desk.now(), &es_quotes());
    assert_eq!(desk.words(), ["opened resubscribed", "quote 10/12 provisional"]);
    assert_eq!(desk.quote_known(), Known::Stale);
    desk.quote(r#"{"bestBid":10,"bestAsk":12}"#);
    assert_eq!(desk.words(), ["closed ticks_lost", "quote 10/12 live"]);

    desk.machine.handle_gap(desk.now(), &es_quotes(), GapCause::Resubscribed);
    desk.quote(r#"{"bestBid":11}"#);
    desk.quote(r#"{"bestBid":12,"bestAsk":13,"open":9,"lastPrice":12}"#);
    desk.quote(r#"{"bestAsk":14}"#);
    desk.machine.handle_subscribed(desk.now(), &es_quotes());
    assert_eq!(desk.words().split_off(4), ["closed ticks_lost", "quote 12/14 live"]);
}

#[test]
fn a_listener_that_keeps_the_newest_quote_only_has_no_gap() {
    let mut desk = Desk::following(&es_quotes());
    desk.events();
    desk.machine.handle_overflow(desk.now(), &es_quotes());
    assert!(desk.words().is_empty() && desk.machine.counters().conflated == 1);
}

#[test]
fn who_joins_later_hears_the_gap_and_the_merged_quote() {
    let mut desk = Desk::following(&es_quotes());
    assert_eq!(
        desk.machine.join(desk.now(), &es_quotes()).iter().map(in_words).collect::<Vec<_>>(),
        ["opened cold_start"]
    );
    desk.quote(r#"{"bestBid":10,"lastPrice":9}"#);
    desk.quote(r#"{"bestAsk":11}"#);
    let joined = desk.machine.join(desk.now(), &es_quotes());
    let [MarketUpdate::Quote { told, .. }] = joined.as_slice() else { panic!("{joined:?}") };
    assert_eq!((told.value.last(), told.known), (Some(9.into()), Known::Live));
    assert!(told.value.is_last_outside_spread() && !told.value.is_crossed());
    assert!(desk.machine.join(desk.now(), &es_depth()).is_empty());
    assert_eq!(desk.machine.state(desk.now()).quotes.first(), Some(told));
}
