//! The sans-IO state machine of an ASP.NET Core SignalR client: no clock, no socket, no task, no runtime inside.
//!
//! Bytes, commands and `now` go in; frames, replies, events and one deadline come out. Whoever moves them between the machine and the world
//! is a *driver*; `adapter-core` has one for async runtimes. A driver in a few lines, over a hub that is a string:
//!
//! ```
//! use signalr_proto::time::Instant;
//! use signalr_proto::{Action, Command, Event, HubConnection, HubConnectionConfig, Input, Machine, Payload, Reply, Token};
//!
//! let config = HubConnectionConfig::default().skip_negotiation(true);
//! let mut machine = HubConnection::new("https://rtc.example.com/hubs/market", config)?;
//! let now = Instant::from_nanos(0);
//!
//! // 1. Commands go in.
//! machine.handle_command(now, Token(1), Command::Start);
//!
//! // 2. What the world must do comes out. A real driver dials here.
//! let Some(Action::Open { attempt, .. }) = machine.poll_action() else { panic!("a start opens a WebSocket") };
//! machine.handle_input(now, Input::Opened { attempt, result: Ok(()) });
//!
//! // 3. Frames are pulled while the transport takes them.
//! assert_eq!(machine.poll_transmit().as_deref(), Some("{\"protocol\":\"json\",\"version\":1}\u{1e}"));
//!
//! // 4. What arrives goes in, cut in any way: here the handshake's answer with an event behind it.
//! let frame = "{}\u{1e}{\"type\":1,\"target\":\"Hello\",\"arguments\":[]}\u{1e}";
//! machine.handle_input(now, Input::Received { attempt, payload: Payload::Text(frame) });
//!
//! // 5. Replies and events come out, in order.
//! assert!(matches!(machine.poll_reply(), Some((Token(1), Reply::Started(Ok(()))))));
//! assert!(matches!(machine.poll_event(), Some(Event::Connected(_))));
//! assert!(matches!(machine.poll_event(), Some(Event::Unhandled { .. })), "nobody listens to Hello");
//!
//! // 6. The driver sleeps until the next deadline, at the latest: the ping that is due after 15 s of silence.
//! assert!(machine.poll_timeout().is_some());
//! # Ok::<(), signalr_proto::error::ConfigError>(())
//! ```
//!
//! # States
//!
//! ```text
//!                 Start                  handshake accepted
//! Disconnected ──────────▶ Connecting ─────────────────────▶ Connected ───────────┐
//!   ▲  ▲  ▲                  │    ▲                            │  ▲   │            │ Stop
//!   │  │  └──────────────────┘    └─ retry_initial_connect     │  │   │            ▼
//!   │  │    failed, or Stop                                    │  │   │      Disconnecting
//!   │  │                                    lost, policy says  │  │   │            │
//!   │  │                                    "again after ..."  ▼  │   │            │
//!   │  └────────────────────────────────────────────── Reconnecting   │            │
//!   │     policy says "no more", or Stop                              │            │
//!   └─────────────────────────────────────────────────────────────────┴────────────┘
//!                     lost and not to be tried again; goodbye said
//! ```
//!
//! # Where to look
//!
//! [`Machine`] has the laws; [`io`] what goes between machine and world; [`Command`], [`Reply`] and [`Event`] what goes between machine and
//! application; [`sink`] how values are decoded where their bytes are; [`HubConnectionConfig`] every number; [`protocol`] the codec for
//! everybody who is not this machine.

pub mod config;
mod connection;
pub mod error;
pub mod io;
pub mod json;
pub mod machine;
pub mod protocol;
pub mod retry;
pub mod secret;
pub mod sink;
pub mod subscription;
pub mod time;
pub mod url;

pub use config::{HubConnectionConfig, TokenPlacement};
pub use connection::{
    CallKind, CallRequest, CallTimeout, Command, ConnectionId, Counters, Event, EventGate, HubConnection, Reply, Role,
    StartError, State, SubscribeError, UnsubscribeError, UploadRoom,
};
pub use io::{Action, AttemptId, CloseHow, Input, Payload, Token};
pub use machine::Machine;
