//! The JSON cursor against `serde_json`: the same texts are accepted, and the same values come out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use signalr_proto::json::{Cursor, DecodeErrorKind, Kind, SyntaxError};

/// A JSON text before it is printed; unlike `serde_json::Value` it keeps duplicates, and numbers as they are written.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// A float that may differ by what `serde_json` loses: it does not always take the nearest one.
#[derive(Debug, Deserialize)]
struct Nearly(f64);

impl PartialEq for Nearly {
    fn eq(&self, other: &Self) -> bool {
        (self.0 - other.0).abs() <= self.0.abs() * 1e-14 + f64::MIN_POSITIVE
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Plain<'a> {
    a: Option<Nearly>,
    #[serde(borrow)]
    b: Option<Cow<'a, str>>,
    #[serde(default)]
    c: Vec<i16>,
    d: Option<Box<Plain<'a>>>,
    e: Option<(bool, u64)>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    a: u8,
    #[serde(default)]
    b: Option<char>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum External {
    A,
    B(Nearly),
    C(u8, Option<bool>),
    D {
        a: Option<i64>,
        #[serde(default)]
        b: String,
    },
    E(()),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "a", rename_all = "lowercase")]
enum Internal {
    A,
    B { b: Option<Nearly> },
    C(BTreeMap<String, Option<bool>>),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(Nearly),
    Text(String),
    Pair(u8, u8),
    Strict(Strict),
    External(External),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flat {
    a: Option<u8>,
    #[serde(flatten)]
    rest: BTreeMap<String, Untagged>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct UnitStruct;

#[derive(Debug, Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    a: Option<&'a RawValue>,
    b: Option<Box<RawValue>>,
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        let boxed = |raw: &Self| raw.b.as_deref().map(|b| b.get().to_owned());
        self.a.map(RawValue::get) == other.a.map(RawValue::get) && boxed(self) == boxed(other)
    }
}

/// `serde_json::Value`, its floats compared nearly.
#[derive(Debug, Deserialize)]
struct Whole(serde_json::Value);

impl PartialEq for Whole {
    fn eq(&self, other: &Self) -> bool {
        fn same(ours: &serde_json::Value, theirs: &serde_json::Value) -> bool {
            use serde_json::Value as V;
            match (ours, theirs) {
                (V::Array(ours), V::Array(theirs)) => {
                    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
                }
                (V::Object(ours), V::Object(theirs)) => {
                    ours.len() == theirs.len()
                        && ours.iter().zip(theirs).all(|(ours, theirs)| ours.0 == theirs.0 && same(ours.1, theirs.1))
                }
                (V::Number(ours), V::Number(theirs)) if ours.is_f64() && theirs.is_f64() => {
                    ours.as_f64().map(Nearly) == theirs.as_f64().map(Nearly)
                }
                (ours, theirs) => ours == theirs,
            }
        }
        same(&self.0, &other.0)
    }
}

fn number() -> impl Strategy<Value = String> {
    const EDGES: &[&str] = &[
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1.50",
        "1e5",
        "1E+05",
        "-1e-7",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "255",
        "256",
        "-1",
        "32768",
        "123456789012345678901234567890",
        "0.12345678901234567890123",
        "1e400",
        "-1e999",
        "1e-400",
        "4.9e-324",
    ];
    prop_oneof![
        3 => (0..300_i32).prop_map(|value| value.to_string()),
        1 => any::<i64>().prop_map(|value| value.to_string()),
        2 => any::<f64>()
            .prop_filter_map("finite", serde_json::Number::from_f64)
            .prop_map(|value| value.to_string()),
        2 => (-99_999_i64..99_999, 0..100_u8).prop_map(|(whole, cents)| format!("{whole}.{cents:02}")),
        2 => proptest::sample::select(EDGES).prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    const ESCAPES: &[&str] =
        &[r#""\u0061""#, r#""\ud834\udd1e""#, r#""\ud800""#, r#""\/\b""#, r#""x\udc00y""#, r#""\ud800\u0061""#];
    let quoted = |text: String| serde_json::to_string(&text).expect("text is JSON");
    prop_oneof![
        2 => "[a-e]".prop_map(quoted),
        1 => "[a-z0-9.]{0,20}".prop_map(quoted),
        1 => any::<String>().prop_map(quoted),
        1 => proptest::sample::select(ESCAPES).prop_map(str::to_owned),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let scalar = prop_oneof![
        1 => Just("null".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        4 => number(),
        3 => text(),
    ]
    .prop_map(Tree::Scalar);
    let name = prop_oneof![
        8 => "[a-e]".prop_map(|name| format!("\"{name}\"")),
        1 => "-?[0-9]{1,4}".prop_map(|name| format!("\"{name}\"")),
        1 => proptest::sample::select(&["\"true\"", "\"false\"", "\"\"", "\"1.5\"", "\" 1\""][..]).prop_map(str::to_owned),
        1 => text(),
    ];
    scalar.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Tree::Array),
            vec((name.clone(), inner), 0..5).prop_map(Tree::Object),
        ]
    })
}

/// Prints with white space between the tokens, taken from `spaces` in turn.
fn print(tree: &Tree, spaces: &[u8], out: &mut String) {
    fn space(spaces: &[u8], out: &mut String) {
        let kind = spaces.get(out.len() % spaces.len().max(1)).copied().unwrap_or(0);
        out.push_str(["", "", "", "", " ", "\n", "\t\r", "  \r\n "][usize::from(kind % 8)]);
    }
    space(spaces, out);
    match tree {
        Tree::Scalar(scalar) => out.push_str(scalar),
        Tree::Array(elements) => {
            out.push('[');
            space(spaces, out);
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                print(element, spaces, out);
            }
            out.push(']');
        }
        Tree::Object(members) => {
            out.push('{');
            space(spaces, out);
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                space(spaces, out);
                out.push_str(name);
                space(spaces, out);
                out.push(':');
                print(value, spaces, out);
            }
            out.push('}');
        }
    }
    space(spaces, out);
}

