//! The audit trail: JSON lines that say who connected, sent and left, and never what was said.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use everwire_axum::clock;
use parking_lot::Mutex;
use serde::Serialize;

/// Hands lines to a thread of its own, because a slow disk must not slow down a chat. Dropping it waits until they are written, for two seconds at most.
pub struct Audit {
    orders: Option<SyncSender<Order>>,
    ended: Mutex<Receiver<()>>,
}

/// What the thread is told.
enum Order {
    Write(String),
    Reopen,
}

/// One line of the trail.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Entry<'a> {
    Connect {
        connection: u64,
        user: &'a str,
        peer: Option<String>,
    },
    Disconnect {
        connection: u64,
        user: &'a str,
        cause: &'a str,
    },
    Join {
        connection: u64,
        user: &'a str,
        room: String,
    },
    Leave {
        connection: u64,
        user: &'a str,
        room: String,
    },
    Message {
        connection: u64,
        user: &'a str,
        /// Missing where the message could not be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        r#type: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    Push {
        r#type: &'a str,
        to: &'a str,
        delivered: usize,
    },
    Rejected {
        reason: &'a str,
        peer: Option<String>,
    },
}

impl Audit {
    /// Appends to a file, which is created if it does not exist.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (path, file) = (path.to_owned(), append_to(path)?);
        let (orders, queue) = sync_channel(QUEUE_LEN);
        let (ends, ended) = sync_channel(1);
        thread::Builder::new().name("audit".into()).spawn(move || {
            write(&queue, &path, file);
            let _ = ends.send(());
        })?;
        Ok(Self { orders: Some(orders), ended: Mutex::new(ended) })
    }

    /// Goes on in a new file of the same name: the old one was moved away.
    pub fn reopen(&self) {
        if !self.order(Order::Reopen) {
            tracing::error!("the audit trail is too slow to be reopened: send SIGHUP again");
        }
    }

    fn order(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.try_send(order).is_ok())
    }

    /// Queues a line; `false` when the disk is too slow for it.
    pub fn write(&self, entry: &Entry<'_>) -> bool {
        #[derive(Serialize)]
        struct Line<'a> {
            time: String,
            #[serde(flatten)]
            entry: &'a Entry<'a>,
        }
        let line = Line { time: clock::iso(), entry };
        serde_json::to_string(&line).is_ok_and(|line| self.order(Order::Write(line)))
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.ended.get_mut().recv_timeout(PATIENCE);
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Writes until nobody gives orders any more. Lines that cannot be written are lost, and the next are tried.
fn write(queue: &Receiver<Order>, path: &Path, file: File) {
    let mut out = BufWriter::new(file);
    let mut is_failing = false;
    while let Ok(first) = queue.recv() {
        let mut written = Ok(());
        for order in std::iter::once(first).chain(std::iter::from_fn(|| queue.try_recv().ok())) {
            written = written.and(match order {
                Order::Write(line) => writeln!(out, "{line}"),
                Order::Reopen => {
                    let flushed = out.flush();
                    append_to(path).map(|file| out = BufWriter::new(file)).and(flushed)
                }
            });
        }
        written = written.and(out.flush());
        // Said once, and not for each line.
        if let (Err(error), false) = (&written, is_failing) {
            tracing::error!(%error, "the audit trail cannot be written");
        }
        is_failing = written.is_err();
    }
}

const QUEUE_LEN: usize = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(2);
