//! The connections that left not long ago.

use std::collections::VecDeque;

use crate::hubs::Hub;
use crate::oracle::SentEvents;

/// How many departed connections are remembered.
const MAX_DEPARTURES: usize = 1000;
/// The groups and ranges of sent events that are remembered of all of them.
const MAX_REMEMBERED: usize = 500_000;

/// One that left.
#[derive(Clone, Debug)]
pub(crate) struct Departure {
    pub(crate) id: String,
    pub(crate) hub: Hub,
    pub(crate) error: Option<String>,
    pub(crate) at: String,
    pub(crate) subscriptions: Vec<SentEvents>,
}

/// Those that left, oldest first; the oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Departures {
    left: VecDeque<Departure>,
    remembered: usize,
}

impl Departures {
    pub(super) fn push(&mut self, departure: Departure) {
        self.remembered += departure.weight();
        self.left.push_back(departure);
        while self.left.len() > MAX_DEPARTURES || self.remembered > MAX_REMEMBERED {
            let Some(oldest) = self.left.pop_front() else { return };
            self.remembered -= oldest.weight();
        }
    }

    pub(super) fn all(&self) -> Vec<Departure> {
        self.left.iter().cloned().collect()
    }

    /// What a connection had been sent when it left.
    pub(super) fn sent(&self, id: &str) -> Option<Vec<SentEvents>> {
        self.left.iter().rev().find(|departure| departure.id == id).map(|departure| departure.subscriptions.clone())
    }
}

impl Departure {
    fn weight(&self) -> usize {
        self.subscriptions.iter().map(|events| 1 + events.sent.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn departure(id: usize, ranges: usize) -> Departure {
        let subscriptions = vec![SentEvents { group: "g".to_owned(), sent: vec![(1, 1); ranges] }];
        Departure { id: id.to_string(), hub: Hub::Market, error: None, at: String::new(), subscriptions }
    }

    #[test]
    fn the_oldest_are_forgotten_by_count_and_by_weight() {
        let mut departures = Departures::default();
        (0..=MAX_DEPARTURES).for_each(|id| departures.push(departure(id, 1)));
        assert_eq!(departures.all().len(), MAX_DEPARTURES);
        assert!(departures.sent("0").is_none() && departures.sent("1").is_some());
        departures.push(departure(7_000, MAX_REMEMBERED - 1));
        assert_eq!(departures.all().len(), 1);
        departures.push(departure(7_001, MAX_REMEMBERED));
        assert!(departures.all().is_empty(), "one that is too large is not remembered either");
    }
}
