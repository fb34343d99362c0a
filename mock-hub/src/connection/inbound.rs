//! From bytes to calls: the handshake, then one record after the other, until something must be waited for.

use signalr_proto::time::Instant;

use super::calls::{CallId, Calls, Fed, Running};
use super::reading::{self, Binder, Invocation, Outcome, Record, Unbound};
use super::timers::Timer;
use super::{Blocked, Call, Called, Connection, Event, Goodbye, Phase, Resume};
use crate::hubs::{Hub, Method, MethodError};
use crate::protocol::dotnet::Type;
use crate::protocol::{handshake, write};

/// Arguments that were bound to one method and came to another (seen live).
const TOO_FEW_ARGUMENTS: (&str, &str) = ("IndexOutOfRangeException", "Index was outside the bounds of the array.");

impl Connection {
    /// Reads what can be read.
    pub(super) fn read_on(&mut self, now: Instant) {
        let was_blocked = self.blocked.is_some();
        self.retry_blocked(now);
        let mut has_heard = was_blocked && self.blocked.is_none();
        while self.blocked.is_none() && self.phase != Phase::Over {
            if let Some(record) = self.stuck {
                if record + self.inbound.len() > self.rules.max_record_bytes {
                    self.fail_oversize(now);
                }
                break;
            }
            match self.inbound.next() {
                Ok(None) => break,
                Ok(Some(record)) if self.phase == Phase::Handshake => self.shake_hands(now, &record),
                Ok(Some(record)) => has_heard |= self.record(now, &record),
                Err(_) if self.phase == Phase::Handshake => self.refuse(now, "Handshake was canceled."),
                Err(_) => self.fail_oversize(now),
            }
        }
        // A client that never pinged is never timed out; the clock stands while a call blocks the reading.
        if self.blocked.is_some() {
            self.timers.clear(Timer::Client);
        } else if has_heard && self.has_pinged && self.phase == Phase::Open && !self.rules.client_timeout.is_zero() {
            self.timers.set(Timer::Client, now + self.rules.client_timeout);
        }
        self.watch(now);
    }

    fn shake_hands(&mut self, now: Instant, request: &[u8]) {
        let version = match handshake::check(request, self.rules.detailed_errors) {
            Ok(version) => version,
            Err(text) => return self.refuse(now, &text),
        };
        self.timers.clear(Timer::Handshake);
        self.phase = Phase::Open;
        self.outbound.push(write::HANDSHAKE_ACCEPTED);
        self.events.push_back(Event::Connected);
        // A client that asks for the old version does without stateful reconnect, whatever was negotiated.
        self.rules.stateful = self.rules.stateful.filter(|_| version >= handshake::NEWEST_VERSION);
        self.resume = self.rules.stateful.map(|stateful| Resume::new(now, stateful.buffer_bytes));
        if self.rules.is_unwelcome {
            return self.handle_end(now, Goodbye::Close { error: None, allow_reconnect: false });
        }
        if !self.rules.keep_alive.is_zero() {
            self.timers.set(Timer::KeepAlive, now + self.rules.keep_alive);
        }
        if let Some(expires) = self.rules.expires {
            self.timers.set(Timer::Token, expires);
        }
    }

