//! Lets a scenario happen.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{AccountName, Action, ForeignOrder, OrderKind, Scenario, Side, Step};
use crate::exchange::{OrderType, PlaceOrder};
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::logins;
use crate::protocol::write;

/// The steps that wait at once, over all scenarios.
const MAX_WAITING: usize = 100_000;

/// Injects the rules at once and yields what remains: the steps, one after the other. The error says why nothing happens.
pub(crate) fn play(
    gateway: &Arc<Gateway>,
    Scenario { seed, rules, steps }: Scenario,
) -> Result<impl Future<Output = ()> + Send + 'static, &'static str> {
    let place = Place::take(gateway, steps.len())?;
    if let Some(seed) = seed {
        gateway.faults.reseed(seed);
    }
    gateway.faults.inject(gateway, rules)?;
    let gateway = Arc::clone(gateway);
    let began = Instant::now();
    Ok(async move {
        let _place = place;
        for Step { at, action } in steps {
            let Some(at) = began.checked_add(at) else {
                return;
            };
            tokio::time::sleep_until(at).await;
            if let Err(complaint) = perform(&gateway, action) {
                tracing::warn!(complaint, "a step of the scenario failed");
            }
        }
    })
}

/// The steps of one scenario among those that wait.
struct Place(Arc<Gateway>, usize);

impl Place {
    fn take(gateway: &Arc<Gateway>, steps: usize) -> Result<Self, &'static str> {
        let waiting = gateway.waiting_steps.fetch_add(steps, Ordering::Relaxed);
        let place = Self(Arc::clone(gateway), steps);
        if waiting + steps > MAX_WAITING {
            Err("too many steps wait: let other scenarios end first")
        } else {
            Ok(place)
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting_steps.fetch_sub(self.1, Ordering::Relaxed);
    }
}

fn perform(gateway: &Arc<Gateway>, action: Action) -> Result<(), String> {
    match action {
        Action::Rule(rule) => drop(gateway.faults.inject(gateway, vec![rule])?),
        Action::Heal(None) => drop(gateway.faults.heal_all(gateway)),
        Action::Heal(Some(name)) => drop(gateway.faults.heal_where(gateway, |fault| fault.name() == name)),
        Action::Publish(publication) => {
            let hub = Hub::named(&publication.hub).ok_or("no hub has this name")?;
            let arguments = serde_json::Value::from(publication.arguments).to_string();
            let record = write::invocation(None, &publication.target, &arguments);
            match &publication.group {
                Some(group) => gateway.peers.send_to_group(hub.class(), group, &record),
                None => gateway.peers.send_to_all(hub.class(), &record),
            };
        }
        Action::Rate(rate) => gateway.world.set_rate(rate),
        Action::Price(to) => {
            if !gateway.world.set_price(&to.contract, to.to) {
                return Err(format!("{} is no contract", to.contract));
            }
        }
        Action::Order(order) => place(gateway, &order)?,
        Action::Close(closing) => {
            let account = account(gateway, closing.account)?;
            let answer = gateway.world.visit(|mut world| world.close(account, &closing.contract, None));
            if !answer.is_success() {
                return Err(format!("the position was not closed: {answer:?}"));
            }
        }
        Action::Account(change) => {
            let account = account(gateway, change.account)?;
            gateway.world.visit(|world| {
                if let Some(can_trade) = change.can_trade {
                    world.exchange.set_can_trade(world.now, account, can_trade);
                }
                if let Some(balance) = change.balance {
                    world.exchange.set_balance(world.now, account, balance);
                }
            });
        }
        Action::Login(user) => drop(logins::log_in(gateway, &user)),
        Action::Logout(user) => drop(logins::log_out(gateway, Some(&user))),
    }
    Ok(())
}

fn place(gateway: &Gateway, order: &ForeignOrder) -> Result<(), String> {
    let account = account(gateway, order.account)?;
    let kind = match order.r#type {
        OrderKind::Market => OrderType::Market,
        OrderKind::Limit => OrderType::Limit,
        OrderKind::Stop => OrderType::Stop,
    };
    let side = match order.side {
        Side::Buy => crate::exchange::Side::Buy,
        Side::Sell => crate::exchange::Side::Sell,
    };
    let mut request = PlaceOrder::new(account, &order.contract, kind, side, order.size);
    request.limit_price = order.limit;
    request.stop_price = order.stop;
    let answer = gateway.world.visit(|mut world| world.place(request));
    if answer.is_success() { Ok(()) } else { Err(format!("the order was refused: {answer:?}")) }
}

fn account(gateway: &Gateway, name: AccountName) -> Result<i32, String> {
    let place = match name {
        AccountName::Id(id) => return Ok(id),
        AccountName::Place(place) => place,
    };
    let accounts = gateway.world.visit(|world| world.exchange.accounts(gateway.options.first_user(), false));
    accounts.get(place).map(|account| account.id).ok_or_else(|| format!("there is no account #{}", place + 1))
}
