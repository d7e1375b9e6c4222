//! What the pages of one browser keep on disk together: the outbox of `everwire/durable`, with a lock for every client id.

use std::collections::BTreeMap;

use everwire::proto::{Message, Purpose};

use crate::downward_frame::client_id;
use crate::run_tally::Count;
use crate::simulated_page::BrowserEvent;
use crate::simulation::{Scheduled, Simulation};
use crate::trace;
use crate::verdict::Rule;

#[derive(Debug, Default)]
pub struct Disk {
    /// Messages by number, in the order of their coming.
    pub store: Vec<u32>,
    /// The page that holds the lock of a client id, and with it may send its messages.
    locks: BTreeMap<usize, usize>,
}

impl Simulation {
    pub fn disk(&self, page: usize) -> &Disk {
        &self.disks[self.setup.devices[self.pages[page].device].disk]
    }

    fn disk_mut(&mut self, page: usize) -> &mut Disk {
        &mut self.disks[self.setup.devices[self.pages[page].device].disk]
    }

    /// Writes a message to the disk, which takes its time and ends with the page.
    pub fn store(&mut self, page: usize, uid: u32) {
        let takes = self.setup.devices[self.pages[page].device].storage_ms;
        self.queue.schedule(self.now + takes, Scheduled::Put { page, uid });
    }

    pub fn put(&mut self, page: usize, uid: u32) {
        if !self.pages[page].is_alive || self.messages[uid as usize].has_ended() {
            return;
        }
        self.disk_mut(page).store.push(uid);
        self.messages[uid as usize].is_stored = true;
        trace!(self, "page {page}: message {uid} is on disk");
        self.dispatch(page, BrowserEvent::Stored(uid));
    }

    /// Removes a message from the disk; a page that dies before leaves it there.
    pub fn remove(&mut self, page: usize, uid: u32) {
        if self.disk(page).store.contains(&uid) {
            self.messages[uid as usize].is_being_removed = true;
            let takes = self.setup.devices[self.pages[page].device].storage_ms;
            self.queue.schedule(self.now + takes, Scheduled::Remove { page, uid });
        }
    }

    pub fn removed(&mut self, page: usize, uid: u32) {
        if self.pages[page].is_alive {
            self.disk_mut(page).store.retain(|stored| *stored != uid);
        }
    }

    /// The page takes its own client id, whose messages nobody else may send.
    pub fn take_lock(&mut self, page: usize) {
        self.disk_mut(page).locks.insert(page, page);
    }

    /// The locks of a page that has ended go to one that waits for them.
    pub fn release_locks(&mut self, page: usize) {
        self.disk_mut(page).locks.retain(|_, holder| *holder != page);
        let device = self.pages[page].device;
        self.queue.schedule(self.now + GRANT_MS, Scheduled::Grant { disk: self.setup.devices[device].disk });
    }

    /// A living page takes over what pages that have died since have left.
    pub fn grant_locks(&mut self, disk: usize) {
        let waits = |page: &usize| {
            let this = &self.pages[*page];
            this.is_alive && this.has_restored && self.setup.devices[this.device].disk == disk
        };
        let waiting = self.devices.iter().map(|device| device.page).find(waits);
        if let Some(page) = waiting {
            self.adopt(page, Count::Adopted);
        }
    }

    /// Takes over what pages that are gone have left: sender by sender, each in order.
    pub fn adopt(&mut self, page: usize, count: Count) {
        let disk = self.disk(page);
        let mut senders: Vec<usize> = Vec::new();
        for uid in &disk.store {
            let sender = self.messages[*uid as usize].sender;
            if !disk.locks.contains_key(&sender) && !senders.contains(&sender) {
                senders.push(sender);
            }
        }
        let mut found: Vec<_> =
            disk.store.iter().copied().filter(|uid| senders.contains(&self.sender_of(*uid))).collect();
        found.sort_by_key(|uid| senders.iter().position(|sender| *sender == self.sender_of(*uid)));
        if found.is_empty() {
            return;
        }
        for sender in senders {
            self.disk_mut(page).locks.insert(sender, page);
        }
        trace!(self, "page {page} takes over {found:?}");
        self.tally.add_many(count, found.len());
        let event = BrowserEvent::Leftovers(found);
        self.dispatch(page, event);
    }

    fn sender_of(&self, uid: u32) -> usize {
        self.messages[uid as usize].sender
    }

    pub fn restore(&mut self, page: usize, found: Vec<u32>) {
        let mut messages = Vec::new();
        for uid in found {
            if self.messages[uid as usize].stays_on_disk() {
                let detail = format!("message {uid} was sent to a plain server, and is still there for page {page}");
                return self.break_rule(Rule::StaysOnDisk, detail);
            }
            let entry = &mut self.messages[uid as usize];
            entry.restore(page);
            let mut message = Message::new(entry.frame.clone(), entry.bytes, Purpose::Ordinary);
            message.seq = entry.seq;
            message.origin = Some(client_id(entry.sender as u32));
            message.policy.ttl_ms = entry.ttl_ms;
            message.age_ms = self.now - entry.accepted_at;
            messages.push(message);
        }
        self.command(page, |client, now| client.restore(messages, now));
    }

    /// A message that nobody is going to send although it is on disk.
    pub fn left_on_disk(&self) -> Option<(Rule, String)> {
        let is_kept = |uid: &u32| {
            let entry = &self.messages[*uid as usize];
            self.pages[entry.holder].is_alive && (entry.is_unconfirmed || self.is_blind(entry.holder))
        };
        let mut disks = self.disks.iter().enumerate();
        disks.find_map(|(number, disk)| {
            let left: Vec<_> = disk.store.iter().filter(|uid| !is_kept(uid)).collect();
            (!left.is_empty()).then(|| (Rule::StaysOnDisk, format!("disk {number} still has {left:?}")))
        })
    }
}

/// How long it takes until a lock is had that has become free.
const GRANT_MS: u64 = 3;
