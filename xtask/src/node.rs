//! Node and the npm packages.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::install::{self, Missing, Need};
use crate::job::Job;
use crate::{paths, shell, stamp};

/// Installs the npm packages when the lock file is not the one they were installed from.
pub fn packages() -> Result<()> {
    install::provide(&Packages)
}

/// The npm packages of the lock file, with a copy of it beside them.
pub struct Packages;

impl Packages {
    fn job() -> Job {
        Job::new("npm packages", npm())
            .args(["ci", "--no-audit", "--no-fund"])
            .hint("Check the network; when package.json and package-lock.json disagree, run `npm install`.")
    }
}

impl Need for Packages {
    fn missing(&self) -> Result<Option<Missing>> {
        check_version()?;
        if stamp::is_current(LOCK_FILE, STAMP)? {
            return Ok(None);
        }
        let commands = [Self::job().command_line()?, stamp::command(LOCK_FILE, STAMP)];
        Ok(Some(Missing::installable("the npm packages", "node_modules", &commands)))
    }

    fn install(&self) -> Result<()> {
        Self::job().run()?;
        stamp::write(LOCK_FILE, STAMP)
    }
}

pub fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// A step that runs a program of the installed npm packages.
pub fn tool(step: impl Into<String>, program: &str) -> Job {
    let file = if cfg!(windows) { format!("{program}.cmd") } else { program.to_owned() };
    Job::new(step, paths::root().join("node_modules/.bin").join(file))
}

/// What a script printed; `arguments` arrive in `process.argv` from index 1 on.
pub fn evaluate(script: &str, arguments: &[PathBuf]) -> Result<String> {
    let shell = shell::at_root()?;
    let command = shell.cmd("node").args(["--input-type=module", "--eval", script, "--"]).args(arguments);
    // As a secret, because an error would otherwise begin with the whole script.
    let output = command.secret().ignore_status().output().context("`node` could not be started")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}

fn check_version() -> Result<()> {
    let version = evaluate("console.log(process.versions.node)", &[])
        .context("Node.js is needed: install version 20.19 or newer, with npm, and put it on PATH")?;
    if !is_new_enough(version.trim()) {
        bail!("Node.js {} is too old: install version 20.19 or newer", version.trim());
    }
    Ok(())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (20, 19)
}

const LOCK_FILE: &str = "package-lock.json";
const STAMP: &str = "node_modules/.everwire-package-lock.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_node_from_20_19_on() {
        assert!(is_new_enough("20.19.0") && is_new_enough("22.1.0") && is_new_enough("104.0.1"));
        assert!(!is_new_enough("20.18.3") && !is_new_enough("18.20.0") && !is_new_enough(""));
    }
}
