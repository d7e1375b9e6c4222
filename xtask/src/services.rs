//! PostgreSQL and Redis: looked for, installed, and run with data of their own under `target`.

use anyhow::{Result, ensure};

use crate::install::{self, Missing, Need, Needs};
use crate::{debian, paths, tools};

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
