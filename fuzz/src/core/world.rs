//! The client and everything around it, and what its outputs do there.

use everwire::proto::{
    Client, Config, DropReason, Event, Inbound, Input, Message, FrameKind, Output, Phase, StreamOffset, Purpose, SocketId,
    Timestamp,
};

use super::check::Seen;
use super::ledger::{Ledger, Stage as MessageStage};
use super::sockets::{Socket, Stage};

/// Frames, names of senders and of sessions: the machine only compares them.
pub(super) type Text = u32;

pub(super) struct World {
    pub client: Client<Text, Envelope>,
    pub config: Config,
    pub now: u64,
    pub is_wild: bool,
    pub sockets: Vec<Socket>,
    pub ledger: Ledger,
    /// How many messages were accepted or restored.
    pub messages: usize,
    pub restored: usize,
    /// The frame that is being sent, if it is refused, may be reported as dropped.
    pub refused: Option<Text>,
    pub epoch: u64,
    /// The smallest message size that a welcome has announced.
    pub smallest_limit: u64,
    /// How often the server has ended a connection in words that can mean a message.
    pub strikes: u32,
    /// The number of this client's own that was sent last in the reliable mode.
    pub sent: u64,
    pub seen: Seen,
    /// Whether the outputs of this turn announced a change, and one of the phase.
    pub announced: Option<bool>,
    /// How far each stream was delivered.
    pub delivered: Vec<Option<u64>>,
    next: Text,
}

#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub news: FrameKind,
    pub place: Option<StreamOffset>,
}

impl Inbound for Envelope {
    fn news(&self) -> FrameKind {
        self.news
    }

    fn place(&self) -> Option<StreamOffset> {
        self.place
    }
}

impl World {
    #[expect(clippy::expect_used, reason = "the options were checked one by one")]
    pub fn new(config: Config, seed: u64) -> Self {
        let client = Client::new(config.clone(), seed).expect("the options are valid");
        let seen = Seen::new(&client);
        Self {
            client,
            config,
            now: 1_000_000,
            is_wild: false,
            sockets: Vec::new(),
            ledger: Ledger::default(),
            messages: 0,
            restored: 0,
            refused: None,
            epoch: 0,
            smallest_limit: u64::MAX,
            strikes: 0,
            sent: 0,
            seen,
            announced: None,
            delivered: vec![None; MOST_STREAMS],
            next: 0,
        }
    }

    pub fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// A text that was not there before.
    pub fn fresh(&mut self) -> Text {
        self.next += 1;
        self.next
    }

    pub fn input(&mut self, input: Input<Text, Envelope>) {
        let now = self.time();
        self.turn(|world| world.client.handle_input(input, now));
    }

    /// One mutation of the client, its outputs, and what holds after them.
    pub fn turn<R>(&mut self, change: impl FnOnce(&mut Self) -> R) -> R {
        let most = self.most_outputs();
        self.announced = None;
        let answer = change(self);
        self.perform(most);
        self.check();
        answer
    }

    /// Every message goes out, is put back and dropped at most; every request fails; every session is entered again; every stream has a
    /// gap.
    fn most_outputs(&self) -> usize {
        6 * self.messages + 2 * self.next as usize + MOST_STREAMS + 64
    }

    fn perform(&mut self, most: usize) {
        let mut count = 0;
        loop {
            let mut refused = None;
            let mut messages = Vec::new();
            let mut asked = None;
            while let Some(output) = self.client.poll_output() {
                count += 1;
                assert!(count <= most, "more than {most} outputs: {output:?}");
                match output {
                    Output::Open { socket, .. } => self.open(socket),
                    Output::Hello { socket, sender, .. } => {
                        let is_wild = self.is_wild;
                        let target = self.target(socket);
                        if !is_wild {
                            target.greet(sender);
                        }
                    }
                    Output::Transmit { socket, message, sequence } => {
                        if self.target(socket).is_deaf {
                            refused = Some(socket);
                        }
                        if let Some(sequence) = sequence {
                            self.numbered(socket, &message, sequence);
                        } else if refused.is_none() {
                            self.handed_over(socket, &message);
                        } else {
                            self.not_taken(&message);
                        }
                        if refused.is_some() {
                            messages.push(message);
                        }
                    }
                    Output::Release { frame, is_done } => {
                        if !self.is_wild {
                            self.ledger.release(frame, is_done);
                        }
                    }
                    Output::CheckBuffer { socket } => {
                        self.target(socket);
                        asked = Some(socket);
                    }
                    Output::Ping { socket } => drop(self.target(socket)),
                    Output::Close { socket } => {
                        assert!(self.socket(socket).is_live(), "{socket:?} is closed after its end");
                        self.socket(socket).stage = Stage::Closing;
                    }
                    Output::Abandon { socket } => {
                        assert!(self.socket(socket).is_live(), "{socket:?} is abandoned after its end");
                        self.socket(socket).stage = Stage::Gone;
                    }
                    Output::Event(event) => self.hear(event),
                }
            }
            messages.iter().for_each(|message| self.ledger.come_back(message.frame));
            let input = match (refused, asked) {
                (Some(socket), _) => Input::Undelivered { socket, messages },
                (None, Some(socket)) => Input::Buffered { socket, bytes: self.socket(socket).buffered },
                (None, None) => return,
            };
            self.client.handle_input(input, self.time());
            if let Some(socket) = refused
                && self.client.snapshot().phase == Phase::Closing
            {
                self.socket(socket).stage = Stage::Closing;
            }
        }
    }

    fn open(&mut self, id: SocketId) {
        let live = self.sockets.last().filter(|socket| socket.is_live());
        assert!(live.is_none(), "{id:?} opens beside {live:?}");
        self.sockets.push(Socket::new(id));
    }

