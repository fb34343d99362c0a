//! The states of a connection, each seen while it lasts.

use std::sync::Arc;
use std::time::Duration;

use adapter_core::{RetryPolicy, Runtime, State};
use futures_channel::mpsc;
use futures_util::StreamExt;
use futures_util::lock::Mutex;
use mock_hub::script::{ScriptHub, Session};
use tests::events::up_to;
use tests::records::ACCEPTED;
use tests::scenarios;
use tests::scripted::builder;
use tests::wait::{eventually, poll_once, within};

scenarios! {
    ws_connection_state_transitions,
}

/// A hub that takes each step only when it is told to.
struct Gated {
    hub: ScriptHub,
    gate: mpsc::UnboundedSender<()>,
}

impl Gated {
    /// The first connection is lost, the second one stays until the client goes.
    fn start() -> Self {
        let (gate, steps) = mpsc::unbounded();
        let steps = Arc::new(Mutex::new(steps));
        let script = move |mut session: Session| {
            let steps = steps.clone();
            async move {
                session.recv_record().await;
                steps.lock().await.next().await;
                session.send_text(ACCEPTED).await;
                steps.lock().await.next().await;
                if session.serial() == 0 {
                    return session.abort();
                }
                session.ignore_until_close().await;
            }
        };
        Self { hub: ScriptHub::start(script).unwrap(), gate }
    }

    fn step(&self) {
        self.gate.unbounded_send(()).unwrap();
    }
}

async fn ws_connection_state_transitions<R: Runtime>() {
    let hub = Gated::start();
    let soon = RetryPolicy::custom(|_| Some(Duration::from_millis(5)));
    let connection = builder::<R>(&hub.hub).automatic_reconnect(soon).build().unwrap();
    let mut events = connection.lifecycle();
    let seen = || (connection.state(), connection.connection_id().map(|id| id.local()));
    assert_eq!(seen(), (State::Disconnected, None));

    let mut start = Box::pin(connection.start());
    assert_eq!(poll_once(&mut start), None);
    assert_eq!(seen(), (State::Connecting, None));
    eventually::<R>("the handshake is on its way", || hub.hub.sessions() == 1).await;
    assert_eq!(seen(), (State::Connecting, None), "a WebSocket is no connection yet");
    hub.step();
    within::<R, _>("the start", start).await.unwrap();
    assert_eq!(seen(), (State::Connected, Some(1)));

    hub.step();
    eventually::<R>("another handshake is on its way", || hub.hub.sessions() == 2).await;
    assert_eq!(seen(), (State::Reconnecting, None));
    hub.step();
    let names = up_to::<R>(&mut events, "restored").await;
    assert_eq!(names, ["connected", "reconnecting:lost", "waiting:lost", "reconnected", "restored"]);
    assert_eq!(seen(), (State::Connected, Some(2)));

    let mut stop = Box::pin(connection.stop());
    assert_eq!(poll_once(&mut stop), None);
    assert_eq!(connection.state(), State::Disconnecting, "the hub has not said goodbye");
    hub.step();
    within::<R, _>("the stop", stop).await;
    assert_eq!(seen(), (State::Disconnected, None));
    assert_eq!(up_to::<R>(&mut events, "disconnected:stopped").await, ["disconnected:stopped"]);
}
