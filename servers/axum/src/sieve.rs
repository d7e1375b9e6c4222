//! A stream in which messages of any length stay small.

use std::{
    collections::VecDeque,
    io::{self, Cursor},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

use crate::{budget::Budgeted, reliable::Numbers, scan::Scan};

/// Lies below the WebSocket library, which keeps a message in memory until it is complete and can only close the connection over one
/// that is too large. A client would send that message again for ever, so it has to be refused by its number instead: this reads
/// it to its end, keeps nothing but its numbers, and lets an empty message through in its place.
///
/// It does not judge the framing: from the first violation on, all bytes pass as they are, and the library says what is wrong.
pub struct Sieve {
    stream: Budgeted,
    limits: SieveLimits,
    state: State,
    head: Vec<u8>,
    /// A message whose last fragment has not come yet.
    message: Option<Fragments>,
    /// What has been read and not been taken yet.
    out: VecDeque<u8>,
    /// Complete text messages that were let through.
    messages: u64,
    /// Those in whose place an empty one was let through, by their count.
    replaced: VecDeque<(u64, Numbers)>,
}

/// Bytes of a text message.
#[derive(Clone, Copy, Debug)]
pub struct SieveLimits {
    /// One up to this passes.
    pub whole: usize,
    /// One beyond this is an error.
    pub hard: usize,
}

#[derive(Clone, Copy)]
enum State {
    Head,
    /// So many bytes of a frame pass.
    Pass(u64),
    /// So many bytes of a fragment are left.
    Fragment {
        left: u64,
        mask: [u8; 4],
        at: usize,
        last: bool,
    },
    /// The framing is wrong, or nobody cares any more.
    Transparent,
    TooLarge,
}

struct Fragments {
    length: u64,
    content: Content,
}

enum Content {
    Held(Vec<u8>),
    Scanned(Box<Scan>),
}

impl Sieve {
    /// `early` is what has been read from the stream already.
    pub fn new(stream: Budgeted, early: &[u8], limits: SieveLimits) -> Self {
        let mut sieve = Self {
            stream,
            limits,
            state: State::Head,
            head: Vec::new(),
            message: None,
            out: VecDeque::new(),
            messages: 0,
            replaced: VecDeque::new(),
        };
        sieve.take(early);
        sieve
    }

    /// A text message is complete: the one with this count, from 1. The numbers are those of one that was too large.
    pub fn complete(&mut self, count: u64) -> Option<Numbers> {
        self.stream.renew();
        let (first, _) = self.replaced.front()?;
        if *first == count { self.replaced.pop_front().map(|(_, numbers)| numbers) } else { None }
    }

    /// Nothing is bounded or looked at any more: what follows is thrown away.
    pub fn lift(&mut self) {
        self.stream.lift();
        self.state = State::Transparent;
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.state {
                State::Head => {
                    self.head.push(bytes[0]);
                    bytes = &bytes[1..];
                    self.frame_begins();
                }
                State::Pass(left) => {
                    let (passing, rest) = bytes.split_at(clamped(left, bytes.len()));
                    self.out.extend(passing);
                    bytes = rest;
                    let left = left - passing.len() as u64;
                    self.state = if left == 0 { State::Head } else { State::Pass(left) };
                }
                State::Fragment { left, mask, at, last } => {
                    let (piece, rest) = bytes.split_at(clamped(left, bytes.len()));
                    bytes = rest;
                    self.fragment(piece, mask, at);
                    let left = left - piece.len() as u64;
                    self.state = State::Fragment { left, mask, at: at + piece.len(), last };
                    self.fragment_may_end();
                }
                State::Transparent => {
                    self.out.extend(bytes);
                    return;
                }
                State::TooLarge => return,
            }
        }
    }

    /// A frame begins, if its head is complete.
    fn frame_begins(&mut self) {
        let (header, length) = match FrameHeader::parse(&mut Cursor::new(&self.head)) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => return,
            Err(_) => return self.give_up(),
        };
        let reserved = header.rsv1 || header.rsv2 || header.rsv3;
        let Some(mask) = header.mask.filter(|_| !reserved) else { return self.give_up() };
        match (header.opcode, &mut self.message) {
            (OpCode::Control(_), _) if header.is_final && length <= LONGEST_CONTROL => self.pass(length),
            (OpCode::Data(Data::Text), None) if header.is_final && length <= self.limits.whole as u64 => {
                self.messages += 1;
                self.pass(length);
            }
            (OpCode::Data(Data::Text), message @ None) => {
                *message = Some(Fragments { length: 0, content: Content::Held(Vec::new()) });
                self.fragment_begins(length, mask, header.is_final);
            }
            (OpCode::Data(Data::Continue), Some(_)) => self.fragment_begins(length, mask, header.is_final),
            _ => self.give_up(),
        }
    }

    fn pass(&mut self, length: u64) {
        self.out.extend(self.head.drain(..));
        self.state = if length == 0 { State::Head } else { State::Pass(length) };
    }

    fn give_up(&mut self) {
        if self.message.take().is_some() {
            // What is wrong may be wrong only within a message.
            self.out.extend(EMPTY_FIRST_FRAGMENT);
        }
        self.out.extend(self.head.drain(..));
        self.state = State::Transparent;
    }

    fn fragment_begins(&mut self, length: u64, mask: [u8; 4], last: bool) {
        self.head.clear();
        let Some(message) = &mut self.message else { return };
        message.length = message.length.saturating_add(length);
        if message.length > self.limits.hard as u64 {
            self.state = State::TooLarge;
            return;
        }
        if message.length > self.limits.whole as u64
            && let Content::Held(held) = &message.content
        {
            let mut scan = Box::new(Scan::new());
            scan.feed(held);
            message.content = Content::Scanned(scan);
        }
        self.state = State::Fragment { left: length, mask, at: 0, last };
        self.fragment_may_end();
    }

    fn fragment(&mut self, piece: &[u8], mask: [u8; 4], at: usize) {
        let unmasked = piece.iter().enumerate().map(|(index, byte)| byte ^ mask[(at + index) % 4]);
        match &mut self.message {
            Some(Fragments { content: Content::Held(held), .. }) => held.extend(unmasked),
            Some(Fragments { content: Content::Scanned(scan), .. }) => {
                self.stream.refund(piece.len());
                unmasked.for_each(|byte| scan.feed(&[byte]));
            }
            None => {}
        }
    }

    fn fragment_may_end(&mut self) {
        let State::Fragment { left: 0, last, .. } = self.state else { return };
        self.state = State::Head;
        if !last {
            return;
        }
        self.messages += 1;
        match self.message.take().map(|message| message.content) {
            Some(Content::Held(held)) => self.emit(&held),
            Some(Content::Scanned(scan)) => {
                self.replaced.push_back((self.messages, scan.finish()));
                self.emit(&[]);
            }
            None => {}
        }
    }

    /// Lets a text message through.
    fn emit(&mut self, text: &[u8]) {
        let header = FrameHeader {
            opcode: OpCode::Data(Data::Text),
            mask: Some([0; 4]),
            is_final: true,
            ..FrameHeader::default()
        };
        let mut head = Vec::new();
        if header.format(text.len() as u64, &mut head).is_ok() {
            self.out.extend(head);
            self.out.extend(text);
        }
    }
}

