//! One run: the harness, and what the fuzzer has made up for it.

use everwire::proto::{self, Config, Message, SocketId};
use everwire_kit::{ServerBehaviour, TestHarness};

use super::script::{Draft, Leftover, Number, Purpose, Size, Span, Which};

pub(super) struct Run {
    pub harness: TestHarness,
    /// How many texts were made up that were not there before.
    fresh: usize,
}

impl Run {
    pub fn new(config: Config, seed: u64) -> Self {
        let mut harness = TestHarness::seeded(config, seed);
        harness.server = ServerBehaviour::silent();
        harness.is_recording = false;
        Self { harness, fresh: 0 }
    }

    /// Moves the clock. What is beyond all clocks is wild.
    pub fn jump(&mut self, now: u64) {
        self.harness.now = now;
        self.harness.breaks_contract |= now > LATEST;
    }

    pub fn pick(&self, which: Which) -> Option<SocketId> {
        let back = match which {
            Which::Live => 0,
            Which::Back(back) => usize::from(back) % 4,
        };
        self.harness.sockets.iter().rev().nth(back).map(|socket| socket.id)
    }

    pub fn number(&self, number: Number) -> u64 {
        let sent = || self.harness.sockets.last().map_or(0, |socket| socket.latest);
        match number {
            Number::Small(number) => u64::from(number),
            Number::Sent(more) => sent().saturating_add_signed(beside(more)),
            Number::Latest(more) => self.harness.client().latest_seq().saturating_add_signed(beside(more)),
            Number::Safe => (1 << 53) - 1,
            Number::Most => u64::MAX,
            Number::Any(number) => number,
        }
    }

    pub fn message(&mut self, draft: &Draft) -> Box<Message<String>> {
        let bytes = match draft.bytes {
            Size::Small(bytes) => u32::from(bytes),
            Size::Any(bytes) => bytes,
        };
        let number = self.fresh();
        let frame = format!(r#"{{"type":"message","data":{{"number":{number}}},"timestamp":0}}"#);
        let purpose = match draft.purpose {
            Purpose::Ordinary => proto::Purpose::Ordinary,
            Purpose::Volatile => proto::Purpose::Volatile,
            Purpose::Join(session) => proto::Purpose::Join(format!("session {}", session % 4)),
            Purpose::JoinAnother => proto::Purpose::Join(format!("another session {number}")),
            Purpose::Leave(session) => proto::Purpose::Leave(format!("session {}", session % 4)),
        };
        let mut message = Message::new(frame, bytes, purpose);
        message.policy.ttl_ms = draft.ttl.map(span);
        message.policy.coalesce = draft.key.map(|key| format!("key {}", key % 4));
        message.policy.rank = u64::from(draft.rank % 4);
        message.policy.awaits_storage = draft.awaits_storage;
        message.policy.reply_within_ms = draft.reply_within.map(span);
        message
    }

    /// What one previous client instance has left, in order.
    #[expect(clippy::vec_box, reason = "the client takes messages boxed")]
    pub fn leftovers(&mut self, leftovers: &[Leftover]) -> Vec<Box<Message<String>>> {
        let origin = format!("previous-instance-{}", self.fresh());
        let mut seq = 0;
        let mut messages = Vec::new();
        for Leftover { draft, skipped, age } in leftovers {
            let mut message = self.message(draft);
            if message.purpose == proto::Purpose::Volatile {
                message.purpose = proto::Purpose::Ordinary;
            }
            seq += 1 + u64::from(*skipped);
            (message.seq, message.origin) = (seq, Some(origin.clone()));
            message.age_ms = age.map_or(0, span);
            messages.push(message);
        }
        messages
    }

    fn fresh(&mut self) -> usize {
        self.fresh += 1;
        self.fresh
    }
}

/// Mostly none at all.
pub(super) const fn beside(more: i8) -> i64 {
    more as i64 / 24
}

const fn span(span: Span) -> u64 {
    match span {
        Span::Short(ms) => ms as u64,
        Span::Long(ms) => ms as u64,
        Span::Any(ms) => ms,
    }
}

/// Later than any clock of a browser, and early enough that no span from here reaches the end of time unless it is meant to.
const LATEST: u64 = 1 << 53;
