use std::collections::BTreeMap;

use proptest::prelude::*;
use topstep_model::rest::{Answer, Bars, Request, RetrieveBars};
use topstep_model::{Price, TradeLogType};

use super::*;
use crate::gap::{Edge, GapCause, GapId, Verdict};

const CONTRACT: &str = "CON.F.US.EP.Z26";

/// 2026-11-20T15:00:00Z, a full minute and hour.
const BEGAN: i64 = 1_795_186_800;

fn stamp(millis: i64) -> Timestamp {
    let nanos = (i128::from(BEGAN) * 1_000 + i128::from(millis)) * 1_000_000;
    Timestamp::try_from(time::UtcDateTime::from_unix_timestamp_nanos(nanos).unwrap()).unwrap()
}

/// So many milliseconds after the beginning, on both clocks.
fn moment(millis: i64) -> Moment {
    Moment::new(Instant::from_nanos(u64::try_from(millis).unwrap() * 1_000_000), stamp(millis))
}

fn trade(millis: i64, price: i64, volume: i64) -> MarketTrade {
    let mut trade = MarketTrade::new(price.into(), volume, TradeLogType::Buy);
    trade.timestamp = Some(stamp(millis));
    trade
}

fn minutes() -> BarBuilder {
    BarBuilder::new(CONTRACT.into(), BarSpan::new(BarUnit::Minute, 1).unwrap(), moment(0))
}

