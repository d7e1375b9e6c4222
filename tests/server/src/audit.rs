//! The audit trail: JSON lines that say who connected, sent and left, and never what was said.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use everwire_axum::clock;
use serde::Serialize;

/// Hands lines to a thread of its own, because a slow disk must not slow down a chat.
pub struct Audit {
    lines: SyncSender<String>,
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
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let (lines, queue) = sync_channel(QUEUE_LEN);
        thread::Builder::new().name("audit".into()).spawn(move || {
            if let Err(error) = write(&queue, file) {
                tracing::error!(%error, "the audit trail cannot be written");
            }
        })?;
        Ok(Self { lines })
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
        serde_json::to_string(&line).is_ok_and(|line| self.lines.try_send(line).is_ok())
    }
}

fn write(queue: &Receiver<String>, file: File) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    while let Ok(line) = queue.recv() {
        writeln!(out, "{line}")?;
        while let Ok(line) = queue.try_recv() {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
    }
    Ok(())
}

const QUEUE_LEN: usize = 16 * 1024;
