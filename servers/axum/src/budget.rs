//! A stream that reads only so much between two messages.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::handshake::Stream;

/// A stream with a budget of bytes to read, renewed with every message that is complete.
///
/// A message limit bounds payloads, not frames: empty fragments and control frames can flow for ever without one.
pub struct Budgeted {
    stream: Stream,
    budget: usize,
    left: usize,
}

impl Budgeted {
    /// Room for a largest message in its smallest fragments, or for a `hello` in large ones, and for what is read ahead.
    pub fn new(stream: Stream, max_message_bytes: usize, max_hello_bytes: usize) -> Self {
        let budget = max_message_bytes.saturating_mul(WORST_OVERHEAD).max(max_hello_bytes).saturating_add(READ_AHEAD);
        Self { stream, budget, left: budget }
    }

    /// A message is complete.
    pub fn renew(&mut self) {
        self.left = self.budget;
    }

    /// So many bytes of what was read belong to a message that is bounded otherwise.
    pub fn refund(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes).min(self.budget);
    }

    /// Nothing is bounded any more: what follows is thrown away.
    pub fn lift(&mut self) {
        self.left = usize::MAX;
    }
}

impl AsyncRead for Budgeted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::QuotaExceeded, "no message in sight")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.left = self.left.saturating_sub(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Budgeted {
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

/// A client frame of one byte takes seven: two of header, four of mask, and the byte.
const WORST_OVERHEAD: usize = 8;
const READ_AHEAD: usize = 16 * 1024;
