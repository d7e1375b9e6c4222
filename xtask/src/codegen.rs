//! TypeScript that is written from Rust types.

use anyhow::Result;

use crate::job::Job;

pub fn run() -> Result<()> {
    Job::cargo("codegen · pkg/src/events.ts")
        .args(["test", "--package", "everwire", "--lib", "event_maps"])
        .env("EVERWIRE_UPDATE", "1")
        .run()
}
