//! What the venue refuses, in its words where they were seen live.

use rust_decimal::Decimal;

use super::Exchange;
use super::book::{Book, Brackets, Terms};
use super::order::{OrderType, Side};
use super::request::{Bracket, PlaceOrder};
use crate::market::Best;

/// Contracts in one order; the venue's own limit is not known.
const MAX_SIZE: i32 = 100_000;
/// Orders at work in one account; the venue's own limit is not known.
const MAX_WORKING: usize = 5_000;
/// Contracts held of one contract, whatever the balance.
const MAX_HELD: i64 = 1_000_000;
const MAX_TAG_CHARACTERS: usize = 256;
const MAX_PRICE: i64 = 1_000_000_000;
/// The venue caps the distance of a trailing stop.
const MAX_TRAIL_TICKS: i64 = 1_000;
const MAX_BRACKET_TICKS: i64 = 1_000_000;
const MIN_BRACKET_TICKS: i64 = 4;

pub(super) const NO_PRICE: &str =
    "Trading is currently unavailable. The instrument is not in an active trading status.";
pub(super) const INVALID_SIZE: &str = "Invalid order size specified";
const NO_MARGIN: &str = "Not enough margin.";
const POSITION_BRACKETS: &str = "Brackets cannot be used with Position Brackets";

/// An order whose numbers all name something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) order_type: OrderType,
    pub(super) side: Side,
    pub(super) size: i32,
}

/// What an order that passed every check begins with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels {
    pub(super) limit_price: Option<Decimal>,
    pub(super) stop_price: Option<Decimal>,
    pub(super) trail: Option<Trail>,
}

impl Levels {
    /// The prices of an order that is refused, for the record.
    pub(super) fn as_asked(shape: Shape, order: &PlaceOrder) -> Self {
        let limit_price = order.limit_price.filter(|_| shape.order_type == OrderType::Limit);
        let stop_price = order.stop_price.filter(|_| shape.order_type == OrderType::Stop);
        Self { limit_price, stop_price, trail: None }
    }
}

/// The signed distance of a trailing stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trail {
    pub(super) ticks: i32,
    pub(super) distance: Decimal,
}

/// Type, side, size and tag: what is wrong here leaves no order behind.
pub(super) fn shape(book: &Book, order: &PlaceOrder) -> Result<Shape, String> {
    let order_type = OrderType::from_code(order.order_type).ok_or("Invalid order type specified")?;
    let side = Side::from_code(order.side).ok_or("Invalid order side specified")?;
    let size = order.size;
    if !is_size(size) {
        return Err(INVALID_SIZE.into());
    }
    let tag = order.custom_tag.as_deref().unwrap_or_default();
    if tag.chars().nth(MAX_TAG_CHARACTERS).is_some() {
        return Err(format!("Invalid custom tag specified. It may have {MAX_TAG_CHARACTERS} characters."));
    }
    if book.tags.contains(tag) {
        return Err(format!("Invalid custom tag specified. '{tag}' is already in use."));
    }
    if book.working >= MAX_WORKING {
        return Err("Too many working orders.".into());
    }
    Ok(Shape { order_type, side, size })
}

/// The prices that an order of its type needs.
pub(super) fn levels(shape: Shape, order: &PlaceOrder, tick: Decimal, best: Best) -> Result<Levels, String> {
    let Shape { order_type, side, .. } = shape;
    let mut levels = Levels::default();
    match order_type {
        OrderType::Limit => levels.limit_price = Some(limit(order.limit_price, tick)?),
        OrderType::Stop => levels.stop_price = Some(stop(order.stop_price, tick, side, best)?),
        OrderType::TrailingStop => {
            let (stop, trail) = trail(order.trail_price, tick, side, best)?;
            (levels.stop_price, levels.trail) = (Some(stop), Some(trail));
        }
        OrderType::Market | OrderType::JoinBid | OrderType::JoinAsk => {}
    }
    Ok(levels)
}

pub(super) const fn is_size(size: i32) -> bool {
    size > 0 && size <= MAX_SIZE
}

/// A limit may stand on either side of the market.
pub(super) fn limit(price: Option<Decimal>, tick: Decimal) -> Result<Decimal, String> {
    level("limit", price, tick)
}

/// A stop must have the market before it.
pub(super) fn stop(price: Option<Decimal>, tick: Decimal, side: Side, best: Best) -> Result<Decimal, String> {
    let price = level("stop", price, tick)?;
    beyond("stop", price, side, best)?;
    Ok(price)
}

/// The level at which a trailing stop begins, and the distance that it keeps from there on.
pub(super) fn trail(price: Option<Decimal>, tick: Decimal, side: Side, best: Best) -> Result<(Decimal, Trail), String> {
    let price = level("trail", price, tick)?;
    beyond("trail", price, side, best)?;
    let distance = price - best.last;
    let ticks = i64::try_from((distance / tick).round()).unwrap_or(i64::MAX);
    if ticks.abs() > MAX_TRAIL_TICKS {
        return Err(format!("Invalid trail price. Distance should be at most {MAX_TRAIL_TICKS} ticks."));
    }
    let ticks = i32::try_from(ticks).unwrap_or(i32::MAX);
    Ok((price, Trail { ticks, distance }))
}

