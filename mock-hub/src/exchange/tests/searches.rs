//! What the REST searches find and leave out.

use super::super::{Bracket, OrderQuery, OrderSort};
use super::*;

/// One order of each status: filled, cancelled, rejected, open with a suspended child, pending.
fn desk() -> (Desk, [i64; 6]) {
    let mut desk = Desk::new();
    let filled = desk.market(Side::Buy, 1);
    let cancelled = desk.limit(Side::Buy, 1, "19990");
    assert!(desk.exchange.cancel(desk.now, desk.account, cancelled).is_success());
    assert!(desk.exchange.reject_next(desk.account, "no"));
    let rejected = desk.place(desk.order(OrderType::Market, Side::Buy, 1)).order_id.unwrap();
    desk.later();
    let mut order = desk.order(OrderType::Limit, Side::Buy, 1);
    (order.limit_price, order.take_profit) = (Some(at("19980")), Some(Bracket { ticks: 40, order_type: 1 }));
    let open = desk.placed(order);
    let pending = desk.place(desk.order(OrderType::Market, Side::Buy, 1)).order_id.unwrap();
    (desk, [filled, cancelled, rejected, open, open + 1, pending])
}

fn ids(orders: Option<Vec<Order>>) -> Vec<i64> {
    orders.unwrap().iter().map(|order| order.id).collect()
}

#[test]
fn each_search_leaves_out_its_own() {
    let (desk, [filled, cancelled, rejected, open, child, pending]) = desk();
    let (exchange, account) = (&desk.exchange, desk.account);
    let all = exchange.order_search(account, OffsetDateTime::UNIX_EPOCH, None);
    assert_eq!(ids(all), [pending, open, rejected, cancelled, filled]);
    assert_eq!(ids(exchange.open_orders(account)), [open]);
    assert_eq!(exchange.order_by_id(account, child).unwrap().status.code(), 8);
    assert_eq!(exchange.order_by_id(account, 1), None);
    let since = exchange.order_by_id(account, rejected).unwrap().creation;
    assert_eq!(ids(exchange.order_search(account, since, None)), [pending, open, rejected]);
    assert_eq!(ids(exchange.order_search(account, since, Some(since))), [rejected]);
}

#[test]
fn the_query_filters_sorts_and_pages() {
    let (desk, [filled, cancelled, rejected, open, child, pending]) = desk();
    let query = |change: &dyn Fn(&mut OrderQuery)| {
        let mut query = OrderQuery::new(desk.account);
        change(&mut query);
        let page = desk.exchange.query(&query).unwrap();
        (page.orders.iter().map(|order| order.id).collect::<Vec<_>>(), page.total_count)
    };
    assert_eq!(query(&|_| {}), (vec![filled, cancelled, rejected, open, child, pending], 6));
    assert_eq!(query(&|query| query.statuses = vec![1, 6, 7, 8]), (vec![open, child, pending], 3));
    assert_eq!(query(&|query| query.contract_id = Some(ES.into())), (vec![], 0));
    assert_eq!(query(&|query| (query.page_size, query.page_offset) = (2, 2)), (vec![rejected, open], 6));
    assert_eq!(query(&|query| query.page_offset = usize::MAX), (vec![], 6));
    let newest = |query: &mut OrderQuery| {
        (query.sort_by, query.descending, query.page_size) = (OrderSort::Id, true, 0);
    };
    assert_eq!(query(&newest), (vec![pending], 6));
    let since = desk.find(rejected).creation;
    assert_eq!(query(&|query| query.created_after = Some(since)).1, 4);
    assert_eq!(query(&|query| query.created_before = Some(since)), (vec![filled, cancelled, rejected], 3));
}

#[test]
fn trades_are_newest_first_and_filtered_by_time() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    desk.market(Side::Buy, 1);
    let trades = |start, end| desk.exchange.trades(desk.account, start, end).unwrap();
    let all = trades(None, None);
    assert!(all[0].creation > all[1].creation);
    assert_eq!(trades(Some(all[0].creation), None), all[..1]);
    assert_eq!(trades(None, Some(all[1].creation)), all[1..]);
}

#[test]
fn an_unknown_account_finds_nothing_to_search() {
    let exchange = Desk::new().exchange;
    assert_eq!(exchange.open_orders(1), None);
    assert_eq!(exchange.order_search(1, OffsetDateTime::UNIX_EPOCH, None), None);
    assert_eq!(exchange.query(&OrderQuery::new(1)), None);
    assert_eq!(exchange.positions(1), None);
    assert_eq!(exchange.trades(1, None, None), None);
    assert_eq!(exchange.owner(1), None);
}

#[test]
fn accounts_belong_to_users() {
    let mut desk = Desk::new();
    let second = desk.exchange.add_account(USER, NewAccount::evaluation());
    let other = desk.exchange.add_account("other", NewAccount::practice());
    assert!(desk.exchange.set_active(desk.now, second, false));
    let ids = |active| -> Vec<i32> { desk.exchange.accounts(USER, active).iter().map(|account| account.id).collect() };
    assert_eq!((ids(true), ids(false)), (vec![desk.account], vec![desk.account, second]));
    assert_eq!(desk.exchange.owner(other), Some("other"));
    assert_eq!(desk.exchange.truth(USER).accounts.len(), 2);
    assert!(desk.exchange.truth("nobody").accounts.is_empty());
}
