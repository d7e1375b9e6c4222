//! Python, and the environment in which the Python server library is checked.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::job::Job;
use crate::{debian, paths};

/// The directory of the Python library.
pub fn library() -> PathBuf {
    paths::root().join("servers/python")
}

/// A step that runs a program of the environment in the library's directory.
pub fn tool(step: impl Into<String>, program: &str) -> Job {
    Job::new(step, binaries().join(program)).directory(library()).env("PYTHONUNBUFFERED", "1")
}

/// `PATH` with the environment's programs first.
pub fn path() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(binaries()).chain(std::env::split_paths(&path)))?)
}

/// Makes the environment when there is none, or when it was made from other requirements.
pub fn environment() -> Result<()> {
    let requirements = library().join("requirements-dev.txt");
    let wanted = std::fs::read(&requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let stamp = directory().join("everwire-requirements.txt");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let create =
        Job::new("set-up · Python environment", interpreter()?).args(["-m", "venv", "--clear"]).arg(directory());
    create.hint("On Debian, `apt-get install python3-venv`.").run()?;
    let pip =
        |step: &str| tool(step, "python").args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"]);
    pip("set-up · Python packages").arg("-r").arg(&requirements).hint("Check the network.").run()?;
    pip("set-up · everwire for Python").args(["--no-deps", "--no-build-isolation", "--editable", "."]).run()?;
    std::fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
}

/// The tests start a PostgreSQL of their own; its programs have to be there.
pub fn postgres() -> Result<()> {
    let installed = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        paths::which("initdb").is_some()
            || versions.into_iter().any(|version| version.path().join("bin/initdb").exists())
    };
    if installed() || (debian::install(&["postgresql"])? && installed()) {
        return Ok(());
    }
    bail!("PostgreSQL is needed: install its server, with `initdb` on PATH")
}

fn interpreter() -> Result<PathBuf> {
    let names = ["python3.14", "python3.13", "python3.12", "python3.11", "python3"];
    let mut found = names.iter().filter_map(|name| paths::which(name));
    found.find(is_new_enough).context("Python is needed: install version 3.11 or newer")
}

fn is_new_enough(python: &PathBuf) -> bool {
    let check = "import sys; sys.exit(sys.version_info < (3, 11))";
    Command::new(python).args(["-c", check]).output().is_ok_and(|output| output.status.success())
}

fn directory() -> PathBuf {
    paths::root().join("target/python-venv")
}

fn binaries() -> PathBuf {
    directory().join(if cfg!(windows) { "Scripts" } else { "bin" })
}
