//! What will happen, in order of time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Things that happen at their time; those of the same moment in the order in which they were noted.
#[derive(Debug)]
pub struct Agenda<T> {
    items: BinaryHeap<Reverse<Item<T>>>,
    noted: u64,
}

#[derive(Debug)]
struct Item<T> {
    at: u64,
    order: u64,
    what: T,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { items: BinaryHeap::new(), noted: 0 }
    }
}

impl<T> Agenda<T> {
    pub fn note(&mut self, at: u64, what: T) {
        self.noted += 1;
        self.items.push(Reverse(Item { at, order: self.noted, what }));
    }

    /// The next thing that happens no later than `until`.
    pub fn next(&mut self, until: u64) -> Option<(u64, T)> {
        if self.items.peek()?.0.at > until {
            return None;
        }
        self.items.pop().map(|Reverse(item)| (item.at, item.what))
    }
}

impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Item<T> {}

impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Item<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::Agenda;

    #[test]
    fn things_happen_in_order_of_time_and_then_of_noting() {
        let mut agenda = Agenda::default();
        for (at, what) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b'), (9, 'e')] {
            agenda.note(at, what);
        }
        let mut seen = String::new();
        while let Some((_, what)) = agenda.next(8) {
            seen.push(what);
        }
        assert_eq!(seen, "abcd");
    }
}
