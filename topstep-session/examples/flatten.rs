//! A risk rule: when the equity of an account falls too far, its working orders are cancelled and its positions closed.
//!
//! ```text
//! cargo run -p topstep-session --example flatten -- --runtime tokio
//! ```
//!
//! It runs against a mock of the venue that it starts itself: a position is opened, the market falls, answers are lost, calls are refused as
//! too many. It ends by itself, with the account flat.

use std::error::Error;
use std::time::Duration;

use adapter_async_std::AsyncStd;
use adapter_core::Runtime;
use adapter_tokio::Tokio;
use clap::{Parser, ValueEnum};
use mock_hub::faults::{DropHow, Fault, Moment, Rule};
use mock_hub::{MockHub, Options};
use rust_decimal::Decimal;
use topstep_model::rest::{OrderFilter, PlaceOrder};
use topstep_model::{Account, AccountId, Code, ContractId, Order, OrderSide, OrderStatus, Position, PositionType};
use topstep_session::Gateway;
use topstep_session::rest::{CallError, Settled};

const CONTRACT: &str = "CON.F.US.EP.Z26";
/// How much may be lost, in US dollars.
const LIMIT: Decimal = Decimal::from_parts(500, 0, 0, false, 0);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Flattening is given up after so many rounds, and told.
const MOST_ROUNDS: usize = 50;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// Which runtime it runs on.
    #[arg(long, value_enum, default_value = "tokio")]
    runtime: RuntimeName,
}

#[derive(Clone, Copy, ValueEnum)]
enum RuntimeName {
    Tokio,
    AsyncStd,
}

fn main() -> Result<(), Failure> {
    match Arguments::parse().runtime {
        RuntimeName::Tokio => tokio::runtime::Runtime::new()?.block_on(run::<Tokio>()),
        RuntimeName::AsyncStd => async_std::task::block_on(run::<AsyncStd>()),
    }
}

async fn run<R: Runtime>() -> Result<(), Failure> {
    let hub = MockHub::start(Options { quotes_per_second: 0.0, ..Options::default() })?;
    let gateway = Gateway::builder().url(hub.url()).api_key("user", "mock-key").connect::<R>().await?;
    let account = gateway.accounts().await?.into_iter().flatten().next().ok_or("no account")?;
    let mut market = Fall::begin(&hub)?;
    open_up(&gateway, account.id).await?;

    let rule = LossLimit { floor: balance(&account)? - LIMIT };
    loop {
        let equity = equity(&gateway, account.id).await?;
        println!("equity {equity}");
        if rule.is_broken(equity) {
            break;
        }
        market.falls_on();
        R::sleep(BETWEEN_LOOKS).await;
    }
    println!("below {}: flatten", rule.floor);
    // Just now the venue has a bad day.
    trouble(&hub)?;
    flatten(&gateway, account.id).await?;
    let left = gateway.left_open().await?;
    if !left.is_nothing() {
        return Err(format!("{} orders and {} positions are left", left.orders.len(), left.positions.len()).into());
    }
    println!("flat");
    Ok(())
}

/// The rule itself: pure, and easily tested.
struct LossLimit {
    floor: Decimal,
}

impl LossLimit {
    fn is_broken(&self, equity: Decimal) -> bool {
        equity < self.floor
    }
}

/// Cancels what works, closes what is held, and looks until nothing is left. Whatever goes wrong on the way, the next look tells what is
/// still to do; nothing is sent again of which it is not known that it failed.
async fn flatten<R: Runtime>(gateway: &Gateway<R>, account: AccountId) -> Result<(), Failure> {
    for round in 0..MOST_ROUNDS {
        if round > 0 {
            R::sleep(BETWEEN_LOOKS).await;
        }
        let orders = working(gateway, account).await;
        let positions = gateway.positions(account).await;
        let (Ok(orders), Ok(positions)) = (orders, positions) else {
            println!("the venue does not tell what is open; once more");
            continue;
        };
        let positions: Vec<Position> = positions.into_iter().collect::<Result<_, _>>()?;
        if orders.is_empty() && positions.is_empty() {
            return Ok(());
        }
        // Orders first: one that fills between the two would open what was just closed.
        for order in orders.iter().filter(|order| order.status != OrderStatus::PendingCancellation) {
            let cancelled = gateway.cancel(account, order.id).await;
            report(gateway, "cancel", cancelled).await;
        }
        if orders.is_empty() {
            for position in &positions {
                let closed = gateway.close_position(account, position.contract_id.clone()).await;
                report(gateway, "close", closed).await;
            }
        }
    }
    Err(format!("not flat after {MOST_ROUNDS} rounds").into())
}

