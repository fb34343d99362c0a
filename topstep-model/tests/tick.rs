//! Ticks: exact against whole numbers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use topstep_model::{Price, Product, Rounding, Tick, TickError};

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn tick(size: &str, value: &str) -> Tick {
    Tick::new(price(size), price(value)).unwrap()
}

#[test]
fn rounds_to_the_tick_on_either_side_of_zero() {
    let es = tick("0.25", "12.5");
    for (from, down, nearest, up) in [
        ("5023.25", "5023.25", "5023.25", "5023.25"),
        ("5023.30", "5023.25", "5023.25", "5023.5"),
        ("5023.375", "5023.25", "5023.5", "5023.5"),
        ("5023.45", "5023.25", "5023.5", "5023.5"),
        ("-0.30", "-0.5", "-0.25", "-0.25"),
        ("-0.375", "-0.5", "-0.5", "-0.25"),
        ("-37.63", "-37.75", "-37.75", "-37.5"),
        ("0", "0", "0", "0"),
        ("0.01", "0", "0", "0.25"),
    ] {
        let rounded = |rounding| es.round(price(from), rounding).unwrap().to_string();
        assert_eq!(rounded(Rounding::Down), down, "{from}");
        assert_eq!(rounded(Rounding::Nearest), nearest, "{from}");
        assert_eq!(rounded(Rounding::Up), up, "{from}");
        assert_eq!(es.is_aligned(price(from)), down == up, "{from}");
    }
}

#[test]
fn counts_ticks_and_their_worth() {
    let yen = tick("0.0000005", "6.25");
    assert_eq!(yen.ticks_between(price("0.0067"), price("0.006705")), Ok(10));
    assert_eq!(yen.ticks_between(price("0.006705"), price("0.0067")), Ok(-10));
    assert_eq!(yen.offset(price("0.006705"), -10).unwrap().to_string(), "0.0067");
    assert_eq!(yen.value_of_ticks(-10, 3).unwrap().to_string(), "-187.5");
    assert_eq!(yen.ticks_between(price("0.0067"), price("0.00670025")), Err(TickError::NotAligned));
    // Average prices are finer than ticks, and their moves still have a worth.
    let nasdaq = tick("0.25", "0.5");
    assert_eq!(nasdaq.value_of_move(price("28446.375"), price("28446.5"), 2).unwrap().to_string(), "0.5");
    assert_eq!(nasdaq.value_of_move(price("28446.375"), price("28446"), -2).unwrap().to_string(), "1.5");
    assert_eq!(nasdaq.ticks_between(price("28446.375"), price("28447.375")), Ok(4));
    let odd = tick("0.03", "1");
    assert_eq!(odd.value_of_move(price("1"), price("1.06"), 1).unwrap().to_string(), "2");
    assert_eq!(odd.value_of_move(price("1"), price("1.05"), 1), Err(TickError::NotAligned));
}

#[test]
fn what_is_out_of_range_is_an_error() {
    assert_eq!(Tick::new(price("0"), price("1")), Err(TickError::NotPositive));
    assert_eq!(Tick::new(price("0.25"), price("-1")), Err(TickError::NotPositive));
    let fine = tick("0.0000000000000000000000000001", "1");
    let large = price("9999999999999999999999999999");
    assert_eq!(fine.offset(large, 1), Err(TickError::OutOfRange));
    assert_eq!(fine.ticks_between(price("0"), price("1")), Err(TickError::OutOfRange));
    assert_eq!(fine.value_of_ticks(i64::MAX, i64::MAX), Err(TickError::OutOfRange));
    assert_eq!(tick("1", "1").ticks_between(price("0"), large), Err(TickError::OutOfRange));
    assert_eq!(tick("1", "1").round(large, Rounding::Up).unwrap(), large);
}

proptest! {
    /// The same arithmetic in whole numbers of the finest unit.
    #[test]
    fn agrees_with_whole_numbers(
        size in 1..100_000_i64,
        value in 1..100_000_i64,
        from in -10_000_000_000_000_i64..10_000_000_000_000,
        ticks in -1_000_000_000_i64..1_000_000_000,
        contracts in -1_000_i64..1_000,
        places in 0..=9_u32,
    ) {
        let at = |mantissa: i64| Price::new(mantissa, places).unwrap();
        let tick = Tick::new(at(size), at(value)).unwrap();
        prop_assert_eq!(tick.round(at(from), Rounding::Down).unwrap(), at(from.div_euclid(size) * size));
        let up = -(-from).div_euclid(size) * size;
        prop_assert_eq!(tick.round(at(from), Rounding::Up).unwrap(), at(up));
        prop_assert_eq!(tick.is_aligned(at(from)), from % size == 0);
        let to = tick.offset(at(from), ticks).unwrap();
        prop_assert_eq!(to, at(from + ticks * size));
        prop_assert_eq!(tick.ticks_between(at(from), to), Ok(ticks));
        let worth = i128::from(ticks) * i128::from(value) * i128::from(contracts);
        let expected = rust_decimal::Decimal::from_i128_with_scale(worth, places);
        prop_assert_eq!(tick.value_of_ticks(ticks, contracts).unwrap().decimal(), expected);
        prop_assert_eq!(tick.value_of_move(at(from), to, contracts).unwrap().decimal(), expected);
    }

    #[test]
    fn no_number_panics(
        numbers in prop::array::uniform4((any::<i64>(), 0..=28_u32)),
        ticks in any::<i64>(),
        contracts in any::<i64>(),
    ) {
        let [size, value, from, to] = numbers.map(|(mantissa, places)| Price::new(mantissa, places).unwrap());
        if let Ok(tick) = Tick::new(size, value) {
            let _ = tick.is_aligned(from);
            let _ = tick.ticks_between(from, to);
            let _ = tick.offset(from, ticks);
            let _ = tick.value_of_ticks(ticks, contracts);
            let _ = tick.value_of_move(from, to, contracts);
            if let Ok(up) = tick.round(from, Rounding::Up) {
                prop_assert!(up >= from);
                prop_assert!(tick.is_aligned(up));
            }
        }
    }
}

#[test]
fn every_product_counts_in_its_ticks() {
    for product in Product::ALL {
        let tick = product.tick();
        let far = tick.offset(tick.round(price("123.4567"), Rounding::Down).unwrap(), 1000).unwrap();
        assert!(tick.is_aligned(far), "{}", product.code);
        let back = tick.offset(far, -7).unwrap();
        assert_eq!(tick.ticks_between(far, back), Ok(-7), "{}", product.code);
        assert_eq!(tick.value_of_move(far, back, 1), tick.value_of_ticks(-7, 1), "{}", product.code);
    }
}
