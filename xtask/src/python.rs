//! Python, and the environment in which the Python server library is checked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::install::{self, Missing, Need};
use crate::job::Job;
use crate::{paths, shell, stamp};

/// The directory of the Python library.
pub fn library() -> PathBuf {
    paths::root().join("servers/python")
}

/// A step that runs a program of the environment in the library's directory.
pub fn tool(step: impl Into<String>, program: &str) -> Job {
    Job::new(step, binaries().join(program)).directory(library()).env("PYTHONUNBUFFERED", "1")
}

/// The environment's Python, for programs that start Python themselves.
pub fn interpreter_of_environment() -> PathBuf {
    binaries().join("python")
}

/// Checks the style and the types of a Python project, as its `pyproject.toml` says.
pub fn check(project: &Path, name: &str) -> Result<()> {
    let run = |what: &str, program: &str| tool(format!("{name} · {what}"), program).directory(project);
    run("ruff", "ruff").args(["check", "--no-cache", "."]).run()?;
    run("ruff format", "ruff").args(["format", "--no-cache", "--check", "."]).run()?;
    let cache = project.file_name().context("a project has a directory")?;
    run("mypy --strict", "mypy").arg("--cache-dir").arg(paths::scratch()?.join("mypy").join(cache)).run()
}

/// `PATH` with the environment's programs first.
pub fn path() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(binaries()).chain(std::env::split_paths(&path)))?)
}

/// Makes the environment when there is none, or when it was made from other requirements.
pub fn environment() -> Result<()> {
    install::provide(&Environment)
}

pub struct Environment;

impl Environment {
    fn jobs() -> Result<[Job; 3]> {
        let create = Job::new("set-up · Python environment", interpreter()?).args(["-m", "venv", "--clear", DIRECTORY]);
        let pip = |step: &str| {
            let options = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet"];
            Job::new(step, binaries().join("python")).args(options)
        };
        Ok([
            create.hint("On Debian, `apt-get install python3-venv`."),
            pip("set-up · Python packages").args(["-r", REQUIREMENTS]).hint("Check the network."),
            pip("set-up · everwire for Python")
                .args(["--no-deps", "--no-build-isolation", "--editable"])
                .arg(library()),
        ])
    }
}

impl Need for Environment {
    fn missing(&self) -> Result<Option<Missing>> {
        if stamp::is_current(REQUIREMENTS, STAMP)? {
            return Ok(None);
        }
        let mut commands = Self::jobs()?.iter().map(Job::command_line).collect::<Result<Vec<_>>>()?;
        commands.push(stamp::command(REQUIREMENTS, STAMP));
        Ok(Some(Missing::installable("the Python packages", DIRECTORY, &commands)))
    }

    fn install(&self) -> Result<()> {
        Self::jobs()?.into_iter().try_for_each(Job::run)?;
        stamp::write(REQUIREMENTS, STAMP)
    }
}

fn interpreter() -> Result<PathBuf> {
    let names = ["python3.14", "python3.13", "python3.12", "python3.11", "python3"];
    let mut found = names.iter().filter_map(|name| paths::which(name));
    found.find(is_new_enough).context("Python is needed: install version 3.11 or newer")
}

fn is_new_enough(python: &PathBuf) -> bool {
    shell::succeeds(python, &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
}

fn binaries() -> PathBuf {
    paths::root().join(DIRECTORY).join(if cfg!(windows) { "Scripts" } else { "bin" })
}

const DIRECTORY: &str = "target/python-venv";
const REQUIREMENTS: &str = "servers/python/requirements-dev.txt";
const STAMP: &str = "target/python-venv/everwire-requirements.txt";
