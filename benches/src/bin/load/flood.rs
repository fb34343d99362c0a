//! What a flood is made of, for every reader of it.

/// The record that asks for a flood; it has no id, so nothing answers it but the flood.
pub(crate) fn request(count: u64, records_per_frame: u64) -> String {
    format!(r#"{{"type":1,"target":"StartFlood","arguments":[{count},{records_per_frame}]}}"#) + "\u{1e}"
}

/// Counts the quotes of a flood, and reads of each one what proves that it was decoded.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    read: bool,
    out_of_order: u64,
    sum: f64,
    volume: i64,
}

impl Tally {
    /// Begins a flood; its first quote has volume 0.
    pub(crate) fn new() -> Self {
        Self { events: 0, read: true, out_of_order: 0, sum: 0.0, volume: -1 }
    }

    /// The tally of a flood that nobody looked into.
    pub(crate) fn unread(events: u64) -> Self {
        Self { events, read: false, out_of_order: 0, sum: 0.0, volume: -1 }
    }

    /// Takes one quote.
    #[inline]
    pub(crate) fn quote(&mut self, volume: i64, bid_and_ask: f64) {
        self.events += 1;
        self.out_of_order += u64::from(volume != self.volume.wrapping_add(1));
        self.volume = volume;
        self.sum += bid_and_ask;
    }

    /// How many quotes had not the volume of the one before plus one.
    pub(crate) fn out_of_order(&self) -> Option<u64> {
        self.read.then_some(self.out_of_order)
    }

    /// The sum of all bids and asks, rounded down.
    pub(crate) fn checksum(&self) -> Option<u64> {
        self.read.then_some(self.sum as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_out_of_order() {
        let mut tally = Tally::new();
        for volume in [0, 1, 3, 4, 4, 5] {
            tally.quote(volume, 10.25);
        }
        assert_eq!((tally.events, tally.out_of_order(), tally.checksum()), (6, Some(2), Some(61)));
    }
}