    /// Acts on a record; whether it counts as a sign of life.
    fn record(&mut self, now: Instant, record: &[u8]) -> bool {
        let message = match reading::read(record, &Known { hub: self.hub, calls: &self.calls }) {
            Ok(message) => message,
            Err(detail) => {
                self.fail(now, &detail);
                return false;
            }
        };
        let is_counted = matches!(
            message,
            Record::Invocation(_) | Record::Item { .. } | Record::Completion { .. } | Record::CancelInvocation { .. }
        );
        if is_counted && self.resume.as_mut().is_some_and(|resume| !resume.count_received()) {
            return true;
        }
        match message {
            Record::Invocation(invocation) => self.invoke(now, invocation),
            Record::Item { stream_id, item } => self.feed(stream_id, item),
            Record::UnboundItem { stream_id, detail } => self.break_upload(&stream_id, &detail),
            Record::Completion { id, outcome } => self.complete(id, outcome),
            Record::CancelInvocation { id } => self.events.extend(self.calls.stream(&id).map(Event::Cancel)),
            Record::Ping => self.has_pinged = true,
            Record::Close => self.handle_end(now, Goodbye::Close { error: None, allow_reconnect: false }),
            Record::Ack(sequence_id) => {
                if let Some(resume) = &mut self.resume {
                    resume.take_ack(sequence_id);
                    self.calls_may_go_on();
                }
            }
            Record::Sequence(sequence_id) => {
                let taken = self.resume.as_mut().map(|resume| resume.take_sequence(sequence_id));
                if let Some(Err(_)) = taken {
                    self.fail(
                        now,
                        "InvalidOperationException: Sequence ID greater than amount of messages we've received.",
                    );
                }
            }
            // Without a limit the real server goes on when more has come.
            Record::Unknown if self.rules.max_record_bytes == usize::MAX => return false,
            // With one, nothing behind a record of unknown kind is ever read (seen live).
            Record::Unknown => {
                self.stuck = Some(record.len() + 1);
                return false;
            }
        }
        true
    }

    fn invoke(&mut self, now: Instant, invocation: Invocation) {
        self.events.push_back(Event::Called(Called {
            target: invocation.target.clone(),
            arguments: invocation.arguments.clone(),
            invocation_id: invocation.id.clone(),
            is_stream: invocation.is_stream,
            uploads: invocation.stream_ids.len(),
        }));
        self.begin_or_wait(now, invocation);
    }

    fn begin_or_wait(&mut self, now: Instant, invocation: Invocation) {
        let Ok(method) = invocation.method else {
            return self.refuse_unbound(now, &invocation);
        };
        // Plain calls take one of few places, those with uploads none: their items must still be read.
        let needs_place = !invocation.is_stream && method.uploads.is_empty();
        if !self.calls.may_begin(needs_place) {
            self.blocked = Some(Blocked::Call(invocation));
            return;
        }
        if let Err(text) = check_mode(method, &invocation, self.rules.detailed_errors) {
            return self.answer_with_error(now, invocation.id.as_deref(), &text);
        }
        let call = self.calls.begin(Running {
            invocation_id: invocation.id.clone(),
            method,
            is_stream: invocation.is_stream,
            holds_place: needs_place,
        });
        let uploads = self.calls.open_uploads(call, &invocation.stream_ids, method.uploads);
        let id = invocation.id.as_deref().unwrap_or_default();
        if invocation.is_stream && !self.calls.register_stream(id, call) {
            return self.take_back(now, call, id);
        }
        self.events.push_back(Event::Call(Call {
            id: call,
            method,
            invocation_id: invocation.id,
            arguments: invocation.arguments,
            uploads,
            is_stream: invocation.is_stream,
        }));
    }

    fn refuse_unbound(&mut self, now: Instant, invocation: &Invocation) {
        let Err(unbound) = &invocation.method else { return };
        let text = match unbound {
            Unbound::NoSuchMethod => {
                let target = &invocation.target;
                format!(
                    "Failed to invoke '{target}' due to an error on the server. HubException: Method does not exist."
                )
            }
            Unbound::Arguments(method, error) => error.text(method.name, self.rules.detailed_errors),
        };
        self.answer_with_error(now, invocation.id.as_deref(), &text);
    }

    fn take_back(&mut self, now: Instant, call: CallId, id: &str) {
        self.calls.end(call);
        self.calls.close_uploads_of(call);
        self.answer_with_error(now, Some(id), &format!("Invocation ID '{id}' is already in use."));
    }

