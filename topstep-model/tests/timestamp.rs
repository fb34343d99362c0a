//! Timestamps: .NET's forms, exact to the last digit.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use time::UtcDateTime;
use topstep_model::Timestamp;

fn printed(text: &str) -> Option<String> {
    text.parse::<Timestamp>().ok().map(|time| time.to_string())
}

#[test]
fn reads_every_form() {
    for (text, expected) in [
        ("2024-07-21T13:45:00Z", "2024-07-21T13:45:00Z"),
        ("2026-07-28T02:37:54.090Z", "2026-07-28T02:37:54.09Z"),
        ("2026-05-06T13:36:03.4962794+00:00", "2026-05-06T13:36:03.4962794Z"),
        ("2026-05-06T13:36:03.4962794-05:30", "2026-05-06T19:06:03.4962794Z"),
        ("2026-05-06T13:36:03.123456789Z", "2026-05-06T13:36:03.123456789Z"),
        ("2026-05-06T13:36:03.123456789+00:00", "2026-05-06T13:36:03.123456789Z"),
        ("2026-05-06T13:36:03.1z", "2026-05-06T13:36:03.1Z"),
        ("2026-05-06t13:36:03.000000000Z", "2026-05-06T13:36:03Z"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+01:00", "0000-12-31T23:00:00Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"),
        ("2024-02-29T23:59:59-00:00", "2024-02-29T23:59:59Z"),
    ] {
        assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
    }
    assert_eq!("0001-01-01T00:00:00".parse(), Ok(Timestamp::UNSET));
}

#[test]
fn refuses_what_it_would_have_to_guess() {
    for text in [
        "",
        "2024-07-21",
        "2024-07-21T13:45:00",
        "0001-01-01T00:00:01",
        "2024-07-21 13:45:00Z",
        "2024-07-21T13:45Z",
        "2024-07-21T13:45:00.Z",
        "2024-07-21T13:45:00,5Z",
        "2024-07-21T13:45:00.1234567891Z",
        "2024-07-21T13:45:00.1234567890+00:00",
        "2024-07-21T13:45:00+0000",
        "2024-07-21T13:45:00+24:00",
        "2024-07-21T13:45:00 Z",
        "2024-07-21T13:45:00ZZ",
        "2024-07-21T24:00:00Z",
        "2024-13-21T13:45:00Z",
        "2023-02-29T13:45:00Z",
        "2016-12-31T23:59:60Z",
        "24-07-21T13:45:00Z",
        "+02024-07-21T13:45:00Z",
        "0000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-00:01",
        "2024-07-21T13:45:0é",
        "1721569500",
    ] {
        let error = text.parse::<Timestamp>().unwrap_err();
        assert_eq!(error.text(), text);
    }
}

#[test]
fn is_a_string_on_the_wire() {
    let time: Timestamp = serde_json::from_str(r#""2026-11-20T14:30:00.1234567\u002B00:00""#).unwrap();
    assert_eq!(serde_json::to_string(&time).unwrap(), r#""2026-11-20T14:30:00.1234567Z""#);
    let escaped: Vec<String> =
        "2026-11-20T14:30:00.1234567+00:00".bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    assert_eq!(serde_json::from_str::<Timestamp>(&format!("\"{}\"", escaped.concat())).unwrap(), time);
    assert_eq!(serde_json::from_str::<Timestamp>(r#""2026-11-20T14:30:00.1234567\u002b00:00""#).unwrap(), time);
    assert_eq!(
        serde_json::from_reader::<_, Timestamp>(r#" "2026-11-20T14:30:00.1234567Z" "#.as_bytes()).unwrap(),
        time
    );
    let value = serde_json::to_value(time).unwrap();
    assert_eq!(serde_json::from_value::<Timestamp>(value).unwrap(), time);
    for json in
        ["1721569500", "1.5", "null", "true", "[]", "{}", r#""""#, r#""\u00e9""#, r#""\ud83d\ude00""#, r#""\n""#]
    {
        serde_json::from_str::<Timestamp>(json).unwrap_err();
        serde_json::from_value::<Timestamp>(serde_json::from_str(json).unwrap()).unwrap_err();
    }
}

#[test]
fn an_error_names_the_text() {
    let error = serde_json::from_str::<Timestamp>(r#""yesterday""#).unwrap_err();
    assert!(error.to_string().starts_with("`yesterday` is not an RFC 3339 time"), "{error}");
    assert_eq!(UtcDateTime::MIN.try_into(), "-9999-01-01 0:00:00.0 +00".parse::<Timestamp>());
}

proptest! {
    #[test]
    fn survives_print_and_parse(seconds in -62_167_219_200_i64..=253_402_300_799, nanos in 0..1_000_000_000_i128) {
        let time = UtcDateTime::from_unix_timestamp_nanos(i128::from(seconds) * 1_000_000_000 + nanos).unwrap();
        let stamp = Timestamp::try_from(time).unwrap();
        prop_assert_eq!(stamp.to_string().parse(), Ok(stamp));
        prop_assert_eq!(stamp.utc(), time);
        let json = serde_json::to_string(&stamp).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), stamp);
    }

    #[test]
    fn any_offset_means_the_same_moment(
        seconds in 0_i64..250_000_000_000, fraction in 0..10_000_000_u32, hours in -23_i64..=23, minutes in 0_i64..60,
    ) {
        let offset = (hours.abs() * 3600 + minutes * 60) * hours.signum();
        let local = UtcDateTime::from_unix_timestamp(seconds + offset).unwrap();
        let sign = if hours < 0 { '-' } else { '+' };
        let minutes = if hours == 0 { 0 } else { minutes };
        let text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{fraction:07}{sign}{:02}:{minutes:02}",
            local.year(), u8::from(local.month()), local.day(), local.hour(), local.minute(), local.second(), hours.abs(),
        );
        let stamp: Timestamp = text.parse().unwrap();
        prop_assert_eq!(stamp.utc().unix_timestamp(), seconds);
        prop_assert_eq!(stamp.utc().nanosecond(), fraction * 100);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<Timestamp>();
    }

    #[test]
    fn nothing_like_a_time_panics(text in "[0-9]{3,4}-[0-9]{2}-[0-9é]{2}[Tt ][0-9:]{7,8}(\\.[0-9]{0,12})?(Z|[-+][0-9]{2}:[0-9]{1,2})?") {
        if let Ok(stamp) = text.parse::<Timestamp>() {
            prop_assert_eq!(stamp.to_string().parse(), Ok(stamp));
        }
    }
}
