//! The simulation.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::Result;

use crate::job::Job;
use crate::paths;

/// Builds it for release and runs it with its own options.
pub fn run(options: &[impl AsRef<OsStr>]) -> Result<()> {
    build()?;
    Job::new("sim · runs", program()?).args(options).hand_over()
}

pub fn build() -> Result<()> {
    Job::cargo("sim · release build").args(["build", "--release", "--package", "everwire-sim", "--bins"]).run()
}

pub fn program() -> Result<PathBuf> {
    Ok(paths::target()?.join("release").join(format!("everwire-sim{}", std::env::consts::EXE_SUFFIX)))
}
