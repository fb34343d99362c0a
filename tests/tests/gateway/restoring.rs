//! Losing both hubs at once, and following them again.

use adapter_core::{Delivery, On, Runtime};
use futures_util::future::join;
use mock_hub::How;
use serde_json::{Value, json};
use tests::events::up_to;
use tests::scenarios;
use tests::wait::{next, within};

use super::{account, connect, gateway, rest, token};

const CONTRACT: &str = "CON.F.US.MNQ.Z26";

scenarios! {
    it_sig_012_both_hubs_are_followed_again_in_order,
}

async fn it_sig_012_both_hubs_are_followed_again_in_order<R: Runtime>() {
    let gateway = gateway();
    let token = token(&gateway);
    let account = account(&gateway, &token);
    let user = connect::<R>(&gateway, "user", &token).await;
    let market = connect::<R>(&gateway, "market", &token).await;
    let mut trades = user.on::<(Value,)>("GatewayUserTrade");
    let mut positions = user.on::<(Value,)>("GatewayUserPosition");
    let mut orders = user.on::<(Value,)>("GatewayUserOrder");
    let mut quotes = market.on::<(String, Value)>("GatewayQuote");
    let methods = ["SubscribeTrades", "SubscribePositions", "SubscribeOrders"];
    for method in methods {
        within::<R, _>(method, user.subscribe(method, (account,))).await.unwrap();
    }
    within::<R, _>("quotes", market.subscribe("SubscribeContractQuotes", (CONTRACT,))).await.unwrap();
    assert!(matches!(next::<R, _>("a quote", &mut quotes).await, Delivery::Value(_)));

    let (mut user_life, mut market_life) = (user.lifecycle(), market.lifecycle());
    gateway.clear_calls();
    assert_eq!(gateway.drop_all(How::Tcp), 2);
    let told = join(up_to::<R>(&mut user_life, "restored"), up_to::<R>(&mut market_life, "restored"));
    for (names, gaps) in <[_; 2]>::from(told.await).into_iter().zip([3, 1]) {
        let of = |name: &str| names.iter().filter(|told| *told == name).count();
        assert_eq!((of("reconnecting:lost"), of("reconnected")), (1, 1), "{names:?}");
        assert_eq!((of("gap_opened"), of("gap_closed")), (gaps, gaps), "{names:?}");
    }
    // Each of them once, with its argument, in the order in which they were first asked for.
    let calls = gateway.calls();
    let of = |hub: &str| -> Vec<_> {
        let calls = calls.iter().filter(|call| call.hub == hub);
        calls.map(|call| (call.target.clone(), call.arguments.clone())).collect()
    };
    assert_eq!(of("user"), methods.map(|method| (method.to_owned(), vec![json!(account)])));
    assert_eq!(of("market"), [("SubscribeContractQuotes".to_owned(), vec![json!(CONTRACT)])]);

    // All of it flows again, behind one gap each.
    let order = json!({ "accountId": account, "contractId": CONTRACT, "type": 2, "side": 0, "size": 1 });
    assert_eq!(rest(&gateway, "/api/Order/place", &token, &order)["success"], true);
    resumed::<R, _>("trades", &mut trades).await;
    resumed::<R, _>("positions", &mut positions).await;
    resumed::<R, _>("orders", &mut orders).await;
    resumed::<R, _>("quotes", &mut quotes).await;
}

/// Reads up to the one gap, and the value behind it.
async fn resumed<R: Runtime, T: std::fmt::Debug>(what: &str, events: &mut On<T>) {
    let mut gaps = 0;
    loop {
        match next::<R, _>(what, events).await {
            Delivery::Gap(_) => gaps += 1,
            Delivery::Value(_) if gaps == 0 => {}
            Delivery::Value(_) => return assert_eq!(gaps, 1, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}
