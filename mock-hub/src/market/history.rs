//! What a contract traded before anybody looked: the same for ever, for every moment, and computed only when asked for.
//!
//! Each trading day is drawn around a slow noise; its hours divide the day, its minutes the hour, its seconds the
//! minute, each from a seed of its own. So a stretch opens where the one before it closed, the parts of a stretch have
//! its open, high, low, close and volume together, and no stretch needs more than its own ancestors.

use fastrand::Rng;

use super::candle::{Candle, Grain};
use super::contracts::Expiry;
use super::session;
use super::tick;

/// One contract's past, and the future that it would have if it never moved live.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    seed: u64,
    /// The seed of the daily closes, which all contracts of a product share, and its minis and micros too.
    product_seed: u64,
    /// The price around which the daily closes swing, in ticks.
    level: i64,
}

impl History {
    pub(super) fn new(seed: u64, expiry: Expiry, contract: &str) -> Self {
        // Later months stand a little higher, and the farthest no more than a few per cent.
        let level = expiry.root.price + expiry.root.price * expiry.months_out().clamp(-36, 36) / 2_000;
        Self { seed: mix(seed, hash(contract)), product_seed: mix(seed, hash(expiry.root.underlying())), level }
    }

    /// A seed for what the contract does live.
    pub(super) fn live_seed(&self) -> u64 {
        mix(self.seed, 1)
    }

    /// What traded before a second in the stretch that it lies in, if the stretch did not begin just then.
    pub(super) fn so_far(&self, grain: Grain, second: i64) -> Option<Candle> {
        let mut reader = Reader::new(*self);
        let start = grain.start(grain.bucket(second));
        // From the coarsest parts to the finest: whole hours, whole minutes of the running hour, and so on.
        let (mut at, mut sum) = (start, None::<Candle>);
        for part in [Grain::Hour, Grain::Minute, Grain::Second] {
            while part.start(part.bucket(at) + 1) <= second && part.start(part.bucket(at)) == at {
                let candle = reader.candle(part, part.bucket(at));
                sum = Some(sum.map_or(candle, |sum| sum.then(candle)));
                at = part.start(part.bucket(at) + 1);
            }
        }
        sum
    }

    /// The price at the end of the second before this one.
    pub(super) fn price_before(&self, second: i64) -> i64 {
        Reader::new(*self).candle(Grain::Second, second - 1).close
    }

    /// The closing price of a trading day.
    pub(super) fn close_of(&self, day: i64) -> i64 {
        // Noise of nine octaves, from a day to most of a year, which together stay within an eighth of the level.
        let (mut noise, mut most) = (0.0, 0.0);
        for octave in 0..9_u8 {
            let width = 1_i64 << octave;
            let weight = f64::from(1_u16 << octave).sqrt();
            let (cell, within) = (day.div_euclid(width), day.rem_euclid(width) as f64 / width as f64);
            let at = |cell: i64| {
                let seed = mix(mix(self.product_seed, u64::from(octave)), cell.cast_unsigned());
                Rng::with_seed(seed).f64() * 2.0 - 1.0
            };
            noise += weight * (at(cell) * (1.0 - within) + at(cell + 1) * within);
            most += weight;
        }
        self.level + (self.level as f64 / 8.0 * noise / most) as i64
    }

    fn day(&self, day: i64) -> Candle {
        let mut rng = self.rng(Grain::Day, day);
        let (open, close) = (self.close_of(day - 1), self.close_of(day));
        let wick = (self.level / 200).max(4);
        let high = open.max(close) + rng.i64(2..=wick);
        let low = (open.min(close) - rng.i64(2..=wick)).max(tick::LEAST);
        Candle { open, high, low, close, volume: rng.i64(400_000..=1_600_000) }
    }

    fn rng(&self, grain: Grain, bucket: i64) -> Rng {
        Rng::with_seed(mix(mix(self.seed, 2 + grain as u64), bucket.cast_unsigned()))
    }
}

