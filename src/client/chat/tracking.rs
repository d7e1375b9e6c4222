//! What becomes of the messages of a conversation, by their sequence numbers.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::reentrancy_cell::ReentrancyCell;

/// The messages of one conversation that are on their way.
pub(super) struct Tracking {
    tracked: ReentrancyCell<BTreeMap<u64, Tracked>>,
    /// The number of the join that the server has not taken.
    join: Cell<Option<u64>>,
    /// The number of the latest read receipt, and the server's id of the message that is read.
    receipt: ReentrancyCell<Option<(u64, String)>>,
    limit: usize,
}

/// What a sequence number stands for.
pub(super) enum Tracked {
    Join,
    Message { id: String, is_acknowledged: bool },
}

impl Tracking {
    /// Beyond `limit`, those with the lowest numbers are forgotten: the list does not show their messages any more.
    pub(super) fn new(limit: usize) -> Self {
        Self { tracked: ReentrancyCell::default(), join: Cell::new(None), receipt: ReentrancyCell::default(), limit }
    }

    pub(super) fn track_join(&self, seq: u64) {
        self.join.set(Some(seq));
        self.track(seq, Tracked::Join);
    }

    pub(super) fn track_message(&self, seq: u64, id: &str) {
        self.track(seq, Tracked::Message { id: id.to_owned(), is_acknowledged: false });
    }

    pub(super) fn track_receipt(&self, seq: u64, message: &str) {
        drop(self.receipt.replace(Some((seq, message.to_owned()))));
    }

    /// Ends the tracking of the latest read receipt, if this is its number. Says which message it is about.
    pub(super) fn take_receipt(&self, seq: u64) -> Option<String> {
        let receipt = self.receipt.borrow_mut().take_if(|(number, _)| *number == seq);
        receipt.map(|(_, message)| message)
    }

    fn track(&self, seq: u64, what: Tracked) {
        let mut tracked = self.tracked.borrow_mut();
        tracked.insert(seq, what);
        while tracked.len() > self.limit {
            tracked.pop_first();
        }
    }

    pub(super) fn knows(&self, seq: u64) -> bool {
        self.tracked.borrow_mut().contains_key(&seq)
    }

    /// The id of the message with this number.
    pub(super) fn message(&self, seq: u64) -> Option<String> {
        match self.tracked.borrow_mut().get(&seq)? {
            Tracked::Message { id, .. } => Some(id.clone()),
            Tracked::Join => None,
        }
    }

    /// Ends the tracking of this number.
    pub(super) fn take(&self, seq: u64) -> Option<Tracked> {
        self.tracked.borrow_mut().remove(&seq)
    }

    /// Whether the join is among the messages up to this number, which the server has taken. Tells it once.
    pub(super) fn take_join(&self, seq: u64) -> bool {
        let is_taken = self.join.get().is_some_and(|join| join <= seq);
        if is_taken {
            self.join.set(None);
        }
        is_taken
    }

    /// The ids of the messages up to this number that were not acknowledged before.
    pub(super) fn acknowledge(&self, seq: u64) -> Vec<String> {
        let mut tracked = self.tracked.borrow_mut();
        let newly = tracked.range_mut(..=seq).filter_map(|(_, tracked)| match tracked {
            Tracked::Message { id, is_acknowledged } => (!std::mem::replace(is_acknowledged, true)).then(|| id.clone()),
            Tracked::Join => None,
        });
        newly.collect()
    }

    pub(super) fn clear(&self) {
        drop(self.tracked.replace(BTreeMap::new()));
        self.join.set(None);
        drop(self.receipt.replace(None));
    }
}
