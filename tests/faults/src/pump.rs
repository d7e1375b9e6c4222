//! Bytes going one way through one connection.

use std::{io, sync::atomic::Ordering::Relaxed};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::tcp::{ReadHalf, WriteHalf},
    sync::mpsc,
    time::{Duration, Instant, sleep, sleep_until},
};

use crate::{
    proxy::Shared,
    rule::{Direction, Fault},
    rules::Watch,
};

/// Bytes and when they are due.
struct Chunk {
    due: Instant,
    bytes: Vec<u8>,
}

/// Passes bytes on until the source ends. Reading goes on while earlier bytes are being delayed, as on a long line.
pub(crate) async fn run(
    shared: &Shared,
    way: Direction,
    source: ReadHalf<'_>,
    mut sink: WriteHalf<'_>,
) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel(CHUNKS_ON_THE_LINE);
    let (read, written) = tokio::join!(read(shared, way, source, sender), write(shared, way, receiver, &mut sink));
    read.and(written)?;
    sink.shutdown().await
}

async fn read(shared: &Shared, way: Direction, mut source: ReadHalf<'_>, sink: mpsc::Sender<Chunk>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut last_due = Instant::now();
    let mut watch = shared.rules.watch();
    loop {
        watch.seen();
        if shared.rules.shape(way, 0.0).half_open {
            shared.rules.count(way, 0, |fault| *fault == Fault::HalfOpen);
            watch.change().await;
            continue;
        }
        let len = tokio::select! {
            read = source.read(&mut buffer) => read?,
            () = watch.change() => continue,
        };
        if len == 0 {
            end(shared, way, &mut watch).await;
            return Ok(());
        }
        shared.traffic.bytes(way).fetch_add(len as u64, Relaxed);
        let shape = shared.rules.shape(way, fastrand::f64());
        if shape.swallow {
            shared.rules.count(way, len, |fault| *fault == Fault::Swallow);
            continue;
        }
        if !shape.delay.is_zero() {
            shared.rules.count(way, len, |fault| matches!(fault, Fault::Latency { .. }));
        }
        last_due = last_due.max(Instant::now() + shape.delay);
        let chunk = Chunk { due: last_due, bytes: buffer[..len].to_vec() };
        if sink.send(chunk).await.is_err() {
            return Ok(());
        }
    }
}

/// Holds the end of the stream back for as long as nothing passes: a dead link does not carry that news either.
async fn end(shared: &Shared, way: Direction, watch: &mut Watch) {
    loop {
        watch.seen();
        let shape = shared.rules.shape(way, 0.0);
        if !shape.swallow && !shape.half_open && shape.stall.is_none() {
            return;
        }
        watch.change().await;
    }
}

async fn write(
    shared: &Shared,
    way: Direction,
    mut source: mpsc::Receiver<Chunk>,
    sink: &mut WriteHalf<'_>,
) -> io::Result<()> {
    let mut stall = Stall::default();
    let mut watch = shared.rules.watch();
    while let Some(Chunk { due, bytes }) = source.recv().await {
        sleep_until(due).await;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (allowed, pause) = allowance(shared, way, rest.len(), &mut stall, &mut watch).await;
            let (now, later) = rest.split_at(allowed);
            sink.write_all(now).await?;
            stall.passed += allowed as u64;
            rest = later;
            sleep(pause).await;
        }
    }
    Ok(())
}

/// What a stall rule has let through in this connection.
#[derive(Default)]
struct Stall {
    rule: Option<u64>,
    passed: u64,
}

/// How many bytes may pass now, at least one, and how long to wait after them.
async fn allowance(
    shared: &Shared,
    way: Direction,
    len: usize,
    stall: &mut Stall,
    watch: &mut Watch,
) -> (usize, Duration) {
    loop {
        watch.seen();
        let shape = shared.rules.shape(way, 0.0);
        let mut allowed = len;
        if let Some((rule, after_bytes)) = shape.stall {
            if stall.rule != Some(rule) {
                *stall = Stall { rule: Some(rule), passed: 0 };
            }
            allowed = allowed.min(after_bytes.saturating_sub(stall.passed) as usize);
        }
        if allowed == 0 {
            shared.rules.count(way, len, |fault| matches!(fault, Fault::Stall { .. }));
            watch.change().await;
            continue;
        }
        let Some(bytes_per_s) = shape.bytes_per_s else { return (allowed, Duration::ZERO) };
        allowed = allowed.min((bytes_per_s / SLICES_PER_SECOND).max(1) as usize);
        shared.rules.count(way, allowed, |fault| matches!(fault, Fault::Bandwidth { .. }));
        return (allowed, Duration::from_secs_f64(allowed as f64 / bytes_per_s as f64));
    }
}

const CHUNK_BYTES: usize = 16 * 1024;
const CHUNKS_ON_THE_LINE: usize = 256;

/// How finely a slow line is cut.
const SLICES_PER_SECOND: u64 = 50;
