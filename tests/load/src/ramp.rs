//! Opens connections as fast as the server takes them, and holds them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;

use crate::{
    crowd::{Crowd, Size},
    progress,
    server::Fleet,
};

/// What a ramp has shown.
#[derive(Clone, Debug, Serialize)]
pub struct Ramp {
    /// Connections that were wanted.
    pub wanted: usize,
    /// Connections that were held at the end.
    pub held: usize,
    /// From the first attempt to the last client in its session.
    pub seconds: f64,
    /// Resident memory of the server before the first connection.
    pub empty_bytes: u64,
    /// The same with all connections.
    pub resident_bytes: u64,
    /// The difference for each connection.
    pub bytes_per_connection: u64,
    /// Processor time of the server for each connection.
    pub cpu_us_per_connection: u64,
    /// What should not have happened, and how often.
    pub troubles: BTreeMap<String, u64>,
}

/// Runs it; the crowd stays.
pub async fn run(name: &str, server: &Fleet, secret: &str, size: Size, hold: Duration) -> Result<(Ramp, Crowd)> {
    let clients = size.clients;
    progress::say(format!("{name}: {clients} connections"));
    let before = server.usage()?;
    let started = Instant::now();
    let crowd = Crowd::gather(server.addrs(), secret, size);
    crowd.all_ready(name, LIMIT).await;
    let seconds = started.elapsed().as_secs_f64();
    let entered = server.usage()?;
    tokio::time::sleep(hold).await;
    let after = server.usage()?;
    let held = crowd.tally().ready();
    let divisor = held.max(1) as u64;
    let ramp = Ramp {
        wanted: clients,
        held,
        seconds,
        empty_bytes: before.resident,
        resident_bytes: after.resident,
        bytes_per_connection: after.resident.saturating_sub(before.resident) / divisor,
        cpu_us_per_connection: (entered.cpu - before.cpu).as_micros() as u64 / divisor,
        troubles: crowd.tally().take_troubles(),
    };
    progress::say(ramp.line(name));
    Ok((ramp, crowd))
}

impl Ramp {
    /// Whether all connections were held and nothing else happened.
    pub fn is_clean(&self) -> bool {
        self.held == self.wanted && self.troubles.is_empty()
    }

    fn line(&self, name: &str) -> String {
        format!(
            "{name}: {} held after {:.1} s; server {:.1} MB resident, {:.1} KB and {} µs of processor for each; {}",
            self.held,
            self.seconds,
            self.resident_bytes as f64 / 1e6,
            self.bytes_per_connection as f64 / 1e3,
            self.cpu_us_per_connection,
            crate::report::troubles(&self.troubles)
        )
    }
}

const LIMIT: Duration = Duration::from_secs(90);
