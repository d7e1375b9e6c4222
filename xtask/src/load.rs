//! The reference server under load.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::install::Needs;
use crate::job::Job;
use crate::paths;
use crate::services::{self, Services};

#[derive(Debug, PartialEq, Args)]
pub struct Options {
    /// Judge no figures
    #[arg(long)]
    pub quick: bool,
    /// Measure this store: numbered messages, stored events, and the fan-out
    #[arg(long, value_enum)]
    pub store: Option<Store>,
    /// How many servers share the store
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8), requires = "store")]
    pub nodes: u8,
    /// Whether to run what other suites have built already, where no figure is of interest
    #[arg(skip)]
    pub unoptimized: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Store {
    Sqlite,
    Postgres,
}

impl Options {
    pub fn needs(&self) -> Needs {
        if self.store == Some(Store::Postgres) { services::NEEDS } else { &[] }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { quick: false, store: None, nodes: 1, unoptimized: false }
    }
}

/// Builds server and generator, for release unless told otherwise, and runs the one against the other, each in its own process.
pub fn run(&Options { quick, store, nodes, unoptimized }: &Options) -> Result<()> {
    let services = (store == Some(Store::Postgres)).then(|| Services::start("load-services")).transpose()?;
    let packages = ["--package", "everwire-server", "--package", "everwire-load"];
    let (title, profile, folder) =
        if unoptimized { ("load · build", "dev", "debug") } else { ("load · release build", "release", "release") };
    Job::cargo(title).args(["build", "--profile", profile, "--bins"]).args(packages).run()?;
    let executable = |name: &str| program(folder, name);
    let name = if quick { "load · quick run" } else { "load · full run" };
    // The generator starts the servers, because it also restarts them; all are stopped with it.
    let mut job = Job::new(name, executable("everwire-load")?)
        .arg("--server")
        .arg(executable("everwire-server")?)
        .arg("--out")
        .arg(paths::target()?.join("load"))
        .args(quick.then_some("--quick"));
    if let Some(store) = store {
        let name = match store {
            Store::Sqlite => "sqlite",
            Store::Postgres => "postgres",
        };
        job = job.args(["--store", name, "--nodes", &nodes.to_string()]);
    }
    if let Some(Services { postgres, redis, .. }) = &services {
        job = job.args(["--postgres", postgres]);
        if nodes > 1 {
            job = job.args(["--redis", redis]);
        }
    }
    job.stream()
}

fn program(folder: &str, name: &str) -> Result<PathBuf> {
    Ok(paths::target()?.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
