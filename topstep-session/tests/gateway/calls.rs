//! Every call of the reference, once where it goes well and once where it does not.

use adapter_core::Runtime;
use mock_hub::Login;
use mock_hub::faults::{Fault, Rule};
use topstep_model::rest::{Bracket, ModifyOrder, OrderFilter, PlaceOrder, RetrieveBars, SearchOrders, SearchTrades};
use topstep_model::{
    AccountId, BarUnit, CancelErrorCode, CloseErrorCode, ModifyErrorCode, OrderErrorCode, OrderId, OrderSide,
    OrderStatus, OrderType, PartialCloseErrorCode, PlaceErrorCode, Timestamp,
};
use topstep_session::gateway::AccountError;
use topstep_session::rest::CallError;
use topstep_session::{AccountSelector, Priority};

use crate::support::*;

scenarios! {
    every_call_that_reads,
    an_order_from_its_place_to_its_cancel,
    a_position_from_its_opening_to_its_close,
    refusals_keep_code_and_message,
    brackets_have_the_sign_of_their_direction,
    a_list_that_is_absent_is_not_an_empty_one,
    the_live_tier_is_told_where_it_is_empty,
    all_pages_of_a_query_are_read,
    a_page_that_is_shorter_than_asked_for_hides_nothing,
    what_is_left_open_is_listed,
}

fn before(now: Timestamp, by: time::Duration) -> Timestamp {
    Timestamp::try_from(now.utc() - by).unwrap()
}

async fn every_call_that_reads<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let accounts: Vec<_> = gateway.accounts().await.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(accounts.len(), 2);
    assert!(accounts.iter().all(|account| account.can_trade == Some(true) && account.simulated.is_some()));
    let (id, name) = (accounts[1].id, accounts[1].name.clone().unwrap());
    assert_eq!(gateway.account(id).await.unwrap(), accounts[1]);
    assert_eq!(gateway.account(name.as_str()).await.unwrap(), accounts[1]);
    assert_eq!(gateway.account("nobody").await, Err(AccountError::NotFound));
    assert_eq!(gateway.account(AccountSelector::Id(AccountId::new(1))).await, Err(AccountError::NotFound));
    hub.with_exchange(|now, exchange| exchange.set_can_trade(now, i32::try_from(id.number()).unwrap(), false));
    assert_eq!(gateway.account(id).await.unwrap().can_trade, Some(false));

    let contracts = gateway.available_contracts(false).await.unwrap();
    assert!(contracts.contracts.values().any(|contract| contract.id == CONTRACT) && !contracts.may_lack_live_tier);
    assert!(!gateway.search_contracts("ES", false).await.unwrap().contracts.is_empty());
    let contract = gateway.contract(CONTRACT).await.unwrap();
    assert_eq!(contract.tick_size, price("0.25"));

    let now = gateway.now().wall;
    let bars = RetrieveBars::new(CONTRACT.into(), before(now, time::Duration::HOUR), now, BarUnit::Minute, 1);
    let bars = gateway.bars(&bars.limit(10).include_partial_bar()).await.unwrap();
    assert!((1..=10).contains(&bars.len()) && bars.errors().next().is_none());

    let since = before(now, time::Duration::DAY);
    assert!(gateway.search_orders(&SearchOrders::since(id, since)).await.unwrap().is_empty());
    assert!(gateway.open_orders(id).await.unwrap().is_empty());
    assert!(gateway.query_orders(OrderFilter::new(id)).await.unwrap().orders.is_empty());
    assert!(gateway.positions(id).await.unwrap().is_empty());
    assert!(gateway.trades(&SearchTrades::since(id, since)).await.unwrap().is_empty());
    assert!(!gateway.ping().await.unwrap().as_str().is_empty());
}

async fn an_order_from_its_place_to_its_cancel<R: Runtime>() {
    let users = vec![Login::default(), Login::new("other", "other-key")];
    let hub = venue_with(mock_hub::Options { users, ..Default::default() });
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    let limit = || PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below());
    let id = gateway.place(limit()).await.unwrap();
    let order = order_becomes(&gateway, account, id, OrderStatus::Open).await;
    assert_eq!(order.limit_price, Some(far_below()));
    let tag = order.custom_tag.unwrap();
    assert!(tag.as_str().starts_with("ts-"), "{tag:?}");

    // No tag comes twice, of one gateway and of another.
    let next = gateway.place(limit()).await.unwrap();
    assert_ne!(gateway.order(account, next).await.unwrap().custom_tag.unwrap(), tag);
    let other = builder(&hub).api_key("other", "other-key").connect::<R>().await.unwrap();
    let mut first = limit();
    first.account_id = other.accounts().await.unwrap().values().next().unwrap().id;
    let theirs = other.place(first.clone()).await.unwrap();
    assert_ne!(other.order(first.account_id, theirs).await.unwrap().custom_tag.unwrap(), tag);

    let own = gateway.place(limit().custom_tag("my own")).await.unwrap();
    assert_eq!(gateway.order(account, own).await.unwrap().custom_tag.unwrap().as_str(), "my own");

    gateway.modify(ModifyOrder::new(account, id).limit_price(price("1001.25")).size(3)).await.unwrap();
    let order = gateway.order(account, id).await.unwrap();
    assert_eq!((order.limit_price, order.size), (Some(price("1001.25")), Some(3)));
    until::<R, _>("all work", async || gateway.open_orders(account).await.unwrap().len() == 3).await;

    gateway.cancel(account, id).await.unwrap();
    order_becomes(&gateway, account, id, OrderStatus::Cancelled).await;
    let since = before(gateway.now().wall, time::Duration::HOUR);
    assert_eq!(gateway.search_orders(&SearchOrders::since(account, since)).await.unwrap().len(), 3);
}

