//! What each step does to the client.

use everwire::proto::{
    self, Cause, Close, Input, Message, FrameKind, Overflow, Phase, StreamOffset, Reason, Refusal, Sent, SocketId,
};

use super::script::{Draft, Epoch, Leftover, Listed, Number, Purpose, Size, Span, Spot, Step, Which, Wild, Word};
use super::sockets::Stage;
use super::world::{Envelope, MOST_STREAMS, Text, World};

impl World {
    pub fn take(&mut self, step: &Step) {
        let now = self.time();
        match step {
            Step::Connect => self.turn(|world| world.client.connect(now)),
            Step::Disconnect => self.turn(|world| world.client.disconnect(now)),
            Step::Reconnect => self.turn(|world| world.client.reconnect(now)),
            Step::Send(draft) => self.send(draft),
            Step::Cancel(number) => self.cancel(*number),
            Step::Stored(number) => {
                let seq = self.number(*number);
                self.turn(|world| world.client.stored(seq, now));
            }
            Step::Restore(leftovers) => self.restore(leftovers),
            Step::Forget => {
                self.delivered = vec![None; MOST_STREAMS];
                self.turn(|world| world.client.forget(now));
            }
            Step::Opened(which) => self.opened(*which),
            Step::Closed(which, code) => {
                let close = Close { code: *code, reason: Reason::Peer(0), was_clean: *code != 1006 };
                self.ended(*which, |socket| Input::SocketClosed { socket, close });
            }
            Step::Failed(which) => self.ended(*which, |socket| Input::OpenFailed { socket, cause: Cause::NoToken }),
            Step::Frame(which, word, spot) => self.frame(*which, *word, *spot),
            Step::Position(which, stream, offset) => {
                self.is_wild |= !self.config.reliable;
                let (stream, offset) = (stream_number(*stream), self.number(*offset));
                self.fact(*which, |socket| Input::Position { socket, stream, offset });
            }
            Step::Buffered(which, bytes) => {
                let bytes = self.number(*bytes);
                if let Some(socket) = self.pick(*which) {
                    self.socket(socket).buffered = bytes;
                    self.fact(*which, |socket| Input::Buffered { socket, bytes });
                }
            }
            Step::Deaf => {
                if let Some(socket) = self.pick(Which::Live) {
                    self.socket(socket).is_deaf = true;
                }
            }
            Step::Timeout => self.input(Input::Timeout),
            Step::Online => self.input(Input::NetworkOnline),
            Step::Offline => self.input(Input::NetworkOffline),
            Step::Visible => self.input(Input::PageVisible),
            Step::PageRestored => self.input(Input::PageRestored),
            Step::Wait(ms) => self.jump(self.now.saturating_add(u64::from(*ms))),
            Step::Alarm(late) => {
                if let Some((at, _)) = self.client.poll_timeout() {
                    self.jump(at.as_millis().saturating_add(u64::from(*late)));
                    self.input(Input::Timeout);
                }
            }
            Step::TurnBack(ms) => self.now = self.now.saturating_sub(u64::from(*ms)),
            Step::Welcomed(window, listed) => self.welcomed(u32::from(*window), *listed),
            Step::Struck(code) => self.struck(BLAMING[usize::from(*code) % BLAMING.len()]),
            Step::Again(_) => {}
            Step::Wild(wild) => self.go_wild(wild),
        }
    }

    /// Moves the clock. What is beyond all clocks is wild.
    fn jump(&mut self, now: u64) {
        self.now = now;
        self.is_wild |= now > LATEST;
    }

