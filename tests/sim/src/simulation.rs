//! A run: clients, networks and the server on one clock.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::conversation_relay::Written;
use crate::conversations::Fetch;
use crate::device_state::Device;
use crate::disk::Disk;
use crate::event_queue::EventQueue;
use crate::run_plan::{Plan, Setup, Step};
use crate::run_tally::Tally;
use crate::sent_message::MessageModel;
use crate::server_store::Memory;
use crate::simulated_connection::Connection;
use crate::simulated_page::{BrowserEvent, Page};
use crate::verdict::{BrokenRule, Rule};

pub struct Simulation {
    pub now: u64,
    pub queue: EventQueue<Scheduled>,
    pub setup: Setup,
    pub steps: Vec<Step>,
    pub devices: Vec<Device>,
    pub disks: Vec<Disk>,
    pub pages: Vec<Page>,
    pub connections: Vec<Connection>,
    pub memory: Memory,
    /// How far the server's clock is before the simulation's.
    pub server_ahead_ms: i64,
    pub server_is_up: bool,
    pub server_is_plain: bool,
    pub server_starts: u32,
    /// Until when the server holds numbered messages back.
    pub held_until: u64,
    /// The users who are in rooms.
    pub members: Vec<(u32, u32)>,
    pub messages: Vec<MessageModel>,
    /// The messages of the conversation, in order.
    pub history: Vec<Written>,
    /// The number and the life of the server's memory of the message that was processed last, by its sender.
    pub latest: BTreeMap<usize, (u64, u64)>,
    pub rng: Rng,
    pub tally: Tally,
    pub trace: Option<Vec<String>>,
    pub violation: Option<BrokenRule>,
    pub happened: u64,
    /// What decides nothing about the run's end, although it is on the queue.
    pub seed: u64,
}

/// What happens at its time.
#[derive(Debug)]
pub enum Scheduled {
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
    ServerLosesConnection(usize),
    /// The browser learns that a connection is gone.
    ClientLosesConnection {
        connection: usize,
        code: u16,
        closing_ms: u64,
    },
    BrowserEvent {
        page: usize,
        event: BrowserEvent,
    },
    /// The chat of a page hears what its driver has reported.
    ChatTurn {
        page: usize,
    },
    /// The history is asked.
    Fetch {
        page: usize,
        token: u64,
        fetch: Fetch,
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
        connection: usize,
        is_told: bool,
    },
    Network {
        device: usize,
    },
}

/// Writes a line of the trace, if there is one.
#[macro_export]
macro_rules! trace {
    ($simulation:expr, $($words:tt)*) => {
        if let Some(lines) = &mut $simulation.trace {
            lines.push(format!("{:>7} {}", $simulation.now, format_args!($($words)*)));
        }
    };
}

impl Simulation {
    pub fn new(plan: &Plan, is_traced: bool) -> Self {
        let setup = plan.setup.clone();
        let disks = 0..=setup.devices.iter().map(|device| device.disk).max().unwrap_or(0);
        let mut simulation = Self {
            now: 0,
            queue: EventQueue::default(),
            steps: plan.steps.clone(),
            devices: Vec::new(),
            disks: disks.map(|_| Disk::default()).collect(),
            pages: Vec::new(),
            connections: Vec::new(),
            memory: Memory::new(FIRST_EPOCH),
            server_ahead_ms: DAY_ONE_MS as i64,
            server_is_up: true,
            server_is_plain: setup.server.is_plain,
            server_starts: 0,
            held_until: 0,
            members: Vec::new(),
            messages: Vec::new(),
            history: Vec::new(),
            latest: BTreeMap::new(),
            rng: Rng::with_seed(plan.seed),
            tally: Tally::default(),
            trace: is_traced.then(Vec::new),
            violation: None,
            happened: 0,
            seed: plan.seed,
            setup,
        };
        for number in 0..simulation.setup.devices.len() {
            simulation.devices.push(Device::default());
            simulation.new_page(number, 0);
        }
        for (number, step) in plan.steps.iter().enumerate() {
            simulation.queue.schedule(step.at, Scheduled::Step(number));
        }
        simulation
    }