/// The signs, distances and types of a bracket's children.
pub(super) fn brackets(book: &Book, side: Side, order: &PlaceOrder) -> Result<Brackets, String> {
    let brackets = Brackets { stop_loss: order.stop_loss, take_profit: order.take_profit };
    if book.position_brackets && (brackets.stop_loss.is_some() || brackets.take_profit.is_some()) {
        return Err(POSITION_BRACKETS.into());
    }
    if let Some(stop) = brackets.stop_loss {
        leg(Leg::StopLoss, stop, side)?;
    }
    if let Some(target) = brackets.take_profit {
        leg(Leg::TakeProfit, target, side)?;
    }
    Ok(brackets)
}

/// Whether the balance carries what the account would hold. Resting orders take no margin.
pub(super) fn margin(exchange: &Exchange, book: &Book, terms: &Terms, shape: Shape) -> Result<(), String> {
    let before = book.net(&terms.contract.id);
    let after = before + i64::from(shape.size) * shape.side.sign();
    if after.abs() <= before.abs() {
        return Ok(());
    }
    let others = book.holdings.iter().filter(|(contract, _)| **contract != terms.contract.id);
    let others: Decimal = others
        .filter_map(|(contract, held)| Some(exchange.terms.get(contract)?.costs.margin * Decimal::from(held.size())))
        .sum();
    let needed = others + terms.costs.margin * Decimal::from(after.abs());
    if after.abs() > MAX_HELD || needed > book.account.balance {
        return Err(NO_MARGIN.into());
    }
    Ok(())
}

fn level(name: &str, price: Option<Decimal>, tick: Decimal) -> Result<Decimal, String> {
    let price = price.ok_or_else(|| format!("Invalid {name} price specified"))?;
    if price <= Decimal::ZERO || price > Decimal::from(MAX_PRICE) {
        return Err(format!("Invalid {name} price specified"));
    }
    if price.checked_rem(tick).is_none_or(|rest| !rest.is_zero()) {
        return Err(format!("Invalid {name} price. Price is not aligned to tick size."));
    }
    Ok(price.normalize())
}

/// A stop that the market has passed already; the venue's words for it are not known.
fn beyond(name: &str, price: Decimal, side: Side, best: Best) -> Result<(), String> {
    match side {
        Side::Buy if price <= best.last => Err(format!("Invalid {name} price. Price should be above the last price.")),
        Side::Sell if price >= best.last => Err(format!("Invalid {name} price. Price should be below the last price.")),
        _ => Ok(()),
    }
}

/// Which child of a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    StopLoss,
    TakeProfit,
}

/// Checks one child of an entry. Ticks are signed: what stands below the entry is negative, whatever the entry's side.
fn leg(leg: Leg, bracket: Bracket, entry: Side) -> Result<(), String> {
    let Bracket { ticks, order_type } = bracket;
    let (name, title, types): (_, _, &[i32]) = match leg {
        Leg::StopLoss => ("stop loss", "Stop loss", &[4, 5]),
        Leg::TakeProfit => ("take profit", "Take profit", &[1]),
    };
    if !types.contains(&order_type) {
        return Err(format!("Invalid {name} type ({})", type_name(order_type)));
    }
    let refused = |why: String| Err(format!("Invalid {name} ticks ({ticks}). {why}"));
    let going = match entry {
        Side::Buy => "longing",
        Side::Sell => "going short",
    };
    let is_below = (leg == Leg::StopLoss) == (entry == Side::Buy);
    if is_below && ticks >= 0 {
        return refused(format!("Ticks should be less than zero when {going}."));
    }
    // Seen live: a short's stop of the wrong sign is told to be too near.
    if !is_below && ticks <= 0 && leg == Leg::TakeProfit {
        return refused(format!("Ticks should be greater than zero when {going}."));
    }
    let distance = if is_below { -i64::from(ticks) } else { i64::from(ticks) };
    if distance < MIN_BRACKET_TICKS {
        return refused(format!("{title} tick value should be at least {MIN_BRACKET_TICKS} ticks."));
    }
    let most = if order_type == OrderType::TrailingStop.code() { MAX_TRAIL_TICKS } else { MAX_BRACKET_TICKS };
    if distance > most {
        return refused(format!("{title} tick value should be at most {most} ticks."));
    }
    Ok(())
}

fn type_name(code: i32) -> String {
    let names = ["Unknown", "Limit", "Market", "StopLimit", "Stop", "TrailingStop", "JoinBid", "JoinAsk"];
    let name = usize::try_from(code).ok().and_then(|code| names.get(code));
    name.map_or_else(|| code.to_string(), |name| (*name).to_owned())
}