/// Reads stretches of a history, and keeps the last ancestors, as neighbours share them.
#[derive(Debug)]
pub(super) struct Reader {
    history: History,
    /// The hours of a day, the minutes of an hour, the seconds of a minute: the first one's number, and all of them.
    hours: (i64, Vec<Candle>),
    minutes: (i64, Vec<Candle>),
    seconds: (i64, Vec<Candle>),
}

impl Reader {
    pub(super) fn new(history: History) -> Self {
        let none = || (0, Vec::new());
        Self { history, hours: none(), minutes: none(), seconds: none() }
    }

    pub(super) fn candle(&mut self, grain: Grain, bucket: i64) -> Candle {
        match grain {
            Grain::Second => self.second(bucket),
            Grain::Minute => self.minute(bucket),
            Grain::Hour => self.hour(bucket),
            Grain::Day => self.history.day(bucket),
        }
    }

    fn second(&mut self, second: i64) -> Candle {
        if let Some(candle) = part(&self.seconds, second) {
            return candle;
        }
        let minute = second.div_euclid(60);
        let whole = self.minute(minute);
        self.seconds = (minute * 60, split(whole, 60, 1, &mut self.history.rng(Grain::Minute, minute)));
        part(&self.seconds, second).unwrap_or(whole)
    }

    fn minute(&mut self, minute: i64) -> Candle {
        if let Some(candle) = part(&self.minutes, minute) {
            return candle;
        }
        let hour = minute.div_euclid(60);
        let whole = self.hour(hour);
        self.minutes = (hour * 60, split(whole, 60, 60, &mut self.history.rng(Grain::Hour, hour)));
        part(&self.minutes, minute).unwrap_or(whole)
    }

    fn hour(&mut self, hour: i64) -> Candle {
        if let Some(candle) = part(&self.hours, hour) {
            return candle;
        }
        let day = session::day_of(hour * 3_600);
        let (first, end) = (session::start_of(day) / 3_600, session::start_of(day + 1) / 3_600);
        let whole = self.history.day(day);
        let parts = usize::try_from(end - first).unwrap_or(24);
        // Another seed than the one that drew the day itself.
        let mut rng = Rng::with_seed(mix(self.history.rng(Grain::Day, day).u64(..), 1));
        self.hours = (first, split(whole, parts, 3_600, &mut rng));
        part(&self.hours, hour).unwrap_or(whole)
    }
}

fn part((first, parts): &(i64, Vec<Candle>), bucket: i64) -> Option<Candle> {
    parts.get(usize::try_from(bucket - first).ok()?).copied()
}

/// Divides a stretch into parts that make it up again, each with at least `least` contracts traded.
fn split(whole: Candle, parts: usize, least: i64, rng: &mut Rng) -> Vec<Candle> {
    let range = (whole.high - whole.low) as f64;
    let root = (parts as f64).sqrt();
    // A random walk whose bridge uses up about the whole's range.
    let mut at = 0.0;
    let walk: Vec<f64> = (0..parts)
        .map(|_| {
            at += (rng.f64() - 0.5) * range * 2.4 / root;
            at
        })
        .collect();
    let wick = (range / root / 2.0) as i64 + 1;
    let count = parts as f64;
    let mut open = whole.open;
    let mut candles: Vec<Candle> = walk
        .iter()
        .zip(1..)
        .map(|(walked, step)| {
            let share = f64::from(step) / count;
            let bridge = whole.open as f64 + (whole.close - whole.open) as f64 * share + walked - at * share;
            let close = if step as usize == parts { whole.close } else { (bridge as i64).clamp(whole.low, whole.high) };
            let high = (open.max(close) + rng.i64(0..=wick)).min(whole.high);
            let low = (open.min(close) - rng.i64(0..=wick)).max(whole.low);
            Candle { open: std::mem::replace(&mut open, close), high, low, close, volume: 0 }
        })
        .collect();
    if let Some(top) = candles.iter_mut().max_by_key(|candle| candle.high) {
        top.high = whole.high;
    }
    if let Some(bottom) = candles.iter_mut().min_by_key(|candle| candle.low) {
        bottom.low = whole.low;
    }
    share_volume(&mut candles, whole.volume, least, rng);
    candles
}

