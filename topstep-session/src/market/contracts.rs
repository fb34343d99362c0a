//! The contracts that are remembered, found by their ids.

use std::collections::BTreeMap;

use topstep_model::ContractId;

use super::depth::DepthFeed;
use super::quotes::QuoteFeed;
use super::trades::TradeFeed;
use crate::gap::Subject;
use crate::moment::Moment;

/// A contract with its three feeds.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) id: ContractId,
    pub(super) quotes: QuoteFeed,
    pub(super) trades: TradeFeed,
    pub(super) depth: DepthFeed,
}

impl Contract {
    fn new(id: ContractId, now: Moment) -> Self {
        Self {
            quotes: QuoteFeed::new(id.clone(), now),
            trades: TradeFeed::new(id.clone(), now),
            depth: DepthFeed::new(id.clone(), now),
            id,
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.quotes.line.is_wanted() || self.trades.line.is_wanted() || self.depth.line.is_wanted()
    }
}

/// All contracts: a map to find one, a list for the order of everything that concerns them all.
#[derive(Debug, Default)]
pub(super) struct Contracts {
    places: BTreeMap<ContractId, usize>,
    list: Vec<Contract>,
}

impl Contracts {
    #[inline]
    pub(super) fn get(&self, id: &ContractId) -> Option<&Contract> {
        self.list.get(*self.places.get(id)?)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: &ContractId) -> Option<&mut Contract> {
        self.list.get_mut(*self.places.get(id)?)
    }

    /// In the order in which they were first wanted, as far as none was forgotten.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Contract> {
        self.list.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Contract> {
        self.list.iter_mut()
    }

    /// By their ids.
    pub(super) fn sorted(&self) -> Vec<&Contract> {
        let mut sorted: Vec<_> = self.list.iter().collect();
        sorted.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        sorted
    }

    /// The contract, new if it has to be. Where there is no room, one that nobody wants is forgotten; `None` if there is none.
    pub(super) fn make(&mut self, now: Moment, id: &ContractId, most: usize) -> Option<&mut Contract> {
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => {
                let place = self.free_place(most)?;
                let contract = Contract::new(id.clone(), now);
                match self.list.get_mut(place) {
                    Some(old) => {
                        self.places.remove(&old.id);
                        *old = contract;
                    }
                    None => self.list.push(contract),
                }
                self.places.insert(id.clone(), place);
                place
            }
        };
        self.list.get_mut(place)
    }

    fn free_place(&self, most: usize) -> Option<usize> {
        if self.list.len() < most {
            return Some(self.list.len());
        }
        self.list.iter().position(|contract| !contract.is_wanted())
    }
}

/// The contract of a subscription of the market hub.
pub(super) fn contract_of(subject: &Subject) -> Option<&ContractId> {
    match subject {
        Subject::Quotes(id) | Subject::MarketTrades(id) | Subject::Depth(id) => Some(id),
        _ => None,
    }
}
