//! The JSON cursor as a deserializer: what each of serde's shapes accepts, and what a failure says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use signalr_proto::json::{Cursor, DecodeErrorKind, SyntaxErrorKind};

/// A record as TopstepX's market hub sends it.
const QUOTE: &str = concat!(
    r#"{"type":1,"target":"GatewayQuote","arguments":["CON.F.US.MNQ.U26",{"symbol":"F.US.MNQ","lastPrice":28012,"#,
    r#""bestBid":28011.5,"bestAsk":null,"change":-0.25,"volume":306373,"#,
    r#""lastUpdated":"2026-07-28T02:23:56.4744617+00:00"}]}"#
);

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quote<'a> {
    symbol: &'a str,
    last_price: Option<f64>,
    best_bid: Option<f64>,
    best_ask: Option<f64>,
    volume: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Shape {
    Unit,
    New(u8),
    Tuple(u8, bool),
    Struct { a: u8 },
}

/// Decodes all of `text`.
fn decode<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    let mut cursor = Cursor::new(text);
    let value = cursor.decode::<T>().map_err(|error| error.to_string())?;
    cursor.finish().map_err(|error| error.to_string())?;
    Ok(value)
}

fn failure<'a, T: Deserialize<'a>>(text: &'a str) -> String {
    decode::<T>(text).map(drop).expect_err("the text does not fit the type")
}

