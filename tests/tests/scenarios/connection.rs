//! Connecting: one, many, with a token and without, in time and not, twice, and saying goodbye.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use adapter_core::{CallError, Cause, HubConnection, Rejection, RetryPolicy, Runtime, StartError, State};
use futures_util::future::{join, join_all};
use mock_hub::faults::Fault;
use mock_hub::script::{ScriptHub, SocketMessage};
use mock_hub::{MockHub, Options};
use serde_json::Value;
use tests::events::{up_to, waiting};
use tests::gateway::{connect, gateway, token};
use tests::scenarios;
use tests::scripted;
use tests::wait::{DEADLINE, eventually, next, within};
use topstep_model::{MarketEvent, MarketTrade, Rows};

use super::quotes::{QUOTES, Quotes};

scenarios! {
    ws_connection_basic,
    ws_connection_multiple_concurrent,
    ws_connection_concurrent_message_reading,
    ws_connection_auth_validation,
    ws_connection_timeout_handling,
    ws_connection_double_connection_prevention,
    ws_connection_graceful_disconnect,
}

/// A connection takes at most 2 s, and what happens is told within 500 ms: ten times that where real sockets are in between.
async fn ws_connection_basic<R: Runtime>() {
    assert_eq!(DEADLINE, Duration::from_secs(20), "what `connect` takes at most");
    let gateway = gateway();
    let market = connect::<R>(&gateway, "market", &token(&gateway)).await;
    assert_eq!(market.state(), State::Connected);
    assert!(market.connection_id().is_some() && market.transport().is_some());
    eventually::<R>("the hub knows it", || gateway.connections().len() == 1).await;
    let mut quotes = market.on::<Quotes>("GatewayQuote");
    let asked = Instant::now();
    let answer = market.invoke::<Value>("SubscribeContractQuotes", ("CON.F.US.EP.Z26",));
    assert_eq!(within::<R, _>("the subscription", answer).await, Ok(Value::Null));
    let rows = next::<R, _>("the first quote", &mut quotes).await.into_value().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!((rows.values().count(), rows.errors().count()), (1, 0));
}

async fn ws_connection_multiple_concurrent<R: Runtime>() {
    let hub = MockHub::start(Options::default()).unwrap();
    let connections: Vec<_> = ["market", "user", "market", "user", "market"]
        .map(|name| HubConnection::<R>::builder(hub.hub_url(name)).build().unwrap())
        .into();
    let starts = within::<R, _>("the starts", join_all(connections.iter().map(HubConnection::start))).await;
    assert!(starts.iter().all(Result::is_ok), "{starts:?}");
    let id = |connection: &HubConnection<R>| {
        let id = connection.connection_id().unwrap();
        id.server_assigned().unwrap().to_owned()
    };
    let mut ids: Vec<_> = connections.iter().map(id).collect();
    let mut known: Vec<_> = hub.connections().into_iter().map(|connection| connection.id).collect();
    ids.sort();
    known.sort();
    ids.dedup();
    assert_eq!((ids.len(), &ids), (5, &known), "each has an id of its own");
    // None hangs on another.
    for (index, connection) in connections.iter().enumerate() {
        within::<R, _>("the stop", connection.stop()).await;
        let connected = connections.iter().filter(|connection| connection.state() == State::Connected).count();
        assert_eq!(connected, connections.len() - index - 1);
    }
}

