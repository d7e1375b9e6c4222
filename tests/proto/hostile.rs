//! No input, in whatever order and at whatever time, makes the machine panic or outgrow its bounds.

use everwire::proto::{Cause, Close, Config, Input, Message, Reason, SocketId};
use everwire_kit::{Json, ServerBehaviour, TestHarness};
use proptest::prelude::*;
use serde_json::json;

use crate::steps::{any_message, configs};

type Boxed = Box<Message<String>>;

#[derive(Clone, Debug)]
enum Act {
    Connect,
    Disconnect,
    Reconnect,
    Send(Boxed),
    Opened(usize),
    Closed(usize, u16, String),
    Failed(usize),
    Frame(usize, Json),
    Undelivered(usize, Vec<Boxed>),
    Plain(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Connect),
        1 => Just(Act::Disconnect),
        1 => Just(Act::Reconnect),
        4 => any_message().prop_map(Act::Send),
        6 => (0..4_usize).prop_map(Act::Opened),
        4 => (0..4_usize, any::<u16>(), ".{0,8}").prop_map(|(back, code, reason)| Act::Closed(back, code, reason)),
        1 => (0..4_usize).prop_map(Act::Failed),
        4 => (0..4_usize, frame()).prop_map(|(back, frame)| Act::Frame(back, frame)),
        2 => (0..4_usize, prop::collection::vec(any_message(), 0..4)).prop_map(|(back, all)| Act::Undelivered(back, all)),
        4 => (0..5_u8).prop_map(Act::Plain),
    ]
}

fn frame() -> impl Strategy<Value = Json> {
    let kind = prop::sample::select(vec!["pong", "x", "welcome", "ack", "error", "reply", "receipt", "stream"]);
    let number = prop_oneof![4 => (0..4_u64).prop_map(Json::from), 1 => any::<u64>().prop_map(Json::from), 1 => Just(Json::Null)];
    (kind, number, any::<bool>()).prop_map(|(kind, number, is_stored)| {
        let mut frame = json!({
            "type": kind,
            "data": { "seq": number, "epoch": 1, "version": 1, "last": number, "stream": "user", "offset": number },
        });
        if is_stored {
            (frame["stream"], frame["offset"]) = ("user".into(), number);
        }
        frame
    })
}

fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..100_000_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn input(act: Act, socket: SocketId) -> Option<Input<Json>> {
    Some(match act {
        Act::Connect | Act::Disconnect | Act::Reconnect | Act::Send(_) => return None,
        Act::Opened(_) => Input::SocketOpened { socket },
        Act::Closed(_, code, reason) => {
            Input::SocketClosed { socket, close: Close { code, reason: Reason::Peer(reason), was_clean: false } }
        }
        Act::Failed(_) => Input::OpenFailed { socket, cause: Cause::NoSocket },
        Act::Frame(_, frame) => Input::Frame { socket, frame },
        Act::Undelivered(_, messages) => Input::Undelivered { socket, messages },
        Act::Plain(0) => Input::NetworkOnline,
        Act::Plain(1) => Input::NetworkOffline,
        Act::Plain(2) => Input::PageVisible,
        Act::Plain(3) => Input::PageRestored,
        Act::Plain(_) => Input::Timeout,
    })
}

const fn steps_back(act: &Act) -> usize {
    match act {
        Act::Opened(back)
        | Act::Closed(back, ..)
        | Act::Failed(back)
        | Act::Frame(back, _)
        | Act::Undelivered(back, _) => *back,
        Act::Connect | Act::Disconnect | Act::Reconnect | Act::Send(_) | Act::Plain(_) => 0,
    }
}

fn run(config: Config, seed: u64, acts: Vec<(Act, u64)>) {
    let bounds = config.queue.clone();
    let mut harness = TestHarness::seeded(config, seed);
    harness.server = ServerBehaviour::silent();
    harness.breaks_contract = true;
    for (act, now) in acts {
        harness.now = now;
        match &act {
            Act::Connect => harness.connect(),
            Act::Disconnect => harness.disconnect(),
            Act::Reconnect => harness.reconnect(),
            Act::Send(message) => drop(harness.send(message.clone())),
            _ => {
                let known = harness.sockets.iter().rev().nth(steps_back(&act)).map(|socket| socket.id);
                if let Some(input) = known.and_then(|socket| input(act, socket)) {
                    harness.unmodelled += 4;
                    harness.input(input);
                }
            }
        }
        let snapshot = harness.client().snapshot();
        assert!(snapshot.queued <= bounds.max_messages as usize, "{} messages wait", snapshot.queued);
        assert!(snapshot.queued_bytes <= u64::from(bounds.max_bytes), "{} bytes wait", snapshot.queued_bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_inputs_and_no_clock_panics(
        config in configs(), seed: u64, acts in prop::collection::vec((act(), moment()), 1..60),
    ) {
        run(config, seed, acts);
    }
}
