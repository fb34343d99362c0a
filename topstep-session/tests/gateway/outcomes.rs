//! Calls whose answer is lost: what is certain, what is not, and how it is found out.

use std::time::{Duration, Instant};

use adapter_core::Runtime;
use mock_hub::MockHub;
use mock_hub::faults::{DropHow, Fault, Moment, Rule};
use topstep_model::rest::{ModifyOrder, PlaceOrder};
use topstep_model::{AccountId, OrderSide, OrderStatus, PlaceErrorCode};
use topstep_session::Gateway;
use topstep_session::rest::{CallError, OutcomeUnknown, Settled};

use crate::support::*;

scenarios! {
    an_order_whose_answer_is_lost_is_found_by_its_tag,
    an_order_that_never_arrived_is_not_found,
    an_answer_that_leaves_it_open_is_none,
    an_order_that_is_too_late_does_not_leave,
    an_order_that_was_made_and_rejected_is_told_as_that,
    what_else_changes_something_is_settled_by_looking,
    a_venue_that_is_not_there_was_not_reached,
    reads_are_tried_three_times_and_changes_once,
    a_read_that_fails_twice_succeeds_after_one_and_two_seconds,
    a_read_gives_up_at_its_deadline,
}

const PLACE: &str = "/api/Order/place";

fn path(path: &str) -> Option<String> {
    Some(path.to_owned())
}

fn bid(account: AccountId) -> PlaceOrder {
    PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below())
}

fn unknown<T: std::fmt::Debug, C: topstep_model::Code>(result: Result<T, CallError<C>>) -> OutcomeUnknown {
    match result {
        Err(CallError::OutcomeUnknown(unknown)) => *unknown,
        other => panic!("the outcome is known: {other:?}"),
    }
}

async fn hurried<R: Runtime>(hub: &MockHub) -> Gateway<R> {
    builder(hub).timeout(SECOND).connect::<R>().await.unwrap()
}