    fn answer_with_error(&mut self, now: Instant, id: Option<&str>, text: &str) {
        self.events.push_back(Event::Refused);
        let Some(id) = id else { return };
        if !self.outbound.push(write::completion_error(id, text)) {
            self.handle_end(now, Goodbye::Reset);
        }
    }

    /// Hands an item on; those of a stream that is over are dropped.
    fn feed(&mut self, stream_id: String, item: Box<serde_json::value::RawValue>) {
        match self.calls.feed(&stream_id) {
            Fed::Taken(upload) => self.events.push_back(Event::Item { upload, item }),
            Fed::Full => self.blocked = Some(Blocked::Item { stream_id, item }),
            Fed::NoSuchUpload => {}
        }
    }

    /// An item of the wrong type ends its stream; only the method hears of it.
    fn break_upload(&mut self, stream_id: &str, detail: &str) {
        let Some(upload) = self.calls.close_upload(stream_id) else {
            return;
        };
        let mut error = "Failed to bind Stream message.".to_owned();
        if self.rules.detailed_errors {
            error.push(' ');
            error.push_str(detail);
        }
        self.events.push_back(Event::UploadOver { upload, error: Some(error) });
    }

    fn complete(&mut self, id: String, outcome: Outcome) {
        let Some(upload) = self.calls.close_upload(&id) else {
            self.blocked = Some(Blocked::Answer);
            self.events.push_back(Event::Answer { id, outcome });
            return;
        };
        // Even an empty error is one.
        let error = if let Outcome::Error(error) = outcome { Some(error) } else { None };
        self.events.push_back(Event::UploadOver { upload, error });
    }

    /// Tries again what the reading waits for.
    fn retry_blocked(&mut self, now: Instant) {
        if self.phase == Phase::Over {
            return;
        }
        match self.blocked.take() {
            Some(Blocked::Call(invocation)) => self.begin_or_wait(now, invocation),
            Some(Blocked::Item { stream_id, item }) => self.feed(stream_id, item),
            other => self.blocked = other,
        }
    }

    fn calls_may_go_on(&mut self) {
        if self.outbound.has_room() && !self.outbound.is_held_up(self.resume.as_ref()) {
            self.calls.release_held();
        }
    }

    fn fail_oversize(&mut self, now: Instant) {
        let limit = self.rules.max_record_bytes;
        self.fail(
            now,
            &format!(
                "InvalidDataException: The maximum message size of {limit}B was exceeded. The message size can be \
                 configured in AddHubOptions."
            ),
        );
    }
}

/// What can be said against a bound call before its method runs, in ASP.NET Core's order and words.
fn check_mode(method: &Method, invocation: &Invocation, detailed: bool) -> Result<(), String> {
    let name = method.name;
    match (method.is_stream, invocation.is_stream) {
        (true, false) => {
            return Err(format!(
                "The client attempted to invoke the streaming '{name}' method with a non-streaming invocation."
            ));
        }
        (false, true) => {
            return Err(format!(
                "The client attempted to invoke the non-streaming '{name}' method with a streaming invocation."
            ));
        }
        _ => {}
    }
    let (given, expected) = (invocation.stream_ids.len(), method.uploads.len());
    if given != expected {
        let text = format!("Client sent {given} stream(s), Hub method expects {expected}.");
        return Err(MethodError::Hub(text).text(name, detailed));
    }
    if invocation.arguments.len() < method.parameters {
        let (kind, message) = TOO_FEW_ARGUMENTS;
        return Err(MethodError::Exception { kind, message: message.to_owned() }.text(name, detailed));
    }
    Ok(())
}

/// What the reading of a record may look at.
struct Known<'a> {
    hub: Hub,
    calls: &'a Calls,
}

impl Binder for Known<'_> {
    fn method(&self, target: &str) -> Option<&'static Method> {
        self.hub.method(target)
    }

    fn item_type(&self, stream_id: &str) -> Option<Type> {
        self.calls.item_type(stream_id)
    }
}