fn rest(bars: &[(i64, [i64; 5])]) -> Bars {
    let bar = |(millis, [o, h, l, c, v]): &(i64, [i64; 5])| {
        format!(r#"{{"t":"{}","o":{o},"h":{h},"l":{l},"c":{c},"v":{v}}}"#, stamp(*millis))
    };
    answer(&format!("[{}]", bars.iter().rev().map(bar).collect::<Vec<_>>().join(",")))
}

fn answer(list: &str) -> Bars {
    let body = format!(r#"{{"bars":{list},"success":true,"errorCode":0,"errorMessage":null}}"#);
    RetrieveBars::read(&Answer::new(200, body.as_bytes())).unwrap()
}

/// Start in milliseconds, the five numbers, and whether it is incomplete.
type Brief = (i64, [i64; 5], bool);

fn brief(bar: &BuiltBar) -> Brief {
    let millis = (bar.start.utc() - stamp(0).utc()).whole_milliseconds() as i64;
    let number = |price: Price| price.to_string().parse::<i64>().unwrap();
    let numbers = [number(bar.open), number(bar.high), number(bar.low), number(bar.close), bar.volume];
    (millis, numbers, bar.is_incomplete)
}

fn news(builder: &mut BarBuilder) -> Vec<(&'static str, Brief)> {
    std::iter::from_fn(|| builder.poll_bar())
        .map(|news| match news {
            BarUpdate::Current(bar) => ("current", brief(&bar)),
            BarUpdate::Closed(bar) => ("closed", brief(&bar)),
            BarUpdate::Changed(bar) => ("changed", brief(&bar)),
        })
        .collect()
}

fn closed(builder: &BarBuilder) -> Vec<Brief> {
    builder.closed().map(brief).collect()
}

fn gap(from: i64) -> Gap {
    let from = Edge { at: moment(from), generation: 1, last_stamp: Some(stamp(from)) };
    let causes = vec![GapCause::TransportLost];
    Gap { id: GapId(1), subject: Subject::MarketTrades(CONTRACT.into()), causes, from, to: None }
}

fn lose(builder: &mut BarBuilder, from: i64) {
    builder.handle_gap(&GapNotice::Opened(gap(from)));
}

fn regain(builder: &mut BarBuilder, from: i64, to: i64) {
    let to = Some(Edge { at: moment(to), generation: 2, last_stamp: None });
    builder.handle_gap(&GapNotice::Closed(Gap { to, ..gap(from) }, Verdict::TicksLost));
}

#[test]
fn a_bar_ends_with_a_trade_of_the_next_one_or_with_its_time() {
    let mut builder = minutes();
    builder.handle_trade(moment(1_000), &trade(900, 10, 2));
    builder.handle_trade(moment(2_000), &trade(1_900, 12, 1));
    builder.handle_trade(moment(60_100), &trade(60_000, 9, 3));
    let first = |close, high, volume| (0, [10, high, 10, close, volume], true);
    assert_eq!(
        news(&mut builder),
        [
            ("current", first(10, 10, 2)),
            ("current", first(12, 12, 3)),
            ("closed", first(12, 12, 3)),
            ("current", (60_000, [9, 9, 9, 9, 3], false)),
        ]
    );
    assert_eq!(builder.poll_timeout(), Some(moment(122_000).mono));
    builder.handle_timeout(moment(121_999));
    assert_eq!(news(&mut builder), []);
    builder.handle_timeout(moment(122_000));
    assert_eq!(news(&mut builder), [("closed", (60_000, [9, 9, 9, 9, 3], false))]);
    assert_eq!((builder.poll_timeout(), builder.current()), (None, None));
}

#[test]
fn a_late_trade_changes_the_bar_it_belongs_to() {
    let mut builder = minutes();
    builder.handle_trade(moment(60_100), &trade(60_000, 9, 3));
    builder.handle_timeout(moment(122_000));
    builder.handle_trade(moment(122_500), &trade(119_900, 8, 1));
    builder.handle_trade(moment(181_000), &trade(180_900, 7, 1));
    builder.handle_trade(moment(182_000), &trade(130_000, 6, 1));
    news(&mut builder);
    assert_eq!(closed(&builder), [(60_000, [9, 9, 8, 8, 4], true), (120_000, [6, 6, 6, 6, 1], false)]);
}

#[test]
fn a_clock_that_goes_back_only_makes_it_wait() {
    let mut builder = minutes();
    builder.handle_trade(moment(1_000), &trade(900, 10, 2));
    let set_back = Moment::new(moment(62_000).mono, stamp(30_000));
    builder.handle_timeout(set_back);
    assert!(builder.current().is_some());
    assert_eq!(builder.poll_timeout(), Some(moment(94_000).mono));
}

#[test]
fn a_gap_flags_what_it_may_have_touched_and_rest_repairs_it() {
    let mut builder = minutes();
    builder.handle_trade(moment(100), &trade(50, 10, 1));
    builder.handle_trade(moment(60_100), &trade(60_050, 11, 1));
    let first = builder.wants_repair(moment(62_000)).unwrap();
    assert_eq!((first.start_time, first.end_time), (stamp(0), stamp(60_000)));
    assert_eq!((first.unit, first.unit_number, first.include_partial_bar), (BarUnit::Minute, 1, false));
    builder.repair(&first, &rest(&[(0, [9, 12, 8, 10, 40])]));
    assert_eq!(builder.wants_repair(moment(62_000)), None);
    news(&mut builder);

    // The last trade was at 60.05 s; the hub was lost somewhere after it, and came back at 200 s.
    builder.handle_timeout(moment(122_000));
    lose(&mut builder, 60_050);
    assert_eq!(
        news(&mut builder),
        [("closed", (60_000, [11, 11, 11, 11, 1], false)), ("changed", (60_000, [11, 11, 11, 11, 1], true))]
    );
    assert_eq!(builder.wants_repair(moment(190_000)), None, "the gap is open");
    regain(&mut builder, 60_050, 200_000);
    builder.handle_trade(moment(205_000), &trade(204_000, 13, 1));
    builder.handle_trade(moment(241_000), &trade(240_500, 14, 1));
    assert_eq!(closed(&builder).last(), Some(&(180_000, [13, 13, 13, 13, 1], true)));
    assert!(!builder.current().unwrap().is_incomplete);

    let request = builder.wants_repair(moment(242_500)).unwrap();
    assert_eq!((request.start_time, request.end_time), (stamp(60_000), stamp(240_000)));
    news(&mut builder);
    // The bar from 120 s on was missed as a whole.
    let told = [(60_000, [11, 11, 11, 11, 1]), (120_000, [11, 12, 11, 12, 7]), (180_000, [12, 13, 12, 13, 5])];
    builder.repair(&request, &rest(&told));
    let repaired = told.map(|(start, numbers)| ("changed", (start, numbers, false)));
    assert_eq!(news(&mut builder), repaired);
    assert_eq!(builder.wants_repair(moment(500_000)), None);
    assert!(builder.closed().all(|bar| bar.source == crate::Source::Rest));
}

#[test]
fn an_answer_that_says_nothing_or_not_all_leaves_the_request() {
    let mut builder = minutes();
    builder.handle_trade(moment(100), &trade(50, 10, 1));
    builder.handle_trade(moment(60_100), &trade(60_050, 11, 1));
    let request = builder.wants_repair(moment(62_000)).unwrap();
    builder.repair(&request, &answer("null"));
    builder.repair(&request, &answer(r#"[{"t":"x"}]"#));
    assert_eq!(builder.wants_repair(moment(62_000)), Some(request.clone()));
    // An empty list is an answer, and takes no trade away that was heard.
    builder.repair(&request, &answer("[]"));
    assert_eq!(builder.wants_repair(moment(62_000)), None);
    assert_eq!(closed(&builder), [(0, [10, 10, 10, 10, 1], true)]);
}

#[test]
fn a_silent_contract_is_asked_for_once() {
    let mut builder = minutes();
    assert_eq!(builder.wants_repair(moment(59_000)), None);
    assert_eq!(builder.wants_repair(moment(61_900)), None);
    let request = builder.wants_repair(moment(62_000)).unwrap();
    builder.repair(&request, &answer("[]"));
    assert_eq!(builder.wants_repair(moment(1_000_000)), None);
}

fn seconds() -> BarBuilder {
    BarBuilder::new(CONTRACT.into(), BarSpan::new(BarUnit::Second, 1).unwrap(), moment(0)).keep(60)
}

#[test]
fn no_more_is_asked_for_than_is_kept() {
    let mut builder = seconds();
    lose(&mut builder, 0);
    regain(&mut builder, 0, 3_600_000);
    builder.handle_trade(moment(3_601_000), &trade(3_600_500, 1, 1));
    let request = builder.wants_repair(moment(3_602_900)).unwrap();
    assert_eq!((request.start_time, request.end_time), (stamp(3_540_000), stamp(3_600_000)));
    builder.repair(&request, &answer("[]"));
    builder.handle_timeout(moment(3_604_000));
    let request = builder.wants_repair(moment(3_604_000)).unwrap();
    assert_eq!((request.start_time, request.end_time), (stamp(3_600_000), stamp(3_601_000)));
}

#[test]
fn a_hole_that_is_too_old_stands_in_nobodys_way() {
    let mut builder = seconds();
    for second in 0..=100 {
        builder.handle_trade(moment(second * 1_000), &trade(second * 1_000, 1, 1));
        if second == 10 || second == 100 {
            lose(&mut builder, second * 1_000);
            regain(&mut builder, second * 1_000, second * 1_000 + 500);
        }
    }
    builder.handle_trade(moment(101_500), &trade(101_500, 1, 1));
    builder.handle_trade(moment(103_000), &trade(103_000, 1, 1));
    let request = builder.wants_repair(moment(105_000)).unwrap();
    assert_eq!((request.start_time, request.end_time), (stamp(100_000), stamp(102_000)));
}

#[test]
fn history_comes_first_and_joins_the_running_bar() {
    let mut builder = minutes();
    let request = builder.history(moment(30_000), stamp(-3_600_000));
    assert!(request.include_partial_bar && request.limit == 1_000 && request.end_time > stamp(30_000));
    builder.handle_trade(moment(30_000), &trade(30_000, 20, 3));
    news(&mut builder);
    builder.seed(
        moment(31_000),
        &rest(&[(-120_000, [1, 2, 1, 2, 10]), (-60_000, [2, 3, 2, 3, 11]), (0, [3, 15, 3, 15, 99])]),
    );
    assert_eq!(closed(&builder), [(-120_000, [1, 2, 1, 2, 10], false), (-60_000, [2, 3, 2, 3, 11], false)]);
    assert_eq!(news(&mut builder), [("current", (0, [3, 20, 3, 20, 99], true))]);
    builder.handle_trade(moment(32_000), &trade(32_000, 21, 1));
    builder.handle_trade(moment(61_000), &trade(60_500, 22, 1));
    assert_eq!(closed(&builder).last(), Some(&(0, [3, 21, 3, 21, 100], true)));
    let request = builder.wants_repair(moment(62_000)).unwrap();
    assert_eq!((request.start_time, request.end_time), (stamp(0), stamp(60_000)));
}

#[test]
fn bars_of_ticks_are_counted() {
    let mut builder = BarBuilder::new(CONTRACT.into(), BarSpan::new(BarUnit::Tick, 3).unwrap(), moment(0));
    for (index, price) in [5, 7, 6, 4, 9].into_iter().enumerate() {
        let millis = 100 * (index as i64 + 1);
        builder.handle_trade(moment(millis), &trade(millis, price, 1));
    }
    assert_eq!(closed(&builder).iter().map(|bar| bar.1).collect::<Vec<_>>(), [[5, 7, 5, 6, 3]]);
    assert_eq!(builder.current().map(|bar| brief(bar).1), Some([4, 9, 4, 9, 2]));
    assert_eq!((builder.poll_timeout(), builder.wants_repair(moment(900_000))), (None, None));
}

#[test]
fn other_contracts_and_other_gaps_do_not_matter() {
    let mut builder = minutes();
    let told = crate::Told { value: trade(1, 5, 1), source: crate::Source::Stream, known: crate::Known::Live };
    let other = MarketUpdate::Trade { contract: "CON.F.US.ENQ.Z26".into(), told: told.clone() };
    builder.handle_update(moment(1), &other);
    let of_quotes = Gap { subject: Subject::Quotes(CONTRACT.into()), ..gap(0) };
    builder.handle_update(moment(1), &MarketUpdate::Gap(GapNotice::Opened(of_quotes)));
    assert_eq!(news(&mut builder), []);
    builder.handle_update(moment(1), &MarketUpdate::Trade { contract: CONTRACT.into(), told });
    assert_eq!(news(&mut builder).len(), 1);
}

proptest! {
    /// Whatever the order in which trades and timers come, the bars are those that all trades make.
    #[test]
    fn bars_are_what_all_trades_make(
        steps in prop::collection::vec((0..45_000_i64, -3_000..1_i64, 1..50_i64, 1..9_i64, any::<bool>()), 1..80),
        unit in prop::sample::select(vec![BarUnit::Second, BarUnit::Minute, BarUnit::Hour]),
        number in 1..20_u32,
    ) {
        let span = BarSpan::new(unit, number).unwrap();
        let mut builder = BarBuilder::new(CONTRACT.into(), span, moment(0));
        let mut model: BTreeMap<Timestamp, (i64, i64, i64, i64, i64)> = BTreeMap::new();
        let mut now = 10_000;
        for (pause, delay, price, volume, wakes) in steps {
            now += pause;
            if wakes {
                builder.handle_timeout(moment(now));
            }
            let one = trade(now + delay, price, volume);
            builder.handle_trade(moment(now), &one);
            let start = span.start_of(one.timestamp.unwrap()).unwrap();
            let bar = model.entry(start).or_insert((price, price, price, price, 0));
            *bar = (bar.0, bar.1.max(price), bar.2.min(price), price, bar.4 + volume);
        }
        let built: BTreeMap<_, _> = builder.closed().chain(builder.current()).map(|bar| {
            let (_, [open, high, low, close, volume], _) = brief(bar);
            (bar.start, (open, high, low, close, volume))
        }).collect();
        prop_assert_eq!(built, model);
        let starts: Vec<_> = builder.closed().map(|bar| bar.start).collect();
        prop_assert!(starts.is_sorted());
    }

    /// A trade that was lost in a gap is in a bar that is flagged, or that REST has told.
    #[test]
    fn every_loss_is_in_a_flagged_bar(
        steps in prop::collection::vec((1..20_000_i64, 0..6_u8), 1..80),
        seconds in 1..120_u32,
    ) {
        let span = BarSpan::new(BarUnit::Second, seconds).unwrap();
        let mut builder = BarBuilder::new(CONTRACT.into(), span, moment(0));
        let (mut now, mut lost_since, mut last) = (0, None, 0);
        let mut lost = Vec::new();
        let mut told = Vec::new();
        for (pause, what) in steps {
            now += pause;
            builder.handle_timeout(moment(now));
            match (what, lost_since) {
                (0, None) => {
                    // Noticed later than it began.
                    lost_since = Some(last);
                    lost.push(now);
                    now += 300;
                    lose(&mut builder, last);
                }
                (0 | 1, Some(from)) => {
                    regain(&mut builder, from, now);
                    lost_since = None;
                }
                (_, Some(_)) => lost.push(now),
                (5, None) => {
                    if let Some(request) = builder.wants_repair(moment(now)) {
                        builder.repair(&request, &answer("[]"));
                        told.push((request.start_time, request.end_time));
                    }
                }
                (_, None) => {
                    builder.handle_trade(moment(now), &trade(now, 5, 1));
                    last = now;
                }
            }
        }
        for bar in builder.closed().chain(builder.current()).filter(|bar| !bar.is_incomplete) {
            let end = span.end_of(bar.start).unwrap();
            let misses = lost.iter().any(|at| (bar.start..end).contains(&stamp(*at)));
            let was_told = told.iter().any(|(from, until)| *from <= bar.start && end <= *until);
            prop_assert!(!misses || was_told, "{bar:?}");
        }
    }
}
