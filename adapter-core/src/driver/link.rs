//! One open WebSocket: reading and writing, until its goodbye is said.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use signalr_proto::Machine;
use signalr_proto::io::{AttemptId, Input, IoFailure, IoFailureKind, Payload, TransportEnd};
use signalr_proto::time::Instant;
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::dial::websocket_failure;
use crate::runtime::Runtime;
use crate::shared::Shared;

/// Messages read in a row before timers and writes get their turn.
const READS: usize = 64;

pub(super) struct Link<R: Runtime> {
    attempt: AttemptId,
    socket: R::WebSocket,
    needs_flush: bool,
    wants_probe: bool,
    goodbye: Option<Goodbye>,
    /// The peer's end was told to the machine.
    is_told: bool,
    is_over: bool,
}

struct Goodbye {
    last: Option<Bytes>,
    close_is_sent: bool,
    timeout: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<R: Runtime> Link<R> {
    pub(super) fn new(attempt: AttemptId, socket: R::WebSocket) -> Self {
        Self { attempt, socket, needs_flush: false, wants_probe: false, goodbye: None, is_told: false, is_over: false }
    }

    pub(super) fn attempt(&self) -> AttemptId {
        self.attempt
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn probe(&mut self) {
        self.wants_probe = true;
    }

    pub(super) fn say_goodbye(&mut self, last: &Bytes, timeout: impl Future<Output = ()> + Send + 'static) {
        self.goodbye = Some(Goodbye { last: Some(last.clone()), close_is_sent: false, timeout: Box::pin(timeout) });
    }

    /// Moves what can be moved. Whether anything did.
    pub(super) fn poll(&mut self, shared: &Shared, context: &mut Context<'_>) -> bool {
        if let Some(goodbye) = &mut self.goodbye
            && goodbye.timeout.as_mut().poll(context).is_ready()
        {
            self.ended(shared, None);
            return true;
        }
        let wrote = match self.write(shared, context) {
            Ok(wrote) => wrote,
            // Reading tells better what became of the peer: there may be a close frame, or records, before the broken pipe.
            Err(error) => {
                let read = self.read(shared, context);
                if !self.is_over {
                    self.ended(shared, Some(TransportEnd::Failed(websocket_failure(error))));
                }
                return read || self.is_over;
            }
        };
        let read = self.read(shared, context);
        wrote || read
    }

    fn write(&mut self, shared: &Shared, context: &mut Context<'_>) -> Result<bool, tungstenite::Error> {
        let mut wrote = false;
        loop {
            if self.is_over {
                return Ok(wrote);
            }
            match Pin::new(&mut self.socket).poll_ready(context) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return Ok(wrote),
            }
            let Some(message) = self.next_message(shared) else { break };
            Pin::new(&mut self.socket).start_send(message)?;
            self.needs_flush = true;
            wrote = true;
        }
        if self.needs_flush {
            match Pin::new(&mut self.socket).poll_flush(context) {
                Poll::Ready(flushed) => {
                    flushed?;
                    self.needs_flush = false;
                }
                Poll::Pending => {}
            }
        }
        Ok(wrote)
    }

    fn next_message(&mut self, shared: &Shared) -> Option<Message> {
        if std::mem::take(&mut self.wants_probe) {
            return Some(Message::Ping(Bytes::new()));
        }
        let mut core = shared.lock();
        if core.machine.transport() == Some(self.attempt)
            && let Some(text) = core.machine.poll_transmit()
        {
            // A `send` is done when its record is handed out, and there is room for more.
            core.pump();
            core.wake_uploads();
            return Some(Message::text(text));
        }
        drop(core);
        let goodbye = self.goodbye.as_mut()?;
        if let Some(last) = goodbye.last.take() {
            return Some(Message::text(String::from_utf8_lossy(&last).into_owned()));
        }
        if std::mem::replace(&mut goodbye.close_is_sent, true) {
            return None;
        }
        Some(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })))
    }

    fn read(&mut self, shared: &Shared, context: &mut Context<'_>) -> bool {
        // A goodbye must hear the peer's, whoever is slow.
        let ignores_pressure = self.goodbye.is_some();
        if self.is_over || !(ignores_pressure || shared.lock().machine.wants_read()) {
            return false;
        }
        // One reading of the clock for all: nothing here waits.
        let now = shared.now();
        let mut read = false;
        for _ in 0..READS {
            let message = match Pin::new(&mut self.socket).poll_next(context) {
                Poll::Pending => break,
                Poll::Ready(message) => message,
            };
            read = true;
            let end = match message {
                Some(Ok(message)) => {
                    if self.received(shared, now, &message) || ignores_pressure {
                        continue;
                    }
                    break;
                }
                Some(Err(error)) => TransportEnd::Failed(websocket_failure(error)),
                None => {
                    let failure = IoFailure::new(IoFailureKind::Lost, "the connection ended without a WebSocket close");
                    TransportEnd::Failed(failure)
                }
            };
            self.ended(shared, Some(end));
            break;
        }
        if read {
            shared.lock().pump();
        }
        read
    }

    /// Whether the machine wants more.
    fn received(&mut self, shared: &Shared, now: Instant, message: &Message) -> bool {
        let attempt = self.attempt;
        let input = match message {
            Message::Text(text) => Input::Received { attempt, payload: Payload::Text(text.as_str()) },
            Message::Binary(bytes) => Input::Received { attempt, payload: Payload::Binary(bytes) },
            Message::Ping(_) | Message::Pong(_) => {
                // The pong to a ping waits in the socket for the next flush.
                self.needs_flush = true;
                Input::Alive { attempt }
            }
            Message::Close(frame) => {
                self.is_told = true;
                self.needs_flush = true;
                let code = frame.as_ref().map(|frame| u16::from(frame.code));
                let reason = frame.as_ref().map(|frame| frame.reason.to_string()).unwrap_or_default();
                Input::Closed { attempt, reason: TransportEnd::Close { code, reason } }
            }
            Message::Frame(_) => return true,
        };
        let mut core = shared.lock();
        core.machine.handle_input(now, input);
        core.machine.wants_read()
    }

    /// The socket is of no more use. What was read before it is told first.
    fn ended(&mut self, shared: &Shared, end: Option<TransportEnd>) {
        self.is_over = true;
        if std::mem::replace(&mut self.is_told, true) {
            return;
        }
        let timed_out =
            || TransportEnd::Failed(IoFailure::new(IoFailureKind::Lost, "the peer did not answer the goodbye in time"));
        let reason = end.unwrap_or_else(timed_out);
        let mut core = shared.lock();
        core.machine.handle_input(shared.now(), Input::Closed { attempt: self.attempt, reason });
        core.pump();
    }
}
