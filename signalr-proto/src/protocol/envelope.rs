//! Reading one record in one pass.
//!
//! The members are walked in the order in which they stand. When the arguments, the item or the result come up and it is already known whose
//! they are, they are decoded in place; otherwise they are checked in full and their range is remembered, to be decoded behind the closing
//! brace. So the usual order costs one pass, and any order is right.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{ProtocolViolation, printable};
use crate::json::{Cursor, DecodeError};

/// Whoever knows the types of what a record holds.
pub(crate) trait Decoders {
    /// Decodes and stages the arguments of an invocation. `None`: nobody knows this target, the cursor was not moved.
    fn arguments(&mut self, target: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), DecodeError>>;
    /// Decodes and stages a stream's item.
    fn item(&mut self, invocation_id: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), DecodeError>>;
    /// Decodes and stages an invocation's result.
    fn result(&mut self, invocation_id: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), DecodeError>>;
    /// Forgets what was staged: the record says something else further on.
    fn discard(&mut self);
}

/// What the members of a record said. Which of them its kind needs has been checked.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Kind,
    pub(crate) invocation_id: Option<Cow<'a, str>>,
    pub(crate) target: Option<Cow<'a, str>>,
    pub(crate) arguments: Option<Range<usize>>,
    pub(crate) stream_ids: Vec<Cow<'a, str>>,
    pub(crate) headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(crate) item: Option<Range<usize>>,
    pub(crate) result: Option<Range<usize>>,
    pub(crate) error: Option<Cow<'a, str>>,
    pub(crate) allow_reconnect: bool,
    pub(crate) sequence_id: Option<i64>,
    /// What the decoder of the arguments, the item or the result said; `None` if there was none.
    pub(crate) decoded: Option<Result<(), DecodeError>>,
}

/// The number in `type` (HubProtocol.md, JSON Encoding).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Invocation,
    StreamItem,
    Completion,
    StreamInvocation,
    CancelInvocation,
    Ping,
    Close,
    Ack,
    Sequence,
    Unknown(i64),
}

impl Kind {
    fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Invocation,
            2 => Self::StreamItem,
            3 => Self::Completion,
            4 => Self::StreamInvocation,
            5 => Self::CancelInvocation,
            6 => Self::Ping,
            7 => Self::Close,
            8 => Self::Ack,
            9 => Self::Sequence,
            other => Self::Unknown(other),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Type,
    InvocationId,
    Target,
    Arguments,
    StreamIds,
    Headers,
    Item,
    Result,
    Error,
    AllowReconnect,
    SequenceId,
    Other,
}

impl Member {
    fn from_name(name: &str) -> Self {
        match name {
            "type" => Self::Type,
            "invocationId" => Self::InvocationId,
            "target" => Self::Target,
            "arguments" => Self::Arguments,
            "streamIds" => Self::StreamIds,
            "headers" => Self::Headers,
            "item" => Self::Item,
            "result" => Self::Result,
            "error" => Self::Error,
            "allowReconnect" => Self::AllowReconnect,
            "sequenceId" => Self::SequenceId,
            _ => Self::Other,
        }
    }

    /// The member that .NET's writer puts behind this one: a guess that saves a look-up when it is right.
    fn usual_follower(self, kind: Option<Kind>) -> Self {
        match (self, kind) {
            (Self::Type, Some(Kind::StreamItem | Kind::Completion)) => Self::InvocationId,
            (Self::InvocationId, Some(Kind::StreamItem)) => Self::Item,
            (Self::InvocationId, Some(Kind::Completion)) => Self::Result,
            (Self::Type | Self::InvocationId, _) => Self::Target,
            _ => Self::Arguments,
        }
    }

    /// Goes past this member's name if exactly that comes next. Each name is written out here, so that each comparison is made for its length.
    #[inline]
    fn comes_next(self, cursor: &mut Cursor<'_>, first: bool) -> bool {
        match self {
            Self::Type => cursor.next_key_is(first, "type"),
            Self::InvocationId => cursor.next_key_is(first, "invocationId"),
            Self::Target => cursor.next_key_is(first, "target"),
            Self::Arguments => cursor.next_key_is(first, "arguments"),
            Self::Item => cursor.next_key_is(first, "item"),
            Self::Result => cursor.next_key_is(first, "result"),
            _ => false,
        }
    }
}

