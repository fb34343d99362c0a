//! Everything that can be made to go wrong, each with what really does it and what a client should notice.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names;
use super::parts::{AfterClose, AfterTruncation, Direction, DropHow, Moment, RetryAfter};
use super::span;

/// One thing that goes wrong.
///
/// As JSON and TOML it is its name in kebab case, alone or with its settings: `"no-pings"`,
/// `{"drop":{"how":"reset"}}`. Three kinds behave differently under a [`Rule`](super::Rule):
///
/// * an **event** happens to every connection in scope when the rule begins, and again each `every`, up to `times`
///   (without `every`: once);
/// * a **state** holds for the connections in scope while the rule lasts; each connection it comes over counts once;
/// * a **damage** is done at each opportunity that passes (an upgrade, a record, a call, an event) while the rule
///   lasts; `times` ends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    // The port.
    /// State: the port is closed and the system refuses connections, as when the gateway is down for maintenance.
    /// Existing connections stay. Everyone's only. A client sees "connection refused", and so does whoever would heal it
    /// by HTTP: give it an end with `lasts`.
    RefuseConnections,

    // Negotiate and upgrade.
    /// Damage: negotiate answers this instead of its usual 200. 503 is what a load balancer says in front of nothing,
    /// 429 is TopstepX's rate limit; a 200 with a body that is no JSON is a captive portal.
    NegotiateStatus {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header; default none.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// The body; default empty.
        #[serde(default)]
        body: Option<String>,
    },
    /// Damage: the WebSocket upgrade answers this instead of 101. A client should tell 401 and 403 (no use to go on)
    /// from 429 and 503 (later, not before `Retry-After`).
    UpgradeStatus {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header; default none.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// The body; default empty.
        #[serde(default)]
        body: Option<String>,
    },
    /// Damage: negotiate answers late.
    SlowNegotiate {
        /// How long the answer waits.
        #[serde(with = "span")]
        delay: Duration,
    },
    /// Damage: the upgrade answers late, and then perhaps byte by byte. A client should keep one deadline for the
    /// whole attempt, not one for each read.
    SlowUpgrade {
        /// How long the answer waits.
        #[serde(with = "span")]
        delay: Duration,
        /// The pace of the 101's head; default: at once.
        #[serde(default)]
        bytes_per_second: Option<u64>,
    },
    /// Damage: negotiate never answers; the socket stays open until the client gives up.
    UnansweredNegotiate,
    /// Damage: the upgrade never answers; the socket stays open until the client gives up.
    UnansweredUpgrade,
    /// Damage: the 101 carries a wrong `Sec-WebSocket-Accept`, as from a cache in between. A client must end the
    /// connection before it sends anything (RFC 6455, 4.1).
    WrongAcceptKey,

    // The handshake.
    /// Damage: the handshake is answered with this error and the WebSocket closed, as ASP.NET Core does for a protocol
    /// it does not know (HubProtocol.md, Overview).
    HandshakeError {
        /// The error's text.
        text: String,
    },
    /// Damage: the handshake is never answered, and nothing else comes either. Microsoft's clients give up after 15 s.
    HandshakeSilence,
    /// Damage: the handshake is answered with text that is no handshake response; a proxy's page, for example.
    HandshakeGarbage {
        /// The text; a record separator is added. Default: `<html>502</html>`.
        #[serde(default)]
        text: Option<String>,
    },
    /// Damage: the handshake response shares its frame with records, as ASP.NET Core does when it has some at once. A
    /// client that takes the frame for the response alone loses them.
    GluedHandshake {
        /// The records behind the response, without separators; default: one ping.
        #[serde(default)]
        records: Option<Vec<String>>,
    },

    // The socket.
    /// Event: the socket ends without a Close record and without a WebSocket close. With stateful reconnect the
    /// connection lives on without it, for a while.
    Drop {
        /// How it ends.
        how: DropHow,
    },
    /// Damage: a connection ends a while after its handshake, again and again: a hub that accepts and drops. A client
    /// should not hammer it, though each attempt "succeeds".
    ShortLife {
        /// The time after the handshake.
        #[serde(with = "span")]
        life: Duration,
        /// How it ends.
        how: DropHow,
    },
    /// State: bytes wait, as with a link that is down; when the rule ends they come late. `out`: the hub's; `in`: the
    /// client's, which is a hub that does not read, so that the client's own writes fill up; `both`.
    Stall {
        /// Which way is shut.
        direction: Direction,
    },
    /// State: bytes vanish, as behind a router that forgot the connection, and the socket stays open. It holds for the
    /// rest of a connection's life, whatever becomes of the rule. A client notices by its server timeout alone.
    BlackHole {
        /// Which way is shut.
        direction: Direction,
    },
    /// State: a slow link.
    Throttle {
        /// The pace, for each direction by itself.
        bytes_per_second: u64,
        /// Which way is slow; default `out`.
        #[serde(default = "Direction::outward")]
        direction: Direction,
    },
    /// State: each write to the socket carries one byte, so that the client reads every boundary there is.
    OneByteWrites,

    // Goodbyes.
    /// Event: a Close record of any form, then the end (HubProtocol.md, Close Message Encoding). Without
    /// `allowReconnect` Microsoft's clients stop for good; with `true` they reconnect. ASP.NET Core says "Connection
    /// closed with an error." after a failure of its own.
    CloseRecord {
        /// The member `error`, any JSON; default: absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Value>,
        /// The member `allowReconnect`, any JSON: `true`, `false`, or a wrong type; default: absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        allow_reconnect: Option<Value>,
        /// What follows the record; default: a WebSocket close with 1000.
        #[serde(default)]
        then: AfterClose,
    },
    /// Event: a WebSocket close and no Close record, as from a proxy (1001, 1012, 1013) or after an internal error
    /// (1011). Reserved codes may be given too.
    WebsocketClose {
        /// The close code.
        code: u16,
        /// The reason, at most 123 bytes; default empty.
        #[serde(default)]
        reason: String,
    },

    // Records on their way.
    /// Damage: a record leaves as text that is no JSON. What it said is lost.
    MalformedRecord {
        /// The text in its place; default: the record with its first colon gone wrong.
        #[serde(default)]
        text: Option<String>,
    },
    /// Damage: a record leaves without its end and its separator.
    TruncatedRecord {
        /// The bytes that remain; default half of them.
        #[serde(default)]
        keep: Option<usize>,
        /// What follows: the end of the socket (the default), or the next record right behind.
        #[serde(default)]
        then: AfterTruncation,
    },
    /// Damage: records leave in many WebSocket messages; boundaries of messages mean nothing to the hub protocol.
    SplitRecords {
        /// The bytes of each message; 1 splits at every character.
        size: usize,
    },
    /// Damage: a message leaves in many WebSocket fragments (RFC 6455, 5.4), split anywhere, inside characters too.
    FragmentedRecords {
        /// The bytes of each fragment.
        size: usize,
        /// Whether a WebSocket ping stands between fragments, as RFC 6455 allows; default no.
        #[serde(default)]
        with_pings: bool,
    },
    /// Damage: records wait for each other and leave in one message.
    GluedRecords {
        /// The records of a message.
        records: usize,
        /// The longest that the first one waits; default 1 s.
        #[serde(with = "span", default = "one_second")]
        hold: Duration,
    },
    /// Damage: an event is padded with a long member that means nothing, until it has this size.
    OversizedRecord {
        /// The size in bytes.
        bytes: usize,
    },
    /// Damage: a record contains bytes that are no UTF-8. A WebSocket client must fail the connection with 1007
    /// (RFC 6455, 8.1).
    InvalidUtf8,
    /// Damage: messages leave as binary frames. ASP.NET Core's own clients take either for JSON.
    BinaryFrames,
    /// Damage: a ping of the hub is not sent. Where all are lost and no event flows, Microsoft's clients end the
    /// connection after 30 s.
    NoPings,

    // Records that nobody asked for.
    /// Event: a record of the test's own making.
    ForeignRecord {
        /// The record; its separator is added.
        record: String,
    },
    /// Event: a WebSocket message of the test's own making, without a separator unless it has one.
    ForeignMessage {
        /// The text.
        text: String,
        /// Whether it leaves as a binary frame; default no.
        #[serde(default)]
        binary: bool,
    },
    /// Event: a record of a kind that nobody knows. Microsoft's clients ignore it.
    UnknownKind {
        /// The `type`; default 42.
        #[serde(default = "forty_two")]
        kind: i64,
    },
    /// Event: an invocation of a target that nobody listens to. Microsoft's clients log a warning.
    UnknownTarget {
        /// The target; default `NoSuchTarget`.
        #[serde(default = "no_such_target")]
        target: String,
    },
    /// Event: an invocation of an unknown target whose one argument has this many bytes.
    OversizedInvocation {
        /// The size of the argument.
        bytes: usize,
    },
    /// Event: one WebSocket message of at least this size, full of pings.
    OversizedMessage {
        /// The size in bytes.
        bytes: usize,
    },
    /// Event: many pings at once.
    PingFlood {
        /// How many; default 1000.
        #[serde(default = "one_thousand")]
        count: u32,
    },

    // Calls and their answers.
    /// Damage: a Completion comes twice.
    DuplicateCompletion,
    /// Damage: a Completion comes late, and what was behind it overtakes it.
    LateCompletion {
        /// How late.
        #[serde(with = "span")]
        by: Duration,
    },
    /// Damage: a Completion never comes. A client's own deadline must end the call.
    LostCompletion,
    /// Damage: a Completion carries a result and an error, which the protocol forbids (HubProtocol.md, Completions).
    CompletionWithBoth,
    /// Event: a Completion of an invocation that nobody made.
    UnknownCompletion {
        /// The invocation id; default `no-such-id`.
        #[serde(default = "no_such_id")]
        id: String,
    },
    /// Damage: a call of a method named `Subscribe...` fails. TopstepX does so with a HubException.
    RejectedSubscriptions {
        /// The methods' name begins so; default all.
        #[serde(default)]
        method: Option<String>,
        /// The HubException's text; default `Subscription refused.`
        #[serde(default)]
        text: Option<String>,
    },
    /// Damage: a call of a method named `Subscribe...` fails because the token lacks a role, in ASP.NET Core's words: an entitlement, such
    /// as depth, was taken away.
    UnauthorizedSubscriptions {
        /// The methods' name begins so; default all.
        #[serde(default)]
        method: Option<String>,
    },
    /// Damage: a call of a method named `Subscribe...` succeeds and does nothing: membership lost behind the scenes.
    /// A client can notice only that nothing comes.
    ZombieSubscriptions {
        /// The methods' name begins so; default all.
        #[serde(default)]
        method: Option<String>,
    },

    // Events.
    /// Damage: an event does not reach a connection. The hub's log says so by its serial.
    LostEvents {
        /// The group's name begins so, `quotes/CON.F.US.EP.Z26` or `orders/`; default all.
        #[serde(default)]
        group: Option<String>,
    },
    /// Damage: an event reaches a connection late, and what came after overtakes it. Of what is late 64 MiB wait; an
    /// event beyond them comes at once.
    DelayedEvents {
        /// How late.
        #[serde(with = "span")]
        by: Duration,
        /// The group's name begins so; default all.
        #[serde(default)]
        group: Option<String>,
    },

    // Tokens.
    /// Event: tokens are good no more, from now on: REST and new connections get a 401. Everyone's only.
    TokenExpiry {
        /// Whose; default everybody's.
        #[serde(default)]
        user: Option<String>,
        /// Whether connections that used them end too, with a Close record that allows reconnecting, as ASP.NET Core
        /// does with `CloseOnAuthenticationExpiration`; default no: TopstepX asks at connect only.
        #[serde(default)]
        close: bool,
    },
    /// Event: another login of the user takes over: GatewayLogout on both hubs, and the token is good no more.
    /// Everyone's only.
    Logout {
        /// Whose; default everybody's.
        #[serde(default)]
        user: Option<String>,
    },

    // REST. All of these are everyone's only; `path` is what the path begins with, such as `/api/Order/place`.
    /// Damage: an answer of the REST API comes late, before or after the call takes effect.
    RestDelay {
        /// What the path begins with; default every path under `/api/`.
        #[serde(default)]
        path: Option<String>,
        /// How late.
        #[serde(with = "span")]
        by: Duration,
        /// Whether the wait is before the call takes effect (the default) or after.
        #[serde(default)]
        moment: Moment,
    },
    /// Damage: the REST API answers with another status. After the call took effect this is the answer that a client
    /// must not take for "nothing happened".
    RestStatus {
        /// What the path begins with; default every path under `/api/`.
        #[serde(default)]
        path: Option<String>,
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header; default none.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// The body; default empty.
        #[serde(default)]
        body: Option<String>,
        /// Whether the call takes effect first; default `before`: it never does.
        #[serde(default)]
        moment: Moment,
    },
    /// Damage: the REST API answers 200 with something that is no JSON.
    RestGarbage {
        /// What the path begins with; default every path under `/api/`.
        #[serde(default)]
        path: Option<String>,
        /// The body; default an HTML page.
        #[serde(default)]
        body: Option<String>,
        /// Whether the call takes effect first; default `before`: it never does.
        #[serde(default)]
        moment: Moment,
    },
    /// Damage: the socket ends without an answer. For an order the client cannot know: its outcome is unknown.
    RestDrop {
        /// What the path begins with; default every path under `/api/`.
        #[serde(default)]
        path: Option<String>,
        /// How the socket ends; default `reset`.
        #[serde(default)]
        how: DropHow,
        /// Whether the call takes effect first; default `before`: it never does.
        #[serde(default)]
        moment: Moment,
    },
    /// Damage: the socket ends in the middle of the answer's body. The call has taken effect.
    RestTruncated {
        /// What the path begins with; default every path under `/api/`.
        #[serde(default)]
        path: Option<String>,
        /// The bytes of the body that arrive; default half of them.
        #[serde(default)]
        keep: Option<usize>,
    },
}

impl Fault {
    /// Its name, as in JSON and TOML.
    #[must_use]
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            Ok(Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// The names of all faults.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        names::all()
    }
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn forty_two() -> i64 {
    42
}

fn one_thousand() -> u32 {
    1000
}

fn no_such_target() -> String {
    "NoSuchTarget".to_owned()
}

fn no_such_id() -> String {
    "no-such-id".to_owned()
}
