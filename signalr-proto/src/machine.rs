//! The trait of a machine, and the laws that every machine keeps.

use crate::io::{Action, Input, Token};
use crate::time::Instant;

/// A protocol as a state machine: no clock, no socket, no task.
///
/// Whoever drives it does this, for ever:
///
/// 1. read `now`, pass commands, inputs and due timeouts in by `handle_*`;
/// 2. pop everything that came out: actions, replies, events; frames only while the transport takes them;
/// 3. sleep until [`poll_timeout`](Self::poll_timeout), an input or a command.
///
/// # The laws
///
/// 1. **Pure.** No clock, I/O, thread, global, environment or random source; a seed is an argument.
/// 2. **Work in `handle_*`, pop in `poll_*`.** `poll_*` needs no `now` and changes nothing but its queue.
/// 3. **Infallible surface.** No method returns `Result`; what can go wrong is data.
/// 4. **One reply per token**, always, also at stop and loss.
/// 5. **Liveness.** Whenever the machine waits for the world, `poll_timeout` is `Some`.
/// 6. **Time is a hint.** An early, repeated or slightly backward `now` changes nothing that is not due.
/// 7. **Stale is silent.** An input with an old attempt id has no effect.
/// 8. **Chunking is invisible.** Splitting or merging payload bytes over messages changes no reply and no event.
/// 9. **Bounded.** Outbound bytes, pending events, the partial record, calls: each has a limit and a defined result at the limit.
/// 10. **Deterministic.** Same seed, same inputs, same outputs.
/// 11. **Close what is open, once**, and say how: abort on loss, flush on stop.
/// 12. **Control never queues behind data.**
/// 13. **Conservation.** Every parsed record is accounted for: event, completion, control, or a counted reject.
/// 14. **Explained hang-up.** Every close that the machine starts names its cause.
pub trait Machine {
    /// What the application asks.
    type Command;
    /// The one answer to a command.
    type Reply;
    /// Unasked-for news.
    type Event;

    /// Takes a command. Its one reply carries `token`, which must not be used twice.
    fn handle_command(&mut self, now: Instant, token: Token, command: Self::Command);

    /// Takes what the world did.
    fn handle_input(&mut self, now: Instant, input: Input<'_>);

    /// Does what is due at `now`.
    fn handle_timeout(&mut self, now: Instant);

    /// Pops what the world must do. Always drain it.
    #[must_use = "an action that nobody carries out leaves the machine waiting for ever"]
    fn poll_action(&mut self) -> Option<Action>;

    /// Pops the text of the next WebSocket message. Pull only when the transport can take it: what was pulled counts as sent.
    #[must_use = "a frame that was pulled counts as sent"]
    fn poll_transmit(&mut self) -> Option<String>;

    /// Pops the one answer to a command.
    #[must_use = "somebody waits for this reply"]
    fn poll_reply(&mut self) -> Option<(Token, Self::Reply)>;

    /// Pops unasked-for news.
    #[must_use = "an event is told once"]
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// The instant at which `handle_timeout` wants to be called, if nothing happens before.
    #[must_use]
    fn poll_timeout(&self) -> Option<Instant>;

    /// Whether the transport should be read. `false`: stop reading and let TCP push back.
    #[must_use]
    fn wants_read(&self) -> bool;

    /// Whether nothing will ever come out again unless a command goes in.
    #[must_use]
    fn is_drained(&self) -> bool;
}
