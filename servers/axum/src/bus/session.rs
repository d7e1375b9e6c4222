//! The connection to Redis, made again whenever it is lost.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use redis::{AsyncCommands as _, RedisError, RedisResult, aio::MultiplexedConnection};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Appeared, BEAT, Bus, Durability, LIFE, Mailbox, Said, Told, Woken};
use crate::engine::Engine;

/// Speaks with Redis for as long as the engine lives.
pub async fn run(engine: Arc<Engine>, bus: Arc<Bus>, mut mailbox: Mailbox) {
    let mut lost_at: Option<Instant> = None;
    loop {
        let ended = session(&engine, &bus, &mut mailbox).await;
        if bus.is_up.swap(false, Relaxed) || lost_at.is_none() {
            lost_at = Some(Instant::now());
            if let Err(error) = &ended {
                tracing::error!(
                    error = cause(error),
                    "Redis is away: nothing is known of other nodes but what is stored"
                );
            }
        }
        // What other nodes have said holds as long as they would have been alive.
        if lost_at.is_some_and(|lost_at| lost_at.elapsed() >= LIFE) {
            changed(&engine, bus.keep(&HashSet::new()));
        }
        while mailbox.said.try_recv().is_ok() {}
        bus.wakes.store(false, Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn session(engine: &Arc<Engine>, bus: &Arc<Bus>, mailbox: &mut Mailbox) -> RedisResult<()> {
    let mut redis = within(mailbox.client.get_multiplexed_async_connection()).await?;
    let mut channel = within(mailbox.client.get_async_pubsub()).await?;
    within(channel.subscribe(&[WAKE, TELL, PRESENCE])).await?;
    let mut heard = channel.into_on_message();
    // From here on each change is said; what is written now has all before.
    bus.is_up.store(true, Relaxed);
    write_all(bus, &mut redis).await?;
    tracing::info!(process = bus.process(), "Redis is there");
    engine.store.look();
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut surveys = 0_u32;
    let mut known = HashSet::new();
    loop {
        tokio::select! {
            message = heard.next() => {
                let Some(message) = message else { return Err(ended()) };
                hear(engine, bus, message.get_channel_name(), message.get_payload_bytes());
            }
            Some(first) = mailbox.said.recv() => {
                let mut pipe = redis::pipe();
                say(bus, &mut pipe, first);
                for _ in 0..MAX_AT_ONCE {
                    match mailbox.said.try_recv() {
                        Ok(next) => say(bus, &mut pipe, next),
                        Err(_) => break,
                    }
                }
                within(pipe.exec_async(&mut redis)).await?;
            }
            _ = beats.tick() => {
                let lives: bool = within(beat(bus).query_async(&mut redis)).await?;
                if !lives {
                    write_all(bus, &mut redis).await?;
                }
                if surveys.is_multiple_of(BEATS_PER_SURVEY) {
                    known.clear();
                }
                look_around(engine, bus, &mut redis, &mut known).await?;
                surveys = surveys.wrapping_add(1);
            }
        }
    }
}

/// Writes that this process lives, and asks whether Redis still has its users.
fn beat(bus: &Bus) -> redis::Cmd {
    let mut beat = redis::cmd("EVAL");
    beat.arg(format!("{NOW}{BEAT_SCRIPT}")).arg(2).arg(NODES).arg(online_key(bus.process()));
    beat.arg(bus.process()).arg(LIFE.as_millis() as u64);
    beat
}

/// Who is online here, all of them. A name of nobody keeps the key there when there is no one.
async fn write_all(bus: &Bus, redis: &mut MultiplexedConnection) -> RedisResult<()> {
    let key = online_key(bus.process());
    let here: Vec<String> = {
        let here = bus.here.lock();
        here.iter().map(|user| user.to_string()).chain([NOBODY.to_owned()]).collect()
    };
    let mut pipe = redis::pipe();
    pipe.atomic().del(&key).ignore();
    for users in here.chunks(MAX_AT_ONCE) {
        pipe.sadd(&key, users).ignore();
    }
    pipe.add_command(beat(bus)).ignore();
    within(pipe.exec_async(redis)).await
}

/// Which other processes live, and who is online at those that are not known. What one of them has said may be all that was heard of it, or
/// may have been missed.
async fn look_around(
    engine: &Arc<Engine>,
    bus: &Arc<Bus>,
    redis: &mut MultiplexedConnection,
    known: &mut HashSet<String>,
) -> RedisResult<()> {
    let mut survey = redis::cmd("EVAL");
    survey.arg(format!("{NOW}{SURVEY_SCRIPT}")).arg(1).arg(NODES).arg(FORGET_MS);
    let alive: Vec<String> = within(survey.query_async(redis)).await?;
    let alive: HashSet<String> = alive.into_iter().filter(|process| process != bus.process()).collect();
    changed(engine, bus.keep(&alive));
    known.retain(|process| alive.contains(process));
    for process in alive {
        if known.insert(process.clone()) {
            let users: Vec<String> = within(redis.smembers(online_key(&process))).await?;
            let users = users.iter().filter(|user| *user != NOBODY).map(|user| Arc::from(user.as_str())).collect();
            changed(engine, bus.replace(&process, users));
        }
    }
    Ok(())
}

fn say(bus: &Bus, pipe: &mut redis::Pipeline, said: Said) {
    match said {
        Said::Wake => {
            // From here on there may be something new again.
            bus.wakes.store(false, Relaxed);
            publish(pipe, WAKE, &Woken { from: bus.process().to_owned() });
        }
        Said::Tell(told) => {
            pipe.publish(TELL, told).ignore();
        }
        Said::Presence { user, online } => {
            let key = online_key(bus.process());
            if online {
                pipe.sadd(&key, &*user).ignore();
            } else {
                pipe.srem(&key, &*user).ignore();
            }
            publish(pipe, PRESENCE, &Appeared { from: bus.process().to_owned(), user: user.to_string(), online });
        }
    }
}

fn publish(pipe: &mut redis::Pipeline, channel: &str, message: &impl serde::Serialize) {
    if let Ok(message) = serde_json::to_string(message) {
        pipe.publish(channel, message).ignore();
    }
}

fn hear(engine: &Arc<Engine>, bus: &Arc<Bus>, channel: &str, payload: &[u8]) {
    match channel {
        WAKE => {
            if serde_json::from_slice::<Woken>(payload).is_ok_and(|woken| woken.from != bus.process()) {
                engine.store.look();
            }
        }
        TELL => {
            if let Ok(told) = serde_json::from_slice::<Told>(payload)
                && told.from != bus.process()
            {
                let durability = if told.stored { Durability::Stored } else { Durability::Transient };
                engine.hub.deliver_from_node(&told.to, durability, &told.r#type, told.frame);
            }
        }
        _ => {
            if let Ok(Appeared { from, user, online }) = serde_json::from_slice(payload)
                && from != bus.process()
            {
                changed(engine, bus.heard(&from, &user, online));
            }
        }
    }
}

fn changed(engine: &Engine, changes: impl IntoIterator<Item = super::presence::Change>) {
    for change in changes {
        engine.appeared_elsewhere(&change.user, change.online);
    }
}

fn online_key(process: &str) -> String {
    format!("everwire:online:{process}")
}

async fn within<T>(work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => Err(RedisError::from((redis::ErrorKind::Io, "no answer"))),
    }
}

fn ended() -> RedisError {
    RedisError::from((redis::ErrorKind::Io, "the connection has ended"))
}

/// What has gone wrong, in words that quote nothing.
fn cause(error: &RedisError) -> String {
    error.category().to_owned()
}

const WAKE: &str = "everwire:wake";
const TELL: &str = "everwire:tell";
const PRESENCE: &str = "everwire:presence";
const NODES: &str = "everwire:nodes";

/// No user has this name.
const NOBODY: &str = "";

const MAX_AT_ONCE: usize = 500;
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(1);
const BEATS_PER_SURVEY: u32 = 8;

/// Processes that have been dead for so long are forgotten.
const FORGET_MS: u64 = 60_000;

/// The time of Redis, which is the same for all nodes: those whose own clocks differ would take each other for dead.
const NOW: &str = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) ";

const BEAT_SCRIPT: &str =
    "redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1]) return redis.call('PEXPIRE', KEYS[2], ARGV[2])";

const SURVEY_SCRIPT: &str = "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
    return redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::RedisBus;

    #[test]
    fn how_long_a_process_lives_is_not_by_its_own_clock() {
        let bus = RedisBus::new("redis://127.0.0.1:1").open().unwrap().0;
        let written = || beat(&bus).get_packed_command();
        let before = written();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(before, written());
    }
}