/// Three connections and two streams of each, all read at once: each gets its own, whole and in order.
async fn ws_connection_concurrent_message_reading<R: Runtime>() {
    const EACH: usize = 100;
    let options = Options { counted_quotes: true, quotes_per_second: 200.0, ..Options::default() };
    let hub = MockHub::start(options).unwrap();
    let readers = ["CON.F.US.ONE.Z26", "CON.F.US.TWO.Z26", "CON.F.US.SIX.Z26"].map(|contract| {
        let builder = HubConnection::<R>::builder(hub.hub_url("market"));
        async move {
            let connection = scripted::connect(builder).await;
            let mut quotes = connection.on::<Quotes>("GatewayQuote");
            let mut trades = connection.on::<Rows<MarketEvent<MarketTrade>>>("GatewayTrade");
            let subscriptions = join(
                connection.subscribe(QUOTES, (contract,)),
                connection.subscribe("SubscribeContractTrades", (contract,)),
            );
            let (first, second) = within::<R, _>("the subscriptions", subscriptions).await;
            assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
            let read_quotes = async {
                let mut numbers = Vec::new();
                while numbers.len() < EACH {
                    let rows = next::<R, _>("a quote", &mut quotes).await.into_value().unwrap();
                    for event in rows.values() {
                        assert_eq!(event.contract_id.as_str(), contract, "somebody else's quote");
                        // The full quote repeats the number of the latest one.
                        if event.value.open.is_none() {
                            numbers.extend(event.value.volume);
                        }
                    }
                }
                numbers
            };
            let read_trades = async {
                let mut count = 0;
                while count < EACH {
                    let rows = next::<R, _>("a trade", &mut trades).await.into_value().unwrap();
                    assert!(rows.values().all(|event| event.contract_id.as_str() == contract), "{rows:?}");
                    count += rows.values().count();
                }
            };
            let (numbers, ()) = join(read_quotes, read_trades).await;
            assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{contract}: {numbers:?}");
        }
    });
    join_all(readers).await;
}

/// No token, a wrong one, one that is over, one that was taken back; and a provider that knows better when it is asked again.
async fn ws_connection_auth_validation<R: Runtime>() {
    let hub = gateway();
    let good = hub.issue_token("user", Duration::from_secs(600));
    let revoked = hub.issue_token("user", Duration::from_secs(600));
    hub.revoke_token(&revoked);
    let bad = [None, Some("not.a.token".to_owned()), Some(hub.issue_token("user", Duration::ZERO)), Some(revoked)];
    for token in &bad {
        for skips in [true, false] {
            let builder = HubConnection::<R>::builder(hub.hub_url("market")).skip_negotiation(skips);
            let builder = match token {
                Some(token) => builder.access_token(token.as_str()),
                None => builder,
            };
            let connection = builder.automatic_reconnect(RetryPolicy::signalr()).build().unwrap();
            let error = within::<R, _>("the start", connection.start()).await.unwrap_err();
            let StartError::Failed(reason) = &error else { panic!("{error:?}") };
            assert_eq!((reason.cause(), connection.state()), (Cause::Unauthorized, State::Disconnected));
            if let Some(token) = token {
                assert!(!format!("{error} {error:?} {}", reason.explain()).contains(token.as_str()));
            }
        }
    }
    assert_eq!(hub.accepted(), 0);

    // What it gives goes as a bearer token; after a 401 it is asked once more.
    let asked = Arc::new(AtomicUsize::new(0));
    let asks = asked.clone();
    let tokens = [bad[1].clone().unwrap(), good];
    let provider = move || {
        let token = tokens[asks.fetch_add(1, Ordering::SeqCst).min(1)].clone();
        async move { Ok::<_, String>(token) }
    };
    let builder = HubConnection::<R>::builder(hub.hub_url("user")).access_token_provider(provider);
    let connection = scripted::connect(builder).await;
    assert_eq!((connection.state(), asked.load(Ordering::SeqCst)), (State::Connected, 2));
    assert_eq!(hub.connections()[0].user.as_deref(), Some("user"));
}

