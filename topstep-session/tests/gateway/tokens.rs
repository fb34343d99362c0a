//! Logging in, keeping the token, losing it.

use std::time::{Duration, Instant};

use adapter_core::{HubConnection, Runtime, TokenRequest};
use futures_util::future::join_all;
use mock_hub::faults::{Fault, Moment};
use mock_hub::{MockHub, Options};
use topstep_model::OrderSide;
use topstep_model::rest::PlaceOrder;
use topstep_session::rest::CallError;
use topstep_session::{ConnectError, Gateway, Halt, LoginError, LoginState};

use crate::support::*;

scenarios! {
    fifty_calls_wait_for_one_login,
    who_gives_up_waiting_takes_no_login_from_the_others,
    a_token_is_renewed_while_it_is_used,
    a_renewal_that_cannot_be_read_leads_to_a_login,
    a_token_that_is_not_renewed_is_used_to_its_end_and_then_replaced,
    a_401_is_refreshed_once_and_the_call_is_made_once,
    a_401_that_comes_again_is_told,
    a_login_that_ends_under_a_session_is_told,
    two_logins_keep_their_distance,
    a_refused_login_is_not_asked_again,
    after_a_logout_nobody_logs_in_until_it_is_resumed,
    a_hub_connection_gets_another_token_when_one_is_refused,
    a_token_does_not_go_out_in_the_clear,
}

async fn login_of<R: Runtime>(gateway: &Gateway<R>) -> String {
    gateway.login().token(None).await.unwrap().secret.expose().to_owned()
}

/// A gateway that may log in as often as it likes.
async fn eager<R: Runtime>(hub: &MockHub) -> Gateway<R> {
    builder(hub).login_spacing(Duration::ZERO).connect::<R>().await.unwrap()
}

async fn fifty_calls_wait_for_one_login<R: Runtime>() {
    let hub = venue();
    let fault = Fault::RestDelay { path: Some("/api/Auth".to_owned()), by: 200 * MILLI, moment: Moment::Before };
    hub.inject(fault).unwrap();
    let gateway = builder(&hub).build::<R>().unwrap();
    assert_eq!(gateway.login().state(), LoginState::Idle);
    let answers = join_all((0..50).map(|_| gateway.accounts())).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|accounts| accounts.len() == 2)));
    let scrape = scraped::<R>(&hub).await;
    assert_eq!((scrape.logins(), scrape.calls("/api/Account/search", 200)), (1, 50));
    assert!(matches!(gateway.login().state(), LoginState::LoggedIn { .. }));
    assert!(gateway.login().last_login_at().is_some());
}

async fn who_gives_up_waiting_takes_no_login_from_the_others<R: Runtime>() {
    let hub = venue();
    let fault = Fault::RestDelay { path: Some("/api/Auth".to_owned()), by: 300 * MILLI, moment: Moment::Before };
    hub.inject(fault).unwrap();
    let gateway = builder(&hub).build::<R>().unwrap();
    // The first to ask, by whom the login was begun, goes.
    let first = gateway.call_within(
        &topstep_model::rest::SearchAccounts::new(false),
        topstep_session::Priority::Read,
        50 * MILLI,
    );
    let (first, second) = futures_util::future::join(first, gateway.accounts()).await;
    assert!(matches!(first, Err(CallError::NotSent { .. })), "{first:?}");
    assert_eq!(second.unwrap().len(), 2);
    assert_eq!(scraped::<R>(&hub).await.logins(), 1);
}

async fn a_token_is_renewed_while_it_is_used<R: Runtime>() {
    let hub = venue_with(Options { token_lifetime: LIFE, rate_limits: false, ..Options::default() });
    let gateway = connected::<R>(&hub).await;
    let begun = Instant::now();
    let mut tokens = std::collections::BTreeSet::new();
    while tokens.len() < 3 && begun.elapsed() < 30 * SECOND {
        tokens.insert(login_of(&gateway).await);
        R::sleep(20 * MILLI).await;
    }
    gateway.accounts().await.unwrap();
    let scrape = scraped::<R>(&hub).await;
    assert_eq!(scrape.logins(), 1, "renewed, not logged in again");
    assert!(scrape.calls("/api/Auth/validate", 200) >= 2 && tokens.len() >= 3);
    assert_eq!(scrape.calls("/api/Account/search", 401), 0);
}

