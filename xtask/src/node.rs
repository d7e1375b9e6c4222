//! Node and the npm packages.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::job::Job;
use crate::paths;

/// Installs the npm packages when the lock file is not the one they were installed from.
pub fn packages() -> Result<()> {
    check_version()?;
    let lock_file = paths::root().join("package-lock.json");
    let wanted = std::fs::read(&lock_file).with_context(|| format!("reading {}", lock_file.display()))?;
    let stamp = paths::root().join("node_modules/.everwire-package-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    Job::new("npm packages", npm())
        .args(["ci", "--no-audit", "--no-fund"])
        .hint("Check the network; when package.json and package-lock.json disagree, run `npm install`.")
        .run()?;
    std::fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
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
    let output = std::process::Command::new("node")
        .args(["--input-type=module", "--eval", script, "--"])
        .args(arguments)
        .output()
        .context("`node` could not be started")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_node_from_20_19_on() {
        assert!(is_new_enough("20.19.0") && is_new_enough("22.1.0") && is_new_enough("104.0.1"));
        assert!(!is_new_enough("20.18.3") && !is_new_enough("18.20.0") && !is_new_enough(""));
    }
}
