//! `/api/Order`.

use time::OffsetDateTime;

use super::answer::{answer, array, list};
use super::body::Members;
use super::{Answered, Caller, Problem};
use crate::exchange::{Bracket, ModifyOrder, Order, OrderQuery, OrderSort, PlaceOrder};

/// In the error codes of every call here.
const ACCOUNT_NOT_FOUND: i32 = 1;
/// `SearchOrderByIdErrorCode`; a foreign account has no such order either.
const ORDER_NOT_FOUND: i32 = 1;

/// `search`: by the time of creation. A time that was misspelt is a time that is not there: no filter.
pub(super) fn search(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let account = caller.account(body)?;
    let start = body.optional_time("startTimestamp")?.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let end = body.optional_time("endTimestamp")?;
    let found = |account| caller.gateway.world.visit(|world| world.exchange.order_search(account, start, end));
    Ok(orders(account.and_then(found)))
}

/// `searchOpen`: those that work; pending and suspended ones are left out, as seen live.
pub(super) fn search_open(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let account = caller.account(body)?;
    Ok(orders(account.and_then(|account| caller.gateway.world.visit(|world| world.exchange.open_orders(account)))))
}

/// `searchById`.
pub(super) fn search_by_id(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let (account, order) = (caller.account(body)?, body.long("orderId")?);
    let found = |account| caller.gateway.world.visit(|world| world.exchange.order_by_id(account, order));
    Ok(match account.and_then(found) {
        Some(order) => answer(&[("order", &order.rest_json())], 0, None),
        None => answer(&[("order", "null")], ORDER_NOT_FOUND, None),
    })
}

/// `v2/query`: by status, contract and time, page by page.
pub(super) fn query(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let filter = body.optional_object("filter")?.ok_or_else(|| Problem::missing("filter"))?;
    let account = caller.account(&filter)?;
    let with_total = body.bool("includeTotalCount")?;
    let count = |value: Option<i32>, or| value.map_or(or, |value| usize::try_from(value).unwrap_or_default());
    let mut query = OrderQuery::new(account.unwrap_or_default());
    query.statuses = filter.choices("statuses", "OrderStatus")?;
    query.contract_id = filter.optional_text("contractId")?.filter(|id| !id.is_empty());
    query.created_after = filter.optional_time("createdAfter")?;
    query.created_before = filter.optional_time("createdBefore")?;
    query.page_size = count(body.optional_int("pageSize")?, query.page_size);
    query.page_offset = count(body.optional_int("pageOffset")?, 0);
    query.sort_by = if body.choice("sortBy", "OrderSortBy")? == 1 { OrderSort::Id } else { OrderSort::CreatedAt };
    query.descending = body.choice("sortDirection", "SortDirection")? == 1;
    let page = account.and_then(|_| caller.gateway.world.visit(|world| world.exchange.query(&query)));
    let Some(page) = page else {
        return Ok(answer(&[("orders", "[]"), ("totalCount", "null")], ACCOUNT_NOT_FOUND, None));
    };
    let total = if with_total { page.total_count.to_string() } else { "null".to_owned() };
    let orders = array(page.orders.iter().map(Order::rest_json));
    Ok(answer(&[("orders", &orders), ("totalCount", &total)], 0, None))
}

/// `place`. A refused order may have an id all the same.
pub(super) fn place(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let account = caller.account(body)?;
    let order = PlaceOrder {
        account_id: account.unwrap_or_default(),
        contract_id: body.text("contractId")?,
        order_type: body.choice("type", "OrderType")?,
        side: body.choice("side", "OrderSide")?,
        size: body.int("size")?,
        limit_price: body.optional_decimal("limitPrice")?,
        stop_price: body.optional_decimal("stopPrice")?,
        trail_price: body.optional_decimal("trailPrice")?,
        custom_tag: body.optional_text("customTag")?,
        stop_loss: bracket(body, "stopLossBracket")?,
        take_profit: bracket(body, "takeProfitBracket")?,
    };
    if account.is_none() {
        return Ok(answer(&[("orderId", "null")], ACCOUNT_NOT_FOUND, None));
    }
    let placed = caller.gateway.world.visit(|mut world| world.place(order));
    let id = placed.order_id.map_or_else(|| "null".to_owned(), |id| id.to_string());
    Ok(answer(&[("orderId", &id)], placed.code, placed.message.as_deref()))
}

/// `modify`.
pub(super) fn modify(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let account = caller.account(body)?;
    let mut change = ModifyOrder::new(account.unwrap_or_default(), body.long("orderId")?);
    change.size = body.optional_int("size")?;
    change.limit_price = body.optional_decimal("limitPrice")?;
    change.stop_price = body.optional_decimal("stopPrice")?;
    change.trail_price = body.optional_decimal("trailPrice")?;
    if account.is_none() {
        return Ok(answer(&[], ACCOUNT_NOT_FOUND, None));
    }
    let done = caller.gateway.world.visit(|world| world.exchange.modify(world.now, &change));
    Ok(answer(&[], done.code, done.message.as_deref()))
}

/// `cancel`.
pub(super) fn cancel(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let (account, order) = (caller.account(body)?, body.long("orderId")?);
    let Some(account) = account else {
        return Ok(answer(&[], ACCOUNT_NOT_FOUND, None));
    };
    let done = caller.gateway.world.visit(|world| world.exchange.cancel(world.now, account, order));
    Ok(answer(&[], done.code, done.message.as_deref()))
}

fn bracket(body: &Members<'_>, name: &str) -> Result<Option<Bracket>, Problem> {
    let Some(bracket) = body.optional_object(name)? else {
        return Ok(None);
    };
    Ok(Some(Bracket { ticks: bracket.int("ticks")?, order_type: bracket.choice("type", "OrderType")? }))
}

fn orders(found: Option<Vec<Order>>) -> String {
    match found {
        Some(orders) => list("orders", orders.iter().map(Order::rest_json), 0),
        None => list("orders", [], ACCOUNT_NOT_FOUND),
    }
}
