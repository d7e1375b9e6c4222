//! The reference server under load.

use std::path::PathBuf;

use anyhow::Result;

use crate::job::Job;
use crate::paths;

/// Builds server and generator for release and runs the one against the other, each in its own process.
pub fn run(quick: bool) -> Result<()> {
    let packages = ["--package", "everwire-server", "--package", "everwire-load"];
    Job::cargo("load · release build").args(["build", "--release", "--bins"]).args(packages).run()?;
    let name = if quick { "load · quick run" } else { "load · full run" };
    // The generator starts the server, because it also restarts it; both are stopped with it.
    Job::new(name, executable("everwire-load")?)
        .arg("--server")
        .arg(executable("everwire-server")?)
        .arg("--out")
        .arg(paths::target()?.join("load"))
        .args(quick.then_some("--quick"))
        .stream()
}

fn executable(name: &str) -> Result<PathBuf> {
    Ok(paths::target()?.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
