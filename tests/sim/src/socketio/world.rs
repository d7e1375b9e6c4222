//! Pages, networks and the server on one clock.

use fastrand::Rng;

use super::client_host::Client;
use super::connection::Connection;
use super::judge::Emitted;
use super::page::Page;
use super::plan::{Plan, Setup, Step};
use super::server::Server;
use crate::event_queue::EventQueue;
use crate::run_tally::Tally;
use crate::verdict::{BrokenRule, Rule};

pub struct World {
    pub now: u64,
    pub queue: EventQueue<Scheduled>,
    pub setup: Setup,
    pub steps: Vec<Step>,
    pub pages: Vec<Page>,
    pub clients: Vec<Client>,
    pub connections: Vec<Connection>,
    pub server: Server,
    /// What the applications have sent.
    pub emitted: Vec<Emitted>,
    pub rng: Rng,
    pub tally: Tally,
    pub trace: Option<Vec<String>>,
    pub violation: Option<BrokenRule>,
    happened: u64,
}

/// What happens at its time.
#[derive(Debug)]
pub enum Scheduled {
    Step(usize),
    /// One of the two alarms of a client.
    Alarm {
        client: usize,
        which: usize,
        stamp: u32,
    },
    CarrierAlarm {
        connection: usize,
        stamp: u32,
    },
    /// The application has said what it authenticates itself by.
    Authenticated {
        client: usize,
        attempt: u32,
    },
    /// The code that closed a client's part of a connection has come to its end.
    Left {
        client: usize,
        connection: usize,
    },
    /// Something arrives at the server.
    Up(usize),
    /// Something arrives at the page.
    Down(usize),
    ServerLoses(usize),
    PageLoses {
        connection: usize,
        code: u16,
    },
    Hole {
        connection: usize,
        is_told: bool,
    },
    Ping {
        connection: usize,
        stamp: u32,
    },
    Pong {
        connection: usize,
        stamp: u32,
    },
    /// The server has decided about a client.
    Decided {
        connection: usize,
        seat: u64,
    },
    Acknowledge {
        connection: usize,
        seat: u64,
        id: u64,
        uid: u32,
    },
    /// An application acknowledges an event of the server.
    Answer {
        client: usize,
        visit: u32,
        id: u64,
        uid: u32,
        attachments: u32,
    },
    ServerStarts {
        start: u32,
    },
    Online {
        page: usize,
    },
    Show {
        page: usize,
    },
    /// A connection that brings no pings must have been left by now.
    Watch {
        connection: usize,
        stamp: u32,
    },
}

impl World {
    pub fn new(plan: &Plan, is_traced: bool) -> Self {
        let mut world = Self {
            now: 0,
            queue: EventQueue::default(),
            setup: plan.setup.clone(),
            steps: plan.steps.clone(),
            pages: Vec::new(),
            clients: Vec::new(),
            connections: Vec::new(),
            server: Server::default(),
            emitted: Vec::new(),
            rng: Rng::with_seed(plan.seed),
            tally: Tally::default(),
            trace: is_traced.then(Vec::new),
            violation: None,
            happened: 0,
        };
        for (page, setup) in plan.setup.pages.iter().enumerate() {
            let clients = setup.namespaces.iter().map(|namespace| {
                let seed = plan.seed.wrapping_add(world.clients.len() as u64);
                world.clients.push(Client::new(page, *namespace, setup, seed));
                world.clients.len() - 1
            });
            let clients = clients.collect();
            world.pages.push(Page::new(clients));
        }
        for (number, step) in plan.steps.iter().enumerate() {
            world.queue.schedule(step.at, Scheduled::Step(number));
        }
        world
    }

    pub fn schedule(&mut self, delay_ms: u64, what: Scheduled) {
        self.queue.schedule(self.now.saturating_add(delay_ms), what);
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
            Scheduled::Alarm { client, which, stamp } => self.alarm(client, which, stamp),
            Scheduled::CarrierAlarm { connection, stamp } => self.carrier_alarm(connection, stamp),
            Scheduled::Authenticated { client, attempt } => self.authenticated(client, attempt),
            Scheduled::Left { client, connection } => self.left(client, connection),
            Scheduled::Up(connection) => self.server_reads(connection),
            Scheduled::Down(connection) => self.page_reads(connection),
            Scheduled::ServerLoses(connection) => self.server_loses(connection, true),
            Scheduled::PageLoses { connection, code } => self.page_loses(connection, code),
            Scheduled::Hole { connection, is_told } => self.end_hole(connection, is_told),
            Scheduled::Ping { connection, stamp } => self.server_pings(connection, stamp),
            Scheduled::Pong { connection, stamp } => self.pong_is_due(connection, stamp),
            Scheduled::Decided { connection, seat } => self.decide(connection, seat),
            Scheduled::Acknowledge { connection, seat, id, uid } => self.acknowledge(connection, seat, id, uid),
            Scheduled::Answer { client, visit, id, uid, attachments } => {
                self.answer(client, visit, id, uid, attachments);
            }
            Scheduled::ServerStarts { start } => self.server_starts(start),
            Scheduled::Online { page } => self.network_returns(page),
            Scheduled::Show { page } => self.show(page),
            Scheduled::Watch { connection, stamp } => self.watch(connection, stamp),
        }
    }

    pub fn break_rule(&mut self, rule: Rule, detail: impl Into<String>) {
        if self.violation.is_none() {
            let detail = detail.into();
            crate::trace!(self, "BROKEN {rule:?}: {detail}");
            self.violation = Some(BrokenRule { rule, at: self.now, detail });
        }
    }

    pub const fn is_byzantine(&self) -> bool {
        self.setup.server.byzantine_every > 0
    }
}

const MOST_EVENTS: u64 = 300_000;
