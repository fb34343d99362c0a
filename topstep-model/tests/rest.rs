//! The REST calls: what goes out, what comes back, and what is wrong with what comes back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use topstep_model::rest::{Answer, ApiError, Method, Refusal, Secret};
use topstep_model::rest::{
    AvailableContracts, Body, Bracket, CancelOrder, CloseContract, FindContract, FindOrder, LogOut, Login, ModifyOrder,
    OrderFilter, PartialCloseContract, Ping, PlaceOrder, QueryOrders, RateClass, Request, RetrieveBars, SearchAccounts,
    SearchContracts, SearchOpenOrders, SearchOpenPositions, SearchOrders, SearchTrades, Validate,
};
use topstep_model::{
    AccountId, BarUnit, CancelErrorCode, Code, ContractId, LoginErrorCode, OrderId, OrderSide, OrderStatus, OrderType,
    PlaceErrorCode, Price, SearchErrorCode, Timestamp, ValidateErrorCode,
};

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn contract() -> ContractId {
    "CON.F.US.MNQ.U26".into()
}

const ACCOUNT: AccountId = AccountId::new(10_000_001);

/// Checks a request, and that its name, path and secrets do not surprise.
fn sends<R: Request>(request: &R, path: &str, body: &str) {
    assert_eq!(R::PATH, path);
    assert_eq!(R::METHOD, Method::Post);
    assert!(R::NEEDS_TOKEN || path.contains("/Auth/loginKey"));
    assert_eq!(R::LIMIT == RateClass::Bars, path.contains("retrieveBars"));
    let changes = ["place", "modify", "cancel", "closeContract", "partialCloseContract"];
    assert_eq!(R::CHANGES, changes.iter().any(|change| path.ends_with(change)), "{path}");
    assert_eq!(request.body().as_ref().map_or("", Body::as_str), body);
}

