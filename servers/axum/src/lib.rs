#![doc = include_str!("../README.md")]

// How a frame travels:
//
// 1. The handshake checks origin and token, and upgrades the request to a WebSocket.
// 2. One task for each socket reads frames, has them dispatched, and writes what was queued for its connection.
// 3. The hub knows which connections a user has and which users a room has. A broadcast is serialised once, and its bytes are shared
//    by all queues.
// 4. What is stored goes through the database: it is processed and answered by jobs on the database's thread, which also gives stored
//    events their places. `reliable` says how.
//
// What holds it together:
//
// - Nobody waits for a slow client: queues are bounded, and whoever falls behind is cut off.
// - Timers are few: one sweep ends idle and stuck connections.
// - What was announced is stored: it reaches the disk before it reaches anyone.

mod action;
mod application;
mod budget;
mod bus;
mod capacity;
pub mod clock;
mod connection;
mod conversation;
mod database;
mod dispatch;
mod ending;
mod engine;
pub mod envelope;
mod everwire;
mod frame;
mod handshake;
mod hub;
mod intake;
mod limits;
mod memberships;
mod metrics;
mod outgoing;
mod panics;
mod refusal;
mod reliable;
mod room;
mod scan;
mod sender;
mod sieve;
mod socket;
mod store;
mod sweeper;
mod tables;
#[cfg(test)]
mod testing;
mod token;

pub use crate::{
    action::{Action, Effect},
    application::Application,
    bus::{BusError, RedisBus},
    connection::Connection,
    conversation::Conversation,
    database::{Column, Database, DatabaseError, Param, Result as DatabaseResult, Row},
    ending::Ending,
    engine::{Chores, Engine, Shared},
    everwire::{Everwire, Message, On, User, Wire},
    frame::{Envelope, Malformed, payload},
    handshake::Authenticate,
    hub::{Audience, Hub},
    limits::{Class, Limits, RateLimits, Rates},
    memberships::MAX_ROOMS_PER_USER,
    metrics::{Arrival, Metrics, Movement, Outcome},
    outgoing::{Kind, Outgoing, RECEIVED, SENT},
    refusal::{RATE_LIMITED, Refusal, Refuse, TOO_LARGE, internal, unknown_type},
    reliable::{
        Author, Context, Event, Forgettable, MAX_NUMBER, Origin, Outcome as Answer, PUBLISH, Processed, USER_STREAM,
        forget_events, is_stored, processed,
    },
    room::Room,
    store::{Backend, PostgresStore, SqliteStore, Store, StoreError},
    token::{MAX_USER_BYTES, Ticket, TokenRefused, Tokens},
};
