//! What happens in a run: everything that is chosen, so that a run can be shown, replayed and shrunk.

use core::fmt;

use everwire::proto::Overflow;
use everwire::session::ChatKind;

use crate::downward_frame::Limits;
use crate::flaw::Flaw;

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub seed: u64,
    pub setup: Setup,
    pub steps: Vec<Step>,
}

/// What does not change during a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    pub devices: Vec<DeviceSetup>,
    pub server: ServerSetup,
    /// The conversation that every page is in.
    pub chat: Option<ChatSetup>,
    /// When faults stop.
    pub calm_at: u64,
    /// Whether pages learn of the calm: that the network is up and the page in front.
    pub calm_is_announced: bool,
}

/// A conversation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChatSetup {
    pub kind: ChatKind,
    /// Whether pages can fetch what came after a message; they can always fetch what came before one.
    pub can_load_missed: bool,
    /// Whether the server names the members to who joins.
    pub names_members: bool,
}

/// What a user does in the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatAct {
    Write,
    Press,
    Read,
    LoadEarlier,
    Retry,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ServerSetup {
    /// Whether it knows the reliable mode at the start.
    pub is_plain: bool,
    /// Whether it answers neither hello nor ping until it is reliable.
    pub is_silent: bool,
    /// Every so many frames, it says something that is not true; 0 for never.
    pub byzantine_every: u32,
    pub window: u32,
    /// How many events of a stream it keeps.
    pub history: usize,
    /// How long it lets acknowledgements gather.
    pub ack_delay_ms: u64,
    pub reply_delay_ms: u64,
    /// Whether replies are stored, and so survive a lost connection.
    pub stores_replies: bool,
    /// Whether offsets have holes.
    pub skips_offsets: bool,
    /// Whether an acknowledgement may come before what else is said about a message.
    pub acks_first: bool,
    /// Every so many messages, it refuses one; 0 for never.
    pub refuses_every: u32,
    /// Whether a connection that another has taken the place of goes on bringing messages for some time.
    pub supersedes_late: bool,
    /// What it or a page does wrong, only to show that the simulation notices.
    pub flaw: Option<Flaw>,
    /// How long it keeps what it knows of a client id, and how large a message may be; its welcomes say so.
    pub limits: Limits,
    /// Whether it carries a room's stream only as long as the user has joined the room.
    pub leaves_out: bool,
    /// Whether its storage itself fails now and then, so that it ends connections as if over a message.
    pub is_frail: bool,
    /// Whether it ends a connection over a message before it has processed those before it.
    pub reads_ahead: bool,
}

impl ServerSetup {
    /// Whether the welcomes of a connection say what cannot be, beside what is true.
    pub const fn is_odd(&self, connection: usize) -> bool {
        self.byzantine_every > 0 && connection % 3 == 1
    }
}

/// One person's browser.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSetup {
    pub user: u32,
    /// The number of the disk, which tabs of one browser share.
    pub disk: usize,
    pub latency_ms: u64,
    pub jitter_ms: u64,
    pub bandwidth: Option<u32>,
    pub max_attempts: u32,
    pub stable_after_ms: u64,
    pub interval_ms: u64,
    pub timeout_ms: u64,
    pub connect_timeout_ms: u64,
    pub queue: (u32, u32),
    pub ttl_ms: Option<u64>,
    pub overflow: Overflow,
    pub buffer: (u32, u32),
    pub storage_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub at: u64,
    pub act: Act,
}

