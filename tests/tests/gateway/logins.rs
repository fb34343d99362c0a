//! Getting in, and not getting in.

use std::time::Duration;

use adapter_core::{Cause, Runtime, StartError, State, Transport};
use mock_hub::{BadToken, MockHub, Options};
use serde_json::Value;
use tests::events::up_to;
use tests::scenarios;
use tests::wait::{eventually, next, within};

use super::{account, connect, gateway, recipe, token};

scenarios! {
    it_sig_001_connect_to_the_user_hub_with_a_valid_token,
    it_sig_002_connect_to_the_market_hub_with_a_valid_token,
    it_sig_003_an_invalid_token_fails_the_start,
    it_sig_003_a_hub_that_accepts_and_then_closes_ends_it_too,
    a_second_login_logs_the_first_one_out,
    a_token_that_is_renewed_serves_the_next_connection,
}

async fn it_sig_001_connect_to_the_user_hub_with_a_valid_token<R: Runtime>() {
    let gateway = gateway();
    let connection = connect::<R>(&gateway, "user", &token(&gateway)).await;
    assert_eq!(connection.state(), State::Connected);
    assert!(connection.connection_id().is_some_and(|id| id.local() == 1 && id.server_assigned().is_none()));
    assert_eq!(connection.transport(), Some(Transport::WebSockets));
    let account = account(&gateway, &gateway.issue_token("user", Duration::from_secs(60)));
    let ready = within::<R, _>("a call", connection.invoke::<Value>("SubscribeTrades", (account,))).await;
    assert_eq!(ready, Ok(Value::Null));
    eventually::<R>("the gateway knows it", || gateway.connections().len() == 1).await;
    assert_eq!(gateway.connections()[0].hub, "user");
    assert_eq!(gateway.negotiations(), 0);
}

async fn it_sig_002_connect_to_the_market_hub_with_a_valid_token<R: Runtime>() {
    let gateway = gateway();
    let token = token(&gateway);
    let user = connect::<R>(&gateway, "user", &token).await;
    let market = connect::<R>(&gateway, "market", &token).await;
    assert_eq!((market.state(), market.transport()), (State::Connected, Some(Transport::WebSockets)));
    assert!(market.connection_id().is_some());
    let ready = market.invoke::<Value>("SubscribeContractQuotes", ("CON.F.US.EP.U25",));
    assert_eq!(within::<R, _>("a call", ready).await, Ok(Value::Null));
    eventually::<R>("the gateway knows both", || gateway.connections().len() == 2).await;
    let known = gateway.connections();
    assert_ne!(known[0].id, known[1].id);
    within::<R, _>("the stop", user.stop()).await;
    assert_eq!(
        (user.state(), market.state()),
        (State::Disconnected, State::Connected),
        "one does not hang on the other"
    );
}

async fn it_sig_003_an_invalid_token_fails_the_start<R: Runtime>() {
    let gateway = gateway();
    let expired = gateway.issue_token("user", Duration::ZERO);
    let revoked = gateway.issue_token("user", Duration::from_secs(600));
    gateway.revoke_token(&revoked);
    for bad in ["invalid.token.here", &expired, &revoked] {
        for hub in ["user", "market"] {
            let connection = recipe::<R>(&gateway, hub, bad).build().unwrap();
            let error = within::<R, _>("the start", connection.start()).await.unwrap_err();
            let StartError::Failed(reason) = &error else { panic!("{error:?}") };
            assert_eq!((reason.cause(), reason.may_retry()), (Cause::Unauthorized, false));
            assert!(error.to_string().contains("401"), "{error}");
            assert!(!error.to_string().contains(bad), "{error}");
            assert_eq!(connection.state(), State::Disconnected);
        }
    }
}

async fn it_sig_003_a_hub_that_accepts_and_then_closes_ends_it_too<R: Runtime>() {
    let options =
        Options { require_token: Some(Vec::new()), bad_token: BadToken::AcceptThenClose, ..Options::default() };
    let gateway = MockHub::start(options).unwrap();
    let connection = recipe::<R>(&gateway, "user", "invalid.token.here").build().unwrap();
    let mut events = connection.lifecycle();
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert_eq!(
        up_to::<R>(&mut events, "disconnected:closed_by_hub").await,
        ["connected", "disconnected:closed_by_hub"]
    );
}

async fn a_second_login_logs_the_first_one_out<R: Runtime>() {
    let gateway = gateway();
    let first = connect::<R>(&gateway, "user", &token(&gateway)).await;
    let mut logouts = first.on::<Vec<Value>>("GatewayLogout");
    let mut events = first.lifecycle();
    let second = connect::<R>(&gateway, "user", &token(&gateway)).await;
    let logout = next::<R, _>("the logout", &mut logouts).await;
    assert!(logout.into_value().is_some());
    up_to::<R>(&mut events, "disconnected:closed_by_hub").await;
    assert_eq!(second.state(), State::Connected);
}

async fn a_token_that_is_renewed_serves_the_next_connection<R: Runtime>() {
    let gateway = gateway();
    let old = token(&gateway);
    let renewed = super::rest(&gateway, "/api/Auth/validate", &old, &Value::Null);
    let renewed = renewed["newToken"].as_str().unwrap();
    assert_ne!(renewed, old);
    let connection = connect::<R>(&gateway, "market", renewed).await;
    assert_eq!(connection.state(), State::Connected);
}