/// Reads a record. `Err` is what ends a connection; arguments that do not fit are in [`Envelope::decoded`].
///
/// The envelope, new, is filled where it lies: it is large, and returned it would be moved more than once.
#[inline]
pub(crate) fn read<'a>(
    text: &'a str,
    decoders: &mut impl Decoders,
    envelope: &mut Envelope<'a>,
) -> Result<(), ProtocolViolation> {
    let mut reader = Reader { cursor: Cursor::new(text), kind: None, envelope, ill_typed: None };
    let outcome = reader.members(decoders).and_then(|()| reader.finish(decoders));
    if outcome.is_err() {
        decoders.discard();
    }
    outcome
}

struct Reader<'a, 'e> {
    cursor: Cursor<'a>,
    kind: Option<Kind>,
    envelope: &'e mut Envelope<'a>,
    /// A known member of a wrong type: forgiven if the kind turns out to be unknown.
    ill_typed: Option<&'static str>,
}

impl<'a> Reader<'a, '_> {
    fn members(&mut self, decoders: &mut impl Decoders) -> Result<(), ProtocolViolation> {
        if self.cursor.begin_object().is_err() {
            return Err(self.not_a_record());
        }
        let mut first = true;
        let mut guess = Member::Type;
        loop {
            let member = if guess.comes_next(&mut self.cursor, first) {
                guess
            } else if !first && self.cursor.ends_object() {
                break;
            } else {
                match self.cursor.next_key(first) {
                    Ok(Some(name)) => Member::from_name(&name),
                    Ok(None) => break,
                    Err(_) => return Err(self.not_json()),
                }
            };
            first = false;
            self.member(member, decoders)?;
            guess = member.usual_follower(self.kind);
        }
        self.cursor.finish().map_err(|_| self.not_json())
    }

    fn member(&mut self, member: Member, decoders: &mut impl Decoders) -> Result<(), ProtocolViolation> {
        match member {
            Member::Type => {
                self.unstage(decoders);
                let number = match self.cursor.digit() {
                    Some(digit) => digit,
                    None => self.cursor.integer().map_err(|_| self.bad_type())?,
                };
                self.kind = Some(Kind::from_number(number));
            }
            Member::InvocationId => {
                self.unstage(decoders);
                self.envelope.invocation_id = self.text("invocationId")?;
            }
            Member::Target => {
                self.unstage(decoders);
                self.envelope.target = self.text("target")?;
            }
            Member::Arguments => {
                self.unstage(decoders);
                if self.cursor.peek_kind() != Some(crate::json::Kind::Array) {
                    self.envelope.arguments = None;
                    return self.wrong("arguments");
                }
                let target = self.envelope.target.take();
                let registered = if self.kind == Some(Kind::Invocation) { target.as_deref() } else { None };
                let decode = |cursor: &mut Cursor<'a>| decoders.arguments(registered?, cursor);
                let range = self.value(decode)?;
                self.envelope.arguments = Some(range);
                self.envelope.target = target;
            }
            Member::Item => {
                self.unstage(decoders);
                let id = (self.kind == Some(Kind::StreamItem)).then(|| self.envelope.invocation_id.clone()).flatten();
                let decode = |cursor: &mut Cursor<'a>| decoders.item(id.as_deref()?, cursor);
                self.envelope.item = Some(self.value(decode)?);
            }
            Member::Result => {
                self.unstage(decoders);
                let id = (self.kind == Some(Kind::Completion)).then(|| self.envelope.invocation_id.clone()).flatten();
                let decode = |cursor: &mut Cursor<'a>| decoders.result(id.as_deref()?, cursor);
                self.envelope.result = Some(self.value(decode)?);
            }
            Member::Error => self.envelope.error = self.text("error")?,
            Member::AllowReconnect => match self.cursor.peek_kind() {
                Some(crate::json::Kind::True | crate::json::Kind::False) => {
                    self.envelope.allow_reconnect = self.cursor.bool().map_err(|_| self.not_json())?;
                }
                _ => return self.wrong("allowReconnect"),
            },
            Member::SequenceId => {
                let start = self.cursor.checkpoint();
                match self.cursor.integer() {
                    Ok(sequence_id) => self.envelope.sequence_id = Some(sequence_id),
                    Err(_) => {
                        self.cursor.restore(start);
                        return self.wrong("sequenceId");
                    }
                }
            }
            Member::StreamIds => return self.read_stream_ids(),
            Member::Headers => return self.read_headers(),
            Member::Other => _ = self.skip()?,
        }
        Ok(())
    }

    /// Behind the closing brace: decodes what could not be decoded in place, and checks what the kind needs.
    fn finish(&mut self, decoders: &mut impl Decoders) -> Result<(), ProtocolViolation> {
        let Some(kind) = self.kind else { return Err(ProtocolViolation::new("a record has no `type`")) };
        self.envelope.kind = kind;
        if let (Some(member), false) = (self.ill_typed, matches!(kind, Kind::Unknown(_))) {
            return Err(ProtocolViolation::new(format!(
                "`{member}` is of the wrong type in a record of type {}",
                kind.number()
            )));
        }
        if self.envelope.invocation_id.as_deref() == Some("") {
            self.envelope.invocation_id = None;
        }
        let envelope = &mut *self.envelope;
        let missing = match kind {
            Kind::Invocation if envelope.target.is_none() => Some("target"),
            Kind::StreamInvocation if envelope.target.is_none() => Some("target"),
            Kind::Invocation | Kind::StreamInvocation if envelope.arguments.is_none() => Some("arguments"),
            Kind::StreamItem if envelope.item.is_none() => Some("item"),
            Kind::StreamItem | Kind::Completion | Kind::StreamInvocation | Kind::CancelInvocation
                if envelope.invocation_id.is_none() =>
            {
                Some("invocationId")
            }
            Kind::Ack | Kind::Sequence if envelope.sequence_id.is_none() => Some("sequenceId"),
            _ => None,
        };
        if let Some(member) = missing {
            return Err(ProtocolViolation::new(format!("a record of type {} has no `{member}`", kind.number())));
        }
        let text = self.cursor.text();
        if kind == Kind::Completion && envelope.error.is_some() {
            // An `error` beside `"result":null` still says that the method failed.
            if envelope.result.as_ref().is_some_and(|range| text.get(range.clone()) != Some("null")) {
                return Err(ProtocolViolation::new("a completion has both an `error` and a `result`"));
            }
            if envelope.decoded.take().is_some() {
                decoders.discard();
            }
            envelope.result = None;
        }
        if envelope.decoded.is_none() {
            envelope.decoded = match kind {
                Kind::Invocation => {
                    late(text, &envelope.arguments, |cursor| decoders.arguments(envelope.target.as_deref()?, cursor))
                }
                Kind::StreamItem => {
                    late(text, &envelope.item, |cursor| decoders.item(envelope.invocation_id.as_deref()?, cursor))
                }
                Kind::Completion => {
                    late(text, &envelope.result, |cursor| decoders.result(envelope.invocation_id.as_deref()?, cursor))
                }
                _ => None,
            };
        }
        Ok(())
    }

    /// A later member says whose value it is, or gives another one: the last wins.
    #[inline]
    fn unstage(&mut self, decoders: &mut impl Decoders) {
        if self.envelope.decoded.take().is_some() {
            decoders.discard();
        }
    }

    /// Walks over a value, decoding it on the way if somebody knows its type.
    #[inline]
    fn value(
        &mut self,
        decode: impl FnOnce(&mut Cursor<'a>) -> Option<Result<(), DecodeError>>,
    ) -> Result<Range<usize>, ProtocolViolation> {
        self.cursor.peek_kind();
        let start = self.cursor.checkpoint();
        let from = self.cursor.position();
        match decode(&mut self.cursor) {
            Some(Ok(())) => {
                self.envelope.decoded = Some(Ok(()));
                Ok(from..self.cursor.position())
            }
            Some(Err(error)) => {
                // Whether the value does not fit or is no JSON at all, the full check tells.
                self.cursor.restore(start);
                let range = self.skip()?;
                self.envelope.decoded = Some(Err(error));
                Ok(range)
            }
            None => self.skip(),
        }
    }

    fn skip(&mut self) -> Result<Range<usize>, ProtocolViolation> {
        self.cursor.skip_value().map_err(|_| self.not_json())
    }

    #[inline]
    fn text(&mut self, member: &'static str) -> Result<Option<Cow<'a, str>>, ProtocolViolation> {
        if let Some(text) = self.cursor.plain_string() {
            return Ok(Some(Cow::Borrowed(text)));
        }
        self.unusual_text(member)
    }

    #[inline(never)]
    fn unusual_text(&mut self, member: &'static str) -> Result<Option<Cow<'a, str>>, ProtocolViolation> {
        if self.cursor.peek_kind() != Some(crate::json::Kind::String) {
            self.wrong(member)?;
            return Ok(None);
        }
        self.cursor.string().map(Some).map_err(|_| self.not_json())
    }

    /// A known member of a wrong type. The rest of the record must be JSON all the same.
    fn wrong(&mut self, member: &'static str) -> Result<(), ProtocolViolation> {
        self.ill_typed.get_or_insert(member);
        self.skip().map(drop)
    }

    fn read_stream_ids(&mut self) -> Result<(), ProtocolViolation> {
        self.envelope.stream_ids.clear();
        let start = self.cursor.checkpoint();
        self.skip()?;
        let mut cursor = self.cursor.clone();
        cursor.restore(start);
        match cursor.decode::<Vec<Cow<'a, str>>>() {
            Ok(ids) => self.envelope.stream_ids = ids,
            Err(_) => _ = self.ill_typed.get_or_insert("streamIds"),
        }
        Ok(())
    }

    fn read_headers(&mut self) -> Result<(), ProtocolViolation> {
        self.envelope.headers.clear();
        let start = self.cursor.checkpoint();
        self.skip()?;
        let mut cursor = self.cursor.clone();
        cursor.restore(start);
        match read_string_map(&mut cursor) {
            Some(headers) => self.envelope.headers = headers,
            None => _ = self.ill_typed.get_or_insert("headers"),
        }
        Ok(())
    }

    #[cold]
    fn bad_type(&self) -> ProtocolViolation {
        ProtocolViolation::new(format!("`type` is not an integer: {}", printable(self.cursor.text(), 120)))
    }

    #[cold]
    fn not_json(&self) -> ProtocolViolation {
        ProtocolViolation::new(format!("a record is not valid JSON, or nested more than {} deep", Cursor::MAX_DEPTH))
    }

    #[cold]
    fn not_a_record(&self) -> ProtocolViolation {
        let text = self.cursor.text();
        if text.trim().is_empty() {
            return ProtocolViolation::new("a record is empty");
        }
        ProtocolViolation::new("a record is not a JSON object")
    }
}

impl Kind {
    fn number(self) -> i64 {
        match self {
            Self::Invocation => 1,
            Self::StreamItem => 2,
            Self::Completion => 3,
            Self::StreamInvocation => 4,
            Self::CancelInvocation => 5,
            Self::Ping => 6,
            Self::Close => 7,
            Self::Ack => 8,
            Self::Sequence => 9,
            Self::Unknown(number) => number,
        }
    }
}

/// Decodes a value whose range was remembered.
fn late<'a>(
    text: &'a str,
    range: &Option<Range<usize>>,
    decode: impl FnOnce(&mut Cursor<'a>) -> Option<Result<(), DecodeError>>,
) -> Option<Result<(), DecodeError>> {
    let range = range.as_ref()?;
    decode(&mut Cursor::at(text, range.start, 1))
}

fn read_string_map<'a>(cursor: &mut Cursor<'a>) -> Option<Vec<(Cow<'a, str>, Cow<'a, str>)>> {
    if cursor.peek_kind() != Some(crate::json::Kind::Object) {
        return None;
    }
    cursor.begin_object().ok()?;
    let mut members = Vec::new();
    while let Some(name) = cursor.next_key(members.is_empty()).ok()? {
        if cursor.peek_kind() != Some(crate::json::Kind::String) {
            return None;
        }
        members.push((name, cursor.string().ok()?));
    }
    Some(members)
}
