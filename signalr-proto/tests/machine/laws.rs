//! The laws of a machine, over traces that nobody thought of.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::sinks::Channel;
use crate::support::{framing, program};

/// Records, halves of records and other bytes, of which a payload is made.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let records: &[&str] = &[
        "{}",
        r#"{"type":6}"#,
        r#"{"type":1,"target":"m","arguments":[1]}"#,
        r#"{"arguments":["é"],"target":"n","type":1}"#,
        r#"{"type":1,"target":"m","arguments":["x"]}"#,
        r#"{"type":1,"invocationId":"s1","target":"Ask","arguments":[]}"#,
        r#"{"type":1,"invocationId":"s2","target":"nobody","arguments":[]}"#,
        r#"{"type":2,"invocationId":"3","item":5}"#,
        r#"{"type":2,"invocationId":"2","item":5}"#,
        r#"{"type":3,"invocationId":"1"}"#,
        r#"{"type":3,"invocationId":"2","result":7}"#,
        r#"{"type":3,"invocationId":"3"}"#,
        r#"{"type":3,"invocationId":"4","error":"no"}"#,
        r#"{"type":7,"allowReconnect":true}"#,
        r#"{"error":"no"}"#,
        r#"{"type":99}"#,
        "garbage",
        "",
    ];
    prop_oneof![
        8 => proptest::sample::select(records).prop_map(|record| [record.as_bytes(), b"\x1e"].concat()),
        2 => proptest::sample::select(records).prop_map(|record| record.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
        1 => Just(vec![b' '; 130]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn chunking_is_invisible(scene in 0_u8..8, cuts in vec(any::<u8>(), 0..16), fragments in vec(fragment(), 0..12)) {
        // Mostly a handshake that was answered well.
        let answer: &[u8] = if scene & 1 == 1 && !fragments.is_empty() { b"{}\x1e" } else { b"" };
        let head = [&[scene, u8::try_from(cuts.len()).unwrap()], cuts.as_slice(), answer].concat();
        framing::check(&[head, fragments.concat()].concat());
    }

    #[test]
    fn every_law_holds_on_every_trace_and_the_same_trace_says_the_same(trace in vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(program::run(&trace), program::run(&trace));
    }

    #[test]
    fn every_law_holds_on_traces_that_get_somewhere(
        options in any::<(u8, u8)>(),
        steps in vec((prop_oneof![4 => 3_u8..=30, 3 => 10_u8..=12, 3 => 15_u8..=24, 1 => any::<u8>()], any::<u8>()), 0..300),
    ) {
        let connect = [0, 16, 16, 16, 16];
        let steps = steps.into_iter().flat_map(|(step, choice)| [step, choice]);
        program::run(&[options.0, options.1].into_iter().chain(connect).chain(steps).collect::<Vec<_>>());
    }
}

/// The seeds of the fuzz targets, and whatever those found: each is a trace by name.
#[test]
fn every_law_holds_on_the_seeds_of_the_fuzz_targets() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    for (target, run) in [("framing", framing::check as fn(&[u8])), ("machine", |bytes| drop(program::run(bytes)))] {
        let files: Vec<_> = std::fs::read_dir(seeds.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 10, "{target} has seeds");
        for file in files {
            println!("{}", file.display());
            run(&std::fs::read(&file).unwrap());
        }
    }
}

/// The laws would hold of a trace in which nothing happens, too: these get somewhere.
#[test]
fn random_traces_reach_what_they_should() {
    let mut seen = std::collections::BTreeSet::new();
    // What leads on comes up more often than what ends it.
    const STEPS: &[u8] = &[
        0, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 11, 12, 12, 12, 13, 14, 16, 16, 16, 16, 17, 18, 20, 21, 22, 22, 22, 23, 24,
        24, 25, 26, 28, 29, 30, 31, 130,
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    for _ in 0..150 {
        let mut trace = vec![random() & 0x2f, random()];
        for _ in 0..300 {
            trace.extend([STEPS[usize::from(random()) % STEPS.len()], random()]);
        }
        for (channel, line) in program::run(&trace) {
            let words: Vec<&str> = line.split(' ').collect();
            seen.insert(match channel {
                Channel::Reply => words[1..words.len().min(3)].join(" "),
                Channel::Action | Channel::Event => words[0].to_owned(),
                Channel::Sink => words.get(1).copied().unwrap_or_default().to_owned(),
            });
        }
    }
    for expected in [
        "connected",
        "reconnecting",
        "reconnected",
        "restored",
        "disconnected",
        "gap_opened",
        "gap_closed",
        "subscription_failed",
        "violation",
        "malformed",
        "unhandled",
        "completed",
        "value 1",
        "hub_error no",
        "cancelled",
        "not_sent deadline",
        "unknown deadline",
        "unknown lost",
        "subscribed 0",
        "subscribed 1",
        "unsubscribed",
        "subscribe hub_error",
        "subscribe cancelled",
        "flush",
        "abort",
        "probe",
    ] {
        assert!(seen.contains(expected), "no trace has {expected}: {seen:?}");
    }
}
