//! Who wants to hear what.

use std::rc::Rc;

/// Handlers by slot; the driver maps the name of an event to its slot.
///
/// The list of a slot is replaced, never changed, so that a delivery that is under way can keep the one it started with.
#[derive(Debug)]
pub struct Subscriptions<H> {
    slots: Vec<Handlers<H>>,
    free: Vec<Slot>,
    next: u32,
}

/// The handlers of one slot, in order of subscription.
pub type Handlers<H> = Rc<[(HandlerId, H)]>;

/// Names one subscription for the life of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerId(u32);

impl HandlerId {
    /// The id as a number that [`HandlerId::from_number`] takes back.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The id that [`HandlerId::number`] gave.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// The place of one event's handlers.
pub type Slot = usize;

impl<H> Default for Subscriptions<H> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), next: 0 }
    }
}

impl<H: Clone> Subscriptions<H> {
    /// A slot that nobody uses.
    pub fn open(&mut self) -> Slot {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(Rc::new([]));
            self.slots.len() - 1
        })
    }

    /// Gives a slot back, with the handlers that it still has.
    pub fn release(&mut self, slot: Slot) {
        if self.slots.get(slot).is_some() && !self.free.contains(&slot) {
            self.slots[slot] = Rc::new([]);
            self.free.push(slot);
        }
    }

    /// Adds a handler behind the others of its slot.
    pub fn add(&mut self, slot: Slot, handler: H) -> HandlerId {
        let id = HandlerId(self.next);
        self.next = self.next.wrapping_add(1);
        if let Some(handlers) = self.slots.get_mut(slot) {
            *handlers = handlers.iter().cloned().chain([(id, handler)]).collect();
        }
        id
    }

    /// Keeps the handlers that `keep` approves of; returns how many are left.
    pub fn retain(&mut self, slot: Slot, keep: impl Fn(HandlerId, &H) -> bool) -> usize {
        let Some(handlers) = self.slots.get_mut(slot) else {
            return 0;
        };
        *handlers = handlers.iter().filter(|(id, handler)| keep(*id, handler)).cloned().collect();
        handlers.len()
    }

    /// The handlers of a slot as they are now.
    pub fn handlers(&self, slot: Slot) -> Option<Handlers<H>> {
        self.slots.get(slot).cloned()
    }

    /// Whether a handler of a list taken earlier is still subscribed.
    pub fn is_current(&self, slot: Slot, taken: &Handlers<H>, id: HandlerId) -> bool {
        self.slots.get(slot).is_some_and(|now| Rc::ptr_eq(now, taken) || now.iter().any(|(known, _)| *known == id))
    }

    /// How many handlers there are in all slots.
    pub fn count(&self) -> usize {
        self.slots.iter().map(|handlers| handlers.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Subscriptions;

    #[test]
    fn a_delivery_under_way_keeps_its_list_and_sees_who_has_left() {
        let mut subscriptions = Subscriptions::default();
        let slot = subscriptions.open();
        let first = subscriptions.add(slot, 'a');
        let second = subscriptions.add(slot, 'b');
        let taken = subscriptions.handlers(slot).unwrap();
        assert_eq!(subscriptions.retain(slot, |id, _| id != second), 1);
        subscriptions.add(slot, 'c');
        assert_eq!(taken.iter().map(|(_, handler)| *handler).collect::<String>(), "ab");
        assert!(subscriptions.is_current(slot, &taken, first));
        assert!(!subscriptions.is_current(slot, &taken, second));
    }

    #[test]
    fn a_released_slot_is_used_again_and_its_old_handlers_stay_gone() {
        let mut subscriptions = Subscriptions::default();
        let slot = subscriptions.open();
        let old = subscriptions.add(slot, 'a');
        let taken = subscriptions.handlers(slot).unwrap();
        subscriptions.release(slot);
        subscriptions.release(slot);
        assert_eq!(subscriptions.open(), slot);
        subscriptions.add(slot, 'b');
        assert!(!subscriptions.is_current(slot, &taken, old));
        assert_ne!(subscriptions.open(), slot);
        assert_eq!(subscriptions.count(), 1);
    }
}