    fn send(&mut self, draft: &Draft) {
        self.input(Input::Timeout);
        let message = self.message(draft);
        let (frame, now, before) = (message.frame, self.time(), self.client.latest_seq());
        let snapshot = self.client.snapshot();
        let (has_room, is_open) = (snapshot.has_room, snapshot.phase == Phase::Open);
        let is_plain = message.purpose == proto::Purpose::Ordinary && message.policy.reply_within_ms.is_none();
        // What awaits storage waits in the queue even if the connection is open.
        let is_free = !is_open || !message.policy.awaits_storage;
        let fits = u64::from(message.bytes) <= u64::from(self.config.max_message_bytes).min(self.smallest_limit);
        let must_fit = has_room && is_plain && is_free && fits;
        self.messages += 1;
        self.refused = Some(frame);
        let mut copy = message.clone();
        let answer = self.turn(|world| {
            let answer = world.client.send(message, now);
            if answer.is_ok() {
                world.refused = None;
                copy.seq = world.client.latest_seq();
                world.ledger.accept(&copy);
                if copy.policy.reply_within_ms.is_some() {
                    world.ledger.requests.insert(copy.seq);
                }
            }
            answer
        });
        let reported = self.refused.take().is_none();
        if self.is_wild {
            return;
        }
        match answer {
            Ok(sent) => {
                assert_eq!(self.client.latest_seq(), before + 1);
                assert!(!must_fit || !is_open || sent == Sent::Now, "there was room, and the message waits");
            }
            Err(refused) => {
                assert!(!must_fit, "there was room, and the message is refused: {:?}", refused.refusal);
                assert_eq!((refused.message.frame, refused.message.seq), (frame, 0));
                assert_eq!(self.client.latest_seq(), before);
                let may_be_told = self.config.queue.overflow == Overflow::DropNewest;
                assert!(!reported || may_be_told && refused.refusal == Refusal::QueueFull);
            }
        }
    }

    fn cancel(&mut self, number: Number) {
        self.input(Input::Timeout);
        let (seq, now) = (self.number(number), self.time());
        self.turn(|world| {
            let known = world.ledger.waits(seq);
            let taken = world.client.cancel(seq, now);
            assert!(world.is_wild || taken == known, "{seq} is taken back: {taken}, and waited: {known}");
            if taken {
                world.ledger.requests.remove(&seq);
            }
        });
    }

    fn restore(&mut self, leftovers: &[Leftover]) {
        let (sender, now) = (self.fresh(), self.time());
        let mut seq = 0;
        let mut messages = Vec::new();
        for Leftover { draft, skipped, age } in leftovers {
            let mut message = self.message(draft);
            if message.purpose == proto::Purpose::Volatile {
                message.purpose = proto::Purpose::Ordinary;
            }
            seq += 1 + u64::from(*skipped);
            (message.seq, message.sender) = (seq, Some(sender));
            message.age_ms = age.map_or(0, span);
            self.ledger.accept(&message);
            messages.push(message);
        }
        self.messages += messages.len();
        self.restored += messages.len();
        self.turn(|world| world.client.restore(messages, now));
    }

    fn opened(&mut self, which: Which) {
        let Some(socket) = self.pick(which) else { return };
        if self.socket(socket).stage == Stage::Attempt {
            self.socket(socket).stage = Stage::Open;
        }
        self.fact(which, |socket| Input::SocketOpened { socket });
    }

    fn ended(&mut self, which: Which, input: impl FnOnce(SocketId) -> Input<Text, Envelope>) {
        let Some(socket) = self.pick(which) else { return };
        let was_live = self.socket(socket).is_live();
        self.socket(socket).stage = Stage::Gone;
        let input = input(socket);
        if let Input::SocketClosed { close, .. } = &input
            && BLAMING.contains(&close.code)
        {
            self.strikes += 1;
        }
        if was_live { self.input(input) } else { self.stale(input) }
    }

    fn fact(&mut self, which: Which, input: impl FnOnce(SocketId) -> Input<Text, Envelope>) {
        let Some(socket) = self.pick(which) else { return };
        if self.socket(socket).is_live() { self.input(input(socket)) } else { self.stale(input(socket)) }
    }

    /// A fact about a socket that is gone changes nothing.
    fn stale(&mut self, input: Input<Text, Envelope>) {
        self.input(Input::Timeout);
        let (before, now) = (self.client.poll_timeout(), self.time());
        self.client.handle_input(input, now);
        if self.is_wild {
            while self.client.poll_output().is_some() {}
            return;
        }
        let output = self.client.poll_output();
        assert!(output.is_none() && self.client.poll_timeout() == before, "a stale fact leads to {output:?}");
    }