/// Says how an exit ended; one whose outcome is unknown is looked up, and its venue's answer decides what the next round does.
async fn report<R: Runtime, C: Code>(gateway: &Gateway<R>, what: &str, result: Result<(), CallError<C>>) {
    match result {
        Ok(()) => println!("{what}: taken"),
        Err(CallError::OutcomeUnknown(unknown)) => {
            let settled = match gateway.settle(&unknown).await {
                Settled::Order(order) => format!("the order is {}", order.status),
                Settled::Position(None) => "the position is gone".to_owned(),
                Settled::Position(Some(position)) => format!("{} are still held", position.size),
                _ => "nobody knows".to_owned(),
            };
            println!("{what}: no answer; {settled}");
        }
        Err(error) => println!("{what}: {error}"),
    }
}

/// All orders that could still do something, the suspended children of brackets too.
async fn working<R: Runtime>(gateway: &Gateway<R>, account: AccountId) -> Result<Vec<Order>, Failure> {
    let mut filter = OrderFilter::new(account);
    filter.statuses =
        vec![OrderStatus::Open, OrderStatus::Pending, OrderStatus::PendingCancellation, OrderStatus::Suspended];
    let queried = gateway.query_orders(filter).await?;
    if let Some(error) = queried.malformed.into_iter().next() {
        return Err(error.into());
    }
    Ok(queried.orders)
}

/// Balance plus what the open positions would bring at the latest price.
async fn equity<R: Runtime>(gateway: &Gateway<R>, account: AccountId) -> Result<Decimal, Failure> {
    let mut equity = balance(&gateway.account(account).await?)?;
    for position in gateway.positions(account).await? {
        equity += unrealised(gateway, &position?).await?;
    }
    Ok(equity.normalize())
}

async fn unrealised<R: Runtime>(gateway: &Gateway<R>, position: &Position) -> Result<Decimal, Failure> {
    let contract: ContractId = position.contract_id.clone();
    let terms = gateway.contract(contract.clone()).await?;
    let latest = gateway.latest(contract, Duration::from_secs(2)).await?;
    let entry = position.average_price.ok_or("a position without a price")?.decimal();
    let per_point = terms.tick_value.decimal() / terms.tick_size.decimal();
    let sign = if position.kind == Some(PositionType::Short) { -Decimal::ONE } else { Decimal::ONE };
    Ok((latest.price.decimal() - entry) * per_point * sign * Decimal::from(position.size))
}

fn balance(account: &Account) -> Result<Decimal, Failure> {
    Ok(account.balance.ok_or("an account without a balance")?.decimal())
}

/// A position, an order to buy more of it, and an entry with a bracket.
async fn open_up<R: Runtime>(gateway: &Gateway<R>, account: AccountId) -> Result<(), Failure> {
    let contract = || ContractId::from(CONTRACT);
    let far = "1000".parse()?;
    gateway.place(PlaceOrder::market(account, contract(), OrderSide::Bid, 2)).await?;
    gateway.place(PlaceOrder::limit(account, contract(), OrderSide::Bid, 1, far)).await?;
    let entry = PlaceOrder::limit(account, contract(), OrderSide::Bid, 1, far).stop_loss(20).take_profit(40);
    gateway.place(entry).await?;
    Ok(())
}

/// A market that only knows one way.
struct Fall<'a> {
    hub: &'a MockHub,
    price: Decimal,
}

impl<'a> Fall<'a> {
    fn begin(hub: &'a MockHub) -> Result<Self, Failure> {
        let price = Decimal::from(6_000);
        if !hub.set_price(CONTRACT, price) {
            return Err("the mock has no such contract".into());
        }
        Ok(Self { hub, price })
    }

    fn falls_on(&mut self) {
        self.price -= Decimal::ONE;
        self.hub.set_price(CONTRACT, self.price);
    }
}

/// The answers of one cancel and of one close are lost, one read is refused as one too many, and one close never arrives.
fn trouble(hub: &MockHub) -> Result<(), Failure> {
    let lose = |path: &str, moment| {
        let fault = Fault::RestDrop { path: Some(path.to_owned()), how: DropHow::Reset, moment };
        hub.inject(Rule::new(fault).times(1))
    };
    lose("/api/Order/cancel", Moment::After)?;
    lose("/api/Position/closeContract", Moment::Before)?;
    let path = Some("/api/Position/searchOpen".to_owned());
    let fault = Fault::RestStatus {
        path,
        status: 429,
        retry_after: Some(mock_hub::faults::RetryAfter::Seconds(1)),
        body: None,
        moment: Moment::Before,
    };
    hub.inject(Rule::new(fault).times(1))?;
    Ok(())
}
