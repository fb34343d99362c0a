//! A connected machine without a world around it, and sinks.

use std::hint::black_box;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{Gap, InvocationSink, ResultTicket};
use signalr_proto::time::Instant;
use signalr_proto::{
    Action, AttemptId, Command, HubConnection, HubConnectionConfig, Input, Machine, Payload, Role, Token,
};

/// A machine that has shaken hands.
pub(crate) struct Connected {
    machine: HubConnection,
    attempt: AttemptId,
    now: u64,
}

impl Connected {
    /// A machine with one listener.
    pub(crate) fn new(target: &str, sink: impl InvocationSink + 'static) -> Self {
        let config = HubConnectionConfig::default().skip_negotiation(true);
        let mut machine = HubConnection::new("http://hub.test/", config).expect("the configuration is valid");
        let now = Instant::from_nanos(0);
        machine.handle_command(now, Token(1), Command::Start);
        let Some(Action::Open { attempt, .. }) = machine.poll_action() else { panic!("a start opens a WebSocket") };
        machine.handle_input(now, Input::Opened { attempt, result: Ok(()) });
        machine.handle_input(now, Input::Received { attempt, payload: Payload::Text("{}\u{1e}") });
        let register = Command::Register { target: target.to_owned(), role: Role::Listener, sink: Box::new(sink) };
        machine.handle_command(now, Token(2), register);
        while machine.poll_transmit().is_some() {}
        while machine.poll_reply().is_some() {}
        while machine.poll_event().is_some() {}
        Self { machine, attempt, now: 0 }
    }

    /// One frame, and whatever it leads to.
    #[inline]
    pub(crate) fn receive(&mut self, frame: &str) {
        self.now += 1;
        let input = Input::Received { attempt: self.attempt, payload: Payload::Text(frame) };
        self.machine.handle_input(Instant::from_nanos(self.now), input);
        self.machine.flush();
        while self.machine.poll_event().is_some() {}
    }

    /// How many events went to the listener.
    pub(crate) fn delivered(&self) -> u64 {
        self.machine.counters().delivered
    }
}

/// Checks the arguments and keeps nothing of them.
pub(crate) struct Undecoded;

impl InvocationSink for Undecoded {
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        arguments.skip_value().map(drop).map_err(DecodeError::from)
    }

    fn commit(&mut self, _: usize, _: Option<ResultTicket>) {}

    fn discard(&mut self) {}

    fn malformed(&mut self, error: DecodeError, _: usize) {
        panic!("{error}");
    }

    fn gap(&mut self, _: &Gap) {}

    fn flush(&mut self) {}
}

/// Decodes the arguments and drops them.
pub(crate) struct Decoded<T>(PhantomData<fn() -> T>);

impl<T> Decoded<T> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: DeserializeOwned> InvocationSink for Decoded<T> {
    #[inline]
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        black_box(&arguments.decode::<T>()?);
        Ok(())
    }

    fn commit(&mut self, _: usize, _: Option<ResultTicket>) {}

    fn discard(&mut self) {}

    fn malformed(&mut self, error: DecodeError, _: usize) {
        panic!("{error}");
    }

    fn gap(&mut self, _: &Gap) {}

    fn flush(&mut self) {}
}