async fn a_position_from_its_opening_to_its_close<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    let id = gateway.place(PlaceOrder::market(account, CONTRACT.into(), OrderSide::Bid, 3)).await.unwrap();
    let held = async || {
        let positions = gateway.positions(account).await.unwrap();
        positions.values().find(|position| position.contract_id == CONTRACT).map(|position| position.size)
    };
    until::<R, _>("the order is filled", async || held().await == Some(3)).await;
    let since = before(gateway.now().wall, time::Duration::HOUR);
    let trades = gateway.trades(&SearchTrades::since(account, since)).await.unwrap();
    assert!(trades.values().any(|trade| trade.order_id == id));

    gateway.close_part(account, CONTRACT, 1).await.unwrap();
    until::<R, _>("a part is closed", async || held().await == Some(2)).await;
    gateway.close_position(account, CONTRACT).await.unwrap();
    until::<R, _>("all is closed", async || held().await.is_none()).await;
}

async fn refusals_keep_code_and_message<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    let nothing = OrderId::new(4_711);
    let refused = |error: CallError<_>| match error {
        CallError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    let order = PlaceOrder::market(account, "CON.F.US.NONE.Z26".into(), OrderSide::Bid, 1);
    assert_eq!(refused(gateway.place(order).await.unwrap_err()).code, PlaceErrorCode::ContractNotFound);

    hub.with_exchange(|_, exchange| exchange.reject_next(i32::try_from(account.number()).unwrap(), "Not today."));
    let order = PlaceOrder::market(account, CONTRACT.into(), OrderSide::Bid, 1);
    let error = gateway.place(order).await.unwrap_err();
    assert!(error.is_definite());
    let refusal = refused(error);
    assert_eq!(refusal.code, PlaceErrorCode::OrderRejected);
    assert_eq!(refusal.message.as_deref(), Some("Not today."));
    let rejected = refusal.order_id.expect("the order that was made and rejected");
    order_becomes(&gateway, account, rejected, OrderStatus::Rejected).await;

    let cancelled = gateway.cancel(account, nothing).await;
    assert!(matches!(cancelled, Err(CallError::Refused(no)) if no.code == CancelErrorCode::OrderNotFound));
    let modified = gateway.modify(ModifyOrder::new(account, nothing).size(2)).await;
    assert!(matches!(modified, Err(CallError::Refused(no)) if no.code == ModifyErrorCode::OrderNotFound));
    let closed = gateway.close_position(account, CONTRACT).await;
    assert!(matches!(closed, Err(CallError::Refused(no)) if no.code == CloseErrorCode::PositionNotFound));
    let closed = gateway.close_part(account, CONTRACT, 1).await;
    assert!(matches!(closed, Err(CallError::Refused(no)) if no.code == PartialCloseErrorCode::PositionNotFound));
    let found = gateway.order(account, nothing).await;
    assert!(matches!(found, Err(CallError::Refused(no)) if no.code == OrderErrorCode::OrderNotFound));
    assert!(
        matches!(gateway.positions(AccountId::new(1)).await, Err(CallError::Refused(_))),
        "an account of somebody else"
    );
}

async fn brackets_have_the_sign_of_their_direction<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    let long =
        PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below()).stop_loss(20).take_profit(40);
    assert_eq!(long.stop_loss_bracket.map(|bracket| bracket.ticks), Some(-20));
    let short =
        PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Ask, 1, price("20000")).stop_loss(20).take_profit(40);
    assert_eq!(short.stop_loss_bracket.map(|bracket| bracket.ticks), Some(20));
    for order in [long.clone(), short] {
        gateway.place(order).await.unwrap();
    }
    let mut wrong = long;
    wrong.custom_tag = None;
    wrong.stop_loss_bracket = Some(Bracket::stop_loss(OrderSide::Ask, 20));
    assert_eq!(wrong.stop_loss_bracket.map(|bracket| bracket.kind), Some(OrderType::Stop));
    let Err(CallError::Refused(refusal)) = gateway.place(wrong).await else { panic!("it is accepted") };
    assert_eq!(refusal.code, PlaceErrorCode::OrderRejected);
    assert!(refusal.message.as_deref().is_some_and(|message| message.contains("stop loss")), "{refusal:?}");
}

