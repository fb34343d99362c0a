//! Whether the run showed what it should.

use crate::place::Place;
use crate::sources::{MARKET_EVENTS, USER_EVENTS};
use crate::tally::{HubTally, Tally};

/// What was not as it should be.
pub(crate) fn complaints(tally: &Tally, place: &Place) -> Vec<String> {
    let mut complaints = Vec::new();
    if tally.malformed > 0 {
        complaints.push(format!("{} events did not fit their type", tally.malformed));
    }
    for name in ["market", "user"] {
        let Some(hub) = tally.hubs.get(name) else {
            complaints.push(format!("nothing is known of the {name} hub"));
            continue;
        };
        let subscriptions = match (name, place.account) {
            ("market", _) => place.contracts.len() * 3,
            (_, Some(_)) => 4,
            (_, None) => 1,
        };
        complaints.extend(
            of_hub(hub, place.is_rehearsal(), subscriptions).into_iter().map(|text| format!("{name} hub: {text}")),
        );
    }
    if place.is_rehearsal() {
        complaints.extend(of_events(tally));
    }
    complaints
}

fn of_hub(hub: &HubTally, is_rehearsal: bool, subscriptions: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, text: &str| {
        if !holds {
            wrong.push(text.to_owned());
        }
    };
    expect(hub.connected == 1, "it did not connect");
    expect(hub.disconnected == 1, "it did not disconnect once, at the end");
    expect(hub.open_gaps.is_empty(), "a gap was still open at the end");
    expect(hub.counters.violations == 0, "it broke the protocol");
    if is_rehearsal {
        expect(hub.lost >= 1, "its connection was not lost, though it was cut");
        expect(hub.reconnected == hub.lost, "it did not come back after a loss");
        expect(hub.restored == hub.lost, "its subscriptions were not restored");
        expect(hub.refused_restores == 0, "a subscription was refused");
        let expected = u64::try_from(subscriptions).unwrap_or(u64::MAX).saturating_mul(hub.lost);
        expect(hub.gaps_opened == expected, "not every subscription had its gap");
    }
    wrong
}

fn of_events(tally: &Tally) -> Vec<String> {
    let targets = MARKET_EVENTS.iter().chain(&USER_EVENTS).map(|(target, _)| *target).chain(["GatewayQuote"]);
    let silent = targets.filter(|target| !tally.events.contains_key(target));
    let mut wrong: Vec<_> = silent.map(|target| format!("no {target} came")).collect();
    if tally.serials.missed_in_gaps == 0 {
        wrong.push("no quote was missed in the gap, though the hub went on".to_owned());
    }
    if tally.serials.wrong_outside_gaps > 0 {
        wrong.push(format!("{} quotes were lost, and no gap says so", tally.serials.wrong_outside_gaps));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use topstep_model::ContractId;

    use super::*;

    fn good() -> Tally {
        let mut tally = Tally::default();
        for (name, gaps_opened) in [("market", 6), ("user", 4)] {
            let hub = tally.hub(name);
            (hub.connected, hub.lost, hub.reconnected, hub.restored, hub.disconnected) = (1, 1, 1, 1, 1);
            hub.gaps_opened = gaps_opened;
        }
        MARKET_EVENTS.iter().chain(&USER_EVENTS).for_each(|(target, _)| tally.count(target));
        tally.count("GatewayQuote");
        tally.serials.step(&ContractId::new("ES"), 1);
        tally.serials.gap();
        tally.serials.step(&ContractId::new("ES"), 5);
        tally
    }

    #[test]
    fn every_fault_has_its_complaint() {
        let place = Place::rehearsal().unwrap();
        assert_eq!(complaints(&good(), &place), Vec::<String>::new());
        let faults: [fn(&mut Tally); 9] = [
            |tally| tally.malformed = 1,
            |tally| tally.hub("user").connected = 0,
            |tally| tally.hub("market").restored = 0,
            |tally| tally.hub("market").gaps_opened = 5,
            |tally| _ = tally.hub("market").open_gaps.insert("Quotes".to_owned()),
            |tally| tally.hub("user").disconnected = 0,
            |tally| tally.serials.missed_in_gaps = 0,
            |tally| tally.serials.wrong_outside_gaps = 1,
            |tally| _ = tally.events.remove("GatewayDepth"),
        ];
        for (number, fault) in faults.iter().enumerate() {
            let mut tally = good();
            fault(&mut tally);
            assert_eq!(complaints(&tally, &place).len(), 1, "fault {number}");
        }
    }
}
