//! The same bytes, cut in different ways: nothing of it may show.

use signalr_proto::io::{AttemptId, Payload};
use signalr_proto::{Counters, HubConnectionConfig, Input, Role, State};

use super::sim::{Call, Sim, delays, subscription};
use super::sinks::{Channel, Handle, Shape};

/// Everything that a user and a hub could see.
#[derive(Debug, PartialEq)]
struct Seen {
    state: State,
    counters: Counters,
    actions: Vec<String>,
    events: Vec<String>,
    replies: Vec<String>,
    sinks: Vec<String>,
    wire: Vec<String>,
}

/// How a connection stands when the bytes arrive.
#[derive(Debug, Clone, Copy)]
struct Scene {
    is_connected: bool,
    is_stopping: bool,
    reconnects: bool,
}

/// Reads a scene, cuts and a payload from `bytes`, and asserts that no cut shows.
pub(crate) fn check(bytes: &[u8]) {
    let Some((&[scene, cuts], rest)) = bytes.split_first_chunk() else { return };
    let scene = Scene { is_connected: scene & 1 == 0, is_stopping: scene & 2 != 0, reconnects: scene & 4 != 0 };
    let (cuts, payload) = rest.split_at(usize::from(cuts % 16).min(rest.len()));
    let mut places: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) * (payload.len() + 1) / 256).collect();
    places.sort_unstable();

    let whole = seen(scene, &[Piece::Binary(payload)]);
    let each: Vec<_> = payload.chunks(1).map(Piece::Binary).collect();
    assert_eq!(seen(scene, &each), whole, "one byte at a time");
    let pieces: Vec<_> = cut(payload, &places).into_iter().map(Piece::Binary).collect();
    assert_eq!(seen(scene, &pieces), whole, "cut at {places:?}");

    let Ok(text) = std::str::from_utf8(payload) else { return };
    assert_eq!(seen(scene, &[Piece::Text(text)]), whole, "as text");
    places.retain(|place| text.is_char_boundary(*place));
    let pieces: Vec<_> = cut(payload, &places)
        .into_iter()
        .enumerate()
        .map(|(index, piece)| match std::str::from_utf8(piece) {
            Ok(text) if index % 3 != 2 => Piece::Text(text),
            _ => Piece::Binary(piece),
        })
        .collect();
    assert_eq!(seen(scene, &pieces), whole, "text and binary, cut at {places:?}");
}

fn cut<'a>(payload: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut from = 0;
    let mut pieces = Vec::new();
    for place in places.iter().copied().chain([payload.len()]) {
        pieces.push(payload.get(from..place).unwrap_or_default());
        from = place;
    }
    pieces
}

enum Piece<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

fn seen(scene: Scene, pieces: &[Piece<'_>]) -> Seen {
    let policy = delays(scene.reconnects.then_some(60_000));
    let config = HubConnectionConfig::default().max_record_bytes(128).automatic_reconnect(policy);
    let mut sim = Sim::new(config);
    sim.on("m", "m", Shape::Integer);
    sim.on("n", "n", Shape::Any);
    sim.register("Ask", "ask", Shape::Any, Role::Responder, Handle::default());
    sim.subscribe(&subscription("a"));
    sim.start();
    sim.dial();
    if scene.is_connected {
        sim.hub("{}");
        // The ids 2, 3 and 4; the subscription has 1.
        sim.call(Call::invoke("Add").integer());
        sim.call(Call::stream("Count").integer());
        sim.invoke("Any");
        if scene.is_stopping {
            sim.stop();
        }
    }
    let attempt: AttemptId = sim.attempt.expect("it was dialled");
    // What is written between two pieces would show: not one of them is.
    sim.is_ready = false;
    for piece in pieces {
        let payload = match piece {
            Piece::Text(text) => Payload::Text(text),
            Piece::Binary(bytes) => Payload::Binary(bytes),
        };
        sim.input(Input::Received { attempt, payload });
    }
    sim.pull();
    // Between two listeners no order is promised.
    let mut sinks = sim.sinks();
    sinks.sort_by(|one, other| one.split(' ').next().cmp(&other.split(' ').next()));
    let lines = |channel| sim.log.take_of(&[channel]);
    Seen {
        state: sim.machine.state(),
        counters: sim.machine.counters(),
        actions: lines(Channel::Action),
        events: lines(Channel::Event),
        replies: lines(Channel::Reply),
        sinks,
        wire: sim.wire(),
    }
}