fn valid_text() -> impl Strategy<Value = String> {
    (tree(), vec(any::<u8>(), 0..8)).prop_map(|(tree, spaces)| {
        let mut out = String::new();
        print(&tree, &spaces, &mut out);
        out
    })
}

/// A text that some of the types below ask for; arbitrary ones hardly ever fit them.
fn shaped_text() -> impl Strategy<Value = String> {
    const SHAPES: &[&str] = &[
        r#"[N, N, N]"#,
        r#"[true,N]"#,
        r#"{"a":N,"b":T}"#,
        r#"{"a":N,"b":T,"c":[N,N],"d":{"a":N,"d":null},"e":[false,N]}"#,
        r#"[N,T,[N],null,[true,N]]"#,
        r#"{"b":N}"#,
        r#"{"c":[N,true]}"#,
        r#"{"d":{"b":T,"a":N}}"#,
        r#"{"d":[N,T]}"#,
        r#"{"e":null}"#,
        r#"{"a":"a"}"#,
        r#"{"b":N,"a":"b"}"#,
        r#"{"a":"c","N":null,"b":true}"#,
        r#"["a",{"b":N},{"c":[N,null]},{"d":{"b":T}}]"#,
        r#"[N,T,[N,N],{"a":N},{"e":null},"a"]"#,
        r#"{"a":N,"x":N,"y":T,"z":[N,N]}"#,
        r#"{"N":T,"1N":[N]}"#,
        r#"{"true":N,"false":T}"#,
    ];
    (proptest::sample::select(SHAPES), vec(number(), 4), text()).prop_map(|(shape, numbers, text)| {
        let mut numbers = numbers.iter().cycle();
        let fill = |slot: char| match slot {
            'N' => numbers.next().cloned().unwrap_or_default(),
            'T' => text.clone(),
            other => other.to_string(),
        };
        shape.chars().map(fill).collect()
    })
}

/// A valid text with up to four characters replaced, removed, inserted or all of them cut off.
fn mutated_text() -> impl Strategy<Value = String> {
    let characters: Vec<char> =
        "{}[],:\"\\0123456789-+.eEtrufalsnabdux/ \n\t\u{1e}\u{0}\u{7f}é\u{2028}\u{10ffff}".chars().collect();
    let mutation = (any::<prop::sample::Index>(), 0..8_u8, proptest::sample::select(characters));
    (prop_oneof![2 => valid_text(), 1 => shaped_text()], vec(mutation, 1..5)).prop_map(|(text, mutations)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (index, kind, character) in mutations {
            let at = index.index(characters.len() + 1);
            match kind {
                0..=2 if at < characters.len() => characters[at] = character,
                3 | 4 if at < characters.len() => drop(characters.remove(at)),
                5 => characters.truncate(at),
                _ => characters.insert(at, character),
            }
        }
        characters.into_iter().collect()
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![1 => valid_text(), 2 => shaped_text(), 3 => mutated_text()]
}

fn skips(text: &str) -> Result<(), SyntaxError> {
    let mut cursor = Cursor::new(text);
    cursor.skip_value()?;
    cursor.finish()
}

/// The same check by hand, with the methods that walk.
fn walks(text: &str) -> Result<(), SyntaxError> {
    fn value(cursor: &mut Cursor<'_>) -> Result<(), SyntaxError> {
        let mut first = true;
        match cursor.peek_kind() {
            Some(Kind::Object) => {
                cursor.begin_object()?;
                while cursor.next_key(first)?.is_some() {
                    first = false;
                    value(cursor)?;
                }
                Ok(())
            }
            Some(Kind::Array) => {
                cursor.begin_array()?;
                while cursor.next_element(first)? {
                    first = false;
                    value(cursor)?;
                }
                Ok(())
            }
            _ => cursor.skip_value().map(drop),
        }
    }
    let mut cursor = Cursor::new(text);
    value(&mut cursor)?;
    cursor.finish()
}

fn agree<'a, T: Deserialize<'a> + PartialEq + Debug>(text: &'a str) -> Result<(), TestCaseError> {
    agree_with(text, serde_json::from_str::<T>(text))
}

fn agree_with<'a, T>(text: &'a str, theirs: serde_json::Result<T>) -> Result<(), TestCaseError>
where
    T: Deserialize<'a> + PartialEq + Debug,
{
    let mut cursor = Cursor::new(text);
    let ours = cursor.decode::<T>();
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert_eq!(cursor.finish(), Ok(()), "{}", text);
            prop_assert_eq!(ours, theirs, "{}", text);
        }
        // serde_json looks behind the value in the same call.
        (Ok(_), Err(theirs)) => {
            prop_assert!(cursor.finish().is_err(), "{}: {} for {}", text, theirs, std::any::type_name::<T>())
        }
        (Err(ours), Ok(theirs)) => {
            return Err(TestCaseError::fail(format!("{text}: {ours}, but serde_json has {theirs:?}")));
        }
        (Err(ours), Err(_)) => {
            prop_assert_eq!(cursor.position(), 0);
            let is_json = Cursor::new(text).skip_value().is_ok();
            prop_assert_eq!(ours.kind() == DecodeErrorKind::Type, is_json, "{}: {}", text, ours);
            prop_assert!(ours.offset().is_some_and(|offset| offset <= text.len()), "{}: {:?}", text, ours);
        }
    }
    Ok(())
}

