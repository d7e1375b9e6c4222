//! The reference server's suites, at another server.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::job::Job;
use crate::services::Services;
use crate::{paths, progress};

/// Which of the reference server's suites run at a server, and which of their tests do not apply to it.
#[derive(Deserialize)]
pub struct Selection {
    suites: Vec<String>,
    not_applicable: Vec<NotApplicable>,
}

#[derive(Deserialize)]
struct NotApplicable {
    reason: String,
    tests: Vec<String>,
}

impl Selection {
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        serde_saphyr::from_str(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Runs the suites at the server that `command` starts with `path` as its `PATH`, which takes the reference server's flags, those that need PostgreSQL and Redis
    /// included. Tests that do not apply are named with their reason; one that does not exist, or applies to nothing, is an error.
    pub fn run(&self, server: &str, command: &str, path: &OsStr) -> Result<()> {
        let suites = || self.suites.iter().flat_map(|suite| ["--test", suite]);
        let cargo = |step: String| Job::cargo(step).args(["test", "--package", "everwire-server"]).args(suites());
        let listed = cargo(format!("{server} · build the reference server's suites"))
            .args(["--", "--list", "--format", "terse"])
            .attempt()?
            .map_err(|log| anyhow::anyhow!("{log}"))?;
        let known: BTreeSet<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
        let mut skipped = Vec::new();
        for NotApplicable { reason, tests } in &self.not_applicable {
            for test in tests {
                ensure!(known.contains(test.as_str()), "{test} is said not to apply to {server}, and is no test");
                progress::say(format!("{server} · does not apply: {test}: {reason}"));
                skipped.extend(["--skip", test]);
            }
        }
        let services = Services::start(&format!("{server}-tests"))?;
        let applicable = known.len() - skipped.len() / 2;
        cargo(format!("{server} · {applicable} tests of the reference server, {} do not apply", skipped.len() / 2))
            .args(["--", "--include-ignored", "--test-threads", "3", "--exact"])
            .args(skipped)
            .env("EVERWIRE_TEST_SERVER_COMMAND", command)
            .env("PATH", path)
            .env("EVERWIRE_POSTGRES", &services.postgres)
            .env("EVERWIRE_REDIS", &services.redis)
            .env("RUST_BACKTRACE", "0")
            .stream()
    }
}

/// The selection of the Python library.
pub fn python() -> Result<Selection> {
    Selection::read(&paths::root().join("servers/python/tests/reference.yaml"))
}

/// The selection of the axum library.
pub fn axum() -> Result<Selection> {
    Selection::read(&paths::root().join("examples/axum/reference.yaml"))
}
