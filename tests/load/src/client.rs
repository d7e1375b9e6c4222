//! One client: connects, joins its session, counts what it receives, and comes back when the connection ends.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use everwire::proto::{
    Config,
    backoff::{Backoff, RetryPolicy},
};
use fastrand::Rng;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use crate::{
    message::{self, Frame, Stamp},
    seen::Seen,
    tally::Tally,
    token,
};

/// What all clients share.
pub struct World {
    /// Where the servers listen.
    pub addrs: Vec<SocketAddr>,
    /// Signs tokens.
    pub secret: String,
    /// Members of a session.
    pub session_size: usize,
    /// Whether they say hello.
    pub mode: Mode,
    /// What they have seen.
    pub tally: Tally,
    /// How many may make their first attempt at the same time.
    pub door: Semaphore,
    /// Whether connections may end: the server is being restarted.
    pub restarting: AtomicBool,
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Events are sent to it once.
    AtMostOnce,
    /// It says hello: events are stored for it.
    Reliable,
}

impl Mode {
    /// Names the users and sessions of one mode: who has said hello once is a user for whom events are stored.
    const fn group(self) -> &'static str {
        match self {
            Self::AtMostOnce => "load",
            Self::Reliable => "member",
        }
    }
}

/// A client's life; it ends when its budget of attempts is used up.
pub async fn run(world: Arc<World>, id: usize, mut orders: mpsc::Receiver<Stamp>) {
    let config = Config::default();
    let mut rng = Rng::new();
    let mut backoff = Backoff::new(&config.reconnect);
    let mut seen = Seen::default();
    let mut place = world.door.acquire().await.ok();
    loop {
        let connected = timeout(Duration::from_millis(config.connect_timeout_ms), world.connect(id)).await;
        let policy = match connected.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in time"))) {
            Ok(socket) => {
                let mut member = Member { world: &world, id, socket, seen: &mut seen, entered: false };
                let ending = member.stay(&mut orders, &mut place).await;
                if member.entered {
                    backoff = Backoff::new(&config.reconnect);
                }
                world.tally.left(id);
                world.note(&ending);
                ending.policy()
            }
            Err(error) => {
                world.tally.attempt_failed();
                if !world.is_restarting() {
                    world.tally.trouble(format!("attempt failed: {error:#}"));
                }
                RetryPolicy::Usual
            }
        };
        drop(place.take());
        let Some(wait) = backoff.next(&config.reconnect, policy, &mut rng) else {
            world.tally.trouble("gave up after the last attempt");
            return;
        };
        sleep(Duration::from_millis(wait.ms)).await;
    }
}

type Socket = WebSocketStream<TcpStream>;

/// How a connection ended.
enum Ending {
    Closed(u16),
    Lost(String),
}

impl Ending {
    fn policy(&self) -> RetryPolicy {
        match self {
            Self::Closed(1012 | 1013) => RetryPolicy::Longer,
            Self::Closed(_) | Self::Lost(_) => RetryPolicy::Usual,
        }
    }
}

impl World {
    async fn connect(&self, id: usize) -> Result<Socket> {
        let token = token::issue(&self.secret, &format!("{}-{id}", self.mode.group()))?;
        let socket = TcpSocket::new_v4().context("socket")?;
        if cfg!(target_os = "linux") {
            socket.bind(source(id)).context("bind")?;
        }
        let addr = self.addrs[id % self.addrs.len()];
        let stream = socket.connect(addr).await.context("connect")?;
        stream.set_nodelay(true).context("nodelay")?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(0);
        let url = format!("ws://{addr}/api/ws?token={token}");
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await.context("handshake")?;
        Ok(socket)
    }

    fn is_restarting(&self) -> bool {
        self.restarting.load(Ordering::SeqCst)
    }

    fn note(&self, ending: &Ending) {
        if !self.is_restarting() {
            self.tally.trouble(match ending {
                Ending::Closed(code) => format!("closed with {code}"),
                Ending::Lost(why) => format!("connection lost: {why}"),
            });
        }
    }
}

