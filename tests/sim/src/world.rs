//! A run: clients, networks and the server on one clock.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::agenda::Agenda;
use crate::device::Device;
use crate::disk::Disk;
use crate::ledger::Entry;
use crate::memory::Memory;
use crate::page::{Fact, Page};
use crate::plan::{Plan, Setup, Step};
use crate::tally::Tally;
use crate::verdict::{ProtocolViolation, Rule};
use crate::wire::Wire;

pub struct World {
    pub now: u64,
    pub agenda: Agenda<Happening>,
    pub setup: Setup,
    pub steps: Vec<Step>,
    pub devices: Vec<Device>,
    pub disks: Vec<Disk>,
    pub pages: Vec<Page>,
    pub wires: Vec<Wire>,
    pub memory: Memory,
    /// How far the server's clock is before the world's.
    pub server_ahead_ms: i64,
    pub server_is_up: bool,
    pub server_is_plain: bool,
    pub server_starts: u32,
    /// Until when the server holds numbered messages back.
    pub held_until: u64,
    /// The users who are in rooms.
    pub members: Vec<(u32, u32)>,
    pub ledger: Vec<Entry>,
    /// The number and the life of the server's memory of the message that was processed last, by its sender.
    pub latest: BTreeMap<usize, (u64, u64)>,
    pub rng: Rng,
    pub tally: Tally,
    pub trace: Option<Vec<String>>,
    pub violation: Option<ProtocolViolation>,
    pub happened: u64,
    /// What decides nothing about the run's end, although it is on the agenda.
    pub seed: u64,
}

/// What happens at its time.
#[derive(Debug)]
pub enum Happening {
    Step(usize),
    Alarm {
        page: usize,
        stamp: u32,
    },
    /// Something arrives at the server.
    Up(usize),
    /// Something arrives at the client.
    Down(usize),
    /// The server learns that a connection is gone.
    ServerHears(usize),
    /// The browser learns that a connection is gone.
    ClientHears {
        wire: usize,
        code: u16,
        deaf_ms: u64,
    },
    Fact {
        page: usize,
        fact: Fact,
    },
    Thaw {
        page: usize,
    },
    Ack(usize),
    /// The server says once more what it has acknowledged, because it holds messages back.
    AckAgain(usize),
    /// It takes what it has held back.
    TakeHeld(usize),
    Supersede(usize),
    Reply {
        sender: u32,
        seq: u64,
        epoch: u64,
    },
    Receipt {
        sender: u32,
        seq: u64,
        read: bool,
        epoch: u64,
    },
    ServerStarts {
        start: u32,
        plain: bool,
    },
    NewPage {
        device: usize,
        restore_ms: u64,
    },
    Put {
        page: usize,
        uid: u32,
    },
    Remove {
        page: usize,
        uid: u32,
    },
    /// Locks that have become free go to a page that waits for them.
    Grant {
        disk: usize,
    },
    Hole {
        wire: usize,
        is_told: bool,
    },
    Network {
        device: usize,
    },
}

/// Writes a line of the trace, if there is one.
#[macro_export]
macro_rules! trace {
    ($world:expr, $($words:tt)*) => {
        if let Some(lines) = &mut $world.trace {
            lines.push(format!("{:>7} {}", $world.now, format_args!($($words)*)));
        }
    };
}

impl World {
    pub fn new(plan: &Plan, is_traced: bool) -> Self {
        let setup = plan.setup.clone();
        let disks = 0..=setup.devices.iter().map(|device| device.disk).max().unwrap_or(0);
        let mut world = Self {
            now: 0,
            agenda: Agenda::default(),
            steps: plan.steps.clone(),
            devices: Vec::new(),
            disks: disks.map(|_| Disk::default()).collect(),
            pages: Vec::new(),
            wires: Vec::new(),
            memory: Memory::new(FIRST_EPOCH),
            server_ahead_ms: 1_700_000_000_000,
            server_is_up: true,
            server_is_plain: setup.server.is_plain,
            server_starts: 0,
            held_until: 0,
            members: Vec::new(),
            ledger: Vec::new(),
            latest: BTreeMap::new(),
            rng: Rng::with_seed(plan.seed),
            tally: Tally::default(),
            trace: is_traced.then(Vec::new),
            violation: None,
            happened: 0,
            seed: plan.seed,
            setup,
        };
        for number in 0..world.setup.devices.len() {
            world.devices.push(Device::default());
            world.new_page(number, 0);
        }
        for (number, step) in plan.steps.iter().enumerate() {
            world.agenda.note(step.at, Happening::Step(number));
        }
        world
    }

    /// Lets everything happen until a moment, or until a rule is broken.
    pub fn advance(&mut self, until: u64) {
        while self.violation.is_none()
            && let Some((at, happening)) = self.agenda.next(until)
        {
            self.now = at;
            self.happened += 1;
            if self.happened > MOST_HAPPENINGS {
                self.break_rule(Rule::Spins, format!("more than {MOST_HAPPENINGS} things happened"));
            }
            self.happen(happening);
        }
        self.now = self.now.max(until);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Step(number) => self.act(number),
            Happening::Alarm { page, stamp } => self.alarm(page, stamp),
            Happening::Up(wire) => self.server_reads(wire),
            Happening::Down(wire) => self.browser_reads(wire),
            Happening::ServerHears(wire) => self.server_hears_end(wire),
            Happening::ClientHears { wire, code, deaf_ms } => self.browser_hears_end(wire, code, deaf_ms),
            Happening::Fact { page, fact } => self.tell(page, fact),
            Happening::Thaw { page } => self.thaw(page),
            Happening::Supersede(wire) => self.close_wire(wire, 4410),
            Happening::AckAgain(wire) => self.acknowledge_again(wire),
            Happening::TakeHeld(wire) => self.take_held(wire),
            Happening::Ack(wire) => self.acknowledge(wire),
            Happening::Reply { sender, seq, epoch } => self.reply(sender, seq, epoch),
            Happening::Receipt { sender, seq, read, epoch } => self.receipt(sender, seq, read, epoch),
            Happening::ServerStarts { start, plain } => self.server_starts(start, plain),
            Happening::NewPage { device, restore_ms } => self.new_page(device, restore_ms),
            Happening::Put { page, uid } => self.put(page, uid),
            Happening::Remove { page, uid } => self.removed(page, uid),
            Happening::Grant { disk } => self.grant_locks(disk),
            Happening::Hole { wire, is_told } => self.end_hole(wire, is_told),
            Happening::Network { device } => self.network_returns(device),
        }
    }

    pub fn break_rule(&mut self, rule: Rule, detail: impl Into<String>) {
        if self.violation.is_none() {
            let detail = detail.into();
            trace!(self, "BROKEN {rule:?}: {detail}");
            self.violation = Some(ProtocolViolation { rule, at: self.now, detail });
        }
    }

    /// Takes note of what the ledger says about a message.
    pub fn judge(&mut self, uid: u32, judged: Result<(), (Rule, &'static str)>) {
        if let Err((rule, words)) = judged {
            let entry = &self.ledger[uid as usize];
            let detail = format!("message {uid} (seq {} of page {}): {words}", entry.seq, entry.sender);
            self.break_rule(rule, detail);
        }
    }

    pub const fn is_liar(&self) -> bool {
        self.setup.server.lies_every > 0
    }
}

/// Not the first that there could be, so that there are earlier ones to lie about.
const FIRST_EPOCH: u64 = 7;
const MOST_HAPPENINGS: u64 = 200_000;
