//! What will happen, in order of time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Things that happen at their time; those of the same moment in the order in which they were scheduled.
#[derive(Debug)]
pub struct EventQueue<T> {
    items: BinaryHeap<Reverse<Item<T>>>,
    scheduled: u64,
}

#[derive(Debug)]
struct Item<T> {
    at: u64,
    order: u64,
    what: T,
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        Self { items: BinaryHeap::new(), scheduled: 0 }
    }
}

impl<T> EventQueue<T> {
    pub fn schedule(&mut self, at: u64, what: T) {
        self.scheduled += 1;
        self.items.push(Reverse(Item { at, order: self.scheduled, what }));
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
    use super::EventQueue;

    #[test]
    fn things_happen_in_order_of_time_and_then_of_scheduling() {
        let mut queue = EventQueue::default();
        for (at, what) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b'), (9, 'e')] {
            queue.schedule(at, what);
        }
        let mut seen = String::new();
        while let Some((_, what)) = queue.next(8) {
            seen.push(what);
        }
        assert_eq!(seen, "abcd");
    }
}
