//! PostgreSQL and Redis: looked for, installed, and run with data of their own under `target`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::install::{self, Missing, Need, Needs};
use crate::job::Job;
use crate::server::Server;
use crate::{debian, paths, tools};

/// Both of them, until this is dropped.
pub struct Services {
    pub postgres: String,
    pub redis: String,
    _process: Server,
}

impl Services {
    /// Starts them with empty data under `target`, in a directory of this name.
    pub fn start(name: &str) -> Result<Self> {
        let program = build()?;
        let mut command = Command::new(program);
        command.arg("--data").arg(paths::scratch()?.join(name)).arg("--redis").arg(tools::REDIS.find()?);
        let process = Server::run("services", command)?;
        let [_, postgres, redis] = process.ready_line.split(' ').collect::<Vec<_>>()[..] else {
            bail!("not the ready line of services: {}", process.ready_line);
        };
        Ok(Self { postgres: postgres.to_owned(), redis: redis.to_owned(), _process: process })
    }
}

/// Makes sure that the services are installed, and compiles the program that runs them.
pub fn build() -> Result<PathBuf> {
    postgres()?;
    tools::REDIS.find()?;
    Job::cargo("build · services").args(["build", "--package", "everwire-services"]).run()?;
    Ok(paths::target()?.join("debug").join(format!("everwire-services{}", std::env::consts::EXE_SUFFIX)))
}

/// Makes sure that the programs of PostgreSQL are there.
pub fn postgres() -> Result<()> {
    install::provide(&Postgres)?;
    ensure!(Postgres::is_installed(), "{POSTGRES_BY_HAND}");
    Ok(())
}

pub struct Postgres;

impl Postgres {
    fn is_installed() -> bool {
        let mut versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        paths::which("initdb").is_some() || versions.any(|version| version.path().join("bin/initdb").exists())
    }
}

impl Need for Postgres {
    fn missing(&self) -> Result<Option<Missing>> {
        let missing = || debian::missing("PostgreSQL", POSTGRES, POSTGRES_BY_HAND.into());
        if Self::is_installed() { Ok(None) } else { missing().map(Some) }
    }

    fn install(&self) -> Result<()> {
        debian::install(POSTGRES)
    }
}

pub const NEEDS: Needs = &[&Postgres, &tools::REDIS];

const POSTGRES: &[&str] = &["postgresql"];
const POSTGRES_BY_HAND: &str = "PostgreSQL is needed: install its server, with `initdb` on PATH";
