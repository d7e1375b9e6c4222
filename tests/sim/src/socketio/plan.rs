//! Who is there, how the network and the server are, and what happens when.

use core::fmt;

use fastrand::Rng;

/// One run before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub setup: Setup,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    pub server: ServerSetup,
    pub pages: Vec<PageSetup>,
    /// From when on nothing goes wrong any more.
    pub calm_at: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSetup {
    pub interval_ms: u64,
    pub timeout_ms: u64,
    pub max_payload: Option<u64>,
    /// For how long a session can be recovered, if it can.
    pub recovers_ms: Option<u64>,
    /// How many events a namespace keeps for those who come back.
    pub history: usize,
    /// How long it takes to let a client in.
    pub decides_ms: u64,
    /// Whether clients get events before they are let in.
    pub sends_early: bool,
    pub ack_delay_ms: u64,
    /// One acknowledgement in so many never comes.
    pub forgets_ack: u32,
    /// One frame in so many is preceded by something that no server may send; 0 is an honest one.
    pub byzantine_every: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSetup {
    /// The namespaces of its clients, which share a connection.
    pub namespaces: Vec<usize>,
    pub latency_ms: u64,
    pub jitter_ms: u64,
    /// Bytes that leave the page in a millisecond.
    pub bandwidth: Option<u32>,
    pub max_attempts: u32,
    pub connect_timeout_ms: u64,
    pub queue: u32,
    pub ttl_ms: Option<u64>,
    pub drops_oldest: bool,
    /// How long the application takes to say what it authenticates by; 0 is at once.
    pub auth_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub at: u64,
    pub act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Emit {
        page: usize,
        client: usize,
        count: u32,
        kind: Emit,
    },
    Connect {
        page: usize,
        client: usize,
    },
    Disconnect {
        page: usize,
        client: usize,
    },
    /// Disconnects and connects in one go.
    Bounce {
        page: usize,
        client: usize,
    },
    Broadcast {
        namespace: usize,
        count: u32,
        kind: Broadcast,
    },
    /// The server asks every client of a namespace.
    Ask {
        namespace: usize,
        attachments: u32,
    },
    PutOut {
        page: usize,
        client: usize,
    },
    /// The server lets nobody in for a while.
    Refuse {
        namespace: usize,
        ms: u64,
    },
    /// The server ends a connection, by a packet or without.
    End {
        page: usize,
        by_packet: bool,
    },
    Cut {
        page: usize,
        up: u16,
        down: u16,
        is_told: bool,
    },
    Hole {
        page: usize,
        ms: u64,
        is_told: bool,
    },
    Stall {
        page: usize,
        up: bool,
        down: bool,
        ms: u64,
    },
    /// The browser takes no frames although the page does not know it yet.
    StopAccepting {
        page: usize,
        ms: u64,
    },
    Offline {
        page: usize,
        ms: u64,
    },
    /// Attempts are never answered for a while, or refused.
    Unreachable {
        page: usize,
        ms: u64,
        is_silent: bool,
    },
    Suspend {
        page: usize,
        ms: u64,
        sees_first: bool,
    },
    Show {
        page: usize,
    },
    Restart {
        ms: u64,
        is_told: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emit {
    pub is_volatile: bool,
    pub ack_ms: Option<u64>,
    pub attachments: u32,
    pub padding: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broadcast {
    Stored {
        attachments: u32,
    },
    /// One that the server does not keep.
    Volatile,
}

/// The run that a seed stands for.
pub fn plan(seed: u64) -> Plan {
    let mut rng = Rng::with_seed(seed ^ 0x50_c4e7);
    let pages: Vec<_> = (0..[1, 1, 2, 3][rng.usize(0..4)]).map(|_| page(&mut rng)).collect();
    let calm_at = rng.u64(3_000..60_000);
    let server = server(&mut rng);
    let steps = rng.usize(15..90);
    let mut steps: Vec<_> = (0..steps).map(|_| Step { at: rng.u64(0..calm_at), act: act(&mut rng, &pages) }).collect();
    for (page, setup) in pages.iter().enumerate() {
        for client in 0..setup.namespaces.len() {
            steps.push(Step { at: rng.u64(0..300), act: Act::Connect { page, client } });
        }
    }
    steps.sort_by_key(|step| step.at);
    Plan { seed, setup: Setup { server, pages, calm_at }, steps }
}

fn server(rng: &mut Rng) -> ServerSetup {
    let (interval_ms, timeout_ms) = [(25_000, 20_000), (5_000, 3_000), (1_000, 6_000)][rng.usize(0..3)];
    let recovers_ms = (rng.u8(0..3) > 0).then(|| [120_000, 10_000][rng.usize(0..2)]);
    ServerSetup {
        interval_ms,
        timeout_ms,
        max_payload: [None, Some(1_000_000), Some(2_000)][rng.usize(0..3)],
        recovers_ms,
        history: [1_000, 1_000, 20][rng.usize(0..3)],
        decides_ms: [0, 0, 5, 200, 3_000][rng.usize(0..5)],
        sends_early: recovers_ms.is_none() && rng.bool(),
        ack_delay_ms: [0, 10, 500, 4_000][rng.usize(0..4)],
        forgets_ack: [0, 0, 5][rng.usize(0..3)],
        byzantine_every: if rng.u8(0..4) == 0 { rng.u32(2..40) } else { 0 },
    }
}

fn page(rng: &mut Rng) -> PageSetup {
    let latency_ms = [0, 1, 20, 100, 400][rng.usize(0..5)];
    let mut namespaces: Vec<usize> = (0..NAMESPACES.len()).collect();
    rng.shuffle(&mut namespaces);
    namespaces.truncate([1, 1, 2, 3][rng.usize(0..4)]);
    PageSetup {
        namespaces,
        latency_ms,
        jitter_ms: if rng.bool() { 0 } else { rng.u64(0..latency_ms + 5) },
        bandwidth: (rng.u8(0..6) == 0).then(|| rng.u32(1..50)),
        max_attempts: if rng.u8(0..4) == 0 { 5 } else { u32::MAX },
        connect_timeout_ms: [20_000, 20_000, 9_000][rng.usize(0..3)],
        queue: if rng.u8(0..3) == 0 { rng.u32(1..12) } else { 1_000 },
        ttl_ms: (rng.u8(0..4) == 0).then(|| rng.u64(100..8_000)),
        drops_oldest: rng.bool(),
        auth_ms: [0, 0, 0, 1, 700][rng.usize(0..5)],
    }
}

fn act(rng: &mut Rng, pages: &[PageSetup]) -> Act {
    let page = rng.usize(0..pages.len());
    let client = rng.usize(0..pages[page].namespaces.len());
    let namespace = pages[page].namespaces[client];
    let attachments = if rng.u8(0..5) == 0 { rng.u32(1..4) } else { 0 };
    let ms = [50, 500, 3_000, 12_000, 40_000][rng.usize(0..5)];
    match rng.u8(0..100) {
        0..32 => {
            let is_volatile = rng.u8(0..6) == 0;
            let ack_ms = (rng.bool()).then(|| [30, 400, 2_500, 10_000][rng.usize(0..4)]);
            let padding = if rng.u8(0..12) == 0 { rng.u32(500..3_000) } else { 0 };
            let count = if rng.u8(0..4) == 0 { rng.u32(2..25) } else { 1 };
            Act::Emit { page, client, count, kind: Emit { is_volatile, ack_ms, attachments, padding } }
        }
        32..52 => {
            let kind = if rng.u8(0..6) == 0 { Broadcast::Volatile } else { Broadcast::Stored { attachments } };
            Act::Broadcast { namespace, count: if rng.u8(0..4) == 0 { rng.u32(2..30) } else { 1 }, kind }
        }
        52..57 => Act::Ask { namespace, attachments },
        57..60 => Act::Connect { page, client },
        60..63 => Act::Disconnect { page, client },
        63..65 => Act::Bounce { page, client },
        65..67 => Act::PutOut { page, client },
        67..69 => Act::Refuse { namespace, ms },
        69..72 => Act::End { page, by_packet: rng.bool() },
        72..78 => Act::Cut { page, up: rng.u16(..), down: rng.u16(..), is_told: rng.u8(0..4) > 0 },
        78..81 => Act::Hole { page, ms, is_told: rng.bool() },
        81..84 => Act::Stall { page, up: rng.bool(), down: rng.bool(), ms: rng.u64(10..6_000) },
        84..86 => Act::StopAccepting { page, ms: rng.u64(1..300) },
        86..89 => Act::Offline { page, ms },
        89..91 => Act::Unreachable { page, ms, is_silent: rng.bool() },
        91..94 => Act::Suspend { page, ms, sees_first: rng.bool() },
        94..97 => Act::Show { page },
        _ => Act::Restart { ms: rng.u64(1..8_000), is_told: rng.bool() },
    }
}

impl Act {
    /// The page that it needs.
    pub const fn page(&self) -> Option<usize> {
        match self {
            Self::Emit { page, .. }
            | Self::Connect { page, .. }
            | Self::Disconnect { page, .. }
            | Self::Bounce { page, .. }
            | Self::PutOut { page, .. }
            | Self::End { page, .. }
            | Self::Cut { page, .. }
            | Self::Hole { page, .. }
            | Self::Stall { page, .. }
            | Self::StopAccepting { page, .. }
            | Self::Offline { page, .. }
            | Self::Unreachable { page, .. }
            | Self::Suspend { page, .. }
            | Self::Show { page } => Some(*page),
            Self::Broadcast { .. } | Self::Ask { .. } | Self::Refuse { .. } | Self::Restart { .. } => None,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, Socket.IO, calm at {} ms", self.seed, self.setup.calm_at)?;
        writeln!(f, "{:?}", self.setup.server)?;
        for (number, page) in self.setup.pages.iter().enumerate() {
            writeln!(f, "page {number}: {page:?}")?;
        }
        for Step { at, act } in &self.steps {
            writeln!(f, "{at:>7} {act:?}")?;
        }
        Ok(())
    }
}

/// The main namespace has no name on the wire.
pub const NAMESPACES: [&str; 3] = ["/", "/admin", "/chat room"];
