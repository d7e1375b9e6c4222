//! The browser in virtual time: a host of the shipped driver.

use everwire::driver::{Driver, Host};
use everwire::proto::wire::{self, ReceiptStatus};
use everwire::proto::{
    Close, DropReason, Event, Message, ProtocolViolation, Purpose, RequestFailure, Sequence, SocketId, Timestamp,
};

use crate::model_server::sequence_of;
use crate::test_socket::{SentMessage, Stage, TestSocket};
use crate::{Json, TestHarness};

/// The browser around the client of a harness.
#[derive(Debug)]
pub struct VirtualBrowser<'a>(pub(crate) &'a mut TestHarness);

impl Host for VirtualBrowser<'_> {
    type Value = Json;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut Driver<Json>) -> R) -> R {
        look(&mut self.0.driver)
    }

    fn now(&mut self) -> Timestamp {
        self.0.time()
    }

    fn wall_clock_ms(&mut self) -> u64 {
        PAGE_LOADED_MS.saturating_add(self.0.now)
    }

    fn is_offline(&mut self) -> bool {
        self.0.is_offline
    }

    fn open(&mut self, attempt: SocketId, token_refused: bool) {
        let Self(harness) = self;
        harness.count_call(|| format!("Open {attempt:?} {token_refused}"));
        let live = harness.sockets.last().filter(|socket| socket.is_live());
        assert!(live.is_none(), "{attempt:?} opens beside {live:?}");
        harness.sockets.push(TestSocket::new(attempt, harness.now, token_refused));
        harness.answer_attempt(attempt);
    }

    fn send(&mut self, socket: SocketId, text: &String) -> Option<u64> {
        self.0.count_call(|| format!("Send {socket:?} {text}"));
        self.0.control_frame(socket, text).then_some(self.0.buffered)
    }

    fn transmit(&mut self, socket: SocketId, message: &Message<String>, sequence: Option<Sequence>) -> Option<u64> {
        let text =
            sequence.map_or_else(|| message.frame.clone(), |sequence| wire::with_sequence(&message.frame, sequence));
        self.0.count_call(|| format!("Transmit {socket:?} {text}"));
        self.0.hand_over(socket, message, sequence, text).then_some(self.0.buffered)
    }

    fn buffered(&mut self, socket: SocketId) -> u64 {
        self.0.count_call(|| format!("Measure {socket:?}"));
        self.0.assert_open(socket);
        self.0.buffered
    }

    fn close(&mut self, socket: SocketId) {
        let Self(harness) = self;
        harness.count_call(|| format!("Close {socket:?}"));
        assert!(harness.socket(socket).is_live(), "{socket:?} is closed after its end");
        harness.socket(socket).stage = Stage::Closing;
        if harness.server.completes_closing {
            harness.schedule(crate::Arrival::Closed(socket, 1000));
        }
    }

    fn abandon(&mut self, socket: SocketId) {
        let Self(harness) = self;
        harness.count_call(|| format!("Abandon {socket:?}"));
        assert!(harness.socket(socket).is_live(), "{socket:?} is abandoned after its end");
        harness.socket(socket).stage = Stage::Abandoned { at: harness.now };
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        assert!(delay_ms.is_none_or(|delay| delay <= LONGEST_DELAY_MS), "browsers fire {delay_ms:?} at once");
        self.0.alarm = delay_ms.map(|delay| self.0.now.saturating_add(delay));
    }

    fn set_active(&mut self, is_active: bool) {
        assert_ne!(self.0.is_active, is_active, "said twice");
        self.0.is_active = is_active;
    }

    fn frame(&mut self, frame: Json) {
        self.0.record(Event::Frame(frame));
    }

    fn opened(&mut self) {
        self.0.record(Event::Opened);
    }

    fn closed(&mut self, close: Close) {
        self.0.record(Event::Closed(close));
    }

    fn reconnecting(&mut self, attempt: u32, delay_ms: u64) {
        self.0.record(Event::Reconnecting { attempt, delay_ms });
    }

    fn gave_up(&mut self, attempts: u32) {
        self.0.record(Event::GaveUp { attempts });
    }

    fn transmitted(&mut self, seq: u64) {
        self.0.record(Event::Transmitted { seq });
    }

    fn acknowledged(&mut self, origin: Option<String>, seq: u64) {
        self.0.record(Event::Acknowledged { origin, seq });
    }

    fn refused(&mut self, seq: u64, data: Json) {
        self.0.record(Event::Refused { seq, data });
    }

    fn replied(&mut self, seq: u64, data: Json) {
        self.0.record(Event::Replied { seq, data });
    }

    fn receipt(&mut self, seq: u64, status: ReceiptStatus) {
        self.0.record(Event::Receipt { seq, status });
    }

    fn request_failed(&mut self, seq: u64, failure: RequestFailure) {
        self.0.record(Event::RequestFailed { seq, failure });
    }

    fn gap(&mut self, stream: String, from: u64, to: Option<u64>) {
        self.0.record(Event::Gap { stream, from, to });
    }

    fn violation(&mut self, violation: ProtocolViolation) {
        self.0.record(Event::Violation(violation));
    }

    fn dropped(&mut self, message: Box<Message<String>>, reason: DropReason) {
        self.0.record(Event::Dropped { message, reason });
    }

    fn changed(&mut self, phase: bool) {
        self.0.record(Event::Changed { phase });
    }

    fn deliver(&mut self) {
        self.0.conclude();
        self.0.settle_refusals();
        if let Some(react) = self.0.reaction.take() {
            react(self.0);
        }
    }
}