#[test]
fn every_request_goes_out_as_documented() {
    sends(&Login::new("user", "key"), "/api/Auth/loginKey", r#"{"userName":"user","apiKey":"key"}"#);
    sends(&Validate::default(), "/api/Auth/validate", "");
    sends(&LogOut::default(), "/api/Auth/logout", "");
    sends(&SearchAccounts::new(true), "/api/Account/search", r#"{"onlyActiveAccounts":true}"#);
    sends(&AvailableContracts::new(false), "/api/Contract/available", r#"{"live":false}"#);
    sends(&SearchContracts::new("NQ", false), "/api/Contract/search", r#"{"searchText":"NQ","live":false}"#);
    sends(&FindContract::new(contract()), "/api/Contract/searchById", r#"{"contractId":"CON.F.US.MNQ.U26"}"#);
    let bars = RetrieveBars::new(
        contract(),
        time("2024-12-01T00:00:00Z"),
        time("2024-12-31T22:00:00+01:00"),
        BarUnit::Hour,
        1,
    );
    sends(
        &bars.limit(7).include_partial_bar(),
        "/api/History/retrieveBars",
        r#"{"contractId":"CON.F.US.MNQ.U26","live":false,"startTime":"2024-12-01T00:00:00Z","endTime":"2024-12-31T21:00:00Z","unit":3,"unitNumber":1,"limit":7,"includePartialBar":true}"#,
    );
    sends(
        &SearchOrders::since(ACCOUNT, time("2026-08-16T00:00:00Z")),
        "/api/Order/search",
        r#"{"accountId":10000001,"startTimestamp":"2026-08-16T00:00:00Z"}"#,
    );
    sends(&SearchOpenOrders::new(ACCOUNT), "/api/Order/searchOpen", r#"{"accountId":10000001}"#);
    sends(
        &FindOrder::new(ACCOUNT, OrderId::new(3_425_270_858)),
        "/api/Order/searchById",
        r#"{"accountId":10000001,"orderId":3425270858}"#,
    );
    let mut filter = OrderFilter::new(ACCOUNT);
    filter.statuses = vec![OrderStatus::Open, OrderStatus::Suspended];
    sends(
        &QueryOrders::new(filter),
        "/api/Order/v2/query",
        r#"{"filter":{"accountId":10000001,"statuses":[1,8]},"pageSize":100,"pageOffset":0,"sortBy":0,"sortDirection":0,"includeTotalCount":true}"#,
    );
    sends(
        &ModifyOrder::new(ACCOUNT, OrderId::new(5)).size(2).stop_price(price("28443.50")),
        "/api/Order/modify",
        r#"{"accountId":10000001,"orderId":5,"size":2,"stopPrice":28443.50}"#,
    );
    sends(&CancelOrder::new(ACCOUNT, OrderId::new(5)), "/api/Order/cancel", r#"{"accountId":10000001,"orderId":5}"#);
    sends(&SearchOpenPositions::new(ACCOUNT), "/api/Position/searchOpen", r#"{"accountId":10000001}"#);
    sends(
        &CloseContract::new(ACCOUNT, contract()),
        "/api/Position/closeContract",
        r#"{"accountId":10000001,"contractId":"CON.F.US.MNQ.U26"}"#,
    );
    sends(
        &PartialCloseContract::new(ACCOUNT, contract(), 2),
        "/api/Position/partialCloseContract",
        r#"{"accountId":10000001,"contractId":"CON.F.US.MNQ.U26","size":2}"#,
    );
    sends(
        &SearchTrades::since(ACCOUNT, time("2026-08-19T00:00:00Z")).until(time("2026-08-20T00:00:00Z")),
        "/api/Trade/search",
        r#"{"accountId":10000001,"startTimestamp":"2026-08-19T00:00:00Z","endTimestamp":"2026-08-20T00:00:00Z"}"#,
    );
    assert_eq!((Ping::METHOD, Ping::PATH, Ping::NEEDS_TOKEN), (Method::Get, "/api/Status/ping", false));
    assert_eq!(Ping::default().body(), None);
}

#[test]
fn an_order_goes_out_with_exact_prices_and_signed_ticks() {
    let body = |order: PlaceOrder| order.body().unwrap().as_str().to_owned();
    let entry = PlaceOrder::limit(ACCOUNT, contract(), OrderSide::Bid, 1, price("0.0067005"));
    assert_eq!(
        body(entry.custom_tag("a-\"1\"").stop_loss(40).take_profit(80)),
        r#"{"accountId":10000001,"contractId":"CON.F.US.MNQ.U26","type":1,"side":0,"size":1,"limitPrice":0.0067005,"customTag":"a-\"1\"","stopLossBracket":{"ticks":-40,"type":4},"takeProfitBracket":{"ticks":80,"type":1}}"#
    );
    let short = PlaceOrder::stop(ACCOUNT, contract(), OrderSide::Ask, 2, price("5E-07")).stop_loss(10).take_profit(20);
    assert_eq!(
        body(short),
        r#"{"accountId":10000001,"contractId":"CON.F.US.MNQ.U26","type":4,"side":1,"size":2,"stopPrice":0.0000005,"stopLossBracket":{"ticks":10,"type":4},"takeProfitBracket":{"ticks":-20,"type":1}}"#
    );
    let trailing = PlaceOrder::trailing_stop(ACCOUNT, contract(), OrderSide::Ask, 1, price("28000"));
    assert!(body(trailing).ends_with(r#""type":5,"side":1,"size":1,"trailPrice":28000}"#));
    assert_eq!(Bracket::trailing_stop_loss(OrderSide::Bid, 7).kind, OrderType::TrailingStop);
    assert_eq!(Bracket::stop_loss(OrderSide::Bid, u32::MAX).ticks, -i32::MAX);
}

fn refusal<R: Request>(body: &str) -> Refusal<R::Code>
where
    R::Response: std::fmt::Debug,
{
    match R::read(&Answer::new(200, body.as_bytes())) {
        Err(ApiError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn malformed<R: Request>(body: &str) -> String
where
    R::Response: std::fmt::Debug,
{
    match R::read(&Answer::new(200, body.as_bytes())) {
        Err(ApiError::Malformed(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_comes_with_status_200() {
    let login = refusal::<Login>(r#"{"token":null,"success":false,"errorCode":3,"errorMessage":null}"#);
    assert_eq!((login.code, login.message), (LoginErrorCode::InvalidCredentials, None));

    let placed = refusal::<PlaceOrder>(
        r#"{"orderId":3425270858,"success":false,"errorCode":2,"errorMessage":"Invalid stop loss ticks (400). Ticks should be less than zero when longing."}"#,
    );
    assert_eq!(placed.code, PlaceErrorCode::OrderRejected);
    assert_eq!(placed.order_id, Some(OrderId::new(3_425_270_858)));
    assert_eq!(
        placed.to_string(),
        "refused: order rejected (2): Invalid stop loss ticks (400). Ticks should be less than zero when longing. [order 3425270858]"
    );

    let cancelled = refusal::<CancelOrder>(r#"{"success":false,"errorCode":2,"errorMessage":null}"#);
    assert_eq!(cancelled.code, CancelErrorCode::OrderNotFound);
    // What the lists do not have yet is kept.
    let unknown = refusal::<SearchOpenOrders>(r#"{"success":false,"errorCode":77,"errorMessage":"  "}"#);
    assert_eq!((unknown.code, unknown.message.as_deref()), (SearchErrorCode::Other(77), None));
    // Whatever else is wrong with a refusal, it is one.
    let odd = refusal::<PlaceOrder>(r#"{"orderId":"x","success":false,"errorCode":"8","errorMessage":5}"#);
    assert_eq!(odd.code, PlaceErrorCode::ContractNotFound);
    // Without `success`, the code decides; without a code, `success`.
    assert_eq!(refusal::<Validate>(r#"{"errorCode":3}"#).code, ValidateErrorCode::ExpiredToken);
    assert_eq!(refusal::<Validate>(r#"{"success":false}"#).code.code(), -1);
}

#[test]
fn a_success_brings_what_was_asked_for() {
    let read = |body: &'static str| Answer::new(200, body.as_bytes());
    let login =
        Login::read(&read(r#"{"token":"a.b\u002bc","success":true,"errorCode":0,"errorMessage":null}"#)).unwrap();
    assert_eq!(login.token, Secret::new("a.b+c"));
    let renewed =
        Validate::read(&read(r#"{"newToken":"x","success":true,"errorCode":0,"errorMessage":null}"#)).unwrap();
    assert_eq!(renewed.new_token.unwrap().expose(), "x");
    LogOut::read(&read(r#"{"success":true,"errorCode":0,"errorMessage":null}"#)).unwrap();
    assert_eq!(Ping::read(&Answer::new(200, b"pong\n")).unwrap().as_str(), "pong\\n");

    let placed = PlaceOrder::read(&read(r#"{"orderId":9056,"success":true,"errorCode":0,"errorMessage":null}"#));
    assert_eq!(placed.unwrap().order_id, OrderId::new(9056));

    let accounts = SearchAccounts::read(&read(
        r#"{"accounts":[{"id":1,"name":"PRAC","balance":149831.92,"canTrade":true,"isVisible":true,"simulated":true}],"success":true,"errorCode":0,"errorMessage":null}"#,
    ));
    let accounts = accounts.unwrap().accounts.unwrap();
    assert_eq!(accounts.values().next().unwrap().balance, Some(price("149831.92")));

    let found = FindContract::read(&read(
        r#"{"contract":{"id":"CON.F.US.JY6.H25","name":"6JH5","description":"Yen","tickSize":5E-07,"tickValue":6.25,"activeContract":false,"symbolId":"F.US.JY6"},"success":true,"errorCode":0,"errorMessage":null}"#,
    ));
    let contract = found.unwrap().contract;
    assert_eq!(contract.tick_size.to_string(), "0.0000005");
    assert_eq!(contract.tick().unwrap().value_of_ticks(-2, 3).unwrap().to_string(), "-37.5");

    let bars = RetrieveBars::read(&read(
        r#"{"bars":[{"t":"2024-12-20T14:00:00+00:00","o":2208.1,"h":2217.0,"l":2206.7,"c":2210.1,"v":87,"d":null}],"success":true,"errorCode":0}"#,
    ));
    let bars = bars.unwrap().bars.unwrap();
    let bar = bars.values().next().unwrap();
    assert_eq!((bar.high.to_string(), bar.volume), ("2217.0".to_owned(), 87));

    let page = QueryOrders::read(&read(
        r#"{"orders":[{"id":5,"accountId":1,"contractId":"C","status":8,"limitPrice":null,"parentOrderId":4}],"totalCount":"321","success":true}"#,
    ));
    let page = page.unwrap();
    assert_eq!(page.total_count, Some(321));
    assert_eq!(page.orders.unwrap().values().next().unwrap().parent_order_id, Some(OrderId::new(4)));
}

#[test]
fn an_absent_list_is_not_an_empty_one() {
    let read = |body: &str| SearchOpenPositions::read(&Answer::new(200, body.as_bytes())).unwrap().positions;
    assert_eq!(read(r#"{"success":true,"errorCode":0}"#), None);
    assert_eq!(read(r#"{"positions":null,"success":true,"errorCode":0}"#), None);
    assert!(read(r#"{"positions":[],"success":true,"errorCode":0}"#).unwrap().is_empty());
}

#[test]
fn a_bad_row_of_a_list_costs_only_itself() {
    let body = r#"{"success":true,"trades":[
        {"id":1,"accountId":1,"contractId":"C","price":1,"side":0,"size":1,"orderId":9},
        {"id":2,"accountId":1,"contractId":"C","price":"?","side":0,"size":1,"orderId":9},
        null,
        {"id":3,"accountId":1,"contractId":"C","price":1,"side":0,"size":1,"orderId":9}]}"#;
    let trades = SearchTrades::read(&Answer::new(200, body.as_bytes())).unwrap().trades.unwrap();
    assert_eq!(trades.values().map(|trade| trade.id.number()).collect::<Vec<_>>(), [1, 3]);
    let errors: Vec<String> = trades.errors().map(ToString::to_string).collect();
    assert_eq!(errors, ["at .trades[1].price: `?` is not a decimal number"]);
}

#[test]
fn what_is_no_answer_is_malformed() {
    assert_eq!(
        malformed::<PlaceOrder>(r#"{"success":true,"errorCode":0}"#),
        "at .orderId: missing `orderId`, expected an answer"
    );
    assert_eq!(
        malformed::<Login>(r#"{"token":null,"success":true}"#),
        "at .token: missing `token`, expected an answer"
    );
    assert_eq!(
        malformed::<FindContract>(r#"{"success":true}"#),
        "at .contract: missing `contract`, expected a contract"
    );
    assert_eq!(
        malformed::<FindOrder>(r#"{"success":true,"order":{"id":1,"accountId":1,"contractId":"C"}}"#),
        "at .order.status: missing `status`, expected an order"
    );
    assert_eq!(malformed::<CancelOrder>("{}"), "at .success: missing `success`, expected an answer");
    assert_eq!(malformed::<CancelOrder>(r#"{"success":"yes"}"#), "at .success: `\"yes\"` is neither true nor false");
    for body in ["", "null", "[]", "<html>", "{", r#"{"success":true}x"#, "\u{1}"] {
        assert!(malformed::<CancelOrder>(body).starts_with("not the JSON object of an answer"), "{body}");
    }
}

#[test]
fn another_status_is_another_error() {
    let read = |status, body: &'static str| CancelOrder::read(&Answer::new(status, body.as_bytes())).unwrap_err();
    assert_eq!(read(401, ""), ApiError::Unauthorized);
    let limited = Answer::new(429, b"").with_wait(Some("12"), None);
    assert_eq!(
        CancelOrder::read(&limited).unwrap_err(),
        ApiError::TooManyRequests { retry_after: Some(Duration::from_secs(12)) }
    );
    let down = Answer::new(503, b"<html>").with_wait(Some("5"), None);
    assert_eq!(
        CancelOrder::read(&down).unwrap_err(),
        ApiError::Status { status: 503, retry_after: Some(Duration::from_secs(5)) }
    );
    let problem = read(
        400,
        r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.","status":400,"errors":{"request":["The request field is required."],"$.side":["The JSON value could not be converted."]}}"#,
    );
    assert_eq!(
        problem.to_string(),
        "the gateway cannot read the request (HTTP 400): One or more validation errors occurred.; $.side: The JSON value could not be converted.; request: The request field is required."
    );
    assert_eq!(read(400, "what?").to_string(), "the gateway cannot read the request (HTTP 400): no reason");
}

#[test]
fn keys_and_tokens_never_show() {
    let secret = "s3cr3t-t0ken";
    let login = Login::new("user", secret);
    let mut shown = format!("{login:?} {:?}", login.body());
    let good = format!(r#"{{"token":"{secret}","success":true}}"#);
    shown += &format!("{:?} {:?}", Answer::new(200, good.as_bytes()), Login::read(&Answer::new(200, good.as_bytes())));
    for body in [
        format!(r#"{{"token":["{secret}"],"success":true}}"#),
        format!(r#"{{"token":{{"a":"{secret}"}},"success":true}}"#),
        format!(r#"{{"token":"\ud800{secret}","success":true}}"#),
        format!(r#"{{"token":"{secret}","success":true"#),
        format!(r#""{secret}""#),
        format!(r#"["{secret}"]"#),
        secret.to_owned(),
    ] {
        let error = Login::read(&Answer::new(200, body.as_bytes())).unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    assert!(!shown.contains("s3cr3t") && !shown.contains("t0ken"), "{shown}");
    assert!(shown.contains("***"), "{shown}");
}

#[test]
fn the_limits_are_the_documented_ones() {
    assert_eq!(RateClass::Bars.limit(), (50, Duration::from_secs(30)));
    assert_eq!(RateClass::General.limit(), (200, Duration::from_secs(60)));
    assert_eq!((Method::Get.as_str(), Method::Post.as_str()), ("GET", "POST"));
}