async fn a_renewal_that_cannot_be_read_leads_to_a_login<R: Runtime>() {
    let hub = venue_with(Options { token_lifetime: LIFE, ..Options::default() });
    let gateway = eager::<R>(&hub).await;
    let first = login_of(&gateway).await;
    let path = Some("/api/Auth/validate".to_owned());
    hub.inject(Fault::RestGarbage { path, body: None, moment: Moment::After }).unwrap();
    until::<R, _>("another token", async || login_of(&gateway).await != first).await;
    assert_eq!(scraped::<R>(&hub).await.logins(), 2);
    gateway.accounts().await.unwrap();
}

async fn a_token_that_is_not_renewed_is_used_to_its_end_and_then_replaced<R: Runtime>() {
    let hub = venue_with(Options { token_lifetime: LIFE, ..Options::default() });
    let gateway = eager::<R>(&hub).await;
    let path = Some("/api/Auth/validate".to_owned());
    let fault = Fault::RestStatus { path, status: 503, retry_after: None, body: None, moment: Moment::Before };
    let rule = hub.inject(fault).unwrap();
    let (begun, first) = (Instant::now(), gateway.login().revision());
    while gateway.login().revision() == first {
        gateway.accounts().await.unwrap();
        assert!(begun.elapsed() < 30 * SECOND);
        R::sleep(100 * MILLI).await;
    }
    assert!(begun.elapsed() >= LIFE - SECOND, "{:?}", begun.elapsed());
    assert_eq!(scraped::<R>(&hub).await.logins(), 2);
    assert_eq!(hub.faults().iter().find(|report| report.id == rule).unwrap().acted, 1, "not again within 30 s");
}

async fn a_401_is_refreshed_once_and_the_call_is_made_once<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (eager::<R>(&hub).await, first_account(&hub));
    hub.revoke_token(&login_of(&gateway).await);
    let order = PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below());
    gateway.place(order).await.unwrap();
    assert_eq!(orders_at(&hub).len(), 1);
    let scrape = scraped::<R>(&hub).await;
    assert_eq!(
        (scrape.calls("/api/Order/place", 401), scrape.calls("/api/Order/place", 200), scrape.logins()),
        (1, 1, 2)
    );

    // However many calls meet the bad token, one login serves them.
    hub.revoke_token(&login_of(&gateway).await);
    let answers = join_all((0..20).map(|_| gateway.positions(account))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(scraped::<R>(&hub).await.logins(), 3);
}

async fn a_401_that_comes_again_is_told<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (eager::<R>(&hub).await, first_account(&hub));
    let path = Some("/api/Order/place".to_owned());
    let fault = Fault::RestStatus { path, status: 401, retry_after: None, body: None, moment: Moment::Before };
    let rule = hub.inject(fault).unwrap();
    let order = || PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below());
    let error = gateway.place(order()).await.unwrap_err();
    assert!(error == CallError::Status(401) && error.is_definite(), "{error:?}");
    assert_eq!(hub.faults().iter().find(|report| report.id == rule).unwrap().acted, 2);
    // A venue that refuses every token is not asked for more than five an hour.
    let last = loop {
        match gateway.place(order()).await.unwrap_err() {
            CallError::Status(401) => {}
            other => break other,
        }
    };
    assert_eq!(last, CallError::Login(LoginError::TooManyLogins));
    assert_eq!(scraped::<R>(&hub).await.logins(), 1 + 5);
}

/// The hubs let everybody in, so that only the session's reads meet the bad tokens.
async fn a_login_that_ends_under_a_session_is_told<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (eager::<R>(&hub).await, first_account(&hub));
    let user = gateway.user_session();
    let _following = user.follow([account]);
    until::<R, _>("the hub is connected", async || user.link().is_connected).await;
    let fault = Fault::RestStatus {
        path: Some("/api/Position".to_owned()),
        status: 401,
        retry_after: None,
        body: None,
        moment: Moment::Before,
    };
    hub.inject(fault).unwrap();
    // Five logins in vain. Then an event that cannot be read has the session ask REST.
    while gateway.positions(account).await != Err(CallError::Login(LoginError::TooManyLogins)) {}
    let connection = hub.connections().into_iter().find(|connection| connection.hub == "user").unwrap();
    hub.send_to(&connection.id, "GatewayUserPosition", "[{}]").unwrap();
    let halted = Some(Halt::LoginRefused { explanation: LoginError::TooManyLogins.to_string() });
    until::<R, _>("the session is told", async || gateway.halted() == halted).await;
}