    fn frame(&mut self, which: Which, word: Word, spot: Option<Spot>) {
        let Some(socket) = self.pick(which) else { return };
        let Some(news) = self.news(socket, word) else { return };
        let listed = if let Word::Welcome { listed, .. } = word { listed } else { Listed::None };
        self.announce(socket, listed);
        let place = spot.map(|Spot { stream, offset, prev }| StreamOffset {
            stream: stream_number(stream),
            offset: self.number(offset),
            prev: self.number(prev),
        });
        self.said(socket, news);
        self.fact(which, |socket| Input::Frame { socket, payload: Envelope { news, place } });
    }

    fn announce(&mut self, socket: SocketId, listed: Listed) {
        if self.client.socket() == Some(socket) {
            for (stream, offset) in self.positions(listed) {
                self.client.announce_position(stream, offset);
            }
        }
    }

    fn positions(&self, listed: Listed) -> Vec<(u32, u64)> {
        match listed {
            Listed::None => Vec::new(),
            Listed::Own { further, left_out } => {
                let is_listed = |(stream, _): &(u32, u64)| left_out == 0 || stream % u32::from(left_out) != 0;
                let moved = |(stream, at): (u32, u64)| (stream, at.saturating_add_signed(beside(further)));
                self.client.positions().filter(is_listed).map(moved).collect()
            }
            Listed::Many { streams, offset } => {
                (0..u32::from(streams % 300)).map(|stream| (stream, offset.into())).collect()
            }
        }
    }

    /// What the server and the network take to have happened.
    fn said(&mut self, socket: SocketId, news: FrameKind) {
        let is_first = self.client.snapshot().phase == Phase::Connecting;
        let target = self.socket(socket);
        if target.stage != Stage::Open {
            return;
        }
        match news {
            FrameKind::Welcome { epoch, last, window, max_bytes, .. } => {
                target.welcome(window, last);
                self.smallest_limit = self.smallest_limit.min(max_bytes);
                if epoch > self.epoch {
                    self.epoch = epoch;
                    self.delivered = vec![None; MOST_STREAMS];
                }
            }
            FrameKind::Ack { seq } => target.acknowledge(seq),
            // A server that does not know the reliable mode.
            FrameKind::Pong | FrameKind::HelloRefused if is_first => target.greets = false,
            _ => {}
        }
    }

    fn welcomed(&mut self, window: u32, listed: Listed) {
        self.opened(Which::Live);
        let Some(socket) = self.pick(Which::Live) else { return };
        let last = if self.socket(socket).sender.is_none() { self.sent } else { 0 };
        let (epoch, max_bytes, remember_ms) = (self.epoch.max(1), u64::MAX, u64::MAX);
        for news in [FrameKind::Welcome { epoch, last, window, max_bytes, remember_ms }, FrameKind::Pong] {
            self.said(socket, news);
            if news != FrameKind::Pong {
                self.announce(socket, listed);
            }
            self.fact(Which::Live, |socket| Input::Frame { socket, payload: Envelope { news, place: None } });
        }
    }

    fn struck(&mut self, code: u16) {
        if let Some((at, _)) = self.client.poll_timeout()
            && self.client.snapshot().phase == Phase::Waiting
        {
            self.jump(at.as_millis());
            self.input(Input::Timeout);
        }
        self.welcomed(8, Listed::Own { further: 0, left_out: 0 });
        let close = Close { code, reason: Reason::Peer(0), was_clean: true };
        self.ended(Which::Live, |socket| Input::SocketClosed { socket, close });
    }

    fn go_wild(&mut self, wild: &Wild) {
        self.is_wild = true;
        let now = self.time();
        match wild {
            Wild::Undelivered(which, drafts) => {
                let messages = drafts.iter().map(|draft| self.message(draft)).collect::<Vec<_>>();
                self.messages += messages.len();
                if let Some(socket) = self.pick(*which) {
                    self.input(Input::Undelivered { socket, messages });
                }
            }
            Wild::Restore(drafts) => {
                let mut messages = Vec::new();
                for (draft, number, sender) in drafts {
                    let mut message = self.message(draft);
                    (message.seq, message.sender) = (self.number(*number), sender.map(Text::from));
                    messages.push(message);
                }
                self.messages += messages.len();
                self.restored += messages.len();
                self.turn(|world| world.client.restore(messages, now));
            }
            // Every size of number is as likely as every other.
            Wild::Jump(bits) => self.jump(bits >> (bits % 64)),
        }
    }

