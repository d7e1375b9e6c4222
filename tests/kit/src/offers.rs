//! What the application hands to the client, takes back and forgets.

use everwire::driver;
use everwire::proto::{Client, Input, Message, Phase, Purpose, Refusal, Refused, Sent};

use crate::{TestHarness, label, note};

/// A message that the client is about to judge.
#[derive(Debug)]
pub(crate) struct PendingMessage {
    pub frame: String,
    /// The number that it gets if it is accepted.
    seq: u64,
    /// Whether it was reported as dropped, as a message may be that is refused.
    pub is_reported: bool,
}

/// What can be said of a message before the client has judged it.
struct Offer {
    frame: String,
    /// The number that it gets if it is accepted.
    seq: u64,
    is_open: bool,
    /// Whether the client has promised room for it.
    must_fit: bool,
}

impl TestHarness {
    /// The application sends a message. The answer is that of the state machine.
    pub fn send(&mut self, message: Box<Message<String>>) -> Result<Sent, Refused<String>> {
        let offer = self.offer(&message);
        let send = |client: &mut Client<_>, now| client.send(message, now);
        let answer = self.turn(|browser| driver::command(browser, send));
        if self.is_recording {
            self.trace.push(format!("{} {answer:?}", self.now));
        }
        match &answer {
            _ if self.breaks_contract => {}
            Ok(sent) => {
                assert!(self.client().latest_seq() >= offer.seq);
                assert!(
                    !offer.must_fit || !offer.is_open || *sent == Sent::Now,
                    "there was room, and the message waits"
                );
            }
            Err(Refused { refusal, message, .. }) => {
                assert!(!offer.must_fit, "there was room, and the message is refused: {refusal:?}");
                assert_eq!((&message.frame, message.seq), (&offer.frame, 0), "another message is handed back");
            }
        }
        answer
    }

    /// The application sends a message. The answer is that of the driver, which knows whether the socket took it.
    pub fn submit(&mut self, message: Box<Message<String>>) -> Result<(Sent, u64), Refusal> {
        self.offer(&message);
        self.turn(|browser| driver::send(browser, message))
    }

    /// Sends an ordinary message that must be accepted.
    pub fn say(&mut self, text: &str) -> Sent {
        self.send(note(text)).expect("the message is accepted")
    }

    /// The application takes back a message. Returns whether it was in time.
    pub fn cancel(&mut self, seq: u64) -> bool {
        self.input(Input::Timeout);
        let waits = self.messages.waits(seq);
        if waits == Some(true) && !self.breaks_contract {
            self.messages.take_back(seq);
        }
        let is_taken = self.turn(|browser| driver::command(browser, |client, now| client.cancel(seq, now)));
        assert!(self.breaks_contract || waits.is_none_or(|waits| waits == is_taken), "{seq} is taken back: {is_taken}");
        is_taken
    }

    /// A message is on disk, or cannot be.
    pub fn stored(&mut self, seq: u64) {
        self.turn(|browser| driver::command(browser, |client, now| client.stored(seq, now)));
    }

    /// The client is given what previous client instances have left.
    pub fn restore(&mut self, messages: impl IntoIterator<Item = Box<Message<String>>>) {
        let messages: Vec<_> = messages.into_iter().collect();
        self.has_awaited_storage |= messages.iter().any(|message| message.policy.awaits_storage);
        if self.breaks_contract {
            self.unmodelled += messages.len();
        } else {
            messages.iter().for_each(|message| self.messages.accept(message));
        }
        self.turn(|browser| driver::command(browser, |client, now| client.restore(messages, now)));
    }

    /// The application forgets everything.
    pub fn forget(&mut self) {
        self.delivered.clear();
        self.turn(|browser| driver::command(browser, Client::forget));
    }

    fn offer(&mut self, message: &Message<String>) -> Offer {
        let seq = self.client().latest_seq() + 1;
        let snapshot = self.client().snapshot();
        let is_open = snapshot.phase == Phase::Open;
        let is_plain = message.purpose == Purpose::Ordinary && message.policy.reply_within_ms.is_none();
        // What awaits storage waits in the queue even if the connection is open.
        let is_free = !is_open || !message.policy.awaits_storage;
        let limit = u64::from(self.config.max_message_bytes).min(self.smallest_limit);
        let is_due = self.deadline().is_some_and(|(at, _)| at <= self.now);
        let must_fit = snapshot.has_room && is_plain && is_free && u64::from(message.bytes) <= limit && !is_due;
        self.has_awaited_storage |= message.policy.awaits_storage;
        self.pending = Some(PendingMessage { frame: message.frame.clone(), seq, is_reported: false });
        if self.breaks_contract {
            self.unmodelled += 1;
        } else {
            let mut accepted = message.clone();
            accepted.seq = seq;
            self.messages.accept(&accepted);
        }
        Offer { frame: message.frame.clone(), seq, is_open, must_fit }
    }

    /// The client has judged the pending message.
    pub(crate) fn conclude(&mut self) {
        let Some(PendingMessage { frame, seq, .. }) = self.pending.take() else { return };
        let is_accepted = self.client().latest_seq() >= seq;
        if is_accepted && self.is_recording {
            self.accepted.push(label(&frame));
        }
        if !is_accepted && !self.breaks_contract {
            self.messages.refuse(seq);
        }
    }
}
