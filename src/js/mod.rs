//! The JavaScript face: exports that the npm package calls with nothing but numbers. No logic of its own.
//!
//! Plain functions on a pointer, because a class of wasm-bindgen takes a kilobyte and a half of code to guard what the package, the only
//! caller, guarantees: that it makes the client the current one of `host.js`, passes what [`everwire_create`] has returned, and
//! disposes of it once, when nothing can call it any more. A handler may call back into the client that calls it.

#![allow(unsafe_code, reason = "exporting a symbol is called unsafe because another crate could use its name")]

mod face;
mod host;
mod options;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::browser::Driver;
use crate::browser::frame::message;
use crate::proto::{Refusal, Sent};
use face::{JsFace, show};

/// One client, as the npm package sees it. Its arguments have been checked in JavaScript.
type Client = Driver<JsFace>;

/// A client with the options of the current one.
#[unsafe(no_mangle)]
extern "C" fn everwire_create() -> Box<Client> {
    let client = Client::new(options::config(), JsFace);
    client.look(|core| show(&core.snapshot()));
    Box::new(client)
}

/// Frees a client that nothing refers to.
#[unsafe(no_mangle)]
extern "C" fn everwire_dispose(_: Box<Client>) {}

/// A fact, by its number in `host.js`. Says of a frame whether to deliver it.
#[unsafe(no_mangle)]
extern "C" fn everwire_signal(client: &Client, now: f64, fact: u32, a: f64, b: f64, c: f64) -> bool {
    client.signal(now, fact, a, b, c)
}

/// What the constants in the package's `client.ts` name. Says whether it was in time.
#[unsafe(no_mangle)]
extern "C" fn everwire_command(client: &Client, command: u32, seq: f64) -> bool {
    let seq = seq as u64;
    if command < 2 {
        client.look_at_network();
    }
    client.act(|core, now| {
        match command {
            0 => core.connect(now),
            1 => core.reconnect(now),
            2 => core.disconnect(now),
            3 => core.forget(now),
            4 => core.stored(seq, now),
            _ => return core.cancel(seq, now),
        }
        true
    })
}

/// The message's number, negative if it is queued, or 0 after the host was told why it was refused. `ttl` and `reply_within` are
/// NaN where there is none. A message with a `sender` is one that an earlier page has left under the number `seq`, `age` milliseconds
/// ago.
#[unsafe(no_mangle)]
extern "C" fn everwire_send(
    client: &Client,
    frame: u32,
    bytes: u32,
    kind: u32,
    key: u32,
    ttl: f64,
    is_durable: u32,
    reply_within: f64,
    sender: u32,
    seq: f64,
    age: f64,
) -> f64 {
    let mut message = message(frame, bytes, kind, key);
    message.policy.ttl_ms = millis(ttl);
    message.policy.awaits_storage = is_durable > 0;
    message.policy.reply_within_ms = millis(reply_within);
    if sender > 0 {
        (message.sender, message.seq, message.age_ms) = (Some(sender), seq as u64, age as u64);
        client.act(|core, now| core.restore(Vec::from([message]), now));
        return seq;
    }
    let (sent, seq) = client.act(|core, now| (core.send(message, now), core.latest_seq() as f64));
    let (index, bytes, max) =
        match sent.map_err(|refused| refused.refusal).and_then(|sent| client.confirm(sent, kind == 1)) {
            Ok(Sent::Now) => return seq,
            Ok(Sent::Queued) => return -seq,
            Err(refusal) => match refusal {
                Refusal::TooLarge { bytes, max } => (0, bytes, max),
                Refusal::QueueFull => (1, 0, 0),
                Refusal::NotOpen => (2, 0, 0),
                Refusal::TooManySessions => (3, 0, 0),
                Refusal::Unsupported => (4, 0, 0),
            },
        };
    host::refuse(index, bytes as i32, max as i32);
    0.0
}

fn millis(number: f64) -> Option<u64> {
    // Infinity becomes the largest number, which means "for ever".
    (!number.is_nan()).then_some(number as u64)
}