fn share_volume(candles: &mut [Candle], volume: i64, least: i64, rng: &mut Rng) {
    let spare = (volume - least * candles.len() as i64).max(0);
    let weights: Vec<i64> = candles.iter().map(|_| rng.i64(1..=100)).collect();
    let all: i64 = weights.iter().sum::<i64>().max(1);
    let (mut passed, mut given) = (0, 0);
    for (candle, weight) in candles.iter_mut().zip(weights) {
        passed += weight;
        let due = spare * passed / all;
        candle.volume = least + due - given;
        given = due;
    }
}

/// FNV-1a, which is the same on every machine and in every release.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64's finish over a seed and a number, so that near numbers give seeds that have nothing in common.
fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(contract: &str) -> History {
        History::new(7, Expiry::of(contract).unwrap(), contract)
    }

    #[test]
    fn the_parts_of_a_stretch_make_it_up_again() {
        let mut reader = Reader::new(history("CON.F.US.EP.Z26"));
        let joined = |reader: &mut Reader, grain: Grain, range: std::ops::Range<i64>| {
            range.map(|bucket| reader.candle(grain, bucket)).reduce(Candle::then).unwrap()
        };
        for day in [20_000, 20_411, 20_759, 20_760] {
            let hours = session::start_of(day) / 3_600..session::start_of(day + 1) / 3_600;
            let hour = hours.start + 3;
            assert_eq!(joined(&mut reader, Grain::Hour, hours), reader.candle(Grain::Day, day));
            assert_eq!(joined(&mut reader, Grain::Minute, hour * 60..hour * 60 + 60), reader.candle(Grain::Hour, hour));
            let minute = hour * 60 + 59;
            let seconds = minute * 60..minute * 60 + 60;
            assert_eq!(joined(&mut reader, Grain::Second, seconds), reader.candle(Grain::Minute, minute));
        }
    }

    #[test]
    fn a_stretch_opens_where_the_one_before_it_closed() {
        let mut reader = Reader::new(history("CON.F.US.JY6.Z26"));
        for grain in Grain::ALL {
            let first = grain.bucket(1_795_262_400);
            for bucket in first - 200..first {
                let (one, next) = (reader.candle(grain, bucket), reader.candle(grain, bucket + 1));
                assert_eq!(one.close, next.open, "{grain:?} {bucket}");
                assert!(one.low <= one.open.min(one.close) && one.high >= one.open.max(one.close) && one.volume > 0);
            }
        }
    }

    #[test]
    fn the_running_stretch_is_known_up_to_the_second() {
        let history = history("CON.F.US.EP.Z26");
        let second = session::start_of(20_760) + 5 * 3_600 + 7 * 60 + 11;
        for grain in Grain::ALL {
            let before = history.so_far(grain, second);
            assert_eq!(before.is_none(), grain == Grain::Second);
            assert!(before.is_none_or(|candle| candle.close == history.price_before(second)));
        }
        let day = history.so_far(Grain::Day, second).unwrap();
        let hour = history.so_far(Grain::Hour, second).unwrap();
        assert!(day.high >= hour.high && day.low <= hour.low && day.volume > hour.volume);
        assert_eq!(day.open, history.close_of(20_759));
    }

    #[test]
    fn the_months_of_a_product_stand_close_together() {
        let close = |contract| history(contract).close_of(20_760);
        let (near, far) = (close("CON.F.US.EP.Z26"), close("CON.F.US.EP.H27"));
        assert!(far > near && (far - near) * 50 < near, "{near} {far}");
        assert_eq!(close("CON.F.US.MES.Z26"), near);
    }
}
