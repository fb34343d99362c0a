//! A set of numbers that mostly follow each other.

/// The ranges that one set keeps; beyond them the oldest two become one, and the hole between them is forgotten.
const MAX_RANGES: usize = 4096;

/// A set of numbers as ranges, in order, with both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    pub(crate) fn insert(&mut self, number: u64) {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            Some((_, last)) if *last >= number => self.insert_late(number),
            _ => self.push(number),
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<(u64, u64)> {
        self.0.clone()
    }

    fn push(&mut self, number: u64) {
        self.0.push((number, number));
        if self.0.len() > MAX_RANGES {
            let (first, _) = self.0.remove(0);
            if let Some(second) = self.0.first_mut() {
                second.0 = first;
            }
        }
    }

    fn insert_late(&mut self, number: u64) {
        let after = self.0.partition_point(|(first, _)| *first <= number);
        let touches_before = after > 0 && self.0.get(after - 1).is_some_and(|(_, last)| *last + 1 >= number);
        let touches_after = self.0.get(after).is_some_and(|(first, _)| *first == number + 1);
        match (touches_before, touches_after) {
            (true, true) => {
                let (_, last) = self.0.remove(after);
                self.0[after - 1].1 = last;
            }
            (true, false) => self.0[after - 1].1 = self.0[after - 1].1.max(number),
            (false, true) => self.0[after].0 = number,
            (false, false) => self.0.insert(after, (number, number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(numbers: &[u64]) -> Vec<(u64, u64)> {
        let mut ranges = Ranges::default();
        numbers.iter().for_each(|number| ranges.insert(*number));
        ranges.to_vec()
    }

    #[test]
    fn numbers_that_follow_each_other_are_one_range_however_they_come() {
        assert_eq!(ranges(&[5, 6, 7]), [(5, 7)]);
        assert_eq!(ranges(&[5, 7, 8]), [(5, 5), (7, 8)]);
        assert_eq!(ranges(&[5, 7, 8, 6]), [(5, 8)]);
        assert_eq!(ranges(&[5, 9, 7]), [(5, 5), (7, 7), (9, 9)]);
        assert_eq!(ranges(&[5, 9, 8, 6, 6, 9, 4]), [(4, 6), (8, 9)]);
        assert_eq!(ranges(&[u64::MAX]), [(u64::MAX, u64::MAX)]);
    }

    #[test]
    fn holes_beyond_the_limit_are_forgotten_from_the_oldest_on() {
        let numbers: Vec<_> = (0..MAX_RANGES as u64 + 2).map(|n| 2 * n).collect();
        let kept = ranges(&numbers);
        assert_eq!((kept.len(), kept[0]), (MAX_RANGES, (0, 4)));
    }
}
