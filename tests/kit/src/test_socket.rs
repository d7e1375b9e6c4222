//! One attempt and the socket that it made, as the browser and the server see it.

use std::collections::VecDeque;

use everwire::proto::{Purpose, Sequence, SocketId};

use crate::label;

/// One attempt and the socket that it made.
#[derive(Debug)]
pub struct TestSocket {
    /// Its name.
    pub id: SocketId,
    /// When the client asked for it, in milliseconds.
    pub asked_at: u64,
    /// Whether the client said that the previous token was refused.
    pub token_refused: bool,
    /// How far it has come.
    pub stage: Stage,
    /// How many messages it still takes.
    pub room: usize,
    /// Whether what it takes gets lost on the way.
    pub is_cut: bool,
    /// Every text that it was handed and took, in order.
    pub texts: Vec<String>,
    /// The messages that it took.
    pub sent: Vec<SentMessage>,
    /// When each ping was sent.
    pub pings: Vec<u64>,
    /// Every hello in words: `hello user=13`, `hello as earlier`.
    pub hellos: Vec<String>,
    /// Whether a hello is unanswered.
    pub awaits_welcome: bool,
    /// The previous client instance that the latest hello named; `None` is the client itself.
    pub origin: Option<String>,
    /// The window that the latest welcome granted.
    pub window: Option<u32>,
    /// The number that was sent last, or that the welcome named.
    pub latest: u64,
    /// The latest acknowledgement, or what the welcome named.
    pub acked: u64,
    /// The numbers that were sent since the latest welcome and are not acknowledged.
    pub unacknowledged: VecDeque<u64>,
    /// The number of the client's own message that was sent last without a sequence in its envelope.
    pub latest_plain: u64,
    /// How many violations of the protocol were reported.
    pub violations: u32,
    /// How many sessions were entered again.
    pub rejoined: usize,
}

/// How far a socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is not open yet.
    Attempt,
    /// It takes frames.
    Open,
    /// The client has started the closing handshake.
    Closing,
    /// It is closed, or its handshake has failed.
    Closed,
    /// The client has abandoned it.
    Abandoned {
        /// When, in milliseconds.
        at: u64,
    },
}

/// A message that a socket took.
#[derive(Debug)]
pub struct SentMessage {
    /// The text that would go over the network.
    pub text: String,
    /// What the message is for.
    pub purpose: Purpose,
    /// The sequence that the text has.
    pub sequence: Option<Sequence>,
}

impl SentMessage {
    /// What it says, short enough to compare.
    pub fn label(&self) -> String {
        label(&self.text)
    }
}

impl TestSocket {
    pub(crate) fn new(id: SocketId, asked_at: u64, token_refused: bool) -> Self {
        Self {
            id,
            asked_at,
            token_refused,
            stage: Stage::Attempt,
            room: usize::MAX,
            is_cut: false,
            texts: Vec::new(),
            sent: Vec::new(),
            pings: Vec::new(),
            hellos: Vec::new(),
            awaits_welcome: false,
            origin: None,
            window: None,
            latest: 0,
            acked: 0,
            unacknowledged: VecDeque::new(),
            latest_plain: 0,
            violations: 0,
            rejoined: 0,
        }
    }

    /// Whether the client still has to do with it.
    pub const fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Attempt | Stage::Open | Stage::Closing)
    }

    /// What the messages say that it took.
    pub fn labels(&self) -> Vec<String> {
        self.sent.iter().map(SentMessage::label).collect()
    }

    pub(crate) fn hello(&mut self, origin: Option<String>) {
        assert!(self.unacknowledged.is_empty(), "a hello while {:?} are under way", self.unacknowledged);
        (self.awaits_welcome, self.origin, self.window) = (true, origin, None);
    }

    pub(crate) fn welcome(&mut self, window: u32, last: u64) {
        (self.awaits_welcome, self.latest, self.acked) = (false, last, last);
        self.window = Some(window);
    }

    pub(crate) fn acknowledge(&mut self, seq: u64) {
        if seq <= self.latest && seq >= self.acked {
            self.acked = seq;
            while self.unacknowledged.pop_front_if(|sent| *sent <= seq).is_some() {}
        }
    }

    /// A message went out with this sequence.
    pub(crate) fn number(&mut self, sequence: Sequence) {
        let Some(window) = self.window else { panic!("{sequence:?} before a welcome") };
        let Sequence { seq, prev } = sequence;
        assert_eq!(prev, self.latest, "the number before {seq}");
        assert!(prev < seq, "{seq} cannot follow {prev}");
        self.latest = seq;
        self.unacknowledged.push_back(seq);
        let under_way = self.unacknowledged.len();
        assert!(under_way <= window as usize, "{under_way} messages are under way in a window of {window}");
    }
}
