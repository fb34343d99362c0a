//! The handle of a running hub: what a test does to it and asks of it, from any thread or runtime.

mod oracle;
mod venue;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as WebSocketFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::calls::Call;
use crate::faults::Fault;
use crate::gateway::Gateway;
use crate::hub_thread::HubThread;
use crate::hubs::Hub;
use crate::logins;
use crate::options::{BadToken, Options};
use crate::peers::{ConnectionInfo, Goodbye, How};
use crate::protocol::{json, write};
use crate::scenario::Scenario;
use crate::server;
use crate::wire::Wire;

/// A frame that a test sends as it is, past the hub protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// A text frame; the bytes need not be UTF-8.
    Text(Vec<u8>),
    /// A binary frame.
    Binary(Vec<u8>),
    /// Bytes for the TCP socket itself, below the WebSocket.
    Wire(Vec<u8>),
}

/// A hub that listens on 127.0.0.1 (unless it is [`Options::public`]), on a thread of its own; dropping it ends the thread and every socket.
///
/// Nothing here needs a runtime: methods return at once, those named `wait_*` block the calling thread, and the
/// `async` ones can be awaited anywhere. A test whose client lives on the calling thread must use the `async` ones.
#[derive(Debug)]
pub struct MockHub {
    pub(crate) gateway: Arc<Gateway>,
    thread: HubThread,
}

impl MockHub {
    /// Starts a hub and returns once it listens.
    pub fn start(options: Options) -> io::Result<Self> {
        Self::start_with(options, |_| {})
    }

    /// Starts a hub whose inside was made ready first.
    pub(crate) fn start_with(options: Options, prepare: impl FnOnce(&mut Gateway)) -> io::Result<Self> {
        let scenario = options.scenario.as_deref().map(Scenario::read).transpose()?;
        let mut gateway = Gateway::new(options);
        prepare(&mut gateway);
        if let Some(folder) = &gateway.options.record {
            gateway.recorder.to_folder(folder)?;
        }
        let gateway = Arc::new(gateway);
        let thread = server::start(&gateway)?;
        let hub = Self { gateway, thread };
        if let Some(scenario) = scenario {
            hub.play(scenario)?;
        }
        Ok(hub)
    }

    /// The hub's address, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// The URL of one of its hubs: `market`, `user`, `conformance`, `secure`, `lenient-market`.
    #[must_use]
    pub fn hub_url(&self, hub: &str) -> String {
        format!("{}/hubs/{hub}", self.url())
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.thread.address().port()
    }

    /// Ends the thread and all sockets; further calls do nothing.
    pub fn stop(&self) {
        self.thread.request_stop();
        self.thread.join();
    }

    /// Asks the hub to end and does not wait for it; never blocks.
    pub fn request_stop(&self) {
        self.thread.request_stop();
    }

    /// Blocks until the hub has ended, by [`MockHub::request_stop`] or `POST /control/stop`.
    pub fn wait_until_stopped(&self) {
        self.thread.join();
    }

