//! Bars: history and live trades as one.

use mock_hub::market::Bar;

use super::*;

const UNITS: [BarUnit; 6] =
    [BarUnit::Second, BarUnit::Minute, BarUnit::Hour, BarUnit::Day, BarUnit::Week, BarUnit::Month];

fn all(market: &Market, now: OffsetDateTime, unit: BarUnit, number: u32, partial: bool) -> Vec<Bar> {
    market.bars(now, CONTRACTS[0], unit, number, OffsetDateTime::UNIX_EPOCH, now, Bar::LIMIT, partial)
}

fn assert_consistent(bars: &[Bar]) {
    for bar in bars {
        let (top, bottom) = (bar.open.max(bar.close), bar.open.min(bar.close));
        assert!(bar.low <= bottom && top <= bar.high && bar.volume > 0, "{bar:?}");
    }
    assert!(bars.is_sorted_by(|later, earlier| later.start > earlier.start));
}

#[test]
fn history_runs_into_the_live_price() {
    let mut market = market(7, 42.0);
    let now = NOON + Duration::seconds(90);
    let mut volume = BTreeMap::<OffsetDateTime, i64>::new();
    let mut last = Decimal::ZERO;
    for event in events_until(&mut market, now) {
        let MarketEvent::Trade { contract, at, volume: traded, price, .. } = event else { continue };
        if &*contract == CONTRACTS[0] {
            *volume.entry(at.replace_nanosecond(0).unwrap()).or_default() += traded.cast_signed();
            last = price;
        }
    }
    for unit in UNITS {
        let bars = all(&market, now, unit, 1, true);
        assert_consistent(&bars);
        assert_eq!(bars[0].close, last, "{unit:?}");
        assert!(bars.len() > 100, "{unit:?}: {}", bars.len());
    }
    let seconds = all(&market, now, BarUnit::Second, 1, true);
    let live: Vec<_> = seconds.iter().filter(|bar| bar.start >= NOON.replace_nanosecond(0).unwrap()).collect();
    assert_eq!(
        live.iter().map(|bar| (bar.start, bar.volume)).rev().collect::<Vec<_>>(),
        volume.into_iter().collect::<Vec<_>>()
    );
    let (first_live, last_past) = (live[live.len() - 1], seconds[live.len()]);
    assert!((first_live.open - last_past.close).abs() <= Decimal::from(5), "{last_past:?} {first_live:?}");
}

#[test]
fn longer_bars_are_made_of_shorter_ones() {
    let market = market(7, 42.0);
    let minutes = all(&market, NOON, BarUnit::Minute, 1, true);
    for (unit, number, length) in [(BarUnit::Minute, 5, 5), (BarUnit::Hour, 1, 60), (BarUnit::Hour, 4, 240)] {
        let long = all(&market, NOON, unit, number, true);
        for bar in &long[..20] {
            let parts: Vec<_> = minutes
                .iter()
                .filter(|minute| (bar.start..bar.start + Duration::minutes(length)).contains(&minute.start))
                .collect();
            assert_eq!(parts.iter().map(|part| part.volume).sum::<i64>(), bar.volume, "{bar:?}");
            assert_eq!(parts.iter().map(|part| part.high).max(), Some(bar.high));
            assert_eq!((parts[parts.len() - 1].open, parts[0].close), (bar.open, bar.close));
        }
    }
    let (days, weeks) = (all(&market, NOON, BarUnit::Day, 1, true), all(&market, NOON, BarUnit::Week, 1, true));
    assert_eq!(days[0].start, datetime!(2026-11-19 23:00 UTC));
    assert_eq!(weeks[0].start, datetime!(2026-11-15 23:00 UTC));
    assert_eq!(days[..5].iter().map(|day| day.volume).sum::<i64>(), weeks[0].volume);
    assert_eq!(all(&market, NOON, BarUnit::Month, 1, true)[0].start, datetime!(2026-10-31 22:00 UTC));
}

#[test]
fn the_running_bar_comes_only_when_asked_for() {
    let market = market(7, 42.0);
    for unit in UNITS {
        let (with, without) = (all(&market, NOON, unit, 3, true), all(&market, NOON, unit, 3, false));
        let over = &with[with.len() - without.len()..];
        assert!(with.len() - without.len() <= 1 && over == without, "{unit:?}");
    }
    let hours = all(&market, NOON + Duration::minutes(5), BarUnit::Hour, 1, true);
    assert_eq!(hours[0].start, datetime!(2026-11-20 17:00 UTC), "nothing traded since six");
    let market = Market::new(7, NOON);
    let hours = all(&market, NOON + Duration::minutes(5), BarUnit::Hour, 1, true);
    assert_eq!(hours[0].start, datetime!(2026-11-20 18:00 UTC), "history goes on where nobody follows");
    let whole = all(&market, NOON + Duration::minutes(5), BarUnit::Hour, 1, false);
    assert_eq!(whole[..], hours[1..]);
}

#[test]
fn start_end_and_limit_hold() {
    let market = market(7, 42.0);
    let (start, end) = (NOON - Duration::hours(3), NOON - Duration::hours(1));
    let bars = market.bars(NOON, CONTRACTS[0], BarUnit::Minute, 1, start, end, 1_000, true);
    assert_eq!(bars.len(), 120);
    assert!(bars.iter().all(|bar| bar.start >= start && bar.start < end));
    let few = market.bars(NOON, CONTRACTS[0], BarUnit::Minute, 1, start, end, 7, true);
    assert_eq!(few[..], bars[..7]);
    assert!(market.bars(NOON, CONTRACTS[0], BarUnit::Minute, 1, end, start, 7, true).is_empty());
    assert!(market.bars(NOON, CONTRACTS[0], BarUnit::Minute, 1, start, end, 0, true).is_empty());
}

#[test]
fn what_was_history_stays_so() {
    let market = Market::new(7, NOON);
    let (start, end) = (NOON - Duration::hours(6), NOON - Duration::hours(1));
    let asked = |now: OffsetDateTime| market.bars(now, CONTRACTS[1], BarUnit::Minute, 7, start, end, 100, false);
    assert_eq!(asked(NOON), asked(NOON + Duration::hours(2)));
    assert_ne!(asked(NOON), Market::new(8, NOON).bars(NOON, CONTRACTS[1], BarUnit::Minute, 7, start, end, 100, false));
}

#[test]
fn absurd_requests_are_answered_quickly() {
    let market = market(7, 42.0);
    let (first, last) =
        (OffsetDateTime::new_utc(time::Date::MIN, time::Time::MIDNIGHT), datetime!(9999-12-31 23:59 UTC));
    for unit in UNITS {
        for number in [0, 1, 1_000_000, u32::MAX] {
            let bars = market.bars(NOON, CONTRACTS[0], unit, number, first, last, usize::MAX, true);
            assert!(bars.len() <= Bar::LIMIT);
            assert_consistent(&bars);
            assert!(market.bars(last, CONTRACTS[0], unit, number, last, last, 10, true).is_empty());
        }
    }
}
