//! What goes wrong between the two, and when, drawn from a seed.

use std::time::Duration;

use mock_hub::faults::{AfterTruncation, Direction, DropHow, Fault, Rule};
use serde_json::json;

use crate::proxy::Trouble;

/// One thing that goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Strike {
    Rule(Rule),
    /// With the time until it is over.
    Network(Trouble, Duration),
}

/// What a storm may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything that a client can notice at once.
    Loud,
    /// Losses and delays in a connection that lives, too.
    Silent,
}

/// A storm of so long: what happens at which time, in order.
pub(crate) fn storm(seed: u64, kind: Kind, lasts: Duration) -> Vec<(Duration, Strike)> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut expiries = 2;
    let mut at = Duration::from_millis(500);
    let mut strikes = Vec::new();
    while at < lasts {
        let strike = match kind {
            Kind::Silent if rng.u8(..3) == 0 => silent(&mut rng),
            _ => loud(&mut rng, &mut expiries),
        };
        strikes.push((at, strike));
        at += Duration::from_millis(rng.u64(150..1_800));
    }
    strikes
}

/// The most that an event may come late.
pub(crate) const LATEST: Duration = Duration::from_millis(1_500);

fn silent(rng: &mut fastrand::Rng) -> Strike {
    let groups = ["orders/", "positions/", "trades/", "accounts", ""];
    let group = Some(groups[rng.usize(..groups.len())].to_owned()).filter(|group| !group.is_empty());
    let rule = match rng.usize(..4) {
        0 | 1 => Rule::new(Fault::LostEvents { group }).share(0.4).lasts(ms(rng.u64(300..3_000))),
        2 => Rule::new(Fault::DelayedEvents { by: ms(rng.u64(50..1_500)), group })
            .share(0.4)
            .lasts(ms(rng.u64(300..3_000))),
        _ => Rule::new(Fault::ZombieSubscriptions { method: None }).lasts(ms(2_000)).times(3),
    };
    // What the market hub loses in a living connection nothing brings back but its next quote.
    Strike::Rule(rule.on_hub("user"))
}

fn loud(rng: &mut fastrand::Rng, expiries: &mut u32) -> Strike {
    let hub = if rng.bool() { "market" } else { "user" };
    let once = |fault| Rule::new(fault).times(1).on_hub(hub);
    let often =
        |rng: &mut fastrand::Rng, fault| Rule::new(fault).share(0.2 + 0.8 * rng.f64()).lasts(ms(rng.u64(500..5_000)));
    let statuses = [500, 502, 503, 429, 404];
    Strike::Rule(match rng.usize(..44) {
        0 => return Strike::Network(Trouble::Reset, Duration::ZERO),
        1 => return Strike::Network(Trouble::Fin, Duration::ZERO),
        2 | 3 => return Strike::Network(Trouble::StallDown, ms(rng.u64(200..6_000))),
        4 => return Strike::Network(Trouble::StallUp, ms(rng.u64(200..6_000))),
        5 => return Strike::Network(Trouble::BlackHole, Duration::ZERO),
        6 => once(Fault::Drop { how: DropHow::Reset }),
        7 => once(Fault::Drop { how: DropHow::Fin }),
        8 => once(Fault::Drop { how: DropHow::HalfClose }),
        9 => close(hub, json!(true)),
        10 => close(hub, json!(false)),
        11 => Rule::new(Fault::RefuseConnections).lasts(ms(rng.u64(200..4_000))),
        12 => once(Fault::UpgradeStatus { status: 503, retry_after: None, body: None }),
        13 => once(Fault::UpgradeStatus { status: 500, retry_after: None, body: None }),
        14 => {
            if *expiries == 0 {
                return Strike::Network(Trouble::Reset, Duration::ZERO);
            }
            *expiries -= 1;
            match rng.usize(..3) {
                0 => once(Fault::UpgradeStatus { status: 401, retry_after: None, body: None }),
                _ => Rule::new(Fault::TokenExpiry { user: None, close: rng.bool() }),
            }
        }
        15 => once(Fault::DuplicateCompletion),
        16 => once(Fault::LateCompletion { by: ms(rng.u64(100..2_000)) }),
        17 => once(Fault::LostCompletion),
        18 => once(Fault::UnknownCompletion { id: "nobody".to_owned() }),
        19 | 20 => Rule::new(Fault::RejectedSubscriptions { method: None, text: None })
            .on_hub(hub)
            .lasts(ms(3_000))
            .times(rng.u32(1..4)),
        21 => once(Fault::MalformedRecord { text: None }),
        22 => once(Fault::TruncatedRecord { keep: None, then: AfterTruncation::Fin }),
        23 => once(Fault::TruncatedRecord { keep: None, then: AfterTruncation::Nothing }),
        24 => once(Fault::OversizedRecord { bytes: 200_000 }),
        25 => once(Fault::OversizedInvocation { bytes: 2 << 20 }),
        26 => once(Fault::UnknownTarget { target: "NoSuchTarget".to_owned() }),
        27 => once(Fault::InvalidUtf8),
        28 => once(Fault::ShortLife { life: ms(50), how: DropHow::Reset }),
        29 => once(Fault::WebsocketClose { code: [1001, 1011, 1012, 1013][rng.usize(..4)], reason: String::new() }),
        30 => once(Fault::HandshakeSilence),
        31 => once(Fault::UnansweredUpgrade),
        32 => once(Fault::WrongAcceptKey),
        33 => once(Fault::HandshakeGarbage { text: None }),
        34 => Rule::new(Fault::SplitRecords { size: rng.usize(1..60) }).on_hub(hub).lasts(ms(1_000)),
        35 => Rule::new(Fault::GluedRecords { records: 5, hold: ms(100) }).on_hub(hub).lasts(ms(1_000)),
        36 => Rule::new(Fault::Stall { direction: Direction::Out }).on_hub(hub).lasts(ms(rng.u64(200..4_000))),
        37 => malformed(rng),
        38 => {
            often(rng, Fault::RestDelay { path: None, by: ms(rng.clone().u64(100..7_000)), moment: Default::default() })
        }
        39 => {
            let status = statuses[rng.usize(..statuses.len())];
            often(
                rng,
                Fault::RestStatus { path: None, status, retry_after: None, body: None, moment: Default::default() },
            )
        }
        40 => often(rng, Fault::RestGarbage { path: None, body: None, moment: Default::default() }),
        41 => often(rng, Fault::RestDrop { path: None, how: DropHow::Reset, moment: Default::default() }),
        42 => often(rng, Fault::RestTruncated { path: None, keep: None }),
        _ => often(
            rng,
            Fault::RestDelay {
                path: None,
                by: ms(rng.clone().u64(100..7_000)),
                moment: mock_hub::faults::Moment::After,
            },
        ),
    })
}

/// Events of the right names with the wrong contents.
fn malformed(rng: &mut fastrand::Rng) -> Rule {
    let targets = ["GatewayUserOrder", "GatewayUserPosition", "GatewayUserTrade", "GatewayUserAccount"];
    let target = targets[rng.usize(..targets.len())];
    let record = json!({"type": 1, "target": target, "arguments": [{"action": 1, "data": {"id": "x", "size": {}}}]});
    Rule::new(Fault::ForeignRecord { record: record.to_string() }).on_hub("user")
}

fn close(hub: &str, allow_reconnect: serde_json::Value) -> Rule {
    Rule::new(Fault::CloseRecord {
        error: Some(json!("Connection closed with an error.")),
        allow_reconnect: Some(allow_reconnect),
        then: Default::default(),
    })
    .on_hub(hub)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
