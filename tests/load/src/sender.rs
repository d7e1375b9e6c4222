//! One client of the measurement of numbered messages.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{
    message::{self, Frame, Stamp},
    seen::Seen,
    tally::histogram,
    token,
};

/// What the messages of a stage do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing but that they are processed.
    None,
    /// Each is stored for another user, and delivered; sender and receiver are connected to different nodes, if there are several.
    ToAnother,
}

/// What the clients of a run have seen together.
pub struct Shared {
    pub epoch: Instant,
    pub acknowledged: AtomicU64,
    pub delivered: AtomicU64,
    pub duplicates: AtomicU64,
    pub gaps: AtomicU64,
    pub times: Mutex<Times>,
    pub troubles: Mutex<BTreeMap<String, u64>>,
}

/// How long things took.
pub struct Times {
    pub from: Instant,
    pub acknowledgements: Histogram<u64>,
    pub deliveries: Histogram<u64>,
}

/// A message to be sent.
#[derive(Clone, Copy)]
pub struct Order {
    pub stage: u32,
    pub number: u32,
    pub effect: Effect,
    pub due: Instant,
}

impl Shared {
    pub fn new() -> Self {
        Self {
            epoch: Instant::now(),
            acknowledged: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            times: Mutex::new(Times::new(Instant::now())),
            troubles: Mutex::default(),
        }
    }
}

impl Times {
    pub fn new(from: Instant) -> Self {
        Self { from, acknowledgements: histogram(), deliveries: histogram() }
    }
}

/// A client in the reliable mode, which sends what it is ordered to as far as its window allows.
pub struct Sender {
    id: usize,
    socket: WebSocketStream<TcpStream>,
    window: usize,
    last_seq: u64,
    /// Numbers and when they were due.
    in_flight: VecDeque<(u64, Instant)>,
    seen: Seen,
    shared: Arc<Shared>,
}

impl Sender {
    /// Connects, says hello and joins its session.
    pub async fn enter(addr: SocketAddr, secret: &str, id: usize, shared: Arc<Shared>) -> Result<Self> {
        let stream = TcpStream::connect(addr).await.context("connect")?;
        stream.set_nodelay(true).context("nodelay")?;
        let token = token::issue(secret, &format!("{GROUP}-{id}"))?;
        let (socket, _) =
            client_async(format!("ws://{addr}/api/ws?token={token}"), stream).await.context("handshake")?;
        let seen = Seen::default();
        let mut client = Self { id, socket, window: 0, last_seq: 0, in_flight: VecDeque::new(), seen, shared };
        client.say(message::hello(id)).await?;
        let welcome = loop {
            if let Frame::Welcome(welcome) = client.frame().await? {
                break welcome;
            }
        };
        client.window = welcome.window;
        client.last_seq = welcome.last + 1;
        client.say(message::numbered_join(GROUP, id / 2, client.last_seq)).await?;
        while client.frame().await? != Frame::Acknowledgement(client.last_seq) {}
        Ok(client)
    }

    /// Sends and listens until the orders end or the connection is lost.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            let has_room = self.in_flight.len() < self.window;
            let step = tokio::select! {
                frame = self.frame() => frame.map(|frame| self.hear(frame)),
                order = orders.recv(), if has_room => match order {
                    Some(order) => self.send(order).await,
                    None => return,
                },
            };
            if let Err(error) = step {
                return self.trouble(format!("{error:#}"));
            }
        }
    }

    async fn send(&mut self, order: Order) -> Result<()> {
        let Order { stage, number, effect, due } = order;
        self.last_seq += 1;
        self.in_flight.push_back((self.last_seq, due));
        let due_us = (due - self.shared.epoch).as_micros() as u64;
        let stamp = Stamp { stage, session: self.id / 2, seat: self.id % 2, number, due_us };
        self.say(match effect {
            Effect::None => message::numbered_only(self.last_seq),
            Effect::ToAnother => message::numbered_chat(GROUP, stamp, self.last_seq),
        })
        .await
    }

    fn hear(&mut self, frame: Frame) {
        let now = Instant::now();
        match frame {
            Frame::Acknowledgement(seq) => {
                let mut times = lock(&self.shared.times);
                while self.in_flight.front().is_some_and(|(sent, _)| *sent <= seq) {
                    let Some((_, due)) = self.in_flight.pop_front() else { break };
                    self.shared.acknowledged.fetch_add(1, Relaxed);
                    if due >= times.from {
                        times.acknowledgements.saturating_record(((now - due).as_micros() as u64).max(1));
                    }
                }
            }
            Frame::Message(stamp) if stamp.session != self.id / 2 || stamp.seat == self.id % 2 => {
                self.trouble("a message of somebody else".to_owned());
            }
            Frame::Message(stamp) if self.seen.is_new(stamp.stage, stamp.number) => {
                self.shared.delivered.fetch_add(1, Relaxed);
                let due = self.shared.epoch + Duration::from_micros(stamp.due_us);
                let mut times = lock(&self.shared.times);
                if due >= times.from {
                    times.deliveries.saturating_record((now.saturating_duration_since(due).as_micros() as u64).max(1));
                }
            }
            Frame::Message(_) => _ = self.shared.duplicates.fetch_add(1, Relaxed),
            Frame::Trouble(what) => self.trouble(what),
            Frame::Position => _ = self.shared.gaps.fetch_add(1, Relaxed),
            Frame::Pong | Frame::Welcome(_) | Frame::Other => {}
        }
    }

    async fn frame(&mut self) -> Result<Frame> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Ok(message::read(&text)),
            Some(Ok(Message::Close(frame))) => bail!("closed with {}", frame.map_or(1005, |frame| frame.code.into())),
            Some(Ok(_)) => Ok(Frame::Other),
            Some(Err(error)) => Err(error).context("connection lost"),
            None => bail!("connection lost"),
        }
    }

    async fn say(&mut self, text: String) -> Result<()> {
        self.socket.send(Message::text(text)).await.context("connection lost")
    }

    fn trouble(&self, what: String) {
        *lock(&self.shared.troubles).entry(what).or_default() += 1;
    }
}

/// Names its users and sessions.
const GROUP: &str = "pair";

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
