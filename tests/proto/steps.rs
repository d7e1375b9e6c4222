//! Arbitrary histories: what applications, servers, networks and pages may do, in any order.

use everwire::proto::{Cause, Close, Config, Input, Overflow, Phase, Reason};
use everwire_kit::{ServerBehaviour, ServerMemory, SocketOutcome, TestHarness, message, note_of};
use proptest::prelude::*;
use serde_json::json;

#[derive(Clone, Debug)]
pub enum Step {
    Connect,
    Disconnect,
    Reconnect,
    TokenChanged,
    Note {
        padding: usize,
    },
    Typing,
    Join(u8),
    Leave(u8),
    Advance(u64),
    Suspend(u64),
    Sleep(u64),
    Online,
    Offline,
    Visible,
    Restored,
    StrayAlarm,
    Server(ServerBehaviour),
    ServerCloses(u16),
    ServerSpeaks(bool),
    StopAccepting {
        after: usize,
    },
    /// What the live socket takes from now on gets lost.
    Cut,
    /// Another server takes the place of this one: whether it knows the reliable mode, and whether it has lost its memory.
    Replace {
        is_reliable: bool,
        forgets: bool,
    },
    /// Whether the server acknowledges what it processes.
    Acknowledges(bool),
    LateInput {
        socket: usize,
        kind: u8,
    },
}

pub fn histories(length: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..length)
}

pub fn configs() -> impl Strategy<Value = Config> {
    let reconnect = (50..3_000_u64, 0..10_000_u64, 1.0..4.0_f64, 0.0..=1.0_f64, 0..7_u32, 0..10_000_u64);
    let heartbeat = (prop_oneof![4 => 1_000..40_000_u64, 1 => Just(u64::MAX)], 100..15_000_u64);
    let overflow = prop_oneof![Just(Overflow::DropOldest), Just(Overflow::DropNewest), Just(Overflow::Reject)];
    let reliable = any::<bool>();
    let queue = (0..8_u32, 0..2_000_u32, prop_oneof![1 => 1..20_000_u64, 1 => Just(u64::MAX)], overflow);
    (reconnect, heartbeat, 100..20_000_u64, queue, 1..400_u32, reliable).prop_map(
        |(reconnect, heartbeat, timeout, queue, bytes, reliable)| {
            let mut config = if reliable { Config::reliable() } else { Config::default() };
            let (initial, more, factor, jitter, attempts, stable) = reconnect;
            config.reconnect.initial_delay_ms = initial;
            config.reconnect.max_delay_ms = initial + more;
            config.reconnect.factor = factor;
            config.reconnect.jitter = jitter;
            config.reconnect.max_attempts = attempts;
            config.reconnect.stable_after_ms = stable;
            (config.heartbeat.interval_ms, config.heartbeat.timeout_ms) = heartbeat;
            config.connect_timeout_ms = timeout;
            (config.queue.max_messages, config.queue.max_bytes, config.queue.ttl_ms, config.queue.overflow) = queue;
            config.max_message_bytes = bytes;
            config
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Reconnect),
        1 => Just(Step::TokenChanged),
        10 => (0..300_usize).prop_map(|padding| Step::Note { padding }),
        2 => Just(Step::Typing),
        2 => (0..4_u8).prop_map(Step::Join),
        1 => (0..4_u8).prop_map(Step::Leave),
        10 => prop_oneof![Just(0), 0..100_u64, 0..12_000_u64].prop_map(Step::Advance),
        2 => (0..100_000_u64).prop_map(Step::Suspend),
        1 => (0..20_000_u64).prop_map(Step::Sleep),
        1 => Just(Step::Online),
        1 => Just(Step::Offline),
        1 => Just(Step::Visible),
        1 => Just(Step::Restored),
        1 => Just(Step::StrayAlarm),
        3 => server().prop_map(Step::Server),
        3 => code().prop_map(Step::ServerCloses),
        2 => any::<bool>().prop_map(Step::ServerSpeaks),
        3 => prop_oneof![Just(0), 0..4_usize].prop_map(|after| Step::StopAccepting { after }),
        2 => Just(Step::Cut),
        3 => (prop::bool::weighted(0.8), prop::bool::weighted(0.2))
            .prop_map(|(is_reliable, forgets)| Step::Replace { is_reliable, forgets }),
        1 => prop::bool::weighted(0.7).prop_map(Step::Acknowledges),
        2 => (any::<usize>(), 0..6_u8).prop_map(|(socket, kind)| Step::LateInput { socket, kind }),
    ]
}

fn server() -> impl Strategy<Value = ServerBehaviour> {
    let outcome = prop_oneof![
        6 => Just(SocketOutcome::Accept),
        1 => Just(SocketOutcome::Refuse),
        1 => Just(SocketOutcome::Silent),
        1 => Just(SocketOutcome::NoToken),
        1 => Just(SocketOutcome::TokenAbsent),
        2 => Just(SocketOutcome::AcceptAndTakeNothing),
        1 => code().prop_map(SocketOutcome::Close),
    ];
    let latency = prop_oneof![Just(0), 0..200_u64, 0..15_000_u64];
    (outcome, prop::bool::weighted(0.8), prop::bool::weighted(0.8), latency).prop_map(
        |(outcome, answers_pings, completes_closing, latency_ms)| ServerBehaviour {
            outcome,
            answers_pings,
            completes_closing,
            latency_ms,
        },
    )
}