/// An address that takes the connection and never answers: the negotiation, the upgrade, byte by byte, the handshake.
async fn ws_connection_timeout_handling<R: Runtime>() {
    const LIMIT: Duration = Duration::from_millis(500);
    let slow = Fault::SlowUpgrade { delay: Duration::ZERO, bytes_per_second: Some(10) };
    let cases = [
        (Fault::UnansweredNegotiate, false, Cause::ConnectTimeout),
        (Fault::UnansweredUpgrade, true, Cause::ConnectTimeout),
        (slow, true, Cause::ConnectTimeout),
        (Fault::HandshakeSilence, true, Cause::HandshakeTimeout),
    ];
    for (fault, skips, cause) in cases {
        let hub = MockHub::start(Options::default()).unwrap();
        let rule = hub.inject(fault.clone()).unwrap();
        let builder = HubConnection::<R>::builder(hub.hub_url("market")).skip_negotiation(skips);
        let connection = builder.connect_timeout(LIMIT).handshake_timeout(LIMIT).build().unwrap();
        let began = Instant::now();
        let error = within::<R, _>("the start", connection.start()).await.unwrap_err();
        assert!((LIMIT..LIMIT * 10).contains(&began.elapsed()), "{fault:?}: {:?}", began.elapsed());
        let StartError::Failed(reason) = &error else { panic!("{fault:?}: {error:?}") };
        assert_eq!((reason.cause(), connection.state()), (cause, State::Disconnected), "{fault:?}");
        // A later start is none the worse for it, once it has its usual time.
        hub.heal(rule);
        let again = HubConnection::<R>::builder(hub.hub_url("market")).skip_negotiation(skips);
        scripted::connect(again).await;
    }
}

/// However many ask for it at once, there is one connection; who asks for a second one on top is refused.
async fn ws_connection_double_connection_prevention<R: Runtime>() {
    let hub = MockHub::start(Options::default()).unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("market")).build().unwrap();
    let handles: Vec<_> = (0..8).map(|_| connection.clone()).collect();
    let starts = within::<R, _>("the starts", join_all(handles.iter().map(HubConnection::start))).await;
    assert!(starts.iter().all(Result::is_ok), "{starts:?}");
    let before = connection.connection_id();
    let again = within::<R, _>("another start", connection.start()).await;
    assert_eq!(again, Err(StartError::Rejected(Rejection::NotDisconnected(State::Connected))));
    assert_eq!((connection.state(), connection.connection_id()), (State::Connected, before));
    assert_eq!((hub.negotiations(), hub.upgrades(), hub.accepted(), hub.connections().len()), (1, 1, 1, 1));
}

/// A Close record, a WebSocket close, and silence: no reconnect, whatever the policy is, and another start works.
async fn ws_connection_graceful_disconnect<R: Runtime>() {
    let (told, heard) = std::sync::mpsc::channel();
    let hub = ScriptHub::start(move |mut session| {
        let told = told.clone();
        async move {
            session.handshake().await;
            while let Some(message) = session.recv_message().await {
                match message {
                    SocketMessage::Text(text) if !text.contains("\"type\":6") => told.send(text).unwrap(),
                    SocketMessage::Close(close) => {
                        told.send(format!("close {:?}", close.map(|(code, _)| code))).unwrap()
                    }
                    _ => {}
                }
            }
        }
    })
    .unwrap();
    let connection = scripted::connect::<R>(scripted::builder(&hub).automatic_reconnect(RetryPolicy::trading())).await;
    let mut events = connection.lifecycle();
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!((connection.state(), connection.connection_id()), (State::Disconnected, None));
    assert_eq!(up_to::<R>(&mut events, "disconnected:stopped").await, ["disconnected:stopped"]);
    eventually::<R>("the hub has heard it all", || hub.finished() == 1).await;
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["{\"type\":7}\u{1e}", "close Some(1000)"]);
    let refused = within::<R, _>("a call", connection.send("Late", ())).await;
    assert!(matches!(&refused, Err(CallError::Rejected(Rejection::NotActive))), "{refused:?}");
    within::<R, _>("another stop", connection.stop()).await;
    assert_eq!((waiting(&mut events), hub.requests().len()), (Vec::<String>::new(), 1), "nothing follows the end");

    within::<R, _>("another start", connection.start()).await.unwrap();
    assert_eq!((connection.state(), hub.requests().len()), (State::Connected, 2));
}