/// What happens. Shares are of 65 535.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    // The application.
    Send {
        device: usize,
        note: Note,
    },
    Burst {
        device: usize,
        count: u32,
        note: Note,
    },
    Volatile {
        device: usize,
    },
    Chat {
        device: usize,
        act: ChatAct,
    },
    Join {
        device: usize,
        room: u32,
    },
    Leave {
        device: usize,
        room: u32,
    },
    /// Takes back the message that was accepted so many before the last.
    Cancel {
        device: usize,
        back: usize,
    },
    Connect {
        device: usize,
    },
    Disconnect {
        device: usize,
    },
    Reconnect {
        device: usize,
    },
    // The page.
    Reload {
        device: usize,
        away_ms: u64,
        restore_ms: u64,
        share: u16,
        end: PageEnd,
    },
    Suspend {
        device: usize,
        ms: u64,
        clock_stops: bool,
        frames_first: bool,
    },
    ClockJump {
        device: usize,
        ms: u64,
    },
    Cache {
        device: usize,
        ms: u64,
        alarm_first: bool,
    },
    Visible {
        device: usize,
    },
    Offline {
        device: usize,
        ms: u64,
        is_real: bool,
    },
    // The network.
    Cut {
        device: usize,
        up: u16,
        down: u16,
        client_learns_ms: Option<u64>,
        server_learns_ms: Option<u64>,
        closing_ms: u64,
    },
    /// The client sees the connection end; what it wrote arrives much later.
    Linger {
        device: usize,
        ms: u64,
    },
    BlackHole {
        device: usize,
        up: bool,
        down: bool,
        ms: u64,
        is_told: bool,
    },
    Stall {
        device: usize,
        up: bool,
        down: bool,
        ms: u64,
    },
    /// Connects are not answered, or long after the client has given them up.
    Silence {
        device: usize,
        ms: u64,
        late: bool,
    },
    Refuse {
        device: usize,
        ms: u64,
    },
    NoToken {
        device: usize,
        count: u32,
    },
    RefuseToken {
        device: usize,
        count: u32,
        code: u16,
    },
    // The server.
    Restart {
        down_ms: u64,
        kind: Restart,
        share: u16,
    },
    CloseConnection {
        device: usize,
        code: u16,
    },
    Push {
        stream: Target,
        count: u32,
    },
    /// The server forgets what it need not remember: client ids that were away for long, and streams that nobody is connected to.
    Forget {
        streams: bool,
    },
    /// The server takes numbered messages later, and says meanwhile that it is there.
    HoldBack {
        ms: u64,
    },
    /// The server's clock is put forward or back.
    ServerClock {
        ms: i64,
    },
    /// An event that is not stored.
    Shout {
        device: usize,
    },
}

/// What is special about a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    pub bytes: u32,
    pub durable: bool,
    pub ttl_ms: Option<u64>,
    pub key: Option<u32>,
    pub reply_within_ms: Option<u64>,
    /// Whether it goes to a room that the application has joined, if there is one.
    pub to_room: bool,
    /// The close code with which the server ends every connection that brings the message.
    pub poison: Option<u16>,
}

/// How a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// What it wrote arrives, then the close.
    Orderly,
    /// The connection breaks at a byte.
    Crash,
    /// What it wrote arrives this much later.
    Linger(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Killed: connections break at some byte.
    Kill,
    /// Killed, and the network tells nobody.
    Vanish,
    /// Closes with 1012 first.
    Drain,
    /// Killed, and the memory is gone.
    Amnesia,
    /// Comes back knowing the reliable mode or not.
    Becomes { plain: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    User(u32),
    Room(u32),
}

impl Act {
    /// The device that it happens to, if it is only one.
    pub fn device(&self) -> Option<usize> {
        self.clone().device_mut().copied()
    }

    /// The same, to be changed.
    pub const fn device_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Send { device, .. }
            | Self::Burst { device, .. }
            | Self::Volatile { device, .. }
            | Self::Chat { device, .. }
            | Self::Join { device, .. }
            | Self::Leave { device, .. }
            | Self::Cancel { device, .. }
            | Self::Connect { device, .. }
            | Self::Disconnect { device, .. }
            | Self::Reconnect { device, .. }
            | Self::Reload { device, .. }
            | Self::Suspend { device, .. }
            | Self::ClockJump { device, .. }
            | Self::Cache { device, .. }
            | Self::Visible { device, .. }
            | Self::Offline { device, .. }
            | Self::Cut { device, .. }
            | Self::Linger { device, .. }
            | Self::BlackHole { device, .. }
            | Self::Stall { device, .. }
            | Self::Silence { device, .. }
            | Self::Refuse { device, .. }
            | Self::NoToken { device, .. }
            | Self::RefuseToken { device, .. }
            | Self::CloseConnection { device, .. }
            | Self::Shout { device, .. } => Some(device),
            Self::Restart { .. }
            | Self::Push { .. }
            | Self::Forget { .. }
            | Self::HoldBack { .. }
            | Self::ServerClock { .. } => None,
        }
    }
}

impl Note {
    pub const PLAIN: Self = Self {
        bytes: 120,
        durable: false,
        ttl_ms: None,
        key: None,
        reply_within_ms: None,
        to_room: false,
        poison: None,
    };
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setup { devices, server, chat, calm_at, calm_is_announced } = &self.setup;
        writeln!(
            f,
            "seed {}, faults stop at {calm_at} ms{}",
            self.seed,
            if *calm_is_announced { ", pages learn of it" } else { "" }
        )?;
        writeln!(f, "{server:?}")?;
        if let Some(chat) = chat {
            writeln!(f, "{chat:?}")?;
        }
        for (number, device) in devices.iter().enumerate() {
            writeln!(f, "device {number}: {device:?}")?;
        }
        self.steps.iter().try_for_each(|step| writeln!(f, "{:>7} {:?}", step.at, step.act))
    }
}
