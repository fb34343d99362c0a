use topstep_model::Target;

use super::*;

#[test]
fn the_first_wish_subscribes_and_the_last_to_go_unsubscribes() {
    let mut desk = Desk::new();
    for _ in 0..3 {
        assert!(desk.machine.want(desk.now(), es_quotes()));
    }
    assert_eq!(desk.actions(), [Action::Subscribe(es_quotes())]);
    assert_eq!(desk.words(), ["opened cold_start"]);
    desk.machine.unwant(desk.now(), &es_quotes());
    desk.machine.unwant(desk.now(), &es_quotes());
    assert_eq!(desk.actions(), []);
    desk.machine.unwant(desk.now(), &es_quotes());
    desk.machine.unwant(desk.now(), &es_quotes());
    assert_eq!(desk.actions(), [Action::Unsubscribe(es_quotes())]);
    assert_eq!(desk.words(), ["closed abandoned"]);
    assert!(desk.machine.gaps_open().is_empty());
}

#[test]
fn what_nobody_wants_any_more_is_stale() {
    let mut desk = Desk::following(&es_quotes());
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    assert_eq!(desk.quote_known(), Known::Live);
    desk.machine.unwant(desk.now(), &es_quotes());
    assert_eq!(desk.quote_known(), Known::Stale);
    assert!(desk.machine.quote(desk.now(), &ES.into()).is_some() && desk.machine.state(desk.now()).quotes.is_empty());
    desk.events();
    desk.quote(r#"{"bestBid":12}"#);
    assert_eq!(desk.words(), Vec::<String>::new());
    assert_eq!(desk.machine.counters().foreign_rows, 1);
    // Wanted again: the sides are from before.
    desk.follow(&es_quotes());
    desk.quote(r#"{"bestBid":12}"#);
    assert_eq!(desk.words(), ["opened cold_start", "quote 12/11 stale"]);
}

#[test]
fn subjects_of_the_other_hub_are_none_of_ours() {
    let mut desk = Desk::new();
    assert!(!desk.machine.want(desk.now(), Subject::Accounts));
    desk.machine.handle_gap(desk.now(), &Subject::Orders(topstep_model::AccountId::new(1)), GapCause::Malformed);
    assert_eq!((desk.actions(), desk.words()), (Vec::new(), Vec::new()));
}

#[test]
fn there_is_a_bound_to_the_contracts() {
    let mut desk = Desk::with(MarketConfig::default().most_contracts(2), "2026-11-20T18:00:00Z");
    assert!(desk.machine.want(desk.now(), quotes_of("A")));
    assert!(desk.machine.want(desk.now(), quotes_of("B")));
    assert!(!desk.machine.want(desk.now(), quotes_of("C")));
    assert_eq!(desk.machine.counters().wishes_declined, 1);
    // What nobody wants makes room.
    desk.machine.unwant(desk.now(), &quotes_of("A"));
    assert!(desk.machine.want(desk.now(), quotes_of("C")));
    let contracts: Vec<_> = desk.machine.state(desk.now()).quotes.into_iter().map(|told| told.value.contract).collect();
    assert_eq!(contracts, ["B", "C"]);
}

#[test]
fn a_refused_subscription_keeps_its_gap() {
    let mut desk = Desk::new();
    desk.machine.want(desk.now(), es_depth());
    desk.machine.handle_connected(desk.now());
    desk.machine.handle_refused(desk.now(), &es_depth(), "no\x1b[2J".into());
    desk.pass(600_000);
    assert_eq!(desk.words(), ["opened cold_start", r"refused no\u{1b}[2J"]);
    assert_eq!(desk.machine.gaps_open().len(), 1);
}

#[test]
fn a_gap_that_is_widened_keeps_its_beginning_and_its_name() {
    let mut desk = Desk::following(&es_trades());
    desk.trade(r#"{"price":10,"volume":1,"type":0,"timestamp":"2026-11-20T17:59:59Z"}"#);
    let heard = desk.now();
    desk.pass(1_000);
    desk.machine.handle_lost(desk.now(), GapCause::TransportLost);
    desk.pass(1_000);
    desk.machine.handle_connected(desk.now());
    desk.machine.handle_lost(desk.now(), GapCause::ClosedByHub);
    desk.machine.handle_lost(desk.now(), GapCause::TransportLost);
    let gaps = desk.machine.gaps_open();
    assert_eq!(gaps[0].causes, [GapCause::TransportLost, GapCause::ClosedByHub]);
    let stamp = Some("2026-11-20T17:59:59Z".parse().unwrap());
    assert_eq!((gaps[0].from.at, gaps[0].from.generation, gaps[0].from.last_stamp), (heard, 1, stamp));
    desk.machine.handle_connected(desk.now());
    desk.machine.handle_subscribed(desk.now(), &es_trades());
    let Some(MarketUpdate::Gap(GapNotice::Closed(gap, Verdict::TicksLost))) = desk.events().pop() else { panic!() };
    assert_eq!((gap.id, gap.to.map(|to| (to.at, to.generation))), (gaps[0].id, Some((desk.now(), 3))));
}

#[test]
fn trades_lose_ticks_at_the_cold_start_and_at_every_hole() {
    let mut desk = Desk::following(&es_trades());
    desk.trade(r#"[{"price":10.25,"volume":2,"type":1,"symbolId":"F.US.EP"},null,{"price":10,"volume":1,"type":0}]"#);
    assert_eq!(desk.words(), ["opened cold_start", "closed ticks_lost", "trade 10.25", "trade 10"]);
    desk.trade(r#"{"price":10,"volume":1,"type":0}"#);
    let Some(MarketUpdate::Trade { contract, told }) = desk.events().pop() else { panic!() };
    assert_eq!((contract, told.value.contract_id, told.known), (ES.into(), Some(ES.into()), Known::Live));
    desk.machine.handle_overflow(desk.now(), &es_trades());
    desk.machine.handle_gap(desk.now(), &es_trades(), GapCause::Resubscribed);
    desk.machine.handle_overflow(desk.now(), &es_trades());
    assert_eq!(desk.words(), ["opened consumer_overflow", "closed ticks_lost", "opened resubscribed"]);
    desk.machine.handle_subscribed(desk.now(), &es_trades());
    assert_eq!(desk.words(), ["closed ticks_lost"]);
    assert_eq!(desk.actions(), [Action::Subscribe(es_trades())]);
}

#[test]
fn bad_rows_are_told_and_open_no_gap() {
    let mut desk = Desk::following(&es_trades());
    desk.events();
    desk.trade(r#"[{"price":10,"volume":1,"type":0},{"price":"x"},{"price":11,"volume":1,"type":0}]"#);
    assert_eq!(desk.words(), ["trade 10", "trade 11", "malformed GatewayTrade"]);
    let many = vec![r#"{"price":"x"}"#; 100].join(",");
    desk.trade(&format!("[{many}]"));
    assert_eq!(desk.words().len(), 17);
    desk.machine.handle_malformed(desk.now(), Target::Quote, "a\nb".repeat(200));
    let Some(MarketUpdate::Malformed(malformed)) = desk.events().pop() else { panic!() };
    assert!(malformed.message.starts_with(r"a\u{a}b") && malformed.message.len() < 2_000);
    assert_eq!(desk.machine.counters().malformed, 102);
    assert!(desk.machine.gaps_open().is_empty());
}

#[test]
fn rows_without_a_connection_have_no_effect() {
    let mut desk = Desk::following(&es_quotes());
    desk.machine.handle_lost(desk.now(), GapCause::Stopped);
    desk.events();
    desk.quote(r#"{"bestBid":10,"bestAsk":11}"#);
    assert!(desk.words().is_empty() && desk.machine.quote(desk.now(), &ES.into()).is_none());
    assert_eq!(desk.machine.counters().late_rows, 1);
    // Nor has an acknowledgement.
    desk.machine.handle_subscribed(desk.now(), &es_quotes());
    assert!(desk.words().is_empty());
}

#[test]
fn the_end_of_the_calendar_is_told_once() {
    let mut desk = Desk::with(MarketConfig::default(), "2027-03-02T18:00:00Z");
    desk.follow(&es_quotes());
    desk.pass(100_000);
    let ended = desk.words().iter().filter(|words| *words == "calendar ended").count();
    assert_eq!(ended, 1);
}
