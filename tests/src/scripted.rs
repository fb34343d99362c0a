//! Connections to a scripted hub, and the script that most tests run there.

use adapter_core::{HubConnection, HubConnectionBuilder, Runtime};
use mock_hub::script::{ScriptHub, Session};

use crate::records::{CLOSE_AND_RECONNECT, id_of, result};
use crate::wait::within;

/// A connection to a scripted hub that has not begun: without a negotiation, everything else as it is by default.
pub fn builder<R: Runtime>(hub: &ScriptHub) -> HubConnectionBuilder<R> {
    HubConnection::builder(hub.hub_url("/hub")).skip_negotiation(true)
}

/// Builds a connection and starts it.
pub async fn connect<R: Runtime>(builder: HubConnectionBuilder<R>) -> HubConnection<R> {
    let connection = builder.build().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    connection
}

/// Answers every call with its first argument, but leaves `Never` unanswered, dies of `Die`, and says goodbye for a while to `Drain`.
pub async fn echo(mut session: Session) {
    session.handshake().await;
    while let Some(call) = session.recv_json().await {
        match call["target"].as_str() {
            None | Some("Never") => {}
            Some("Die") => return session.abort(),
            Some("Drain") => {
                session.send_text(CLOSE_AND_RECONNECT).await;
                return session.ignore_until_close().await;
            }
            Some(_) if id_of(&call).is_empty() => {}
            Some(_) => _ = session.send_text(&result(id_of(&call), &call["arguments"][0])).await,
        }
    }
}
