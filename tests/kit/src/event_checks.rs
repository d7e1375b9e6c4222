//! What holds of everything that the application is told, and of everything that the server says.

use everwire::proto::wire::{self, Frame, FrameKind, StreamOffset, Welcome};
use everwire::proto::{DropReason, Event, Message, Overflow, Phase, SocketId};

use crate::test_socket::Stage;
use crate::{Json, TestHarness};

impl TestHarness {
    /// The application is told of an event.
    pub(crate) fn record(&mut self, event: Event<Json>) {
        self.count_call(|| format!("{event:?}"));
        if let Event::Changed { phase } = event {
            self.announced = Some(phase || self.announced == Some(true));
        }
        if !self.breaks_contract {
            self.check_event(&event);
        }
        if self.is_recording {
            self.events.push((self.now, event));
        }
    }

    fn check_event(&mut self, event: &Event<Json>) {
        match event {
            Event::Frame(frame) => self.check_delivery(frame),
            Event::Acknowledged { origin, seq } => {
                self.messages.acknowledge(origin.as_ref(), *seq);
                let socket = self.sockets.last_mut().expect("something was sent");
                assert_eq!(*origin, socket.origin, "an acknowledgement for another client id");
                assert!(*seq <= socket.latest, "{seq} was never sent");
                socket.acknowledge(*seq);
            }
            Event::Replied { seq, .. } => {
                assert!(self.messages.answer(*seq), "a reply to {seq}, which had ended before");
            }
            Event::Refused { seq, .. } => {
                self.assert_sent(*seq);
                self.messages.answer(*seq);
            }
            Event::Receipt { seq, .. } => self.assert_sent(*seq),
            Event::RequestFailed { seq, .. } => {
                let was_waited_for = self.messages.fail_request(*seq, self.has_refused);
                assert!(was_waited_for, "request {seq} fails, and had ended before");
            }
            Event::Dropped { message, reason } => self.check_drop(message, *reason),
            Event::Violation(violation) => {
                assert!(self.config.reliable);
                if let Some(socket) = self.sockets.last_mut() {
                    socket.violations += 1;
                    assert!(socket.violations <= REPORTED_VIOLATIONS, "{violation:?} is reported once too often");
                }
            }
            Event::Gap { stream, from, to } => {
                assert!((1..=LONGEST_NAME).contains(&stream.len()) && to.is_none_or(|to| *from <= to), "{event:?}");
                if to.is_none() {
                    // The stream begins again, wherever the server says.
                    self.delivered.remove(stream);
                }
            }
            Event::Transmitted { seq } => self.assert_sent(*seq),
            Event::Opened
            | Event::Closed(_)
            | Event::Reconnecting { .. }
            | Event::GaveUp { .. }
            | Event::Changed { .. } => {}
        }
    }

    fn assert_sent(&self, seq: u64) {
        assert!((1..=self.client().latest_seq()).contains(&seq), "{seq} was never sent");
    }

    fn check_drop(&mut self, message: &Message<String>, reason: DropReason) {
        if message.seq == 0 {
            let pending = self.pending.as_mut().filter(|pending| pending.frame == message.frame);
            let pending = pending.unwrap_or_else(|| panic!("{message:?} was refused, and not now"));
            assert!(!std::mem::replace(&mut pending.is_reported, true), "reported twice");
            assert_eq!((reason, self.config.queue.overflow), (DropReason::Overflow, Overflow::DropNewest));
            return;
        }
        self.messages.drop_message(message);
        assert!(reason != DropReason::Poisoned || self.strikes >= MOST_STRIKES, "{} strikes only", self.strikes);
    }

    /// Events of a stream come once and in order, and what only the state machine is to know does not come at all.
    fn check_delivery(&mut self, frame: &Json) {
        if !self.config.reliable {
            return;
        }
        let Frame { kind, place, is_own } = wire::decode(frame, self.client().client_id());
        assert!(!is_own, "{frame} is this client's own doing");
        let is_for_the_application =
            matches!(kind, FrameKind::Event | FrameKind::Pong | FrameKind::HelloRefused | FrameKind::Refused { .. });
        assert!(is_for_the_application, "{frame} reaches the application");
        let Some(StreamOffset { stream, offset, .. }) = place else { return };
        let position = self.client().positions().find(|(name, _)| **name == stream).map(|(_, at)| at);
        // Without a position, events are delivered at most once.
        let Some(position) = position else { return };
        assert_eq!(position, offset, "where {stream} stands");
        let latest = self.delivered.insert(stream, offset);
        assert!(latest.is_none_or(|latest| offset > latest), "{frame} comes after {latest:?}");
    }

    /// What the server and the network take to have happened when the client hears a frame.
    pub(crate) fn note_frame(&mut self, id: SocketId, frame: &Json) {
        let phase = self.client().snapshot().phase;
        let is_heard = self.socket(id).stage == Stage::Open && matches!(phase, Phase::Connecting | Phase::Open);
        if !self.config.reliable || self.breaks_contract || !is_heard {
            return;
        }
        let Frame { kind, place, .. } = wire::decode(frame, self.client().client_id());
        let socket = self.socket(id);
        match kind {
            FrameKind::Welcome(welcome) if socket.awaits_welcome => {
                let Welcome { epoch, last, window, max_bytes, .. } = welcome;
                socket.welcome(window, last);
                self.smallest_limit = self.smallest_limit.min(max_bytes);
                if epoch > self.epoch {
                    self.epoch = epoch;
                    self.delivered.clear();
                }
            }
            FrameKind::Ack { seq } if place.is_none() => socket.acknowledge(seq),
            // A server that does not know the reliable mode.
            FrameKind::Pong | FrameKind::HelloRefused if phase == Phase::Connecting => socket.awaits_welcome = false,
            _ => {}
        }
    }
}

/// How many connections a server ends over a message before it is given up.
const MOST_STRIKES: u32 = 3;
/// How many violations of one connection are reported.
const REPORTED_VIOLATIONS: u32 = 10;
/// The longest name of a stream that a hello may say, in bytes (docs/PROTOCOL.md).
const LONGEST_NAME: usize = 128;
