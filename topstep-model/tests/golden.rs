//! A golden file for every event: what each shape of its arguments becomes, whichever reader reads it.
//!
//! The files hold the published samples and what no sample shows. `UPDATE_GOLDEN=1` writes them anew: look at what changed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use signalr_proto::json::Cursor;
use topstep_model::{
    Account, AnyEvent, DepthRow, Event, MarketEvent, MarketTrade, Order, Position, Quote, RowError, Rows, Target,
    UserEvent, UserTrade,
};

#[derive(Deserialize)]
struct Line<'a> {
    about: String,
    #[serde(borrow)]
    arguments: &'a RawValue,
}

/// The published samples, whose rows must all be there.
#[derive(Deserialize)]
struct Sample<'a> {
    event: &'a str,
    #[serde(borrow)]
    args: &'a RawValue,
}

fn golden_file(target: Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{target}.jsonl"))
}

fn shown(rows: Result<Rows<AnyEvent>, String>) -> String {
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return format!(r#""refused":{}"#, Value::from(error)),
    };
    let mut text = String::new();
    for row in &rows {
        let comma = if text.is_empty() { "" } else { "," };
        match row {
            Ok(event) => write!(text, "{comma}{}", event.to_arguments()).unwrap(),
            Err(error) => {
                let (place, message) = (Value::from(error.place()), Value::from(error.message()));
                write!(text, r#"{comma}{{"place":{place},"message":{message}}}"#).unwrap();
            }
        }
    }
    format!(r#""rows":[{text}]"#)
}

#[test]
fn every_shape_becomes_what_its_golden_line_says() {
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for target in Target::ALL {
        let golden = fs::read_to_string(golden_file(target)).unwrap();
        let mut anew = String::new();
        for line in golden.lines() {
            let read: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let rows = AnyEvent::decode(target, read.arguments.get()).map_err(|error| error.to_string());
            let about = Value::from(read.about.as_str());
            let found = format!(r#"{{"about":{about},"arguments":{},{}}}"#, read.arguments, shown(rows));
            assert!(is_update || found == line, "{target}\nfound  {found}\ngolden {line}");
            writeln!(anew, "{found}").unwrap();
        }
        if is_update {
            fs::write(golden_file(target), anew).unwrap();
        }
    }
}

#[test]
fn every_published_sample_has_a_golden_line_without_malformed_rows() {
    let samples = include_str!("../../mock-hub/data/topstepx-samples.jsonl");
    let mut count = 0;
    for line in samples.lines() {
        let sample: Sample = serde_json::from_str(line).unwrap();
        let Ok(target) = sample.event.parse::<Target>() else {
            assert!(sample.event.starts_with('$'), "{}", sample.event);
            continue;
        };
        let golden = fs::read_to_string(golden_file(target)).unwrap();
        let start = format!(r#""arguments":{},"rows":"#, sample.args);
        let line = golden.lines().find(|line| line.contains(&start));
        let line = line.unwrap_or_else(|| panic!("no golden line for {}", sample.args));
        assert!(!line.contains(r#""place":"#) && !line.contains(r#""rows":[]"#), "{line}");
        count += 1;
    }
    assert!(count >= 56, "{count}");
}

/// What a reader that goes over the wire's bytes once makes of the arguments.
fn by_every_reader<E: Event + PartialEq + std::fmt::Debug>(arguments: &str) {
    let slow = Rows::<E>::from_json(arguments);
    let readers = [
        ("from_str", serde_json::from_str::<Rows<E>>(arguments).ok()),
        ("from_slice", serde_json::from_slice(arguments.as_bytes()).ok()),
        ("from_reader", serde_json::from_reader(arguments.as_bytes()).ok()),
        ("the hub protocol's cursor", Cursor::new(arguments).decode::<Rows<E>>().ok()),
    ];
    // What one pass cannot see through.
    let is_hard = arguments.contains("e+999") || arguments.contains("012345678");
    for (reader, rows) in readers {
        if is_hard {
            continue;
        }
        assert_eq!(rows.as_ref(), slow.as_ref().ok(), "{reader}: {arguments}");
    }
    // `serde_json::Value` has floats in place of digits, unless `arbitrary_precision` is on, and no duplicate members.
    let is_finest = arguments.contains("0.000000000000000");
    if let (Ok(value), false) = (serde_json::from_str::<Value>(arguments), is_finest) {
        let rows = Rows::<E>::deserialize(&value).ok();
        let good =
            |rows: Option<&Rows<E>>| rows.map(|rows| (rows.len(), rows.errors().map(places).collect::<Vec<_>>()));
        assert_eq!(good(rows.as_ref()), good(slow.as_ref().ok()), "{arguments}");
    }
}

fn places(error: &RowError) -> String {
    error.place().to_owned()
}

#[test]
fn every_reader_reads_the_same() {
    for target in Target::ALL {
        let golden = fs::read_to_string(golden_file(target)).unwrap();
        for line in golden.lines() {
            let read: Line = serde_json::from_str(line).unwrap();
            let arguments = read.arguments.get();
            match target {
                Target::UserAccount => by_every_reader::<UserEvent<Account>>(arguments),
                Target::UserOrder => by_every_reader::<UserEvent<Order>>(arguments),
                Target::UserPosition => by_every_reader::<UserEvent<Position>>(arguments),
                Target::UserTrade => by_every_reader::<UserEvent<UserTrade>>(arguments),
                Target::Quote => by_every_reader::<MarketEvent<Quote>>(arguments),
                Target::Trade => by_every_reader::<MarketEvent<MarketTrade>>(arguments),
                Target::Depth => by_every_reader::<MarketEvent<DepthRow>>(arguments),
                Target::Logout => continue,
                other => panic!("{other} has no reader here"),
            }
        }
    }
}

#[test]
fn what_is_written_is_read_again() {
    for target in Target::ALL {
        let golden = fs::read_to_string(golden_file(target)).unwrap();
        for line in golden.lines() {
            let read: Line = serde_json::from_str(line).unwrap();
            let Ok(rows) = AnyEvent::decode(target, read.arguments.get()) else { continue };
            for event in rows.values() {
                assert_eq!(event.target(), target);
                let again = AnyEvent::decode(target, &event.to_arguments()).unwrap();
                assert_eq!(again.values().collect::<Vec<_>>(), [event], "{}", event.to_arguments());
                assert_eq!(again.len(), 1);
            }
        }
    }
}