async fn a_list_that_is_absent_is_not_an_empty_one<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    for body in [
        r#"{"success":true,"errorCode":0,"errorMessage":null}"#,
        r#"{"positions":null,"success":true,"errorCode":0,"errorMessage":null}"#,
    ] {
        let body = Some(body.to_owned());
        let path = Some("/api/Position/searchOpen".to_owned());
        hub.inject(Rule::new(Fault::RestGarbage { path, body, moment: Default::default() }).times(1)).unwrap();
        assert_eq!(gateway.positions(account).await, Err(CallError::NoList));
    }
    assert!(gateway.positions(account).await.unwrap().is_empty());
}

async fn the_live_tier_is_told_where_it_is_empty<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let live = gateway.available_contracts(true).await.unwrap();
    assert!(live.contracts.is_empty() && live.may_lack_live_tier);
    assert!(gateway.search_contracts("ES", true).await.unwrap().may_lack_live_tier);
    let none = gateway.search_contracts("no such contract", false).await.unwrap();
    assert!(none.contracts.is_empty() && !none.may_lack_live_tier);
}

async fn all_pages_of_a_query_are_read<R: Runtime>() {
    let hub = venue_with(mock_hub::Options { rate_limits: false, ..Default::default() });
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    let number = i32::try_from(account.number()).unwrap();
    for index in 0..250_u32 {
        let kind = mock_hub::exchange::OrderType::Limit;
        let mut order = mock_hub::exchange::PlaceOrder::new(number, CONTRACT, kind, mock_hub::exchange::Side::Buy, 1);
        order.limit_price = Some((1_000 + index).into());
        assert!(hub.place(order).is_success());
    }
    let queried = gateway.query_orders(OrderFilter::new(account)).await.unwrap();
    assert_eq!((queried.orders.len(), queried.malformed.len(), queried.is_cut), (250, 0, false));
    assert_eq!(scraped::<R>(&hub).await.calls("/api/Order/v2/query", 200), 3);
}

async fn a_page_that_is_shorter_than_asked_for_hides_nothing<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    for _ in 0..2 {
        let order = PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below());
        gateway.place(order).await.unwrap();
    }
    let all = gateway.query_orders(OrderFilter::new(account)).await.unwrap().orders;
    let row = format!(r#"{{"id":{},"accountId":{account},"contractId":"{CONTRACT}","status":1}}"#, all[0].id);
    let body = format!(r#"{{"success":true,"errorCode":0,"orders":[{row}],"totalCount":2}}"#);
    let (path, moment) = (Some("/api/Order/v2/query".to_owned()), Default::default());
    hub.inject(Rule::new(Fault::RestGarbage { path, body: Some(body), moment }).times(1)).unwrap();
    let queried = gateway.query_orders(OrderFilter::new(account)).await.unwrap();
    let ids = |orders: &[topstep_model::Order]| orders.iter().map(|order| order.id).collect::<Vec<_>>();
    assert_eq!(ids(&queried.orders), ids(&all));
}

async fn what_is_left_open_is_listed<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    assert!(gateway.left_open().await.unwrap().is_nothing());
    let entry = PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below()).stop_loss(20);
    gateway.place(entry).await.unwrap();
    gateway.place(PlaceOrder::market(account, "CON.F.US.MNQ.Z26".into(), OrderSide::Ask, 2)).await.unwrap();
    until::<R, _>("a position is open", async || gateway.left_open().await.unwrap().positions.len() == 1).await;
    let left = gateway.left_open().await.unwrap();
    // The entry and its child that waits for it.
    assert_eq!((left.orders.len(), left.unread.len()), (2, 0), "{left:?}");
    assert!(left.orders.iter().any(|order| order.status == OrderStatus::Suspended));

    // Without the query suspended orders are not seen, and that is told.
    let path = Some("/api/Order/v2/query".to_owned());
    hub.inject(Fault::RestStatus { path, status: 404, retry_after: None, body: None, moment: Default::default() })
        .unwrap();
    let left = gateway.left_open().await.unwrap();
    assert_eq!((left.orders.len(), left.unread.len()), (1, 2), "{left:?}");

    gateway.log_out().await.unwrap();
    assert!(matches!(
        gateway.call(&SearchOrders::since(account, gateway.now().wall), Priority::Read).await,
        Err(CallError::Login(_))
    ));
}
