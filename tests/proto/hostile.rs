//! No input, in whatever order and at whatever time, makes the machine panic or outgrow its bounds.

use everwire::proto::{Cause, Client, Close, Config, Input, Message, Output, Reason, SocketId, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use crate::steps::{any_message, configs};
use crate::wire::Envelope;

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
    Frame(usize, bool),
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
        2 => (0..4_usize, any::<bool>()).prop_map(|(back, pong)| Act::Frame(back, pong)),
        2 => (0..4_usize, prop::collection::vec(any_message(), 0..4)).prop_map(|(back, all)| Act::Undelivered(back, all)),
        4 => (0..5_u8).prop_map(Act::Plain),
    ]
}

fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..100_000_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn input(act: Act, socket: SocketId) -> Option<Input<String, Envelope>> {
    Some(match act {
        Act::Connect | Act::Disconnect | Act::Reconnect | Act::Send(_) => return None,
        Act::Opened(_) => Input::SocketOpened { socket },
        Act::Closed(_, code, reason) => {
            Input::SocketClosed { socket, close: Close { code, reason: Reason::Peer(reason), was_clean: false } }
        }
        Act::Failed(_) => Input::OpenFailed { socket, cause: Cause::NoSocket },
        Act::Frame(_, pong) => {
            Input::Frame { socket, payload: Envelope(json!({ "type": if pong { "pong" } else { "x" } })) }
        }
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
    let mut client: Client<String, Envelope> = Client::new(config, seed).expect("the options are valid");
    let mut sockets = Vec::new();
    for (act, now) in acts {
        let now = Timestamp::from_millis(now);
        match &act {
            Act::Connect => client.connect(now),
            Act::Disconnect => client.disconnect(now),
            Act::Reconnect => client.reconnect(now),
            Act::Send(message) => drop(client.send(message.clone(), now)),
            _ => {
                let known = sockets.iter().rev().nth(steps_back(&act)).copied();
                if let Some(input) = known.and_then(|socket| input(act, socket)) {
                    client.handle_input(input, now);
                }
            }
        }
        while let Some(output) = client.poll_output() {
            if let Output::Open { socket, .. } = output {
                sockets.push(socket);
            }
        }
        let snapshot = client.snapshot();
        assert!(snapshot.queued <= bounds.max_messages as usize, "{} messages wait", snapshot.queued);
        assert!(snapshot.queued_bytes <= u64::from(bounds.max_bytes), "{} bytes wait", snapshot.queued_bytes);
        let _deadline = client.poll_timeout();
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
