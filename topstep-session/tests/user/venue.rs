//! The venue as it is: every value with all its versions, and REST answers of the moment.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use topstep_model::rest::{self, Request};
use topstep_model::{
    Account, AccountId, ContractId, Order, OrderId, OrderSide, OrderStatus, OrderType, Position, PositionType, Price,
    StreamAction, Timestamp, TradeId, UserEvent, UserTrade,
};
use topstep_session::Moment;
use topstep_session::user::{Answer, Query, QueryFailure};

pub(crate) const ACCOUNTS: [AccountId; 2] = [AccountId::new(11), AccountId::new(12)];
const CONTRACTS: [&str; 3] = ["CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26", "CON.F.US.CLE.F27"];

/// Something with versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Account(AccountId),
    Position(AccountId, ContractId),
    Order(OrderId),
    Trade(TradeId),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Account(Account),
    Position(Position),
    Order(Order),
    Trade(UserTrade),
}

/// One event of the hub.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) serial: u64,
    pub(crate) key: Key,
    pub(crate) account: AccountId,
    /// The arguments as they go over the wire.
    pub(crate) text: String,
}

#[derive(Default)]
pub(crate) struct Venue {
    pub(crate) versions: BTreeMap<Key, Vec<(u64, Value)>>,
    pub(crate) serial: u64,
    /// The orders that are not over.
    pub(crate) working: BTreeSet<OrderId>,
    next_id: i64,
    /// Rows that were not published yet.
    pub(crate) rows: Vec<Row>,
    /// REST does not know the newer calls.
    pub(crate) is_old: bool,
}

impl Venue {
    pub(crate) fn new() -> Self {
        let mut venue = Self { next_id: 3_000_000_000, ..Self::default() };
        for id in ACCOUNTS {
            let mut account = Account::new(id);
            account.balance = Some(price(50_000));
            account.can_trade = Some(true);
            venue.put(Key::Account(id), id, Value::Account(account), None);
        }
        venue
    }

    pub(crate) fn contracts() -> impl Iterator<Item = ContractId> {
        CONTRACTS.into_iter().map(ContractId::from)
    }

    pub(crate) fn last(&self, key: &Key) -> Option<&Value> {
        self.versions.get(key).and_then(|versions| versions.last()).map(|(_, value)| value)
    }

    pub(crate) fn orders(&self, account: AccountId) -> impl Iterator<Item = &Order> {
        let all = self.versions.range(Key::Order(OrderId::new(0))..Key::Trade(TradeId::new(0)));
        all.filter_map(move |(_, versions)| match versions.last() {
            Some((_, Value::Order(order))) if order.account_id == account => Some(order),
            _ => None,
        })
    }

    pub(crate) fn positions(&self, account: AccountId) -> impl Iterator<Item = &Position> {
        let all = self.versions.range(Key::Position(AccountId::new(0), "".into())..Key::Order(OrderId::new(0)));
        all.filter_map(move |(_, versions)| match versions.last() {
            Some((_, Value::Position(position))) if position.account_id == account && position.size != 0 => {
                Some(position)
            }
            _ => None,
        })
    }

    pub(crate) fn trades(&self, account: AccountId) -> impl Iterator<Item = &UserTrade> {
        self.versions.range(Key::Trade(TradeId::new(0))..).filter_map(move |(_, versions)| match versions.last() {
            Some((_, Value::Trade(trade))) if trade.account_id == account => Some(trade),
            _ => None,
        })
    }

    /// Something happens in the market, or somebody does something.
    pub(crate) fn act(&mut self, now: Moment, rng: &mut fastrand::Rng) {
        let account = rng.choice(ACCOUNTS).expect("there are accounts");
        let at = stamp(now);
        let working: Vec<OrderId> = self.working.iter().copied().collect();
        let picked = rng.choice(working).and_then(|id| match self.last(&Key::Order(id)) {
            Some(Value::Order(order)) => Some(order.clone()),
            _ => None,
        });
        match (rng.u32(0..100), picked) {
            (0..25, _) => self.market_order(account, at, rng),
            (25..45, _) => {
                let mut order = self.new_order(account, at, rng);
                order.kind = Some(OrderType::Limit);
                order.limit_price = Some(price(rng.i64(4000..5000)));
                // The first two states have one stamp.
                self.order(order.clone(), OrderStatus::Pending, at);
                self.order(order, OrderStatus::Open, at);
            }
            (45..52, _) => {
                let mut child = self.new_order(account, at, rng);
                child.kind = Some(OrderType::Stop);
                self.order(child, OrderStatus::Suspended, at);
            }
            (52..55, _) => {
                let order = self.new_order(account, at, rng);
                self.order(order, OrderStatus::Rejected, at);
            }
            (55..58, _) => {
                let trades = self.trades(account).count();
                let picked = rng.usize(0..trades.max(1));
                let picked = self.trades(account).nth(picked).cloned();
                if let Some(mut trade) = picked {
                    trade.voided = Some(true);
                    self.trade(trade);
                }
            }
            (58..68, Some(order)) => self.order(order, OrderStatus::Cancelled, at),
            (68..73, Some(order)) => {
                self.order(order.clone(), OrderStatus::PendingCancellation, at);
                self.order(order, OrderStatus::Cancelled, at);
            }
            (73..80, Some(mut order)) if order.status == OrderStatus::Open => {
                order.limit_price = Some(price(rng.i64(4000..5000)));
                self.order(order, OrderStatus::Open, at);
            }
            (_, Some(mut order)) if order.status == OrderStatus::Suspended => {
                order.stop_price = Some(price(rng.i64(4000..5000)));
                self.order(order, OrderStatus::Open, at);
            }
            (_, Some(order)) => self.fill(order, at, rng),
            (_, None) => self.market_order(account, at, rng),
        }
    }

