//! Tokens and logins while hubs are followed.

use adapter_core::Runtime;
use mock_hub::{BadToken, Options};
use topstep_session::{Halt, LogoutPolicy, SubscribeError};

use crate::support::*;

scenarios! {
    a_second_login_of_the_same_user_halts_the_first,
    one_that_may_logs_in_again,
    a_token_that_expires_in_mid_session_is_replaced,
    a_token_that_the_hub_hangs_up_on_is_replaced,
}

async fn a_second_login_of_the_same_user_halts_the_first<R: Runtime>() {
    let hub = venue();
    let first = connected::<R>(&hub).await;
    let account = first_account(&hub);
    let mut orders = first.user(account).orders().await.unwrap();
    let mut quotes = first.market().quotes(CONTRACT).await.unwrap();
    value::<R, _>(&mut quotes).await;
    up_to::<R, _>(&mut orders, "closed nothing_missed").await;

    let second = connected::<R>(&hub).await;
    let mut others = second.market().quotes(CONTRACT).await.unwrap();
    value::<R, _>(&mut others).await;
    until::<R>("the first is halted", || first.halted() == Some(Halt::LoggedOut)).await;
    up_to::<R, _>(&mut orders, "opened stopped").await;
    assert_eq!(first.market().trades(CONTRACT).await.unwrap_err(), SubscribeError::Halted(Halt::LoggedOut));
    assert_eq!(second.halted(), None);

    // It fights only if it is told to.
    first.resume();
    until::<R>("the second is halted", || second.halted() == Some(Halt::LoggedOut)).await;
    assert_eq!(up_to::<R, _>(&mut orders, "closed nothing_missed").await, ["closed nothing_missed"]);
}

async fn one_that_may_logs_in_again<R: Runtime>() {
    let hub = venue();
    let gateway = builder(&hub).on_logout(LogoutPolicy::Relogin).connect::<R>().await.unwrap();
    let mut orders = gateway.user(first_account(&hub)).orders().await.unwrap();
    up_to::<R, _>(&mut orders, "closed nothing_missed").await;
    hub.log_out(None);
    until::<R>("it is halted", || gateway.halted().is_some()).await;
    until::<R>("it begins again", || gateway.halted().is_none()).await;
    up_to::<R, _>(&mut orders, "closed nothing_missed").await;
    assert_eq!(gateway.user_session().link().connections, 2);
}

async fn a_token_that_expires_in_mid_session_is_replaced<R: Runtime>() {
    let hub = venue_with(Options { token_lifetime: 4 * SECOND, close_on_token_expiration: true, ..Options::default() });
    let gateway = connected::<R>(&hub).await;
    let mut orders = gateway.user(first_account(&hub)).orders().await.unwrap();
    for _ in 0..2 {
        let told = up_to::<R, _>(&mut orders, "closed nothing_missed").await;
        assert_eq!(told.len(), 2, "{told:?}");
    }
    assert_eq!(gateway.halted(), None);
}

async fn a_token_that_the_hub_hangs_up_on_is_replaced<R: Runtime>() {
    let hub = venue_with(Options { bad_token: BadToken::AcceptThenClose, ..Options::default() });
    let gateway = connected::<R>(&hub).await;
    let token = gateway.login().token(None).await.unwrap();
    hub.revoke_token(token.secret.expose());
    let account = gateway.user(first_account(&hub));
    let error = account.orders().await.unwrap_err();
    assert!(matches!(error, SubscribeError::Unauthorized { .. }), "{error}");
    // The next connection, ten seconds later, has another token.
    let mut orders = account.orders().await.unwrap();
    up_to::<R, _>(&mut orders, "closed nothing_missed").await;
    assert_ne!(gateway.login().token(None).await.unwrap().revision, token.revision);
}
