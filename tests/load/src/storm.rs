//! A restart of the server: everybody loses the connection in the same moment, and comes back.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;

use crate::{
    crowd::Crowd,
    progress,
    server::{Recipe, Server},
};

/// How the server goes away.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// SIGKILL: connections end without a close frame.
    Kill,
    /// SIGTERM: connections are closed with 1012.
    Drain,
}

/// What a storm has shown. Times are in seconds from the signal; a client is back when it has joined its session and
/// the server has answered it there.
#[derive(Clone, Debug, Serialize)]
pub struct Storm {
    /// How the server went away.
    pub restart: Restart,
    /// Clients that should come back.
    pub clients: usize,
    /// Clients that were back in the end.
    pub back: usize,
    /// Share of the clients that were back within 10 s.
    pub back_in_10_s: f64,
    /// From the signal until the new server listened.
    pub down_s: f64,
    /// When half of the clients were back.
    pub p50_s: f64,
    /// When 99 % were back.
    pub p99_s: f64,
    /// When 99.9 % were back.
    pub p999_s: f64,
    /// When all were back that came.
    pub last_s: f64,
    /// Attempts that came to nothing.
    pub attempts_failed: u64,
    /// What should not have happened, and how often.
    pub troubles: BTreeMap<String, u64>,
}

/// Restarts the server and waits for everybody; the new server comes back with the result.
pub async fn run(restart: Restart, recipe: &Recipe, server: Server, crowd: &Crowd) -> Result<(Storm, Server)> {
    let (name, port) = (restart.name(), server.addr.port());
    progress::say(format!("{name}: {} clients lose their connections", crowd.len()));
    crowd.tally().take_attempts_failed();
    crowd.expect_restart(true);
    let signal = Instant::now();
    match restart {
        Restart::Kill => server.kill().await?,
        Restart::Drain => server.drain().await?,
    }
    // Those that have not noticed the end yet would count as back.
    crowd.tally().forget_arrivals();
    tokio::time::sleep(SUPERVISOR).await;
    let server = recipe.start(port).await?;
    let down_s = signal.elapsed().as_secs_f64();
    crowd.all_ready(name, LIMIT).await;
    crowd.expect_restart(false);
    let mut times = crowd.tally().arrivals().iter().map(|at| (*at - signal).as_secs_f64()).collect::<Vec<_>>();
    times.sort_by(f64::total_cmp);
    let share = |within: f64| times.iter().filter(|time| **time <= within).count() as f64 / crowd.len() as f64;
    let when =
        |share: f64| times.get((crowd.len() as f64 * share).ceil() as usize - 1).copied().unwrap_or(f64::INFINITY);
    let storm = Storm {
        restart,
        clients: crowd.len(),
        back: times.len(),
        back_in_10_s: share(10.0),
        down_s,
        p50_s: when(0.5),
        p99_s: when(0.99),
        p999_s: when(0.999),
        last_s: times.last().copied().unwrap_or(f64::INFINITY),
        attempts_failed: crowd.tally().take_attempts_failed(),
        troubles: crowd.tally().take_troubles(),
    };
    progress::say(storm.line());
    Ok((storm, server))
}

impl Restart {
    /// A name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "restart after kill -9",
            Self::Drain => "restart with a drain",
        }
    }
}

impl Storm {
    /// Whether everybody is back and nothing else happened.
    pub fn is_clean(&self) -> bool {
        self.back == self.clients && self.troubles.is_empty()
    }

    fn line(&self) -> String {
        format!(
            "{}: down for {:.1} s; {:.2} % back within 10 s; 50 % after {:.1}, 99 % after {:.1}, 99.9 % after {:.1}, the last of \
             {} after {:.1} s; {} attempts failed; {}",
            self.restart.name(),
            self.down_s,
            self.back_in_10_s * 100.0,
            self.p50_s,
            self.p99_s,
            self.p999_s,
            self.back,
            self.last_s,
            self.attempts_failed,
            crate::report::troubles(&self.troubles)
        )
    }
}

/// How long a supervisor takes to start a process again.
const SUPERVISOR: Duration = Duration::from_secs(1);

const LIMIT: Duration = Duration::from_secs(40);