    fn market_order(&mut self, account: AccountId, at: Timestamp, rng: &mut fastrand::Rng) {
        let order = self.new_order(account, at, rng);
        self.order(order.clone(), OrderStatus::Pending, at);
        self.fill(order, at, rng);
    }

    fn fill(&mut self, mut order: Order, at: Timestamp, rng: &mut fastrand::Rng) {
        let (size, filled) = (order.size.unwrap_or(1), order.fill_volume.unwrap_or(0));
        let volume = rng.i32(1..=size - filled);
        let at_price = price(rng.i64(4000..5000));
        order.fill_volume = Some(filled + volume);
        order.filled_price = Some(at_price);
        let status = if filled + volume == size { OrderStatus::Filled } else { OrderStatus::Open };
        let side = order.side.unwrap_or(OrderSide::Bid);
        let key = Key::Position(order.account_id, order.contract_id.clone());
        let held = match self.last(&key) {
            Some(Value::Position(position)) => position.signed_size().unwrap_or(0),
            _ => 0,
        };
        let change = i64::from(volume) * i64::from(side.sign().unwrap_or(1));
        let size = held + change;
        let id = self.id();
        let mut trade = UserTrade::new(
            TradeId::new(id),
            order.account_id,
            order.contract_id.clone(),
            order.id,
            at_price,
            volume,
            side,
        );
        trade.creation_timestamp = Some(at);
        trade.voided = Some(false);
        trade.fees = Some(price(1));
        if held != 0 && held.signum() != change.signum() {
            trade.profit_and_loss = Some(price(rng.i64(-50..50)));
        }
        let mut position = Position::new(order.account_id, order.contract_id.clone(), size.unsigned_abs() as i32);
        position.kind = Some(match size.signum() {
            0 => PositionType::Undefined,
            1 => PositionType::Long,
            _ => PositionType::Short,
        });
        position.average_price = Some(at_price);
        let account = order.account_id;
        // A trade comes before its order now and then.
        let is_early = rng.bool();
        if is_early {
            self.trade(trade.clone());
        }
        self.order(order, status, at);
        if !is_early {
            self.trade(trade.clone());
        }
        if position.size == 0 {
            self.trade(trade);
        }
        self.put(key, account, Value::Position(position), None);
        let Some(Value::Account(now)) = self.last(&Key::Account(account)) else { return };
        let mut now = now.clone();
        let balance = now.balance.map(|balance| balance.decimal() - Decimal::ONE).unwrap_or_default();
        now.balance = Price::try_from(balance).ok();
        self.put(Key::Account(account), account, Value::Account(now.clone()), None);
        self.put(Key::Account(account), account, Value::Account(now), None);
    }

    fn new_order(&mut self, account: AccountId, at: Timestamp, rng: &mut fastrand::Rng) -> Order {
        let id = OrderId::new(self.id());
        let contract = ContractId::from(*rng.choice(&CONTRACTS).expect("there are contracts"));
        let mut order = Order::new(id, account, contract, OrderStatus::None);
        order.creation_timestamp = Some(at);
        order.kind = Some(OrderType::Market);
        order.side = Some(if rng.bool() { OrderSide::Bid } else { OrderSide::Ask });
        order.size = Some(rng.i32(1..4));
        order
    }

    fn order(&mut self, mut order: Order, status: OrderStatus, at: Timestamp) {
        order.status = status;
        order.update_timestamp = Some(at);
        if status.is_terminal() {
            self.working.remove(&order.id);
        } else {
            self.working.insert(order.id);
        }
        self.put(Key::Order(order.id), order.account_id, Value::Order(order), Some(StreamAction::Update));
    }

    fn trade(&mut self, trade: UserTrade) {
        self.put(Key::Trade(trade.id), trade.account_id, Value::Trade(trade), Some(StreamAction::Create));
    }

