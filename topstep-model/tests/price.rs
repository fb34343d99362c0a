//! Prices: exact in every direction, or an error. Run once more with `--features serde_json/arbitrary_precision`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde::de::value::{F32Deserializer, F64Deserializer, StrDeserializer, U128Deserializer};
use serde_json::Value;
use topstep_model::{Price, PriceError};

fn printed(text: &str) -> Result<String, PriceError> {
    text.parse::<Price>().map(|price| price.to_string())
}

#[test]
fn keeps_every_digit() {
    for (text, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        ("5", "5"),
        ("49909", "49909"),
        ("5023.2500", "5023.2500"),
        ("-22305.25", "-22305.25"),
        ("0.0078125", "0.0078125"),
        ("1.23456789012345678", "1.23456789012345678"),
        ("999999999999999999", "999999999999999999"),
        ("9999999999999999999", "9999999999999999999"),
        ("99999999999999999999", "99999999999999999999"),
        ("-9.999999999999999999", "-9.999999999999999999"),
        ("2100.123456789012345678", "2100.123456789012345678"),
        ("9999999999999999999999999999", "9999999999999999999999999999"),
        ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
        ("1E-07", "0.0000001"),
        ("5e-7", "0.0000005"),
        ("-1.50E+1", "-15.0"),
        ("1.5E1", "15"),
        ("12.5e0", "12.5"),
        ("1E+21", "1000000000000000000000"),
        ("1E27", "1000000000000000000000000000"),
        ("1E-28", "0.0000000000000000000000000001"),
        ("0E99999999999999999999", "0"),
    ] {
        assert_eq!(printed(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_what_it_cannot_keep() {
    for text in [
        "0.00000000000000000000000000001",
        "1.00000000000000000000000000000",
        "10000000000000000000000000000",
        "79228162514264337593543950335",
        "1234567890123456789012345678.9",
        "1E28",
        "1E-29",
        "10E-29",
        "1E99999999999999999999",
        "1E-99999999999999999999",
        "0E-29",
    ] {
        let error = printed(text).unwrap_err();
        assert!(error.is_too_long(), "{text}: {error}");
        assert_eq!(error.text(), text);
    }
}

#[test]
fn refuses_what_is_no_number() {
    for text in [
        "",
        " ",
        "-",
        "+1",
        ".5",
        "5.",
        "-.5",
        "1.e5",
        "00",
        "01.5",
        "-012",
        "1e",
        "1e+",
        "1e5.0",
        "1.2.3",
        "0x1f",
        "1_000",
        " 1",
        "1 ",
        "1,5",
        "NaN",
        "Infinity",
        "null",
        "true",
        "١",
        "--1",
        "1-",
        "e5",
        "12345678901234567890x",
        "1e5e5",
    ] {
        let error = printed(text).unwrap_err();
        assert!(!error.is_too_long(), "{text}: {error}");
    }
}

#[test]
fn an_error_carries_a_cut_and_harmless_text() {
    let error = format!("\u{1b}[2J{}", "ü".repeat(500)).parse::<Price>().unwrap_err();
    assert_eq!(error.text().chars().count(), 64);
    assert!(error.to_string().starts_with(r"`\u{1b}[2Jüüü"), "{error}");
    assert!(error.to_string().ends_with("ü…` is not a decimal number"), "{error}");

    let error = serde_json::from_str::<Price>("1.00000000000000000000000000001").unwrap_err();
    assert!(error.to_string().contains("`1.00000000000000000000000000001` has more than 28 places"), "{error}");
}

#[test]
fn is_made_from_numbers() {
    assert_eq!(Price::new(-50235, 1).unwrap().to_string(), "-5023.5");
    assert_eq!(Price::new(5, 29).unwrap_err().text(), "5E-29");
    assert_eq!(Price::try_from(Decimal::MAX).unwrap_err().text(), "79228162514264337593543950335");
    assert_eq!(Price::try_from(Decimal::new(15, 1)).map(Decimal::from), Ok(Decimal::new(15, 1)));
    assert_eq!(Price::from(3), "3".parse().unwrap());
    assert_eq!(Price::default(), Price::ZERO);
}

#[test]
fn equals_hashes_and_orders_by_value() {
    let prices: std::collections::HashSet<Price> = ["1.5", "1.50", "15E-1"].map(|text| text.parse().unwrap()).into();
    assert_eq!(prices.len(), 1);
    assert!("9.99".parse::<Price>().unwrap() < "10".parse().unwrap());
    assert_eq!(format!("{0} {0:?}", "1.50".parse::<Price>().unwrap()), "1.50 Price(1.50)");
}

#[derive(Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Deserialize)]
struct Inner {
    price: Price,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Untagged {
    Inner(Inner),
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Inner(Inner),
}

type Shown = Result<String, String>;

/// The price behind every way that serde_json has, in digits: three that keep the text, four through its own buffers.
fn every_way(number: &str) -> ([Shown; 3], [Shown; 4]) {
    fn show<T>(result: serde_json::Result<T>, price: fn(T) -> Price) -> Shown {
        result.map(|found| price(found).to_string()).map_err(|error| error.to_string())
    }
    let json = format!(r#"{{"kind":"Inner","price": {number} }}"#);
    let value: Value = serde_json::from_str(&json).unwrap();
    (
        [
            show(serde_json::from_str::<Inner>(&json), |found| found.price),
            show(serde_json::from_slice::<Inner>(json.as_bytes()), |found| found.price),
            show(serde_json::from_reader::<_, Inner>(json.as_bytes()), |found| found.price),
        ],
        [
            show(serde_json::from_value::<Inner>(value), |found| found.price),
            show(serde_json::from_str::<Flat>(&json), |found| found.inner.price),
            show(serde_json::from_str::<Untagged>(&json), |Untagged::Inner(found)| found.price),
            show(serde_json::from_str::<Tagged>(&json), |Tagged::Inner(found)| found.price),
        ],
    )
}

#[test]
fn is_read_every_way() {
    for (number, exact, shortest) in [
        ("5", "5", "5"),
        ("-17", "-17", "-17"),
        ("18446744073709551615", "18446744073709551615", "18446744073709551615"),
        ("5023.50", "5023.50", "5023.5"),
        ("1E-07", "0.0000001", "0.0000001"),
        ("0.1", "0.1", "0.1"),
        ("1.23456789012345678", "1.23456789012345678", "1.2345678901234567"),
        (r#""5023.50""#, "5023.50", "5023.50"),
        (r#""\u0035023.50""#, "5023.50", "5023.50"),
    ] {
        let (direct, buffered) = every_way(number);
        for found in &direct {
            assert_eq!(found.as_deref(), Ok(exact), "{number}");
        }
        // With `arbitrary_precision` serde_json's buffers keep the text, too.
        let expected = if keeps_digits() { exact } else { shortest };
        for found in &buffered {
            assert_eq!(found.as_deref(), Ok(expected), "{number}");
        }
    }
}

fn keeps_digits() -> bool {
    let value: Value = serde_json::from_str("1.10").unwrap();
    serde_json::to_string(&value).unwrap() == "1.10"
}

#[test]
fn what_is_no_number_is_refused_every_way() {
    for json in
        ["true", "null", "[1]", "[]", "{}", r#"{"a":1}"#, r#""""#, r#""abc""#, r#"" 1""#, r#""NaN""#, r#""1\n""#]
    {
        let (direct, buffered) = every_way(json);
        for found in direct.iter().chain(&buffered) {
            assert!(found.is_err(), "{json}: {found:?}");
        }
    }
    assert_eq!(serde_json::from_str::<Option<Price>>("null").unwrap(), None);
}

#[test]
fn is_read_from_other_formats_by_shortest_digits() {
    type Failed = serde::de::value::Error;
    let from_f64 = |value| Price::deserialize(F64Deserializer::<Failed>::new(value)).map(|price| price.to_string());
    assert_eq!(from_f64(2100.25).as_deref(), Ok("2100.25"));
    assert_eq!(from_f64(1e-7).as_deref(), Ok("0.0000001"));
    assert!(from_f64(f64::NAN).is_err());
    assert!(from_f64(1e300).is_err());
    let from_f32 = Price::deserialize(F32Deserializer::<Failed>::new(0.1));
    assert_eq!(from_f32.unwrap().to_string(), "0.1");
    let from_u128 = Price::deserialize(U128Deserializer::<Failed>::new(u128::MAX));
    assert!(from_u128.unwrap_err().to_string().contains("28 significant digits"));
    let from_text = Price::deserialize(StrDeserializer::<Failed>::new("1.50"));
    assert_eq!(from_text.unwrap().to_string(), "1.50");
}

#[test]
fn is_written_as_a_number_with_its_digits() {
    let price: Price = "5023.500000000000000001".parse().unwrap();
    assert_eq!(serde_json::to_string(&[Some(price), None]).unwrap(), "[5023.500000000000000001,null]");
    assert_eq!(serde_json::to_vec(&price).unwrap(), b"5023.500000000000000001");
    assert_eq!(serde_json::to_string_pretty(&price).unwrap(), "5023.500000000000000001");
    let value = serde_json::to_value("0.5".parse::<Price>().unwrap()).unwrap();
    assert!(value.is_number(), "{value}");
    assert_eq!(value.to_string(), "0.5");
}

fn json_number() -> impl Strategy<Value = String> {
    ("-?(0|[1-9][0-9]{0,29})", "(\\.[0-9]{1,30})?", "([eE][+-]?[0-9]{1,3})?").prop_map(|(a, b, c)| a + &b + &c)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn agrees_with_rust_decimal(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?") {
        let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
        match text.parse::<Price>() {
            Ok(price) => {
                let reference = Decimal::from_str_exact(&text).unwrap();
                prop_assert_eq!(price.decimal(), reference);
                prop_assert_eq!(price.places(), reference.scale());
                let unsigned_zero = price == Price::ZERO && text.starts_with('-');
                prop_assert_eq!(price.to_string(), if unsigned_zero { &text[1..] } else { &text[..] });
            }
            Err(error) => prop_assert!(error.is_too_long() && digits > 28, "{}", error),
        }
    }

    #[test]
    fn survives_print_and_parse(text in json_number()) {
        if let Ok(price) = text.parse::<Price>() {
            let again: Price = price.to_string().parse().unwrap();
            prop_assert_eq!(again, price);
            prop_assert_eq!(again.places(), price.places());
            let json = serde_json::to_string(&price).unwrap();
            prop_assert_eq!(&json, &price.to_string());
            prop_assert_eq!(serde_json::from_str::<Price>(&json).unwrap().to_string(), json.as_str());
            // The value, not only the digits, is that of the text.
            let (there, back) = (text.parse::<f64>().unwrap(), json.parse::<f64>().unwrap());
            prop_assert_eq!(there, back);
        }
    }

    #[test]
    fn every_decimal_of_28_digits_is_a_price(mantissa in -(10_i128.pow(28) - 1)..10_i128.pow(28), places in 0..=28_u32) {
        let decimal = Decimal::from_i128_with_scale(mantissa, places);
        let price: Price = decimal.to_string().parse().unwrap();
        prop_assert_eq!(price.decimal().mantissa(), mantissa);
        prop_assert_eq!(price.places(), places);
        prop_assert_eq!(Price::try_from(decimal).unwrap(), price);
    }

    #[test]
    fn the_grammar_is_that_of_json(text in "[-+0-9.eE]{0,24}") {
        let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        match text.parse::<Price>() {
            Ok(_) => prop_assert!(is_json),
            Err(error) => prop_assert_eq!(error.is_too_long(), is_json),
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<Price>();
    }
}