    fn pick(&self, which: Which) -> Option<SocketId> {
        let back = match which {
            Which::Live => 0,
            Which::Back(back) => usize::from(back) % 4,
        };
        self.sockets.iter().rev().nth(back).map(|socket| socket.id)
    }

    fn number(&self, number: Number) -> u64 {
        match number {
            Number::Small(number) => u64::from(number),
            Number::Sent(more) => {
                self.sockets.last().map_or(0, |socket| socket.latest).saturating_add_signed(beside(more))
            }
            Number::Latest(more) => self.client.latest_seq().saturating_add_signed(beside(more)),
            Number::Safe => (1 << 53) - 1,
            Number::Most => u64::MAX,
            Number::Any(number) => number,
        }
    }

    fn news(&self, socket: SocketId, word: Word) -> Option<FrameKind> {
        Some(match word {
            Word::Event => FrameKind::Event,
            Word::Pong => FrameKind::Pong,
            Word::Welcome { epoch, last, window, limits, .. } => {
                let epoch = match epoch {
                    Epoch::Same => self.epoch,
                    Epoch::Next => self.epoch.saturating_add(1),
                    Epoch::Any(number) => self.number(number),
                };
                let [max_bytes, remember_ms] =
                    [limits.max_bytes, limits.remember].map(|limit| limit.map_or(u64::MAX, u64::from));
                FrameKind::Welcome { epoch, last: self.number(last), window: u32::from(window), max_bytes, remember_ms }
            }
            Word::HelloRefused => FrameKind::HelloRefused,
            Word::Ack(number) => FrameKind::Ack { seq: self.number(number) },
            Word::AckAgain => FrameKind::Ack { seq: self.sockets.iter().find(|known| known.id == socket)?.acked },
            Word::Refused(number) => FrameKind::Refused { seq: self.number(number) },
            Word::Reply(number) => FrameKind::Reply { seq: self.number(number) },
            Word::Receipt(number) => FrameKind::Receipt { seq: self.number(number) },
            Word::Malformed => FrameKind::Malformed,
        })
    }

    fn message(&mut self, draft: &Draft) -> Box<Message<Text>> {
        let bytes = match draft.bytes {
            Size::Small(bytes) => u32::from(bytes),
            Size::Any(bytes) => bytes,
        };
        let frame = self.fresh();
        let purpose = match draft.purpose {
            Purpose::Ordinary => proto::Purpose::Ordinary,
            Purpose::Volatile => proto::Purpose::Volatile,
            Purpose::Join(session) => proto::Purpose::Join(Text::from(session % 4)),
            Purpose::JoinAnother => proto::Purpose::Join(self.fresh() + 1_000),
            Purpose::Leave(session) => proto::Purpose::Leave(Text::from(session % 4)),
        };
        let mut message = Message::new(frame, bytes, purpose);
        message.policy.ttl_ms = draft.ttl.map(span);
        message.policy.coalesce = draft.key.map(|key| Text::from(key % 4));
        message.policy.awaits_storage = draft.awaits_storage;
        message.policy.reply_within_ms = draft.reply_within.map(span);
        message
    }
}

/// Mostly none at all.
const fn beside(more: i8) -> i64 {
    more as i64 / 24
}

/// Mostly one of a few, and sometimes more than there can be.
const fn stream_number(stream: u16) -> u32 {
    if stream < 0xc000 { stream as u32 % 3 } else { stream as u32 % 300 }
}

const fn span(span: Span) -> u64 {
    match span {
        Span::Short(ms) => ms as u64,
        Span::Long(ms) => ms as u64,
        Span::Any(ms) => ms,
    }
}

/// The close codes with which a server can mean a message.
const BLAMING: [u16; 6] = [1003, 1007, 1009, 1011, 4400, 4409];
/// Later than any clock of a browser, and early enough that no span from here reaches the end of time unless it is meant to.
const LATEST: u64 = 1 << 53;