/// Everything that loses the answer of a call that takes effect.
fn losses(of: &str) -> Vec<Fault> {
    let (path, moment) = (|| path(of), Moment::After);
    vec![
        Fault::RestDrop { path: path(), how: DropHow::Reset, moment },
        Fault::RestDrop { path: path(), how: DropHow::Fin, moment },
        Fault::RestTruncated { path: path(), keep: None },
        Fault::RestDelay { path: path(), by: Duration::from_secs(4), moment },
        Fault::RestStatus { path: path(), status: 502, retry_after: None, body: None, moment },
        Fault::RestGarbage { path: path(), body: None, moment },
        Fault::RestGarbage { path: path(), body: Some(r#"{"success":true,"errorCode":0}"#.to_owned()), moment },
    ]
}

async fn an_order_whose_answer_is_lost_is_found_by_its_tag<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    for (index, loss) in losses(PLACE).into_iter().enumerate() {
        let name = loss.name();
        let rule = hub.inject(Rule::new(loss)).unwrap();
        let lost = unknown(gateway.place(bid(account)).await);
        assert!(lost.tag().is_some_and(|tag| tag.starts_with("ts-")), "{name}");
        hub.heal(rule);
        let Settled::Placed(id) = gateway.settle(&lost).await else { panic!("{name}: it is not found") };
        let order = gateway.order(account, id).await.unwrap();
        assert_eq!(order.custom_tag.unwrap().as_str(), lost.tag().unwrap());
        assert_eq!(orders_at(&hub).len(), index + 1, "{name}: one order, and it was never sent again");
    }
}

async fn an_order_that_never_arrived_is_not_found<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    for (count, how) in [DropHow::Reset, DropHow::Fin].into_iter().enumerate() {
        let tag = format!("{how:?}");
        let fault = Fault::RestDrop { path: path(PLACE), how, moment: Moment::Before };
        let rule = hub.inject(Rule::new(fault)).unwrap();
        let lost = unknown(gateway.place(bid(account).custom_tag(tag.as_str())).await);
        assert_eq!(lost.tag(), Some(tag.as_str()));
        hub.heal(rule);
        assert_eq!(gateway.settle(&lost).await, Settled::NotFoundYet);
        assert_eq!(orders_at(&hub).len(), count);

        // It may come later than the question.
        let id = gateway.place(bid(account).custom_tag(tag)).await.unwrap();
        assert_eq!(gateway.settle(&lost).await, Settled::Placed(id));
    }
    // Where the venue does not say what orders there are, nothing is found out.
    let fault = Fault::RestDrop { path: path(PLACE), how: DropHow::Reset, moment: Moment::Before };
    hub.inject(Rule::new(fault).times(1)).unwrap();
    let lost = unknown(gateway.place(bid(account)).await);
    let body = Some(r#"{"success":true,"errorCode":0,"errorMessage":null}"#.to_owned());
    hub.inject(Fault::RestGarbage { path: path("/api/Order/"), body, moment: Moment::Before }).unwrap();
    assert_eq!(gateway.settle(&lost).await, Settled::Unknown);
}

async fn an_answer_that_leaves_it_open_is_none<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    let say = |path: &str, code: i32| {
        let body = format!(r#"{{"success":false,"errorCode":{code},"errorMessage":null}}"#);
        let fault = Fault::RestGarbage { path: Some(path.to_owned()), body: Some(body), moment: Moment::After };
        hub.inject(Rule::new(fault).times(1)).unwrap();
    };
    for code in [6, 7] {
        say(PLACE, code);
        let lost = unknown(gateway.place(bid(account)).await);
        assert!(matches!(gateway.settle(&lost).await, Settled::Placed(_)), "{code}");
    }
    let id = gateway.place(bid(account)).await.unwrap();
    order_becomes(&gateway, account, id, OrderStatus::Open).await;
    for code in [4, 5] {
        say("/api/Order/modify", code);
        let lost = unknown(gateway.modify(ModifyOrder::new(account, id).size(code)).await);
        assert!(matches!(gateway.settle(&lost).await, Settled::Order(order) if order.size == Some(code)));
    }
    say("/api/Order/cancel", 4);
    unknown(gateway.cancel(account, id).await);
    say("/api/Position/closeContract", 6);
    unknown(gateway.close_position(account, CONTRACT).await);
    say("/api/Position/partialCloseContract", 7);
    unknown(gateway.close_part(account, CONTRACT, 1).await);
    // The same number says something else elsewhere.
    say("/api/Position/partialCloseContract", 6);
    assert!(matches!(gateway.close_part(account, CONTRACT, 1).await, Err(CallError::Refused(_))));
}

async fn an_order_that_is_too_late_does_not_leave<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    let error = gateway.place_within(bid(account), Duration::ZERO).await.unwrap_err();
    assert!(matches!(&error, CallError::NotSent { .. }), "{error:?}");
    assert_eq!(orders_at(&hub).len(), 0);
    gateway.place_within(bid(account), 10 * SECOND).await.unwrap();
    assert_eq!(orders_at(&hub).len(), 1);
}

async fn an_order_that_was_made_and_rejected_is_told_as_that<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    hub.with_exchange(|_, exchange| exchange.reject_next(i32::try_from(account.number()).unwrap(), "Not today."));
    let fault = Fault::RestDrop { path: path(PLACE), how: DropHow::Reset, moment: Moment::After };
    hub.inject(Rule::new(fault).times(1)).unwrap();
    let lost = unknown(gateway.place(bid(account)).await);
    until::<R, _>("the order is rejected", async || matches!(gateway.settle(&lost).await, Settled::Rejected(_))).await;
}