    /// The connections that have finished their handshake and not ended, oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        self.gateway.peers.infos()
    }

    /// How many connections ever finished their handshake.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.gateway.peers.accepted()
    }

    /// How many negotiate requests reached a hub's path, refused ones included.
    #[must_use]
    pub fn negotiations(&self) -> u64 {
        self.gateway.negotiations.load(Ordering::Relaxed)
    }

    /// How many WebSocket upgrades were asked of a hub's path, refused ones included.
    #[must_use]
    pub fn upgrades(&self) -> u64 {
        self.gateway.upgrades.load(Ordering::Relaxed)
    }

    /// Ends one connection; `false` when there is none of this id.
    pub fn drop_connection(&self, id: &str, how: How) -> bool {
        self.gateway.peers.find(id).inspect(|peer| peer.end(Goodbye::from(how))).is_some()
    }

    /// Ends all connections and says how many.
    pub fn drop_all(&self, how: How) -> usize {
        let present = self.gateway.peers.present();
        present.iter().for_each(|peer| peer.end(Goodbye::from(how)));
        present.len()
    }

    /// Sends an invocation without id to a hub's connections, or to one group of them; says to how many.
    ///
    /// `arguments` is a JSON array. Groups are `quotes/CONTRACT`, `trades/CONTRACT`, `depth/CONTRACT` on the market
    /// hub, `accounts`, `orders/ACCOUNT`, `positions/ACCOUNT`, `trades/ACCOUNT` on the user hub, and whatever clients
    /// joined on the conformance hub. An unknown hub or text that is no array is an error of kind `InvalidInput`.
    pub fn publish(&self, hub: &str, target: &str, arguments: &str, group: Option<&str>) -> io::Result<usize> {
        let hub = Hub::named(hub).ok_or_else(|| invalid("no hub has this name"))?;
        let record = write::invocation(None, target, &json_array(arguments)?);
        let peers = &self.gateway.peers;
        Ok(match group {
            Some(group) => peers.send_to_group(hub.class(), group, &record),
            None => peers.send_to_all(hub.class(), &record),
        })
    }

    /// Sends an invocation without id to one connection; `arguments` is a JSON array.
    pub fn send_to(&self, connection_id: &str, target: &str, arguments: &str) -> io::Result<()> {
        let peer = self.gateway.peers.find(connection_id).ok_or_else(|| invalid("no such connection"))?;
        peer.send(write::invocation(None, target, &json_array(arguments)?));
        Ok(())
    }

    /// Asks a client for a result and waits for its answer, JSON text; the error is the client's own text.
    ///
    /// `arguments` is a JSON array. There is no deadline, but the end of the connection is an answer too.
    pub async fn ask(&self, connection_id: &str, target: &str, arguments: &str) -> Result<String, String> {
        let arguments = json_array(arguments).map_err(|error| error.to_string())?;
        let Some(peer) = self.gateway.peers.find(connection_id) else {
            return Err(format!("Connection '{connection_id}' does not exist."));
        };
        self.gateway.client_results.ask(&peer, target, &arguments).await.map(|answer| answer.get().to_owned())
    }

    /// Sends arbitrary bytes to a connection, after what waits for it; `false` when there is none of this id.
    ///
    /// [`Frame::Wire`] does not wait its turn and may land inside a frame that is being written.
    pub fn send_raw(&self, connection_id: &str, frame: Frame) -> bool {
        let Some(peer) = self.gateway.peers.find(connection_id) else {
            return false;
        };
        match frame {
            Frame::Text(bytes) => {
                peer.outbox.push_frame(WebSocketFrame::message(bytes, OpCode::Data(Data::Text), true));
            }
            Frame::Binary(bytes) => {
                peer.outbox.push_frame(WebSocketFrame::message(bytes, OpCode::Data(Data::Binary), true));
            }
            Frame::Wire(bytes) => {
                self.thread.runtime().spawn(async move {
                    if let Some(wire) = peer.wire() {
                        // A socket that is gone takes no bytes.
                        let _ = wire.write_raw(&bytes).await;
                    }
                });
            }
        }
        true
    }

    /// Sends a record to a connection, adding its separator; `false` when there is none of this id.
    pub fn send_record(&self, connection_id: &str, record: &str) -> bool {
        let record = Bytes::from(format!("{record}\u{1e}"));
        self.gateway.peers.find(connection_id).inspect(|peer| peer.send(record)).is_some()
    }

    /// Lets nothing more out to a connection, pings and pongs included, but keeps its socket and goes on reading.
    pub fn silence(&self, connection_id: &str) -> bool {
        self.gateway.peers.find(connection_id).and_then(|peer| peer.wire()).inspect(Wire::silence).is_some()
    }

    /// Refuses the next `count` WebSocket upgrades with this status, or all of them until [`MockHub::accept_upgrades`].
    pub fn refuse_upgrades(&self, count: Option<u32>, status: u16) {
        self.accept_upgrades();
        self.refuse_next_upgrades(count, status);
    }

    /// Ends the refusal of upgrades.
    pub fn accept_upgrades(&self) {
        self.heal_where(|fault| matches!(fault, Fault::UpgradeStatus { .. }));
    }

    /// Closes the port: the system refuses new connections. Those that exist stay.
    ///
    /// It takes effect within moments; the port is the same again after [`MockHub::accept_connections`].
    pub fn refuse_connections(&self) {
        self.inject_now(Fault::RefuseConnections);
    }

    /// Opens the port again.
    pub fn accept_connections(&self) {
        self.heal_where(|fault| matches!(fault, Fault::RefuseConnections));
    }

    /// Replaces the tokens that `/hubs/market` and `/hubs/user` ask for; `None` asks for none.
    pub fn set_tokens(&self, tokens: Option<Vec<String>>) {
        self.gateway.tokens.set(tokens);
    }

    /// Changes what a client with a bad token meets.
    pub fn set_bad_token(&self, behaviour: BadToken) {
        self.gateway.set_bad_token(behaviour);
    }

    /// Issues a token for a user, good for `lifetime`; it logs nobody out.
    ///
    /// A connection to `/hubs/secure` ends, with reconnecting allowed, when its token does; to the market and the user
    /// hub only with [`Options::close_on_token_expiration`].
    #[must_use]
    pub fn issue_token(&self, user: &str, lifetime: Duration) -> String {
        self.gateway.tokens.issue(user, lifetime)
    }

    /// Makes a token bad from now on; connections that used it stay.
    pub fn revoke_token(&self, token: &str) {
        self.gateway.tokens.revoke(token);
    }

    /// Ends all sessions of a user, or of everybody: their tokens are no good any more, and their connections to the
    /// market and the user hub get `GatewayLogout` and, as [`Options::logout_close`] says, are closed. Says how many.
    pub fn log_out(&self, user: Option<&str>) -> usize {
        logins::log_out(&self.gateway, user)
    }

    /// The hub methods that clients called, in order, over all connections; the last 100,000.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.gateway.calls.all()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.gateway.calls.clear();
    }

    /// Blocks until the log of calls satisfies the predicate; the error is the log at the end of the time.
    pub fn wait_for_calls(
        &self,
        mut predicate: impl FnMut(&[Call]) -> bool,
        timeout: Duration,
    ) -> Result<Vec<Call>, Vec<Call>> {
        let held = self.gateway.changes.wait(timeout, || self.gateway.calls.ask(&mut predicate));
        if held { Ok(self.calls()) } else { Err(self.calls()) }
    }

    /// [`MockHub::wait_for_calls`] as a future, for any runtime.
    pub async fn calls_where(
        &self,
        mut predicate: impl FnMut(&[Call]) -> bool,
        timeout: Duration,
    ) -> Result<Vec<Call>, Vec<Call>> {
        let held = self.until(timeout, |hub| hub.gateway.calls.ask(&mut predicate)).await;
        if held { Ok(self.calls()) } else { Err(self.calls()) }
    }

    /// Blocks until a condition holds, asked again whenever a connection, a call or the port changes; `false` when
    /// the time is over first.
    pub fn wait_until(&self, timeout: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        self.gateway.changes.wait(timeout, || condition(self))
    }

    /// [`MockHub::wait_until`] as a future, for any runtime.
    pub async fn until(&self, timeout: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        self.gateway.changes.until(self.thread.runtime(), timeout, || condition(self)).await
    }
}

fn json_array(text: &str) -> io::Result<String> {
    let value: &RawValue = serde_json::from_str(text).map_err(|_| invalid("the arguments are no JSON"))?;
    let text = json::reprint(value).ok_or_else(|| invalid("a string holds a lone surrogate"))?;
    if text.starts_with('[') { Ok(text) } else { Err(invalid("the arguments are no JSON array")) }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text.to_owned())
}