    fn numbered(&mut self, socket: SocketId, message: &Message<Text>, sequence: everwire::proto::Sequence) {
        if self.is_wild {
            return;
        }
        assert_eq!(message.seq, sequence.seq);
        self.ledger.put(message.frame, MessageStage::InFlight);
        let target = self.socket(socket);
        assert_eq!(message.sender, target.sender, "a message goes out under another sender's name");
        target.number(sequence);
        if message.sender.is_none() {
            self.sent = self.sent.max(sequence.seq);
        }
    }

    fn handed_over(&mut self, socket: SocketId, message: &Message<Text>) {
        let is_wild = self.is_wild;
        let target = self.socket(socket);
        if matches!(message.purpose, Purpose::Rejoin(_)) {
            target.rejoined += 1;
            let rejoined = target.rejoined;
            // Joins that wait are not counted until they are sent.
            let most = MOST_SESSIONS.saturating_add(self.config.queue.max_messages as usize);
            assert!(is_wild || rejoined <= most.saturating_add(self.restored), "{rejoined} sessions are joined again");
            return;
        }
        if is_wild {
            return;
        }
        let is_volatile = message.purpose == Purpose::Volatile;
        if message.sender.is_none() && !is_volatile {
            assert!(target.granted.is_none(), "{message:?} goes out without its sequence");
            assert!(message.seq > target.plain, "{} goes out after {}", message.seq, target.plain);
            target.plain = message.seq;
        }
        self.ledger.end(message.frame);
    }

    /// The browser refuses a message.
    fn not_taken(&mut self, message: &Message<Text>) {
        if !self.is_wild && !matches!(message.purpose, Purpose::Rejoin(_)) {
            self.ledger.put(message.frame, MessageStage::Undelivered);
        }
    }

    fn hear(&mut self, event: Event<Text, Envelope>) {
        if let Event::Changed { phase } = event {
            self.announced = Some(phase || self.announced == Some(true));
        }
        if self.is_wild {
            return;
        }
        match event {
            Event::Frame(envelope) => self.deliver(envelope),
            Event::Acknowledged { sender, seq } => self.ledger.acknowledge(sender, seq),
            Event::RequestFailed { seq, .. } => {
                assert!(self.ledger.requests.remove(&seq), "request {seq} fails, and had ended before");
            }
            Event::Dropped { message, reason } => self.dropped(&message, reason),
            Event::ProtocolViolation(violation) => {
                if let Some(socket) = self.sockets.last_mut() {
                    socket.violations += 1;
                    assert!(socket.violations <= TOLD_VIOLATIONS, "{violation:?} is told once too often");
                }
            }
            Event::Gap { stream, from, to } => {
                assert!(
                    (stream as usize) < MOST_STREAMS && to.is_none_or(|to| from <= to),
                    "a gap of {from} to {to:?}"
                );
                if to.is_none() {
                    // The stream begins again, wherever the server says.
                    self.delivered[stream as usize] = None;
                }
            }
            Event::Transmitted { seq } => assert!(seq <= self.client.latest_seq()),
            Event::Opened
            | Event::Closed(_)
            | Event::Reconnecting { .. }
            | Event::GaveUp { .. }
            | Event::Changed { .. } => {}
        }
    }

    fn dropped(&mut self, message: &Message<Text>, reason: DropReason) {
        if self.refused == Some(message.frame) {
            self.refused = None;
            assert_eq!(reason, DropReason::Overflow);
            return;
        }
        let entry = self.ledger.end(message.frame);
        if entry.sender.is_none() {
            self.ledger.requests.remove(&entry.seq);
        }
        assert!(reason != DropReason::Poisoned || self.strikes >= MOST_STRIKES, "{} strikes only", self.strikes);
    }

    fn deliver(&mut self, Envelope { news, place, .. }: Envelope) {
        if !self.config.reliable {
            return;
        }
        if let Some(StreamOffset { stream, offset, .. }) = place
            && let Some(latest) = self.delivered.get_mut(stream as usize)
        {
            assert!(latest.is_none_or(|latest| offset > latest), "{offset} of stream {stream} comes after {latest:?}");
            *latest = Some(offset);
        }
        match news {
            FrameKind::Reply { seq } => {
                assert!(self.ledger.requests.remove(&seq), "a reply to {seq}, which had ended before")
            }
            FrameKind::Refused { seq } => drop(self.ledger.requests.remove(&seq)),
            FrameKind::Ack { .. } | FrameKind::Malformed => panic!("{news:?} reaches the application"),
            FrameKind::Event | FrameKind::Pong | FrameKind::Welcome { .. } | FrameKind::HelloRefused | FrameKind::Receipt { .. } => {}
        }
    }

    /// A socket that frames are handed to, so it has to be open.
    fn target(&mut self, id: SocketId) -> &mut Socket {
        let target = self.socket(id);
        assert_eq!(target.stage, Stage::Open, "{id:?} is used");
        target
    }

    #[expect(clippy::expect_used, reason = "a broken promise of the client")]
    pub fn socket(&mut self, id: SocketId) -> &mut Socket {
        self.sockets.iter_mut().rfind(|socket| socket.id == id).expect("the client names sockets that it asked for")
    }
}

/// docs/PROTOCOL.md: as many streams as a hello may name.
pub(super) const MOST_STREAMS: usize = 256;
/// How many sessions one client can be in at a time.
const MOST_SESSIONS: usize = everwire::proto::MAX_SESSIONS;
/// How many connections a server ends over a message before it is given up.
const MOST_STRIKES: u32 = 3;
/// How many violations of one connection are reported.
const TOLD_VIOLATIONS: u32 = 10;
