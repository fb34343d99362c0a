//! Stateful reconnect under any program of calls, events, losses and Acks.

use std::time::Duration;

use signalr_proto::State;

use super::connected;
use crate::support::sim::{Call, Sim};
use crate::support::sinks::Shape;

/// What either side sent, the other has got exactly once and in order.
#[test]
fn nothing_is_lost_and_nothing_comes_twice_whatever_is_lost_when() {
    for seed in 1..=2_000_u64 {
        let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut below = |limit: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % limit
        };
        let mut sim = connected();
        sim.on("T", "t", Shape::Any);
        let mut hub = Hub::default();
        for _ in 0..60 {
            match below(8) {
                0 | 1 => drop(sim.call(Call::send("Note").arguments(format!("[{}]", hub.next_call())))),
                2..=4 => {
                    // Lost on the way, or not: the hub keeps it until it is acknowledged.
                    let record = hub.event();
                    if below(4) > 0 {
                        sim.hub(&record);
                    } else {
                        hub.lose(&mut sim);
                    }
                }
                5 => hub.ack(&mut sim),
                6 => sim.advance(Duration::from_millis(below(1_500))),
                _ => hub.lose(&mut sim),
            }
            let takes = below(3) > 0;
            hub.read(&mut sim, takes);
        }
        hub.lose(&mut sim);
        hub.read(&mut sim, true);
        assert_eq!(
            sim.sinks(),
            (1..=hub.sent).map(|number| format!("t [{number}]")).collect::<Vec<_>>(),
            "seed {seed}"
        );
        assert_eq!(hub.notes, (1..=hub.calls).collect::<Vec<_>>(), "seed {seed}");
        assert!(sim.machine.state() == State::Connected, "seed {seed}");
    }
}

/// The hub's half of it, written a second time.
#[derive(Default)]
struct Hub {
    calls: u64,
    sent: i64,
    acked_by_client: i64,
    received: i64,
    latest: i64,
    notes: Vec<u64>,
}

impl Hub {
    fn next_call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    fn event(&mut self) -> String {
        self.sent += 1;
        format!(r#"{{"type":1,"target":"T","arguments":[{}]}}"#, self.sent)
    }

    fn ack(&mut self, sim: &mut Sim) {
        sim.hub(&format!(r#"{{"type":8,"sequenceId":{}}}"#, self.latest));
    }

    /// Reads what the client sent; or it is lost with the socket.
    fn read(&mut self, sim: &mut Sim, takes: bool) {
        let wire = sim.wire();
        if !takes && !wire.is_empty() {
            return self.lose(sim);
        }
        for record in wire {
            self.record(&record);
        }
    }

    fn record(&mut self, record: &str) {
        let number =
            |name: &str| record.split(&format!("\"{name}\":")).nth(1)?.trim_end_matches('}').parse::<i64>().ok();
        if record.starts_with(r#"{"type":8"#) {
            self.acked_by_client = number("sequenceId").expect("an Ack has a number");
        } else if record.starts_with(r#"{"type":9"#) {
            self.received = number("sequenceId").expect("a Sequence has a number") - 1;
        } else {
            self.received += 1;
            if self.received > self.latest {
                self.latest = self.received;
                let note = record.split('[').nth(1).and_then(|rest| rest.split(']').next());
                self.notes.extend(note.and_then(|note| note.parse::<u64>().ok()));
            }
        }
    }

    fn lose(&mut self, sim: &mut Sim) {
        sim.wire();
        sim.lose();
        let wait = sim.idle().unwrap_or_default();
        sim.advance(wait);
        sim.open(Ok(()));
        let wire = sim.wire();
        assert!(wire[0].starts_with(r#"{"type":9"#), "{wire:?}");
        wire.iter().for_each(|record| self.record(record));
        sim.hub(&format!(r#"{{"type":9,"sequenceId":{}}}"#, self.acked_by_client + 1));
        for number in self.acked_by_client + 1..=self.sent {
            sim.hub(&format!(r#"{{"type":1,"target":"T","arguments":[{number}]}}"#));
        }
        let wire = sim.wire();
        wire.iter().for_each(|record| self.record(record));
        // The connection counts as stable before the next loss: no wait beyond the window.
        sim.seconds(10);
        let wire = sim.wire();
        wire.iter().for_each(|record| self.record(record));
    }
}
