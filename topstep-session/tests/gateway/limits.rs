//! The venue's limits, kept; and what happens where it says that they are not.

use std::time::{Duration, Instant};

use adapter_core::Runtime;
use futures_util::future::{join, join_all};
use mock_hub::MockHub;
use mock_hub::faults::{Fault, Moment, RetryAfter, Rule};
use topstep_model::rest::PlaceOrder;
use topstep_model::{OrderSide, OrderStatus};
use topstep_session::BudgetConfig;
use topstep_session::rest::CallError;

use crate::support::*;

scenarios! {
    after_a_429_exits_pass_and_the_rest_waits,
    a_429_with_retry_after_is_obeyed,
    an_exit_that_meets_a_429_is_told_and_not_repeated,
    exits_have_their_reserve,
    who_cannot_have_a_turn_in_time_is_told_at_once,
    the_venue_never_sees_too_much,
}

fn too_many(hub: &MockHub, path: &str, retry_after: Option<RetryAfter>) {
    let path = Some(path.to_owned());
    let fault = Fault::RestStatus { path, status: 429, retry_after, body: None, moment: Moment::Before };
    hub.inject(Rule::new(fault).times(1)).unwrap();
}

fn budget(change: impl FnOnce(&mut BudgetConfig)) -> BudgetConfig {
    let mut budget = BudgetConfig::default();
    change(&mut budget);
    budget
}

async fn after_a_429_exits_pass_and_the_rest_waits<R: Runtime>() {
    let (hub, hold) = (venue(), 3 * SECOND);
    let gateway = builder(&hub).budget(budget(|budget| budget.hold = hold)).connect::<R>().await.unwrap();
    let account = first_account(&hub);
    let id = gateway.place(PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below())).await.unwrap();
    order_becomes(&gateway, account, id, OrderStatus::Open).await;
    too_many(&hub, "/api/Account/search", None);
    let begun = Instant::now();
    let read = async {
        gateway.accounts().await.unwrap();
        begun.elapsed()
    };
    let exit = async {
        let is_held = async || gateway.with_budget(|budget| budget.held_until(gateway.now().mono).is_some());
        until::<R, _>("the 429 has come", is_held).await;
        gateway.cancel(account, id).await.unwrap();
        begun.elapsed()
    };
    let (read, exit) = join(read, exit).await;
    assert!(exit < hold && read >= hold, "{exit:?} {read:?}");
    assert_eq!(scraped::<R>(&hub).await.calls("/api/Account/search", 429), 1);
}

async fn a_429_with_retry_after_is_obeyed<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    too_many(&hub, "/api/Account/search", Some(RetryAfter::Seconds(2)));
    let begun = Instant::now();
    gateway.accounts().await.unwrap();
    assert!((2 * SECOND..9 * SECOND).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    // Longer than anybody waits for a read: that is told, and at once.
    too_many(&hub, "/api/Account/search", Some(RetryAfter::Seconds(600)));
    let begun = Instant::now();
    let wait = Some(Duration::from_secs(600));
    assert_eq!(gateway.accounts().await, Err(CallError::TooManyRequests { retry_after: wait }));
    assert!(matches!(gateway.accounts().await, Err(CallError::NotSent { .. })));
    assert!(begun.elapsed() < 5 * SECOND);
}

async fn an_exit_that_meets_a_429_is_told_and_not_repeated<R: Runtime>() {
    let hub = venue();
    let (gateway, account) = (connected::<R>(&hub).await, first_account(&hub));
    too_many(&hub, "/api/Position/closeContract", None);
    let error = gateway.close_position(account, CONTRACT).await.unwrap_err();
    assert!(error == CallError::TooManyRequests { retry_after: None } && error.is_definite());
    // The next goes out, 429 or not.
    assert!(matches!(gateway.close_position(account, CONTRACT).await, Err(CallError::Refused(_))));
}

async fn exits_have_their_reserve<R: Runtime>() {
    let hub = venue();
    let small = budget(|budget| budget.general = (20, Duration::from_secs(3_600)));
    let gateway = builder(&hub).budget(small).deadline(SECOND).connect::<R>().await.unwrap();
    let account = first_account(&hub);
    let begun = Instant::now();
    // The login was the first of twenty.
    let reads = join_all((0..30).map(|_| gateway.positions(account))).await;
    assert_eq!(reads.iter().filter(|read| read.is_ok()).count(), 9);
    let order = || PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below());
    let orders = join_all((0..20).map(|_| gateway.place(order()))).await;
    assert_eq!(orders.iter().filter(|order| order.is_ok()).count(), 6);
    let mut exits = 0;
    while !matches!(gateway.close_position(account, CONTRACT).await, Err(CallError::NotSent { .. })) {
        exits += 1;
    }
    assert_eq!(exits, 4);
    assert!(begun.elapsed() < 20 * SECOND);
}

async fn who_cannot_have_a_turn_in_time_is_told_at_once<R: Runtime>() {
    let hub = venue();
    let gateway = builder(&hub).budget(budget(|budget| budget.max_waiting = 1)).connect::<R>().await.unwrap();
    gateway.with_budget(|budget| budget.hold(gateway.now().mono, Some(3_600 * SECOND)));
    let begun = Instant::now();
    assert!(matches!(gateway.accounts().await, Err(CallError::NotSent { .. })));
    assert!(begun.elapsed() < 5 * SECOND, "it does not wait for a turn that comes too late");
}

async fn the_venue_never_sees_too_much<R: Runtime>() {
    let hub = venue();
    let gateway = builder(&hub).deadline(2 * SECOND).connect::<R>().await.unwrap();
    let account = first_account(&hub);
    let reads = join_all((0..150).map(|_| gateway.positions(account)));
    let exits = join_all((0..150).map(|_| gateway.cancel(account, topstep_model::OrderId::new(1))));
    let (reads, exits) = join(reads, exits).await;
    let (read, made) = (reads.iter().filter(|read| read.is_ok()).count(), exits.len());
    let made = made - exits.iter().filter(|exit| matches!(exit, Err(CallError::NotSent { .. }))).count();
    assert!(read <= 100 && made >= 100 && read + made <= 200, "{read} {made}");
    let scrape = scraped::<R>(&hub).await;
    assert_eq!(scrape.calls("/api/Order/cancel", 429) + scrape.calls("/api/Position/searchOpen", 429), 0);
}
