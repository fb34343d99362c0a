//! What the venue does not give.

use adapter_core::Runtime;
use futures_util::{FutureExt, StreamExt};
use mock_hub::faults::Fault;
use topstep_model::rest::PlaceOrder;
use topstep_model::{AccountId, OrderSide};
use topstep_session::{Halt, SubscribeError, Update};

use crate::support::*;

scenarios! {
    a_foreign_account_stays_silent,
    a_contract_that_does_not_exist_stays_silent,
    depth_without_its_entitlement_is_refused,
    a_subscription_after_close_is_refused,
}

async fn a_foreign_account_stays_silent<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let id = first_account(&hub);
    let foreign = gateway.user(AccountId::new(987_654_321));
    let mut silent = foreign.orders().await.unwrap();
    let mut orders = gateway.user(id).orders().await.unwrap();
    gateway.place(PlaceOrder::market(id, CONTRACT.into(), OrderSide::Bid, 1)).await.unwrap();
    value::<R, _>(&mut orders).await;
    while let Some(update) = silent.next().now_or_never().flatten() {
        assert!(!matches!(update, Update::Value(_)), "{update:?}");
    }
    // Nothing is claimed to be known of it.
    assert!(foreign.working_orders().entries.is_empty() && foreign.get().is_none());
}

async fn a_contract_that_does_not_exist_stays_silent<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut silent = gateway.market().quotes("CON.F.US.NONE.Z26").await.unwrap();
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    value::<R, _>(&mut quotes).await;
    while let Some(update) = silent.next().now_or_never().flatten() {
        assert!(!matches!(update, Update::Value(_)), "{update:?}");
    }
    assert!(gateway.market().quote(&"CON.F.US.NONE.Z26".into()).is_none());
}

async fn depth_without_its_entitlement_is_refused<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let rule = hub
        .inject(Fault::UnauthorizedSubscriptions { method: Some("SubscribeContractMarketDepth".to_owned()) })
        .unwrap();
    let error = gateway.market().depth(CONTRACT).await.unwrap_err();
    assert!(matches!(&error, SubscribeError::Refused { subject, .. } if subject.kind() == "depth"), "{error}");
    // Neither does it concern the rest, nor does it last.
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    value::<R, _>(&mut quotes).await;
    hub.heal(rule);
    let mut depth = gateway.market().depth(CONTRACT).await.unwrap();
    assert!(!value::<R, _>(&mut depth).await.rows.is_empty());
}

async fn a_subscription_after_close_is_refused<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    gateway.close().await;
    let error = gateway.market().trades(CONTRACT).await.unwrap_err();
    assert_eq!(error, SubscribeError::Halted(Halt::Closed));
    let error = gateway.user(first_account(&hub)).orders().await.unwrap_err();
    assert_eq!(error, SubscribeError::Halted(Halt::Closed));
    assert!(hub.until(10 * SECOND, |hub| hub.connections().is_empty()).await);
    // Resuming undoes it.
    gateway.resume();
    let mut trades = gateway.market().trades(CONTRACT).await.unwrap();
    up_to::<R, _>(&mut trades, "closed ticks_lost").await;
    assert_eq!(calls(&hub, "SubscribeContractQuotes"), 2, "what was followed before is followed again");
    drop(quotes);
}
