//! One stretch of trading in ticks, and the live part of it, kept at four grains.

use std::collections::VecDeque;

use super::session;

/// Open, high, low and close in ticks, and the contracts traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candle {
    pub(super) open: i64,
    pub(super) high: i64,
    pub(super) low: i64,
    pub(super) close: i64,
    pub(super) volume: i64,
}

impl Candle {
    pub(super) fn of_trade(ticks: i64, volume: i64) -> Self {
        Self { open: ticks, high: ticks, low: ticks, close: ticks, volume }
    }

    /// This stretch and the one after it as one.
    pub(super) fn then(self, later: Self) -> Self {
        Self {
            open: self.open,
            high: self.high.max(later.high),
            low: self.low.min(later.low),
            close: later.close,
            volume: self.volume + later.volume,
        }
    }
}

/// How long the stretches are that bars are put together from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    Second,
    Minute,
    Hour,
    /// A trading day.
    Day,
}

impl Grain {
    pub(super) const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// The stretch of a second since 1970.
    pub(super) fn bucket(self, second: i64) -> i64 {
        match self {
            Self::Second => second,
            Self::Minute => second.div_euclid(60),
            Self::Hour => second.div_euclid(3_600),
            Self::Day => session::day_of(second),
        }
    }

    /// The second since 1970 in which a stretch begins.
    pub(super) fn start(self, bucket: i64) -> i64 {
        match self {
            Self::Second => bucket,
            Self::Minute => bucket.saturating_mul(60),
            Self::Hour => bucket.saturating_mul(3_600),
            Self::Day => session::start_of(bucket),
        }
    }

    /// How many stretches of history there are, counted back from now: what users saw of the venue, and for seconds,
    /// of which nobody said anything, a day.
    pub(super) fn depth(self) -> i64 {
        match self {
            Self::Second => 86_400,
            Self::Minute => 63 * 1_440,
            Self::Hour => 366 * 24,
            Self::Day => 3_653,
        }
    }

    /// How many stretches with live trades are kept; older ones are forgotten.
    fn kept(self) -> usize {
        match self {
            Self::Second => 21_600,
            Self::Minute => 20_160,
            Self::Hour => 8_784,
            Self::Day => 3_653,
        }
    }
}

/// What traded since a contract began to move, in stretches of every grain.
#[derive(Debug)]
pub(super) struct LiveCandles {
    /// The stretch of each grain in which the live part begins; what is before it is history.
    begin: [i64; 4],
    candles: [VecDeque<(i64, Candle)>; 4],
}

impl LiveCandles {
    /// The live part that begins in this second; `so_far` says what its running stretches already hold.
    pub(super) fn new(second: i64, mut so_far: impl FnMut(Grain) -> Option<Candle>) -> Self {
        let begin = Grain::ALL.map(|grain| grain.bucket(second));
        let running = |grain: Grain| so_far(grain).map(|candle| (grain.bucket(second), candle)).into_iter().collect();
        Self { begin, candles: Grain::ALL.map(running) }
    }

    /// Adds a trade; `day` is its trading day, which the caller knows.
    pub(super) fn record(&mut self, second: i64, day: i64, ticks: i64, volume: i64) {
        let trade = Candle::of_trade(ticks, volume);
        let buckets = [second, second.div_euclid(60), second.div_euclid(3_600), day];
        for ((grain, candles), bucket) in Grain::ALL.into_iter().zip(&mut self.candles).zip(buckets) {
            match candles.back_mut() {
                Some((last, candle)) if *last >= bucket => *candle = candle.then(trade),
                _ => {
                    if candles.len() >= grain.kept() {
                        candles.pop_front();
                    }
                    candles.push_back((bucket, trade));
                }
            }
        }
    }

    pub(super) fn begin(&self, grain: Grain) -> i64 {
        self.begin[grain as usize]
    }

    /// What traded in a stretch, if anything did and it is not forgotten.
    pub(super) fn candle(&self, grain: Grain, bucket: i64) -> Option<Candle> {
        let candles = &self.candles[grain as usize];
        let index = candles.binary_search_by_key(&bucket, |(bucket, _)| *bucket).ok()?;
        candles.get(index).map(|(_, candle)| *candle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trades_fall_into_their_stretches() {
        let mut live = LiveCandles::new(119, |grain| (grain == Grain::Minute).then(|| Candle::of_trade(10, 5)));
        live.record(119, 0, 12, 1);
        live.record(120, 0, 9, 2);
        live.record(120, 0, 11, 3);
        let second = Candle { open: 9, high: 11, low: 9, close: 11, volume: 5 };
        assert_eq!(live.candle(Grain::Second, 120), Some(second));
        assert_eq!(live.candle(Grain::Second, 118), None);
        let minute = Candle { open: 10, high: 12, low: 10, close: 12, volume: 6 };
        assert_eq!((live.begin(Grain::Minute), live.candle(Grain::Minute, 1)), (1, Some(minute)));
        assert_eq!(live.candle(Grain::Hour, 0).map(|hour| hour.volume), Some(6));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut live = LiveCandles::new(0, |_| None);
        (0..50_000).for_each(|second| live.record(second, 0, 1_000, 1));
        assert_eq!(live.candles[0].len(), Grain::Second.kept());
        assert_eq!(live.candle(Grain::Second, 49_999), Some(Candle::of_trade(1_000, 1)));
    }
}
