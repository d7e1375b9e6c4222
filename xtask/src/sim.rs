//! The simulation of clients, networks, pages and a server in virtual time.

use anyhow::Result;

use crate::job::Job;

/// Runs it, built for release; `arguments` are its own.
pub fn run(arguments: &[String]) -> Result<()> {
    Job::cargo("sim").args(["run", "--release", "--package", "everwire-sim", "--"]).args(arguments).stream()
}