    fn put(&mut self, key: Key, account: AccountId, value: Value, action: Option<StreamAction>) {
        self.serial += 1;
        let action = action.or(Some(StreamAction::Update));
        let text = match &value {
            Value::Account(row) => serde_json::to_string(&[UserEvent::new(action, row.clone())]),
            Value::Order(row) => serde_json::to_string(&[UserEvent::new(action, row.clone())]),
            Value::Trade(row) => serde_json::to_string(&[UserEvent::new(action, row.clone())]),
            Value::Position(row) if row.size == 0 => {
                serde_json::to_string(&[UserEvent::new(Some(StreamAction::Delete), row.clone())])
            }
            Value::Position(row) => serde_json::to_string(&[UserEvent::new(action, row.clone())]),
        };
        let text = text.expect("rows can be written");
        self.rows.push(Row { serial: self.serial, key: key.clone(), account, text });
        self.versions.entry(key).or_default().push((self.serial, value));
    }

    fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// What REST answers now. `spoil`: the answer has no list (0) or one of its rows cannot be read (1).
    pub(crate) fn answer(&self, query: &Query, spoil: Option<u8>) -> Result<Answer, QueryFailure> {
        let read = |name: &str, mut rows: Vec<String>, more: &str| {
            match spoil {
                Some(0) => return format!(r#"{{"success":true,"errorCode":0{more}}}"#),
                Some(_) => {
                    // One that was there.
                    rows.pop();
                    rows.push(r#"{"id":"?"}"#.into());
                }
                None => {}
            }
            format!(r#"{{"success":true,"errorCode":0{more},"{name}":[{}]}}"#, rows.join(","))
        };
        let orders = |belongs: &dyn Fn(&Order) -> bool, account| {
            let mut rows: Vec<&Order> = self.orders(account).filter(|order| belongs(order)).collect();
            rows.sort_by_key(|order| (order.creation_timestamp, order.id));
            rows.into_iter().map(text).collect::<Vec<_>>()
        };
        Ok(match query {
            Query::Accounts => {
                let rows = ACCOUNTS.iter().filter_map(|id| match self.last(&Key::Account(*id)) {
                    Some(Value::Account(account)) => Some(text(account)),
                    _ => None,
                });
                let body = read("accounts", rows.collect(), "");
                Answer::Accounts(rest::SearchAccounts::read(&rest::Answer::new(200, body.as_bytes())).expect("reads"))
            }
            Query::Positions(account) => {
                let body = read("positions", self.positions(*account).map(text).collect(), "");
                let answer = rest::Answer::new(200, body.as_bytes());
                Answer::Positions(rest::SearchOpenPositions::read(&answer).expect("reads"))
            }
            Query::WorkingOrders { .. } | Query::Order { .. } if self.is_old => return Err(QueryFailure::Unsupported),
            Query::WorkingOrders { account, page } => {
                let request = Query::working_orders(*account, *page);
                let all = orders(&|order| request.filter.statuses.contains(&order.status), *account);
                let more = format!(r#","totalCount":{}"#, all.len());
                // The venue has smaller pages than were asked for, so that there are several.
                let (skip, take) = (request.page_offset as usize, request.page_size as usize);
                let body = read("orders", all.into_iter().skip(skip).take(take).collect(), &more);
                Answer::Page(rest::QueryOrders::read(&rest::Answer::new(200, body.as_bytes())).expect("reads"))
            }
            Query::OpenOrders(account) => {
                let body = read("orders", orders(&|order| order.status == OrderStatus::Open, *account), "");
                let answer = rest::Answer::new(200, body.as_bytes());
                Answer::Orders(rest::SearchOpenOrders::read(&answer).expect("reads"))
            }
            Query::OrdersSince { account, start } => {
                let is_found =
                    |order: &Order| order.status != OrderStatus::Suspended && order.creation_timestamp >= Some(*start);
                let body = read("orders", orders(&is_found, *account), "");
                Answer::Orders(rest::SearchOrders::read(&rest::Answer::new(200, body.as_bytes())).expect("reads"))
            }
            Query::Order { account, order } => {
                let Some(Value::Order(row)) = self.last(&Key::Order(*order)) else {
                    return Err(QueryFailure::NotFound);
                };
                assert_eq!(row.account_id, *account);
                let body = format!(r#"{{"success":true,"errorCode":0,"order":{}}}"#, text(row));
                let answer = rest::Answer::new(200, body.as_bytes());
                Answer::Order(Box::new(rest::FindOrder::read(&answer).expect("reads")))
            }
            Query::Trades { account, start } => {
                let rows = self.trades(*account).filter(|trade| trade.creation_timestamp >= Some(*start));
                let body = read("trades", rows.map(text).collect(), "");
                Answer::Trades(rest::SearchTrades::read(&rest::Answer::new(200, body.as_bytes())).expect("reads"))
            }
            other => panic!("{other:?} is not known here"),
        })
    }
}

/// The venue's clock ticks every 100 ns.
fn stamp(now: Moment) -> Timestamp {
    let nanos = now.wall.utc().unix_timestamp_nanos() / 100 * 100;
    let at = time::UtcDateTime::from_unix_timestamp_nanos(nanos).expect("a time of today");
    Timestamp::try_from(at).expect("a time of today")
}

fn price(value: i64) -> Price {
    Price::new(value, 0).expect("it has no places")
}

fn text<T: serde::Serialize>(row: &T) -> String {
    serde_json::to_string(row).expect("rows can be written")
}