#[test]
fn scalars_decode() {
    assert_eq!(decode(" true\n"), Ok(true));
    assert_eq!(decode("255"), Ok(255_u8));
    assert_eq!(decode("-128"), Ok(-128_i8));
    assert_eq!(decode("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(decode("-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(decode("-170141183460469231731687303715884105728"), Ok(i128::MIN));
    assert_eq!(decode("340282366920938463463374607431768211455"), Ok(u128::MAX));
    assert_eq!(decode("1"), Ok(1.0_f64));
    assert_eq!(decode("-1.5e3"), Ok(-1500.0_f64));
    assert_eq!(decode("0.1"), Ok(0.1_f32));
    assert_eq!(decode("\"\\u00e9\""), Ok('é'));
    assert_eq!(decode("null"), Ok(()));
    assert_eq!(decode("null"), Ok(None::<u8>));
    assert_eq!(decode("1"), Ok(Some(1_u8)));
}

#[test]
fn strings_are_borrowed_unless_they_hold_an_escape() {
    assert_eq!(decode("\"plain é\""), Ok("plain é"));
    assert!(failure::<&str>(r#""a\n""#).contains("expected a borrowed string"));
    assert_eq!(decode(r#""a\n""#), Ok(String::from("a\n")));
    #[derive(Deserialize)]
    struct Either<'a>(#[serde(borrow)] Cow<'a, str>);
    assert!(matches!(decode(r#""plain""#), Ok(Either(Cow::Borrowed("plain")))));
    assert!(matches!(decode::<Either<'_>>(r#""\ud834\udd1e""#).unwrap().0, Cow::Owned(text) if text == "\u{1d11e}"));
    assert_eq!(decode(r#""bytes""#), Ok(b"bytes".as_slice()));
    let long = "x".repeat(1 << 20);
    assert_eq!(decode::<&str>(&format!("\"{long}\"")).map(str::len), Ok(1 << 20));
    assert_eq!(decode::<String>(&format!("\"\\t{long}\\t\"")).map(|text| text.len()), Ok((1 << 20) + 2));
}

#[test]
fn sequences_tuples_and_maps_decode() {
    assert_eq!(decode("[ ]"), Ok(Vec::<u8>::new()));
    assert_eq!(decode("[1, 2 ,3]"), Ok(vec![1, 2, 3]));
    assert_eq!(decode("[1,\"a\",[true]]"), Ok((1, "a", (true,))));
    assert_eq!(decode(r#"{"a":1,"b":2,"a":3}"#), Ok(BTreeMap::from([("a", 3), ("b", 2)])));
    assert_eq!(decode(r#"{"-1":"x","20":"y"}"#), Ok(BTreeMap::from([(-1_i8, "x"), (20, "y")])));
    assert_eq!(decode(r#"{"true":1,"false":0}"#), Ok(BTreeMap::from([(true, 1), (false, 0)])));
    assert_eq!(decode(r#"{"a\u0062":1}"#), Ok(BTreeMap::from([(String::from("ab"), 1)])));
    for text in [r#"{"":1}"#, r#"{"x":1}"#, r#"{" 1":1}"#, r#"{"1 ":1}"#, r#"{"01":1}"#, r#"{"1.5":1}"#, r#"{"256":1}"#]
    {
        assert!(decode::<BTreeMap<u8, u8>>(text).is_err(), "{text}");
    }
}

#[test]
fn structs_decode_from_objects_and_from_arrays() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Unit;
    #[derive(Debug, PartialEq, Deserialize)]
    struct New(u8);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair(u8, u8);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        a: u8,
        #[serde(default)]
        b: Vec<u8>,
    }
    assert_eq!(decode("null"), Ok(Unit));
    assert_eq!(decode("1"), Ok(New(1)));
    assert_eq!(decode("[1,2]"), Ok(Pair(1, 2)));
    assert_eq!(decode(r#"{"x":{"y":[1,{}]},"b":[1],"a":1,"z":null}"#), Ok(Named { a: 1, b: vec![1] }));
    assert_eq!(decode("[1,[2]]"), Ok(Named { a: 1, b: vec![2] }));
    assert_eq!(failure::<Named>("[1,[2],3]"), "at [2]: expected 2 elements, found more");
    assert_eq!(failure::<Named>(r#"{"b":[]}"#), "missing field `a`");
}

#[test]
fn enums_decode_from_strings_and_single_members() {
    assert_eq!(decode("\"Unit\""), Ok(Shape::Unit));
    assert_eq!(decode(r#"{"Unit":null}"#), Ok(Shape::Unit));
    assert_eq!(decode(r#"{"New":7}"#), Ok(Shape::New(7)));
    assert_eq!(decode(r#" { "Tuple" : [1,true] } "#), Ok(Shape::Tuple(1, true)));
    assert_eq!(decode(r#"{"Struct":{"a":1,"x":[]}}"#), Ok(Shape::Struct { a: 1 }));
    assert_eq!(decode(r#"{"Struct":[1]}"#), Ok(Shape::Struct { a: 1 }));
    for text in [
        "\"New\"",
        "{}",
        r#"{"Unit":1}"#,
        r#"{"New":1,"Unit":null}"#,
        r#"{"New":1,}"#,
        r#"{"New" 1}"#,
        "1",
        "null",
        "[]",
    ] {
        assert!(decode::<Shape>(text).is_err(), "{text}");
    }
    assert_eq!(failure::<Shape>(r#"["x"]"#), "invalid type: sequence, expected enum Shape");
    assert_eq!(
        failure::<Vec<Shape>>(r#"["Gone"]"#),
        "at [0]: unknown variant `Gone`, expected `Unit`, `New`, `Tuple`, `Struct`"
    );
}

#[test]
fn anything_decodes_into_a_tree_and_into_nothing() {
    let text = r#" {"a":[null,true,false,0,-1,1.5,18446744073709551615,"x\n",{}],"b":{"c":[[]]}} "#;
    assert_eq!(decode::<serde_json::Value>(text).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
    assert!(decode::<IgnoredAny>(text).is_ok());
    assert!(decode::<IgnoredAny>("[1,]").is_err());
}

#[test]
fn a_tuple_has_exactly_its_elements() {
    assert_eq!(failure::<(u8, u8)>("[1]"), "invalid length 1, expected a tuple of size 2");
    assert_eq!(failure::<(u8, u8)>("[1,2,3]"), "at [2]: expected 2 elements, found more");
    assert_eq!(failure::<(u8,)>("[1, {}]"), "at [1]: expected 1 element, found more");
    assert_eq!(failure::<[u8; 0]>("[1]"), "at [0]: expected 0 elements, found more");
    assert_eq!(decode("[ ]"), Ok([0_u8; 0]));
    assert_eq!(failure::<(u8, u8)>("[1,2,]"), "comma before a closing bracket");
    assert_eq!(failure::<(u8, u8)>("[1,2"), "at [1]: unexpected end of the text");
    assert_eq!(failure::<(u8, u8)>("[1,2}"), "at [1]: expected a comma or a closing bracket");
    assert_eq!(failure::<Vec<(u8, u8)>>("[[1,2],[3]]"), "at [1]: invalid length 1, expected a tuple of size 2");
}

#[test]
fn a_failure_names_its_place_and_what_was_expected() {
    type Arguments<'a> = (&'a str, Quote<'a>);
    let place = |text: &'static str| {
        let error = Cursor::new(text).decode::<Arguments<'_>>().unwrap_err();
        (error.place().to_owned(), error.message().to_owned(), error.kind())
    };
    for (text, at, message) in [
        (
            r#"["c",{"symbol":"s","volume":1,"bestBid":"abc"}]"#,
            "[1].bestBid",
            r#"invalid type: string "abc", expected f64"#,
        ),
        (r#"["c",{"symbol":"s","volume":-1}]"#, "[1].volume", "invalid value: integer `-1`, expected u64"),
        (r#"["c",{"symbol":"s","volume":1.0}]"#, "[1].volume", "invalid type: floating point `1.0`, expected u64"),
        (r#"["c",{"symbol":"s"}]"#, "[1]", "missing field `volume`"),
        (r#"["c",{"symbol":"s","volume":1,"symbol":"t"}]"#, "[1].symbol", "duplicate field `symbol`"),
        (r#"["c",[],"x"]"#, "[1]", "invalid length 0, expected struct Quote with 5 elements"),
        (r#"["c",7]"#, "[1]", "invalid type: integer `7`, expected struct Quote"),
        (r#"[{"a":[1]},7]"#, "[0]", "invalid type: map, expected a borrowed string"),
        ("{}", "", "invalid type: map, expected a tuple of size 2"),
        (r#"["c",{"symbol":"\ud800","volume":1}]"#, "[1].symbol", "half a surrogate pair, expected text"),
        (
            r#"["c",{"symbol":"s","volume":1,"bestBid":1e999}]"#,
            "[1].bestBid",
            "number out of range, expected a finite float",
        ),
    ] {
        assert_eq!(place(text), (at.to_owned(), message.to_owned(), DecodeErrorKind::Type), "{text}");
    }
    for (text, at, message) in [
        (r#"["c",{"symbol":"s","volume":01}]"#, "[1].volume", "invalid number"),
        (r#"["c",{"symbol":"s","x y":{"z":[1,tru]}}]"#, "[1][\"x y\"].z[1]", "invalid literal"),
        (r#"["c",{"symbol" "s"}]"#, "[1].symbol", "expected a colon"),
        ("", "", "unexpected end of the text"),
        ("?", "", "expected a value"),
    ] {
        assert_eq!(place(text), (at.to_owned(), message.to_owned(), DecodeErrorKind::Syntax), "{text}");
    }
}

#[test]
fn a_type_that_looks_at_any_value_names_the_value_it_refused() {
    #[derive(Debug)]
    struct TextOnly;
    impl<'de> Deserialize<'de> for TextOnly {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl serde::de::Visitor<'_> for Visitor {
                type Value = TextOnly;
                fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    formatter.write_str("text")
                }
                fn visit_str<E>(self, _: &str) -> Result<TextOnly, E> {
                    Ok(TextOnly)
                }
            }
            deserializer.deserialize_any(Visitor)
        }
    }
    assert!(decode::<TextOnly>("\"x\"").is_ok());
    assert_eq!(failure::<(u8, TextOnly)>("[1,[2]]"), "at [1]: invalid type: sequence, expected text");
    assert_eq!(failure::<(u8, TextOnly)>(r#"[1,{"a":2}]"#), "at [1]: invalid type: map, expected text");
    assert_eq!(failure::<(u8, TextOnly)>("[1, null]"), "at [1]: invalid type: null, expected text");
}

#[test]
fn the_graver_failure_is_told() {
    // The type misfits first, but the value is no JSON at all.
    let mut cursor = Cursor::new(r#"  ["x",{"a":1,}] "#);
    let error = cursor.decode::<(u8, IgnoredAny)>().unwrap_err();
    assert_eq!((error.kind(), error.place(), error.offset()), (DecodeErrorKind::Syntax, "[1]", Some(14)));
    assert_eq!((cursor.position(), cursor.depth()), (0, 0));
    assert_eq!(cursor.skip_value().unwrap_err().kind(), SyntaxErrorKind::TrailingComma);
}

#[test]
fn a_failed_decode_leaves_the_cursor_before_the_value() {
    let mut cursor = Cursor::new(r#"{"arguments":["x",{"deep":[[[1]]]}],"type":1}"#);
    cursor.begin_object().unwrap();
    assert!(cursor.next_key_is(true, "arguments"));
    assert!(cursor.decode::<(&str, BTreeMap<&str, Vec<Vec<bool>>>)>().is_err());
    assert_eq!(cursor.depth(), 1);
    let range = cursor.skip_value().unwrap();
    assert_eq!(cursor.slice(range), r#"["x",{"deep":[[[1]]]}]"#);
    assert!(cursor.next_key_is(false, "type"));
}

#[test]
fn what_a_failure_quotes_is_cut() {
    let text = format!("[\"{}\\u001e{}\"]", "a".repeat(60), "b".repeat(1 << 20));
    let error = Cursor::new(&text).decode::<Vec<u8>>().unwrap_err();
    assert_eq!(error.message(), format!("invalid type: string \"{}\\u{{1e}}bbb...\", expected u8", "a".repeat(60)));
    let text = format!("{{\"{}\":1}}", "k".repeat(1 << 20));
    let error = Cursor::new(&text).decode::<BTreeMap<String, bool>>().unwrap_err();
    assert_eq!(error.place(), format!(".{}...", "k".repeat(64)));
}

#[test]
fn a_lenient_type_may_make_do_with_a_value_that_does_not_fit() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        #[serde(deserialize_with = "lenient")]
        price: Option<f64>,
        size: u8,
    }
    fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(f64::deserialize(deserializer).ok())
    }
    for price in ["\"n/a\"", "null", "true", "[1,[2]]", "{\"a\":{}}"] {
        assert_eq!(decode(&format!("{{\"price\":{price},\"size\":2}}")), Ok(Row { price: None, size: 2 }), "{price}");
    }
}

#[test]
fn sixty_four_levels_decode_and_no_more() {
    #[derive(Debug, Deserialize)]
    struct Nest {
        #[serde(default)]
        a: Option<Box<Nest>>,
    }
    let depth = |nest: Nest| {
        let (mut nest, mut depth) = (Some(nest), 0);
        while let Some(inner) = nest {
            nest = inner.a.map(|boxed| *boxed);
            depth += 1;
        }
        depth
    };
    let objects = |levels: usize| format!("{}{{}}{}", "{\"a\":".repeat(levels - 1), "}".repeat(levels - 1));
    let arrays = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    for levels in [63, 64] {
        assert_eq!(decode(&objects(levels)).map(depth), Ok(levels));
        assert!(decode::<serde_json::Value>(&arrays(levels)).is_ok());
        assert!(decode::<IgnoredAny>(&arrays(levels)).is_ok());
    }
    for levels in [65, 100_000] {
        assert!(failure::<Nest>(&objects(levels)).ends_with("nested deeper than 64 levels"));
        assert!(failure::<serde_json::Value>(&arrays(levels)).ends_with("nested deeper than 64 levels"));
        assert!(failure::<IgnoredAny>(&arrays(levels)).ends_with("nested deeper than 64 levels"));
        let enums = "{\"New\":".repeat(levels);
        assert!(decode::<serde_json::Value>(&enums).is_err());
    }
    // What is open around the value counts.
    assert!(Cursor::at("[[]]", 0, 62).decode::<Vec<Vec<u8>>>().is_ok());
    assert!(Cursor::at("[[]]", 0, 63).decode::<Vec<Vec<u8>>>().is_err());
}

#[test]
fn no_prefix_of_a_record_is_a_record() {
    let texts = [QUOTE, r#" { "é\u00e9\ud834\udd1e" : [ -1.5e+7 , true , null , "\\" ] , "b" : { } }"#];
    for text in texts {
        assert!(decode::<IgnoredAny>(text).is_ok());
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let prefix = &text[..end];
            assert!(Cursor::new(prefix).skip_value().is_err(), "{prefix}");
            let error = Cursor::new(prefix).decode::<serde_json::Value>().unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::Syntax, "{prefix}");
            assert_eq!(error.offset(), Some(Cursor::new(prefix).skip_value().unwrap_err().offset()));
            #[derive(Debug, Deserialize)]
            struct Record<'a> {
                #[serde(rename = "arguments", borrow)]
                _arguments: (&'a str, Quote<'a>),
            }
            assert!(Cursor::new(prefix).decode::<Record<'_>>().is_err(), "{prefix}");
        }
    }
}

#[test]
fn a_record_is_read_in_one_pass() {
    let mut cursor = Cursor::new(QUOTE);
    cursor.begin_object().unwrap();
    assert!(cursor.next_key_is(true, "type"));
    assert_eq!(cursor.integer(), Ok(1));
    assert!(cursor.next_key_is(false, "target"));
    assert_eq!(cursor.string().unwrap(), "GatewayQuote");
    assert!(cursor.next_key_is(false, "arguments"));
    let (contract, quote) = cursor.decode::<(&str, Quote<'_>)>().unwrap();
    assert_eq!(cursor.next_key(false), Ok(None));
    assert_eq!(cursor.finish(), Ok(()));
    assert_eq!(contract, "CON.F.US.MNQ.U26");
    let expected = Quote {
        symbol: "F.US.MNQ",
        last_price: Some(28012.0),
        best_bid: Some(28011.5),
        best_ask: None,
        volume: 306_373,
    };
    assert_eq!(quote, expected);
}

#[test]
fn no_place_to_begin_panics() {
    let text = "[\"é\\ud800\", {\"a\":-1e5}, tru";
    for start in (0..text.len() + 3).chain([usize::MAX]) {
        for depth in [0, 64, u32::MAX] {
            let at = || Cursor::at(text, start, depth);
            let _ =
                (at().peek_kind(), at().skip_value(), at().string(), at().integer(), at().number_text(), at().bool());
            let _ = (at().begin_object(), at().next_key(true), at().next_key(false), at().next_key_is(true, "a"));
            let _ = (at().begin_array(), at().next_element(true), at().next_element(false), at().null(), at().finish());
            let _ = (at().decode::<serde_json::Value>(), at().decode::<(String, Shape)>(), at().decode::<&str>());
        }
    }
}