/// Volatile ports are counted for each address, so that clients are spread over many.
fn source(id: usize) -> SocketAddr {
    let host = id / CLIENTS_PER_ADDRESS;
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 1, (host / 250) as u8, (host % 250 + 1) as u8)), 0)
}

struct Member<'a> {
    world: &'a World,
    id: usize,
    socket: Socket,
    seen: &'a mut Seen,
    entered: bool,
}

impl Member<'_> {
    /// Stays until the connection ends. The place at the door is given up once the client is in.
    async fn stay<T>(&mut self, orders: &mut mpsc::Receiver<Stamp>, place: &mut Option<T>) -> Ending {
        // What was ordered while there was no connection is not sent late, but counted.
        while orders.try_recv().is_ok() {
            self.world.tally.trouble("not connected when a message was due");
        }
        let session = self.id / self.world.session_size;
        let hello = (self.world.mode == Mode::Reliable).then(|| message::hello(self.id));
        for text in hello.into_iter().chain([message::join(self.world.mode.group(), session), message::ping()]) {
            if let Err(ending) = self.say(text).await {
                return ending;
            }
        }
        let mut beat = Instant::now() + first_beat();
        let mut pong_due = Some(Instant::now() + PONG_LIMIT);
        loop {
            let step = tokio::select! {
                frame = self.socket.next() => self.hear(frame).map(|pong| if pong {
                    pong_due = None;
                    *place = None;
                }),
                Some(stamp) = orders.recv() => self.say(message::chat(self.world.mode.group(), stamp)).await,
                () = sleep_until(pong_due.unwrap_or(beat)) => {
                    if pong_due.is_some() {
                        return Ending::Lost("no pong".to_owned());
                    }
                    beat = Instant::now() + BEAT;
                    pong_due = Some(Instant::now() + PONG_LIMIT);
                    self.say(message::ping()).await
                }
            };
            if let Err(ending) = step {
                return ending;
            }
        }
    }

    async fn say(&mut self, text: String) -> Result<(), Ending> {
        self.socket.send(Message::text(text)).await.map_err(|error| Ending::Lost(error.to_string()))
    }

    /// Whether it was a pong.
    fn hear(&mut self, frame: Option<tungstenite::Result<Message>>) -> Result<bool, Ending> {
        let text = match frame {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => {
                return Err(Ending::Closed(frame.map_or(1005, |frame| frame.code.into())));
            }
            Some(Ok(_)) => return Ok(false),
            Some(Err(error)) => return Err(Ending::Lost(error.to_string())),
            None => return Err(Ending::Lost("end of stream".to_owned())),
        };
        match message::read(&text) {
            Frame::Message(stamp) => self.count(stamp),
            Frame::Pong => {
                self.entered = true;
                self.world.tally.arrived(self.id);
                return Ok(true);
            }
            Frame::Trouble(name) => self.world.tally.trouble(name),
            Frame::Welcome(_) | Frame::Acknowledgement(_) | Frame::Position | Frame::Other => {}
        }
        Ok(false)
    }

    fn count(&mut self, stamp: Stamp) {
        let (tally, size) = (&self.world.tally, self.world.session_size);
        if stamp.session != self.id / size || stamp.seat == self.id % size {
            tally.stray();
        } else if self.seen.is_new(stamp.stage, stamp.number) {
            tally.delivered(self.id, stamp.due_us);
        } else {
            tally.duplicate();
        }
    }
}

/// Clients that connect together must not beat together.
fn first_beat() -> Duration {
    BEAT.mul_f64(0.1 + 0.9 * fastrand::f64())
}

const BEAT: Duration = Duration::from_secs(30);
const PONG_LIMIT: Duration = Duration::from_secs(10);
const CLIENTS_PER_ADDRESS: usize = 100;
const BUFFER_BYTES: usize = 2048;