async fn two_logins_keep_their_distance<R: Runtime>() {
    let hub = venue();
    let gateway = builder(&hub).login_spacing(2 * SECOND).deadline(SECOND).connect::<R>().await.unwrap();
    let begun = Instant::now();
    hub.revoke_token(&login_of(&gateway).await);
    // Within its deadline there is no token, and it is told that nothing was done.
    let error = gateway.place(PlaceOrder::market(first_account(&hub), CONTRACT.into(), OrderSide::Bid, 1)).await;
    assert!(matches!(error, Err(CallError::NotSent { .. })), "{error:?}");
    until::<R, _>("the gateway is in again", async || gateway.accounts().await.is_ok()).await;
    assert!(begun.elapsed() >= 2 * SECOND - 200 * MILLI, "{:?}", begun.elapsed());
    assert_eq!(scraped::<R>(&hub).await.logins(), 2);
    assert!(orders_at(&hub).is_empty());
}

async fn a_refused_login_is_not_asked_again<R: Runtime>() {
    let hub = venue();
    let wrong = || builder(&hub).api_key("user", "wrong-key").login_spacing(Duration::ZERO);
    let error = wrong().connect::<R>().await.unwrap_err();
    let ConnectError::Login(LoginError::Refused { code: 3, .. }) = &error else { panic!("{error:?}") };
    assert!(!format!("{error:?} {error}").contains("wrong-key"));

    let gateway = wrong().build::<R>().unwrap();
    for _ in 0..20 {
        let refused = gateway.accounts().await;
        assert!(matches!(refused, Err(CallError::Login(LoginError::Refused { code: 3, .. }))), "{refused:?}");
    }
    assert_eq!(scraped::<R>(&hub).await.logins(), 2, "one of each gateway");
    gateway.login().resume();
    gateway.accounts().await.unwrap_err();
    assert_eq!(scraped::<R>(&hub).await.logins(), 3);
}

async fn after_a_logout_nobody_logs_in_until_it_is_resumed<R: Runtime>() {
    let hub = venue();
    let gateway = eager::<R>(&hub).await;
    let used = gateway.login().revision().unwrap();
    assert!(!gateway.login().is_own_logout(used), "the token of now: somebody else logged in");
    hub.log_out(None);
    gateway.login().on_logout();
    assert_eq!(gateway.accounts().await, Err(CallError::Login(LoginError::LoggedOut)));
    assert_eq!(gateway.login().state(), LoginState::LoggedOut);
    assert_eq!(scraped::<R>(&hub).await.logins(), 1);
    gateway.login().resume();
    gateway.accounts().await.unwrap();
    assert_eq!(scraped::<R>(&hub).await.logins(), 2);
    assert!(gateway.login().is_own_logout(used), "an older token, and we have just logged in");
}

async fn a_hub_connection_gets_another_token_when_one_is_refused<R: Runtime>() {
    let hub = venue_with(Options { require_token: Some(Vec::new()), ..Options::default() });
    let gateway = eager::<R>(&hub).await;
    let tokens = gateway.login().hub_tokens();
    assert_eq!(tokens.given(), None);
    let source = {
        let tokens = tokens.clone();
        move |request: TokenRequest| tokens.token(request)
    };
    let connection = HubConnection::<R>::builder(hub.hub_url("user")).access_token_source(source).build().unwrap();
    hub.revoke_token(&login_of(&gateway).await);
    connection.start().await.unwrap();
    assert_eq!(tokens.given(), gateway.login().revision());
    assert_eq!(scraped::<R>(&hub).await.logins(), 2);

    connection.stop().await;
    connection.start().await.unwrap();
    assert_eq!(scraped::<R>(&hub).await.logins(), 2, "a good token is given again");
}

async fn a_token_does_not_go_out_in_the_clear<R: Runtime>() {
    for host in ["http://api.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com"] {
        let error = Gateway::builder().url(host).api_key("user", "key").build::<R>().unwrap_err();
        assert!(matches!(error, adapter_core::ConfigError::InsecureToken { .. }), "{error:?}");
    }
    let mixed = Gateway::builder().api_url("https://api.example.com").rtc_url("http://rtc.example.com");
    assert!(mixed.api_key("user", "key").build::<R>().is_err());
    assert!(Gateway::builder().build::<R>().is_err(), "no key");
    let asked = Gateway::builder().url("http://api.example.com").allow_insecure_token(true).api_key("user", "key");
    assert!(asked.build::<R>().is_ok());
}