fn code() -> impl Strategy<Value = u16> {
    let known = vec![1000, 1001, 1002, 1003, 1006, 1007, 1008, 1010, 1011, 1009, 1012, 1013, 4400, 4401, 4409, 4410];
    prop_oneof![3 => prop::sample::select(known), 1 => any::<u16>()]
}

/// What histories do to a harness.
pub trait Histories {
    /// Takes the step; `number` makes its message one of a kind.
    fn take(&mut self, step: Step, number: usize);

    /// From now on everything works, and the application wants a connection.
    fn recover(&mut self);
}

impl Histories for TestHarness {
    fn take(&mut self, step: Step, number: usize) {
        match step {
            Step::Connect => self.connect(),
            Step::Disconnect => self.disconnect(),
            Step::Reconnect => self.reconnect(),
            Step::TokenChanged => self.token_changed(),
            Step::Note { padding } => {
                let text = format!("{number}{}", ".".repeat(padding));
                let _answer = self.send(message("note", json!({ "text": text })));
            }
            Step::Typing => {
                let data = json!({ "match_id": number.to_string(), "is_typing": true });
                let _answer = self.send(message("typing", data));
            }
            Step::Join(session) => {
                let data = json!({ "session_id": session.to_string(), "text": number.to_string() });
                let _answer = self.send(message("join_session", data));
            }
            Step::Leave(session) => {
                let data = json!({ "session_id": session.to_string(), "text": number.to_string() });
                let _answer = self.send(message("leave_session", data));
            }
            Step::Advance(millis) => self.advance(millis),
            Step::Suspend(millis) => self.suspend(millis),
            Step::Sleep(millis) => self.sleep_without_alarm(millis),
            Step::Online => self.input(Input::NetworkOnline),
            Step::Offline => self.input(Input::NetworkOffline),
            Step::Visible => self.input(Input::PageVisible),
            Step::Restored => self.input(Input::PageRestored),
            Step::StrayAlarm => self.input(Input::Timeout),
            Step::Server(server) => self.server = server,
            Step::ServerCloses(code) if self.live().is_some() => self.close(code),
            Step::ServerSpeaks(pong) if self.live().is_some() => {
                self.push(json!({ "type": if pong { "pong" } else { "notification" }, "data": {} }));
            }
            Step::Cut if self.phase() == Phase::Open => self.cut(),
            Step::ServerCloses(_) | Step::ServerSpeaks(_) | Step::Cut => {}
            Step::Replace { is_reliable, forgets } => replace_server(self, is_reliable, forgets),
            Step::Acknowledges(acknowledges) => {
                if let Some(memory) = &mut self.memory {
                    memory.acknowledges = acknowledges;
                }
            }
            Step::StopAccepting { after } => self.stop_accepting_after(after),
            Step::LateInput { socket, kind } => late_input(self, socket, kind),
        }
    }

    fn recover(&mut self) {
        self.server = ServerBehaviour::default();
        if let Some(memory) = &mut self.memory {
            memory.acknowledges = true;
        }
        self.input(Input::NetworkOnline);
        self.connect();
    }
}

/// Servers that know the reliable mode share one memory, which outlives those that do not.
fn replace_server(harness: &mut TestHarness, is_reliable: bool, forgets: bool) {
    if harness.live().is_some() {
        harness.close(1006);
    }
    let mut memory = harness.memory.take().or_else(|| harness.shelved.take()).unwrap_or_default();
    if forgets {
        memory = ServerMemory { epoch: memory.epoch + 1, ..ServerMemory::default() };
    }
    *(if is_reliable { &mut harness.memory } else { &mut harness.shelved }) = Some(memory);
}

fn late_input(harness: &mut TestHarness, socket: usize, kind: u8) {
    let gone: Vec<_> = harness.sockets.iter().filter(|socket| !socket.is_live()).map(|socket| socket.id).collect();
    if gone.is_empty() {
        return;
    }
    let socket = gone[socket % gone.len()];
    let close = Close { code: 1002, reason: Reason::Peer(String::new()), was_clean: true };
    harness.assert_ignored(match kind {
        0 => Input::SocketOpened { socket },
        1 => Input::SocketClosed { socket, close },
        2 => Input::OpenFailed { socket, cause: Cause::NoSocket },
        3 => Input::TokenAbsent { socket },
        4 => Input::Frame { socket, frame: json!({ "type": "pong" }) },
        _ => Input::Undelivered { socket, messages: Vec::new() },
    });
}

/// A message of one of a few sizes, for histories that do not care what it says.
pub fn any_message() -> impl Strategy<Value = Box<everwire::proto::Message<String>>> {
    prop_oneof![
        (70..400_usize).prop_map(note_of),
        Just(message("ping", json!({}))),
        Just(message("join_session", json!({ "session_id": "s" }))),
        Just(message("leave_session", json!({ "session_id": "s" }))),
    ]
}
