//! What goes wrong, and when, drawn from a seed.

use std::time::Duration;

use mock_hub::faults::{AfterTruncation, Direction, DropHow, Fault, Rule};
use serde_json::json;

use super::STORM;

/// More would use up what a client has for connections that do not live, and it would wait.
const ENDS_A_HUB: usize = 3;
const NUISANCES: usize = 14;

/// Faults that end connections, and others that must not.
pub(super) fn storm(seed: u64) -> Vec<Rule> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut rules = Vec::new();
    for hub in ["market", "user"] {
        for _ in 0..ENDS_A_HUB {
            rules.push(end(&mut rng).on_hub(hub).after(moment(&mut rng)));
        }
    }
    for _ in 0..NUISANCES {
        let after = moment(&mut rng);
        let rule = match rng.usize(..12) {
            0 => Rule::new(Fault::RefuseConnections).lasts(ms(200)),
            1 => Rule::new(Fault::TokenExpiry { user: None, close: rng.u8(..4) == 0 }),
            _ => {
                let hub = if rng.bool() { "market" } else { "user" };
                nuisance(&mut rng).on_hub(hub)
            }
        };
        rules.push(rule.after(after));
    }
    rules
}

/// Events that come late, some of them not at all, and two lost connections.
pub(super) fn delays(seed: u64) -> Vec<Rule> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let late = |by| Rule::new(Fault::DelayedEvents { by: ms(by), group: None });
    vec![
        late(rng.u64(1..200)).share(0.2),
        late(rng.u64(1..5)).share(0.2),
        Rule::new(Fault::LostEvents { group: None }).share(0.05),
        Rule::new(Fault::Drop { how: DropHow::Reset }).after(moment(&mut rng)),
    ]
}

fn moment(rng: &mut fastrand::Rng) -> Duration {
    ms(100) + (STORM - ms(800)).mul_f64(rng.f64())
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn end(rng: &mut fastrand::Rng) -> Rule {
    let once = |fault| Rule::new(fault).times(1);
    match rng.usize(..14) {
        0 => once(Fault::Drop { how: DropHow::Reset }),
        1 => once(Fault::Drop { how: DropHow::Fin }),
        2 => once(Fault::Drop { how: DropHow::HalfClose }),
        3 => once(Fault::CloseRecord {
            error: Some(json!("Connection closed with an error.")),
            allow_reconnect: Some(json!(true)),
            then: Default::default(),
        }),
        4 => once(Fault::WebsocketClose { code: [1001, 1011, 1012, 1013][rng.usize(..4)], reason: String::new() }),
        5 => once(Fault::MalformedRecord { text: None }),
        6 => once(Fault::TruncatedRecord { keep: None, then: AfterTruncation::Fin }),
        7 => once(Fault::TruncatedRecord { keep: None, then: AfterTruncation::Nothing }),
        8 => once(Fault::InvalidUtf8),
        9 => Rule::new(Fault::BlackHole { direction: Direction::Out }).lasts(ms(50)),
        10 => once(Fault::OversizedInvocation { bytes: 2 * 1024 * 1024 }),
        11 => once(Fault::ShortLife { life: ms(50), how: DropHow::Reset }),
        12 => Rule::new(Fault::Stall { direction: Direction::Out }).lasts(ms(1_500)),
        _ => once(Fault::ForeignMessage { text: "{\"type\":6}".to_owned(), binary: false }),
    }
}

fn nuisance(rng: &mut fastrand::Rng) -> Rule {
    let once = |fault| Rule::new(fault).times(1);
    let a_while = |fault| Rule::new(fault).lasts(ms(300));
    match rng.usize(..25) {
        0 => a_while(Fault::SplitRecords { size: rng.usize(1..50) }),
        1 => a_while(Fault::FragmentedRecords { size: rng.usize(1..50), with_pings: rng.bool() }),
        2 => a_while(Fault::GluedRecords { records: rng.usize(2..6), hold: ms(20) }),
        3 => a_while(Fault::OneByteWrites),
        4 => a_while(Fault::Throttle { bytes_per_second: 50_000, direction: Direction::Both }),
        5 => a_while(Fault::Stall { direction: Direction::Both }),
        6 => a_while(Fault::BinaryFrames),
        7 => a_while(Fault::NoPings),
        8 => once(Fault::UnknownKind { kind: 42 }),
        9 => once(Fault::UnknownTarget { target: "NoSuchTarget".to_owned() }),
        10 => once(Fault::PingFlood { count: 1000 }),
        11 => once(Fault::DuplicateCompletion),
        12 => once(Fault::UnknownCompletion { id: "nobody".to_owned() }),
        13 => once(Fault::LateCompletion { by: ms(200) }),
        14 => once(Fault::UpgradeStatus { status: 503, retry_after: None, body: None }).times(2),
        15 => once(Fault::NegotiateStatus { status: 502, retry_after: None, body: None }),
        16 => once(Fault::SlowUpgrade { delay: ms(100), bytes_per_second: Some(2_000) }),
        17 => once(Fault::UnansweredUpgrade),
        18 => once(Fault::WrongAcceptKey),
        19 => once(Fault::HandshakeSilence),
        20 => once(Fault::HandshakeGarbage { text: None }),
        21 => once(Fault::GluedHandshake { records: None }),
        22 => once(Fault::RejectedSubscriptions { method: None, text: None }),
        23 => once(Fault::OversizedRecord { bytes: 200_000 }),
        _ => a_while(Fault::LostEvents { group: None }).share(0.3),
    }
}