/// How deep a text nests, by its brackets outside of strings without escapes.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_texts_are_accepted(text in valid_text()) {
        prop_assert_eq!(skips(&text), Ok(()), "{}", text);
        prop_assert_eq!(walks(&text), Ok(()), "{}", text);
    }

    #[test]
    fn the_same_texts_are_accepted(text in any_text()) {
        let accepted = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(skips(&text).is_ok(), accepted, "{}", text);
        let place = |result: Result<(), SyntaxError>| result.map_err(|error| error.offset());
        prop_assert_eq!(place(walks(&text)), place(skips(&text)), "{}", text);
    }

    #[test]
    fn the_same_values_come_out(text in any_text()) {
        agree::<Whole>(&text)?;
        agree::<Plain<'_>>(&text)?;
        agree::<Strict>(&text)?;
        agree::<External>(&text)?;
        agree::<Internal>(&text)?;
        agree::<Untagged>(&text)?;
        agree::<Flat>(&text)?;
        agree::<Raw<'_>>(&text)?;
        agree::<Vec<Option<Plain<'_>>>>(&text)?;
        agree::<Vec<Untagged>>(&text)?;
        agree::<Vec<External>>(&text)?;
        agree::<(Option<bool>, Whole)>(&text)?;
        agree::<(u8, i16, Nearly)>(&text)?;
        agree::<BTreeMap<String, Whole>>(&text)?;
        agree::<BTreeMap<i16, Whole>>(&text)?;
        // Not `from_str`: serde_json 1.0.154 makes a `str` of half a character where such a key does not begin with ASCII.
        agree_with::<BTreeMap<bool, Whole>>(&text, serde_json::from_slice(text.as_bytes()))?;
        agree::<BTreeMap<char, Nearly>>(&text)?;
        agree::<Option<UnitStruct>>(&text)?;
        agree::<&str>(&text)?;
        agree::<char>(&text)?;
        agree::<bool>(&text)?;
    }

    #[test]
    fn the_same_numbers_come_out(text in prop_oneof![3 => number(), 1 => mutated_text()]) {
        agree::<Nearly>(&text)?;
        agree::<f32>(&text)?;
        agree::<i8>(&text)?;
        agree::<u8>(&text)?;
        agree::<i16>(&text)?;
        agree::<u16>(&text)?;
        agree::<i32>(&text)?;
        agree::<u32>(&text)?;
        agree::<i64>(&text)?;
        agree::<u64>(&text)?;
        agree::<i128>(&text)?;
        agree::<u128>(&text)?;
        let exact = serde_json::from_str::<&RawValue>(&text).ok().and_then(|raw| raw.get().parse::<f64>().ok());
        if let Some(exact) = exact.filter(|exact| exact.is_finite()) {
            prop_assert_eq!(Cursor::new(&text).decode::<f64>().map(f64::to_bits), Ok(exact.to_bits()), "{}", text);
        }
    }

    #[test]
    fn depth_is_the_only_difference(
        levels in vec(any::<bool>(), 60..69),
        inner in prop_oneof![Just("1"), Just("[]"), Just("{}"), Just(""), Just("[1,{\"a\":[]}]")],
        wrong in proptest::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let open: String = levels.iter().map(|is_object| if *is_object { "{\"a\":" } else { "[" }).collect();
        let mut close: Vec<char> = levels.iter().rev().map(|is_object| if *is_object { '}' } else { ']' }).collect();
        if let Some(index) = wrong {
            let at = index.index(close.len());
            close[at] = if close[at] == '}' { ']' } else { '}' };
        }
        let text = open + inner + &String::from_iter(close);
        let accepted = serde_json::from_str::<IgnoredAny>(&text).is_ok() && nesting(&text) <= 64;
        prop_assert_eq!(skips(&text).is_ok(), accepted, "{}", text);
        prop_assert_eq!(walks(&text).is_ok(), accepted, "{}", text);
        prop_assert_eq!(Cursor::new(&text).decode::<serde_json::Value>().is_ok(), accepted, "{}", text);
    }
}
