//! The sockets of one run, as the browser and the server see them.

use std::collections::VecDeque;

use everwire::proto::{Sequence, SocketId};

use super::world::Text;

#[derive(Debug)]
pub(super) struct Socket {
    pub id: SocketId,
    pub stage: Stage,
    pub is_deaf: bool,
    /// What `bufferedAmount` says.
    pub buffered: u64,
    /// Whether a hello is unanswered.
    pub greets: bool,
    /// For whose messages the latest hello was.
    pub sender: Option<Text>,
    /// What the latest welcome granted, and how far it said the server was.
    pub granted: Option<(u32, u64)>,
    /// The latest acknowledgement, or what the welcome named.
    pub acked: u64,
    /// The sequence that were sent since the latest welcome and are not acknowledged.
    pub unacknowledged: VecDeque<u64>,
    /// The number that was sent last, or that the welcome named.
    pub latest: u64,
    /// The number of this client's own that was sent last without sequence in its envelope.
    pub plain: u64,
    pub violations: u32,
    pub rejoined: usize,
}

/// How far the browser's socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Attempt,
    Open,
    Closing,
    Gone,
}

impl Socket {
    pub fn new(id: SocketId) -> Self {
        Self {
            id,
            stage: Stage::Attempt,
            is_deaf: false,
            buffered: 0,
            greets: false,
            sender: None,
            granted: None,
            acked: 0,
            unacknowledged: VecDeque::new(),
            latest: 0,
            plain: 0,
            violations: 0,
            rejoined: 0,
        }
    }

    pub fn is_live(&self) -> bool {
        self.stage != Stage::Gone
    }

    pub fn greet(&mut self, sender: Option<Text>) {
        assert!(self.unacknowledged.is_empty(), "a hello while {:?} are under way", self.unacknowledged);
        (self.greets, self.sender, self.granted) = (true, sender, None);
    }

    pub fn welcome(&mut self, window: u32, last: u64) {
        if self.greets {
            (self.greets, self.latest, self.acked) = (false, last, last);
            self.granted = Some((window.clamp(1, LARGEST_WINDOW), last));
        }
    }

    pub fn acknowledge(&mut self, seq: u64) {
        if seq <= self.latest && seq >= self.acked {
            self.acked = seq;
            while self.unacknowledged.pop_front_if(|sent| *sent <= seq).is_some() {}
        }
    }

    /// A message went out with sequence.
    pub fn number(&mut self, sequence: Sequence) {
        let Some((window, _)) = self.granted else { panic!("{sequence:?} before a welcome") };
        let Sequence { seq, prev } = sequence;
        assert_eq!(prev, self.latest, "{seq} does not name the one before it");
        assert!(seq > prev, "{seq} after {prev}");
        self.latest = seq;
        self.unacknowledged.push_back(seq);
        let under_way = self.unacknowledged.len();
        assert!(under_way <= window as usize, "{under_way} messages under way in a window of {window}");
    }
}

/// docs/PROTOCOL.md, "Hello and welcome".
const LARGEST_WINDOW: u32 = 1_024;