impl AsyncRead for Sieve {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.out.is_empty() {
                let (ready, _) = self.out.as_slices();
                let length = ready.len().min(buffer.remaining());
                buffer.put_slice(&ready[..length]);
                self.out.drain(..length);
                if self.out.is_empty() {
                    self.out = VecDeque::new();
                }
                return Poll::Ready(Ok(()));
            }
            if matches!(self.state, State::TooLarge) {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::FileTooLarge, "a message without end")));
            }
            let mut piece = [mem::MaybeUninit::uninit(); PIECE_BYTES];
            let mut piece = ReadBuf::uninit(&mut piece);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.take(piece.filled());
        }
    }
}

impl AsyncWrite for Sieve {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn clamped(left: u64, length: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(length)
}

const PIECE_BYTES: usize = 4096;
const LONGEST_CONTROL: u64 = 125;
const EMPTY_FIRST_FRAGMENT: [u8; 6] = [0x01, 0x80, 0, 0, 0, 0];

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::reliable::Sequence;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    /// A frame masked with a pattern, so that a mistake in unmasking shows.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        const MASK: [u8; 4] = [1, 2, 4, 8];
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ MASK[at % 4]));
        frame
    }

    /// What comes through of bytes that arrive in pieces, the first of them early.
    async fn through(bytes: &[u8], size: usize) -> (Vec<u8>, Sieve) {
        let (mut client, server) = pair().await;
        let (early, rest) = bytes.split_at(size.min(bytes.len()));
        let limits = SieveLimits { whole: 60, hard: 2000 };
        let mut sieve = Sieve::new(Budgeted::new(crate::handshake::Stream::Tcp(server), 10_000, 10_000), early, limits);
        let writing = async {
            for piece in rest.chunks(size) {
                client.write_all(piece).await.unwrap();
            }
            client.shutdown().await.unwrap();
        };
        let mut out = Vec::new();
        let (_, read) = tokio::join!(writing, sieve.read_to_end(&mut out));
        read.unwrap();
        (out, sieve)
    }

    #[tokio::test]
    async fn a_message_over_the_limit_becomes_an_empty_one_and_its_numbers_are_known() {
        let small = frame(0x81, b"{}");
        let ping = frame(0x89, b"hi");
        let large = format!(r#"{{"data":"{}","seq":7,"prev":5}}"#, "x".repeat(300)).into_bytes();
        let bytes = [
            small.clone(),
            frame(0x81, &large),
            ping.clone(),
            // In fragments, the first of which is short enough to be kept.
            frame(0x01, &large[..50]),
            ping.clone(),
            frame(0x00, &large[50..200]),
            frame(0x80, &large[200..]),
            frame(0x01, b"{"),
            frame(0x80, b"}"),
        ]
        .concat();
        let empty = [0x81, 0x80, 0, 0, 0, 0].to_vec();
        let joined = [vec![0x81, 0x82, 0, 0, 0, 0], b"{}".to_vec()].concat();
        let expected = [small, empty.clone(), ping.clone(), ping, empty, joined].concat();
        for size in [1, 2, 3, 7, 100, 10_000] {
            let (out, mut sieve) = through(&bytes, size).await;
            assert_eq!(out, expected, "{size}");
            let numbers = Some(Numbers::Present(Sequence { seq: 7, prev: 5, request: false }));
            let known: Vec<_> = (1..=4).map(|count| sieve.complete(count)).collect();
            assert_eq!(known, [None, numbers, numbers, None], "{size}");
        }
    }

    #[tokio::test]
    async fn a_violation_of_the_framing_passes_and_all_that_is_behind_it() {
        let unmasked = [0x81, 2, b'{', b'}'].to_vec();
        let within = [frame(0x01, b"{"), frame(0x81, b"{}")].concat();
        for (bytes, expected) in [
            (unmasked.clone(), unmasked),
            (frame(0xc1, b"{}"), frame(0xc1, b"{}")),
            (frame(0x83, b"{}"), frame(0x83, b"{}")),
            (frame(0x80, b"{}"), frame(0x80, b"{}")),
            (frame(0x89, &[0; 126]), frame(0x89, &[0; 126])),
            (frame(0x82, &[0; 200]), frame(0x82, &[0; 200])),
            (within, [EMPTY_FIRST_FRAGMENT.to_vec(), frame(0x81, b"{}")].concat()),
        ] {
            let behind = frame(0x81, &[b'x'; 300]);
            let (out, _) = through(&[bytes, behind.clone()].concat(), 5).await;
            assert_eq!(out, [expected, behind].concat());
        }
    }
}