async fn what_else_changes_something_is_settled_by_looking<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    let lose = |path: &str| {
        let fault = Fault::RestDrop { path: Some(path.to_owned()), how: DropHow::Reset, moment: Moment::After };
        hub.inject(Rule::new(fault).times(1)).unwrap();
    };
    let id = gateway.place(bid(account)).await.unwrap();
    order_becomes(&gateway, account, id, OrderStatus::Open).await;
    lose("/api/Order/modify");
    let lost = unknown(gateway.modify(ModifyOrder::new(account, id).size(2)).await);
    let Settled::Order(order) = gateway.settle(&lost).await else { panic!("no order") };
    assert_eq!(order.size, Some(2));

    lose("/api/Order/cancel");
    let lost = unknown(gateway.cancel(account, id).await);
    until::<R, _>(
        "the order is cancelled",
        async || matches!(gateway.settle(&lost).await, Settled::Order(order) if order.status == OrderStatus::Cancelled),
    )
    .await;

    gateway.place(PlaceOrder::market(account, CONTRACT.into(), OrderSide::Ask, 2)).await.unwrap();
    until::<R, _>("a position is open", async || !gateway.positions(account).await.unwrap().is_empty()).await;
    lose("/api/Position/partialCloseContract");
    let lost = unknown(gateway.close_part(account, CONTRACT, 1).await);
    until::<R, _>(
        "one is left",
        async || matches!(gateway.settle(&lost).await, Settled::Position(Some(position)) if position.size == 1),
    )
    .await;
    lose("/api/Position/closeContract");
    let lost = unknown(gateway.close_position(account, CONTRACT).await);
    until::<R, _>("none is left", async || gateway.settle(&lost).await == Settled::Position(None)).await;

    for text in [format!("{lost:?}"), lost.to_string()] {
        assert!(!text.contains(&account.number().to_string()) && !text.contains(CONTRACT), "{text}");
    }
}

async fn a_venue_that_is_not_there_was_not_reached<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    hub.stop();
    let error = gateway.place(bid(account)).await.unwrap_err();
    assert!(matches!(&error, CallError::NotSent { .. }), "{error:?}");
    assert!(error.is_definite() && error.is_passing());
    let error = gateway.cancel(account, topstep_model::OrderId::new(1)).await.unwrap_err();
    assert!(matches!(&error, CallError::NotSent { .. }), "{error:?}");
}

async fn reads_are_tried_three_times_and_changes_once<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (hurried::<R>(&hub).await, first_account(&hub));
    let fault = Fault::RestStatus { path: None, status: 503, retry_after: None, body: None, moment: Moment::Before };
    let rule = hub.inject(Rule::new(fault)).unwrap();
    unknown(gateway.place(bid(account)).await);
    let acted = || hub.faults().iter().find(|report| report.id == rule).unwrap().acted;
    assert_eq!(acted(), 1);
    assert_eq!(gateway.positions(account).await, Err(CallError::Status(503)));
    assert_eq!(acted(), 4);
    // What the venue understood is not asked again.
    hub.heal(rule);
    assert!(matches!(gateway.positions(AccountId::new(1)).await, Err(CallError::Refused(_))));
    assert_eq!(scraped::<R>(&hub).await.calls("/api/Position/searchOpen", 200), 1);
}

async fn a_read_that_fails_twice_succeeds_after_one_and_two_seconds<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let fault = Fault::RestDrop { path: path("/api/Account"), how: DropHow::Reset, moment: Moment::Before };
    hub.inject(Rule::new(fault).times(2)).unwrap();
    let begun = Instant::now();
    assert_eq!(gateway.accounts().await.unwrap().len(), 2);
    let took = begun.elapsed();
    assert!((3 * SECOND..30 * SECOND).contains(&took), "{took:?}");
}

async fn a_read_gives_up_at_its_deadline<R: Runtime>() {
    let hub = venue();
    let gateway = builder(&hub).deadline(SECOND).connect::<R>().await.unwrap();
    let fault = Fault::RestDelay { path: path("/api/Account"), by: Duration::from_secs(30), moment: Moment::Before };
    hub.inject(fault).unwrap();
    let begun = Instant::now();
    let error = gateway.accounts().await.unwrap_err();
    assert!(matches!(&error, CallError::NoAnswer { .. }) && error.is_passing(), "{error:?}");
    assert!(begun.elapsed() < 10 * SECOND);
    // A refusal is no failure of the venue.
    hub.heal_all();
    let order = PlaceOrder::market(first_account(&hub), "NONE".into(), OrderSide::Bid, 1);
    let error = gateway.place(order).await.unwrap_err();
    assert!(matches!(&error, CallError::Refused(no) if no.code == PlaceErrorCode::ContractNotFound), "{error:?}");
    assert!(!error.is_passing());
}
