//! Deliveries in a row, each with its cost.

use std::collections::VecDeque;

use super::Delivery;

/// Deliveries and what each of them costs, in two rows: a delivery alone is moved into place at once, a pair of both is
/// built first and moved then.
pub(super) struct Items<T> {
    deliveries: VecDeque<Delivery<T>>,
    costs: VecDeque<usize>,
}

impl<T> Items<T> {
    pub(super) fn new() -> Self {
        Self { deliveries: VecDeque::new(), costs: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.deliveries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    #[inline]
    pub(super) fn push_back(&mut self, delivery: Delivery<T>, cost: usize) {
        self.deliveries.push_back(delivery);
        self.costs.push_back(cost);
    }

    pub(super) fn push_front(&mut self, delivery: Delivery<T>, cost: usize) {
        self.deliveries.push_front(delivery);
        self.costs.push_front(cost);
    }

    pub(super) fn pop_back(&mut self) {
        self.deliveries.pop_back();
        self.costs.pop_back();
    }

    /// What the first one costs: 0 if there is none.
    #[inline]
    pub(super) fn first_cost(&self) -> usize {
        self.costs.front().copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<Delivery<T>> {
        self.costs.pop_front();
        self.deliveries.pop_front()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Delivery<T>> {
        self.deliveries.back_mut()
    }

    #[inline]
    pub(super) fn set_last_cost(&mut self, cost: usize) {
        if let Some(last) = self.costs.back_mut() {
            *last = cost;
        }
    }

    /// Puts another one in the place of one, and says what that one cost. Hands the new one back if there is no such place.
    pub(super) fn replace(&mut self, index: usize, delivery: Delivery<T>, cost: usize) -> Result<usize, Delivery<T>> {
        match (self.deliveries.get_mut(index), self.costs.get_mut(index)) {
            (Some(place), Some(place_cost)) => {
                *place = delivery;
                Ok(std::mem::replace(place_cost, cost))
            }
            _ => Err(delivery),
        }
    }

    pub(super) fn append(&mut self, other: &mut Self) {
        self.deliveries.append(&mut other.deliveries);
        self.costs.append(&mut other.costs);
    }

    pub(super) fn clear(&mut self) {
        self.deliveries.clear();
        self.costs.clear();
    }

    /// What all of them cost.
    pub(super) fn cost(&self) -> usize {
        self.costs.iter().sum()
    }
}
