//! What the server counts, for Prometheus.

use std::time::Duration;

use everwire_axum::{Kind, RECEIVED, SENT};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::process;

/// The metrics of one server. Counters on the path of every frame are looked up once, here.
pub struct Metrics {
    registry: Registry,
    pub connections: Gauge,
    pub accepted: Counter,
    disconnects: Family<Cause, Counter>,
    rejected: Family<Reason, Counter>,
    received: Vec<Counter>,
    sent: Vec<Counter>,
    errors: Family<ErrorKind, Counter>,
    send_latency: Histogram,
    handling: Histogram,
    latency: Histogram,
    queued_frames: Gauge,
    longest_queue: Gauge,
    sessions: Gauge,
    pub audit_dropped: Counter,
    hellos: Family<Outcome, Counter>,
    violations: Family<ErrorKind, Counter>,
    pub duplicates: Counter,
    pub gaps: Counter,
    memory: Gauge,
    cpu: Gauge<f64, std::sync::atomic::AtomicU64>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Cause {
    cause: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ErrorKind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Type {
    r#type: &'static str,
}

/// What only a scrape needs to know.
pub struct Snapshot {
    pub queued_frames: usize,
    pub longest_queue: usize,
    pub sessions: usize,
}

impl Metrics {
    pub fn new() -> Self {
        let received = Family::<Type, Counter>::default();
        let sent = Family::<Type, Counter>::default();
        let counters = |family: &Family<Type, Counter>, names: &[&'static str]| {
            names.iter().map(|name| family.get_or_create(&Type { r#type: name }).clone()).collect()
        };
        let mut metrics = Self {
            registry: Registry::default(),
            connections: Gauge::default(),
            accepted: Counter::default(),
            disconnects: Family::default(),
            rejected: Family::default(),
            received: counters(&received, &RECEIVED),
            sent: counters(&sent, &SENT),
            errors: Family::default(),
            send_latency: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            handling: Histogram::new(exponential_buckets(0.000_01, 2.0, 16)),
            latency: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            queued_frames: Gauge::default(),
            longest_queue: Gauge::default(),
            sessions: Gauge::default(),
            audit_dropped: Counter::default(),
            hellos: Family::default(),
            violations: Family::default(),
            duplicates: Counter::default(),
            gaps: Counter::default(),
            memory: Gauge::default(),
            cpu: Gauge::default(),
        };
        // A dashboard shows a rate only from the second sample on, so these are there from the start.
        for result in ["welcome", "malformed", "unsupported_version"] {
            drop(metrics.hellos.get_or_create(&Outcome { result }));
        }
        for kind in ["before_hello", "bad_number", "repeated_hello", "overlap", "missing"] {
            drop(metrics.violations.get_or_create(&ErrorKind { kind }));
        }
        metrics.register(received, sent);
        metrics
    }

    fn register(&mut self, received: Family<Type, Counter>, sent: Family<Type, Counter>) {
        let seconds = || Unit::Seconds;
        // The same under the names that dashboards of the original systems have.
        let registry = &mut self.registry;
        registry.register("ws_connections", "Connections since the start", self.accepted.clone());
        registry.register("ws_messages", "Messages from clients by type", received.clone());
        registry.register("ws_errors", "Errors by kind", self.errors.clone());
        registry.register_with_unit(
            "ws_message_latency",
            "From reading a message to the end of its processing",
            seconds(),
            self.latency.clone(),
        );
        let registry = registry.sub_registry_with_prefix("everwire");
        registry.register("connections", "Open WebSocket connections", self.connections.clone());
        registry.register("connections_accepted", "Connections since the start", self.accepted.clone());
        registry.register("disconnects", "Ended connections by close code or cause", self.disconnects.clone());
        registry.register("handshakes_rejected", "Refused handshakes by reason", self.rejected.clone());
        registry.register("messages_received", "Messages from clients by type", received);
        registry.register("messages_sent", "Frames written to clients by type", sent);
        registry.register("errors", "Errors by kind", self.errors.clone());
        registry.register_with_unit(
            "send_latency",
            "From queueing a frame to its turn at the socket",
            seconds(),
            self.send_latency.clone(),
        );
        registry.register_with_unit(
            "handling",
            "From reading a message to its answer",
            seconds(),
            self.handling.clone(),
        );
        registry.register("queued_frames", "Frames waiting in all queues", self.queued_frames.clone());
        registry.register("longest_queue_frames", "Frames waiting in the longest queue", self.longest_queue.clone());
        registry.register("sessions", "Sessions and matches with a member", self.sessions.clone());
        registry.register("audit_dropped", "Audit lines that the disk was too slow for", self.audit_dropped.clone());
        registry.register("hellos", "Hellos of the reliable mode by result", self.hellos.clone());
        registry.register("protocol_violations", "Ends of reliable connections by rule", self.violations.clone());
        registry.register("duplicates", "Messages that were processed before", self.duplicates.clone());
        registry.register("gaps", "Positions that the history did not reach back to", self.gaps.clone());
        registry.register("resident_memory_bytes", "Memory of the process", self.memory.clone());
        registry.register("cpu_seconds", "Processor time of the process", self.cpu.clone());
    }

    pub fn received(&self, kind: &str, took: Duration) {
        let index = RECEIVED.iter().position(|known| *known == kind).unwrap_or(RECEIVED.len() - 1);
        self.received[index].inc();
        self.handling.observe(took.as_secs_f64());
    }

    /// A message was processed or refused.
    pub fn dealt_with(&self, after: Duration) {
        self.latency.observe(after.as_secs_f64());
    }

    pub fn sent(&self, kind: Kind, waited: Duration) {
        self.sent[kind.index()].inc();
        self.send_latency.observe(waited.as_secs_f64());
    }

    pub fn error(&self, kind: &'static str) {
        self.errors.get_or_create(&ErrorKind { kind }).inc();
    }

    pub fn hello(&self, result: &'static str) {
        self.hellos.get_or_create(&Outcome { result }).inc();
    }

    pub fn violation(&self, kind: &'static str) {
        self.violations.get_or_create(&ErrorKind { kind }).inc();
    }

    pub fn rejected(&self, reason: &'static str) {
        self.rejected.get_or_create(&Reason { reason }).inc();
    }

    pub fn disconnected(&self, cause: String) {
        self.connections.dec();
        self.disconnects.get_or_create(&Cause { cause }).inc();
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self, snapshot: &Snapshot) -> Result<String, std::fmt::Error> {
        self.queued_frames.set(snapshot.queued_frames as i64);
        self.longest_queue.set(snapshot.longest_queue as i64);
        self.sessions.set(snapshot.sessions as i64);
        if let Some(usage) = process::usage() {
            self.memory.set(usage.resident_bytes as i64);
            self.cpu.set(usage.cpu_seconds);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What the text format is called.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