impl TestHarness {
    /// The socket takes a message, or refuses it. Returns whether it took it.
    fn hand_over(&mut self, id: SocketId, message: &Message<String>, sequence: Option<Sequence>, text: String) -> bool {
        self.assert_open(id);
        let socket = self.socket(id);
        let is_taken = socket.room > 0;
        socket.room -= usize::from(is_taken);
        self.has_refused |= !is_taken;
        self.follow(id, message, sequence, is_taken);
        if is_taken {
            let frame: Json = serde_json::from_str(&text).expect("the client writes JSON");
            assert!(self.breaks_contract || sequence_of(&frame) == sequence, "what {text} says of its place");
            self.receive(id, &frame);
            if self.is_recording {
                self.socket(id).texts.push(text.clone());
                self.socket(id).sent.push(SentMessage { text, purpose: message.purpose.clone(), sequence });
            }
        }
        is_taken
    }

    /// What becomes of a message, whatever it says.
    fn follow(&mut self, id: SocketId, message: &Message<String>, sequence: Option<Sequence>, is_taken: bool) {
        if self.breaks_contract {
            return;
        }
        let most_rejoined = (self.config.queue.max_messages as usize)
            .saturating_add(everwire::proto::MAX_SESSIONS)
            .saturating_add(self.messages.restored());
        let socket = self.socket(id);
        if matches!(message.purpose, Purpose::Rejoin(_)) {
            socket.rejoined += 1;
            // Joins that wait are not counted until they are sent.
            assert!(socket.rejoined <= most_rejoined, "{} sessions are joined again", socket.rejoined);
        } else if let Some(sequence) = sequence {
            assert_eq!(message.seq, sequence.seq);
            assert_eq!(message.origin, socket.origin, "a message goes out under another client id");
            socket.number(sequence);
            if message.origin.is_none() {
                self.sent = self.sent.max(sequence.seq);
            }
            self.messages.number(message);
        } else if is_taken {
            if message.origin.is_none() && message.purpose != Purpose::Volatile {
                assert!(socket.window.is_none(), "{message:?} goes out without its sequence");
                assert!(message.seq > socket.latest_plain, "{message:?} goes out after {}", socket.latest_plain);
                socket.latest_plain = message.seq;
            }
            self.messages.end(message);
        } else {
            self.messages.not_taken(message);
        }
    }

    fn assert_open(&mut self, socket: SocketId) {
        assert_eq!(self.socket(socket).stage, Stage::Open, "{socket:?} is used");
    }

    /// Counts what the client does in one turn, so that a client that goes on for ever is noticed.
    pub(crate) fn count_call(&mut self, words: impl Fn() -> String) {
        self.calls += 1;
        let most = 8 * self.messages.accepted() + 8 * self.unmodelled + MAX_STREAMS + 64;
        assert!(self.calls <= most, "more than {most} effects: {}", words());
        if self.is_recording {
            self.trace.push(format!("{} {}", self.now, words()));
        }
    }
}

/// When the page was loaded, in milliseconds since the Unix epoch.
const PAGE_LOADED_MS: u64 = 1_700_000_000_000;
/// Browsers fire longer timeouts at once (HTML, timers: the delay is a signed 32-bit integer).
const LONGEST_DELAY_MS: u64 = i32::MAX as u64;
/// docs/PROTOCOL.md: as many streams as a hello may name.
const MAX_STREAMS: usize = 256;
