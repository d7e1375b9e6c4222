//! TypeScript that is written from Rust types.

use anyhow::Result;

use crate::job::Job;

pub fn run() -> Result<()> {
    Job::cargo("codegen · TypeScript from Rust types")
        .args(["test", "--package", "everwire", "--features", "socketio", "--lib", "typescript"])
        .env("EVERWIRE_UPDATE", "1")
        .run()
}
