//! One person's browser over several pages: its disk and its network.

use crate::trace;
use crate::world::{Happening, World};

#[derive(Debug)]
pub struct Device {
    /// The page that is open, or was last.
    pub page: usize,
    /// The durable outbox: messages by number, in the order of acceptance.
    pub store: Vec<u32>,
    /// Connects are not answered before.
    pub silent_until: u64,
    /// Whether they arrive late instead of never.
    pub is_late: bool,
    pub refusing_until: u64,
    pub offline_until: u64,
    pub no_tokens: u32,
    pub refused_tokens: u32,
    pub refusal_code: u16,
}

impl Device {
    pub const fn new() -> Self {
        Self {
            page: 0,
            store: Vec::new(),
            silent_until: 0,
            is_late: false,
            refusing_until: 0,
            offline_until: 0,
            no_tokens: 0,
            refused_tokens: 0,
            refusal_code: 1008,
        }
    }
}

impl World {
    /// Writes a message to the disk, which takes its time and ends with the page.
    pub fn store(&mut self, page: usize, uid: u32) {
        let takes = self.setup.devices[self.pages[page].device].storage_ms;
        self.agenda.note(self.now + takes, Happening::Put { page, uid });
    }

    pub fn put(&mut self, page: usize, uid: u32) {
        if !self.pages[page].is_alive || self.ledger[uid as usize].has_ended() {
            return;
        }
        let device = self.pages[page].device;
        self.devices[device].store.push(uid);
        self.ledger[uid as usize].is_stored = true;
        trace!(self, "page {page}: message {uid} is on disk");
        self.tell(page, crate::page::Fact::Stored(uid));
    }

    /// Removes a message from the disk; a page that dies before leaves it there.
    pub fn remove(&mut self, page: usize, uid: u32) {
        let device = self.pages[page].device;
        if self.devices[device].store.contains(&uid) {
            let takes = self.setup.devices[device].storage_ms;
            self.agenda.note(self.now + takes, Happening::Remove { page, uid });
        }
    }

    /// The same, done at once.
    pub fn remove_now(&mut self, device: usize, uid: u32) {
        self.devices[device].store.retain(|stored| *stored != uid);
    }

    pub fn removed(&mut self, page: usize, uid: u32) {
        if self.pages[page].is_alive {
            self.remove_now(self.pages[page].device, uid);
        }
    }
}
