//! `/api/History`.

use super::answer::list;
use super::body::Members;
use super::{Answered, Caller};
use crate::market::{Bar, BarUnit};

/// The most bars that one request gets.
const MAX_BARS: i32 = 20_000;

// `RetrieveBarErrorCode`.
const CONTRACT_NOT_FOUND: i32 = 1;
const UNIT_INVALID: i32 = 2;
const UNIT_NUMBER_INVALID: i32 = 3;
const LIMIT_INVALID: i32 = 4;

/// `retrieveBars`: newest first.
pub(super) fn retrieve_bars(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let contract = body.text("contractId")?;
    let has_data = caller.has_data(body.bool("live")?);
    let (start, end) = (body.optional_time("startTime")?, body.optional_time("endTime")?);
    let unit = body.choice("unit", "AggregateBarUnit")?;
    let (number, limit) = (body.int("unitNumber")?, body.int("limit")?);
    let with_partial = body.bool("includePartialBar")?;
    let refused = |code| Ok(list("bars", [], code));
    let Some(unit) = BarUnit::from_code(i64::from(unit)) else {
        return refused(UNIT_INVALID);
    };
    let Some(number) = u32::try_from(number).ok().filter(|number| *number > 0) else {
        return refused(UNIT_NUMBER_INVALID);
    };
    let Some(limit) = usize::try_from(limit).ok().filter(|_| (1..=MAX_BARS).contains(&limit)) else {
        return refused(LIMIT_INVALID);
    };
    let bars = caller.gateway.world.visit(|world| {
        world.market.contracts().find(&contract)?;
        if !has_data {
            return Some(Vec::new());
        }
        let (start, end) = (start.unwrap_or(time::OffsetDateTime::UNIX_EPOCH), end.unwrap_or(world.now));
        Some(world.market.bars(world.now, &contract, unit, number, start, end, limit, with_partial))
    });
    let Some(bars) = bars else {
        return refused(CONTRACT_NOT_FOUND);
    };
    Ok(list("bars", bars.iter().map(Bar::json), 0))
}