    /// Lets everything happen until a moment, or until a rule is broken.
    pub fn advance(&mut self, until: u64) {
        while self.violation.is_none()
            && let Some((at, happening)) = self.queue.next(until)
        {
            self.now = at;
            self.happened += 1;
            if self.happened > MOST_EVENTS {
                self.break_rule(Rule::Spins, format!("more than {MOST_EVENTS} things happened"));
            }
            self.happen(happening);
        }
        self.now = self.now.max(until);
    }

    fn happen(&mut self, happening: Scheduled) {
        match happening {
            Scheduled::Step(number) => self.act(number),
            Scheduled::Alarm { page, stamp } => self.alarm(page, stamp),
            Scheduled::Up(connection) => self.server_reads(connection),
            Scheduled::Down(connection) => self.browser_reads(connection),
            Scheduled::ServerLosesConnection(connection) => self.server_loses(connection),
            Scheduled::ClientLosesConnection { connection, code, closing_ms } => {
                self.browser_loses(connection, code, closing_ms)
            }
            Scheduled::BrowserEvent { page, event } => self.dispatch(page, event),
            Scheduled::ChatTurn { page } => self.chat_turn(page),
            Scheduled::Fetch { page, token, fetch } => self.history_is_asked(page, token, &fetch),
            Scheduled::Thaw { page } => self.thaw(page),
            Scheduled::Supersede(connection) => self.close_connection(connection, 4410),
            Scheduled::AckAgain(connection) => self.acknowledge_again(connection),
            Scheduled::TakeHeld(connection) => self.take_held(connection),
            Scheduled::Ack(connection) => self.acknowledge(connection),
            Scheduled::Reply { sender, seq, epoch } => self.reply(sender, seq, epoch),
            Scheduled::Receipt { sender, seq, read, epoch } => self.receipt(sender, seq, read, epoch),
            Scheduled::ServerStarts { start, plain } => self.server_starts(start, plain),
            Scheduled::NewPage { device, restore_ms } => self.new_page(device, restore_ms),
            Scheduled::Put { page, uid } => self.put(page, uid),
            Scheduled::Remove { page, uid } => self.removed(page, uid),
            Scheduled::Grant { disk } => self.grant_locks(disk),
            Scheduled::Hole { connection, is_told } => self.end_hole(connection, is_told),
            Scheduled::Network { device } => self.network_returns(device),
        }
    }

    pub fn break_rule(&mut self, rule: Rule, detail: impl Into<String>) {
        if self.violation.is_none() {
            let detail = detail.into();
            trace!(self, "BROKEN {rule:?}: {detail}");
            self.violation = Some(BrokenRule { rule, at: self.now, detail });
        }
    }

    /// Takes note of what the messages says about a message.
    pub fn judge(&mut self, uid: u32, judged: Result<(), (Rule, &'static str)>) {
        if let Err((rule, words)) = judged {
            let entry = &self.messages[uid as usize];
            let detail = format!("message {uid} (seq {} of page {}): {words}", entry.seq, entry.sender);
            self.break_rule(rule, detail);
        }
    }

    /// What a browser shows as the time of day, in milliseconds since 1970.
    pub const fn wall_clock_ms(&self) -> u64 {
        DAY_ONE_MS + self.now
    }

    pub const fn is_byzantine(&self) -> bool {
        self.setup.server.byzantine_every > 0
    }
}

/// The time of day at the start, in milliseconds since 1970.
pub const DAY_ONE_MS: u64 = 1_700_000_000_000;
/// Not the first that there could be, so that a byzantine server can name an earlier one.
const FIRST_EPOCH: u64 = 7;
const MOST_EVENTS: u64 = 200_000;
