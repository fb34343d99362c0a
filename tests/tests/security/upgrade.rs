//! What is offered at the upgrade, and what must not come back.

use adapter_core::{Cause, HubConnection, Runtime};
use mock_hub::script::{Reply, Request, ScriptHub, Session};
use tests::scenarios;
use tests::tls::TlsServer;
use tests::wait::within;
use tungstenite::handshake::derive_accept_key;

use super::refused;

scenarios! {
    compression_is_never_offered,
    what_was_not_offered_is_not_accepted,
    certificates_are_checked_without_being_asked,
}

async fn compression_is_never_offered<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        session.ignore_until_close().await;
    })
    .unwrap();
    for wanted in [false, true] {
        let builder = HubConnection::<R>::builder(hub.hub_url("/hub"));
        let offer = |builder: adapter_core::HubConnectionBuilder<R>| {
            builder.header("Sec-WebSocket-Extensions", "permessage-deflate").header("Accept-Encoding", "identity")
        };
        let connection = if wanted { offer(builder) } else { builder }.build().unwrap();
        within::<R, _>("the start", connection.start()).await.unwrap();
    }
    let upgrades: Vec<_> = hub.requests().into_iter().filter(Request::is_upgrade).collect();
    assert_eq!(upgrades.len(), 2);
    for upgrade in upgrades {
        assert_eq!(upgrade.header("sec-websocket-extensions"), None);
        assert_eq!(upgrade.header("sec-websocket-version"), Some("13"));
    }
    let negotiation = hub.requests().into_iter().find(|request| !request.is_upgrade()).unwrap();
    assert_eq!(negotiation.header("accept-encoding"), None, "no answer has to be inflated");
}

async fn what_was_not_offered_is_not_accepted<R: Runtime>() {
    for surprise in [
        "Sec-WebSocket-Extensions: permessage-deflate",
        "Sec-WebSocket-Extensions: x-webkit-deflate-frame; no_context_takeover",
        "Sec-WebSocket-Protocol: json",
    ] {
        let hub = ScriptHub::builder()
            .on_upgrade(move |request| {
                let key = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
                let head = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {key}\r\n{surprise}\r\n\r\n"
                );
                Reply::Bytes(head.into_bytes())
            })
            .start(|_| async {})
            .unwrap();
        refused(HubConnection::<R>::builder(hub.hub_url("/hub")), Cause::ProtocolViolation).await;
    }
}

async fn certificates_are_checked_without_being_asked<R: Runtime>() {
    let server = TlsServer::start("{}".to_owned());
    refused(HubConnection::<R>::builder(server.url("/hub")).access_token("token"), Cause::Tls).await;
    assert!(server.requests().is_empty());
    // The right authority, but another name.
    let by_address = server.url("/hub").replace("localhost", "127.0.0.1");
    refused(HubConnection::<R>::builder(by_address).tls_config(server.client()), Cause::Tls).await;
    assert!(server.requests().is_empty());
}
