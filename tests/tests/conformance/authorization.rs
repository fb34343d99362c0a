//! Tokens: where they go, when they are asked for, what happens without them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapter_core::{Cause, HubConnection, HubConnectionBuilder, RetryPolicy, Runtime, StartError, TokenPlacement};
use serde_json::Value;
use tests::conformance;
use tests::events::{find, name, up_to};
use tests::hubs::{Hub, Server};
use tests::wait::within;

use super::{connect, id};

conformance! {
    without_a_token_the_door_stays_shut,
    a_token_goes_where_it_should,
    a_refused_token_is_asked_for_once_more,
    a_failing_provider_fails_the_start,
    an_expired_token_ends_the_connection_and_a_fresh_one_is_asked_for,
    a_lenient_hub_lets_in_and_hangs_up,
}

fn secure<R: Runtime>(hub: &Hub) -> HubConnectionBuilder<R> {
    HubConnection::builder(hub.hub_url("secure"))
}

async fn without_a_token_the_door_stays_shut<R: Runtime>(server: Server) {
    for skip_negotiation in [false, true] {
        let connection = secure::<R>(server.usual())
            .skip_negotiation(skip_negotiation)
            .retry_initial_connect(true)
            .automatic_reconnect(RetryPolicy::microsoft())
            .build()
            .unwrap();
        let outcome = within::<R, _>("the refusal", connection.start()).await;
        let Err(StartError::Failed(reason)) = &outcome else { panic!("{outcome:?}") };
        assert_eq!((reason.cause(), reason.may_retry()), (Cause::Unauthorized, false));
    }
}

async fn a_token_goes_where_it_should<R: Runtime>(server: Server) {
    let hub = server.usual();
    let token = hub.token("trader", 600);
    for skip_negotiation in [false, true] {
        for (placement, in_header, in_query) in [
            (TokenPlacement::Header, true, false),
            (TokenPlacement::Query, false, true),
            (TokenPlacement::Both, true, true),
        ] {
            let builder = secure::<R>(hub).access_token(&*token).token_placement(placement);
            let connection = connect(builder.skip_negotiation(skip_negotiation)).await;
            let me: Value = connection.invoke("WhoAmI", ()).await.unwrap();
            assert_eq!(me["userIdentifier"], "trader");
            assert_eq!((&me["tokenInHeader"], &me["tokenInQuery"]), (&Value::from(in_header), &Value::from(in_query)));
        }
    }
}

async fn a_refused_token_is_asked_for_once_more<R: Runtime>(server: Server) {
    let hub = server.usual();
    let good = hub.token("trader", 600);
    for skip_negotiation in [false, true] {
        for (tokens, is_let_in) in [
            ([good.clone(), good.clone()], true),
            (["stale".to_owned(), good.clone()], true),
            (["stale".to_owned(), "stale".to_owned()], false),
        ] {
            let asked = Arc::new(AtomicUsize::new(0));
            let asks = asked.clone();
            let first_is_good = tokens[0] == good;
            let provider = move || {
                let token = tokens[asks.fetch_add(1, Ordering::SeqCst).min(1)].clone();
                async move { Ok::<_, String>(token) }
            };
            let connection =
                secure::<R>(hub).access_token_provider(provider).skip_negotiation(skip_negotiation).build().unwrap();
            let outcome = within::<R, _>("the start ends", connection.start()).await;
            assert_eq!(outcome.is_ok(), is_let_in, "{outcome:?}");
            assert_eq!(asked.load(Ordering::SeqCst), if first_is_good { 1 } else { 2 });
        }
    }
}

async fn a_failing_provider_fails_the_start<R: Runtime>(server: Server) {
    let failing = || async { Err::<String, _>("the vault is locked") };
    let connection = secure::<R>(server.usual()).access_token_provider(failing).build().unwrap();
    let outcome = within::<R, _>("the start fails", connection.start()).await;
    let Err(StartError::Failed(reason)) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(reason.cause(), Cause::Unauthorized);
    assert!(reason.explain().contains("the vault is locked"), "{reason}");

    let hanging = || std::future::pending::<Result<String, String>>();
    let builder = secure::<R>(server.usual()).connect_timeout(Duration::from_millis(100));
    let connection = builder.access_token_provider(hanging).build().unwrap();
    let outcome = within::<R, _>("the start fails", connection.start()).await;
    assert!(
        matches!(&outcome, Err(StartError::Failed(reason)) if reason.cause() == Cause::Unauthorized),
        "{outcome:?}"
    );
}

async fn an_expired_token_ends_the_connection_and_a_fresh_one_is_asked_for<R: Runtime>(server: Server) {
    let hub = server.usual();
    let asked = Arc::new(AtomicUsize::new(0));
    let asks = asked.clone();
    let provider = move || {
        // The first lives for two seconds.
        let seconds = if asks.fetch_add(1, Ordering::SeqCst) == 0 { 2 } else { 600 };
        let token = hub.token("trader", seconds);
        async move { Ok::<_, String>(token) }
    };
    let builder = secure::<R>(hub).access_token_provider(provider).automatic_reconnect(RetryPolicy::microsoft());
    let connection = builder.build().unwrap();
    let mut events = connection.events();
    within::<R, _>("the start", connection.start()).await.unwrap();
    let first = id(&connection);
    let names = up_to::<R>(&mut events, "restored").await;
    let expected = ["connected", "reconnecting:closed_by_hub", "waiting:closed_by_hub", "reconnected", "restored"];
    assert_eq!(names, expected);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_ne!(id(&connection), first);
    let me: Value = connection.invoke("WhoAmI", ()).await.unwrap();
    assert_eq!(me["userIdentifier"], "trader");
}

async fn a_lenient_hub_lets_in_and_hangs_up<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection =
        HubConnection::<R>::builder(hub.hub_url("lenient-market")).access_token("nonsense").build().unwrap();
    let mut events = connection.events();
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert_eq!(
        up_to::<R>(&mut events, "disconnected:closed_by_hub").await,
        ["connected", "disconnected:closed_by_hub"]
    );

    let connection = HubConnection::<R>::builder(hub.hub_url("lenient-market"))
        .access_token(hub.token("trader", 600))
        .build()
        .unwrap();
    let mut events = connection.events();
    within::<R, _>("the start", connection.start()).await.unwrap();
    within::<R, _>("a call", connection.invoke::<()>("SubscribeContractTrades", ("CON.F.US.MES.Z26",))).await.unwrap();
    connection.stop().await;
    find::<R, _>("the end", &mut events, |event| (name(event) == "disconnected:stopped").then_some(())).await;
}
