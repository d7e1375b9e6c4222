//! Programs that cargo compiles when they are missing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::install::{self, Missing, Need};
use crate::job::Job;
use crate::{paths, progress, shell, tools};

pub struct Crate {
    package: &'static str,
    program: &'static str,
    version: &'static str,
    /// Whether any other version is as good as none.
    exact: bool,
    /// The variable that names the program where it is somewhere else.
    variable: Option<&'static str>,
}

pub static GECKODRIVER: Crate = Crate {
    package: "geckodriver",
    program: "geckodriver",
    version: "0.37.1",
    exact: false,
    variable: Some("GECKODRIVER"),
};
/// The runner must be of exactly the version that the crate is built with.
pub static WASM_BINDGEN_TEST_RUNNER: Crate = Crate {
    package: "wasm-bindgen-cli",
    program: "wasm-bindgen-test-runner",
    version: "0.2.130",
    exact: true,
    variable: None,
};
pub static CARGO_DENY: Crate =
    Crate { package: "cargo-deny", program: "cargo-deny", version: "0.20.2", exact: false, variable: None };
pub static CARGO_SEMVER_CHECKS: Crate = Crate {
    package: "cargo-semver-checks",
    program: "cargo-semver-checks",
    version: "0.51.0",
    exact: false,
    variable: None,
};
pub static CARGO_FUZZ: Crate =
    Crate { package: "cargo-fuzz", program: "cargo-fuzz", version: "0.13.2", exact: false, variable: None };

impl Crate {
    /// The program, installed first if it has to be.
    pub fn find(&self) -> Result<PathBuf> {
        install::provide(self)?;
        self.present()?.with_context(|| format!("{} was installed and is not there", self.program))
    }

    fn present(&self) -> Result<Option<PathBuf>> {
        if let Some(path) = self.variable.map(tools::overridden).transpose()?.flatten() {
            return Ok(Some(path));
        }
        let known =
            [paths::which(self.program), Some(within(&paths::cargo_home()?, self.program)), Some(self.aside()?)];
        Ok(known.into_iter().flatten().find(|path| self.serves(path)))
    }

    /// Where it is when another version is on PATH, which somebody put there and which stays what it is.
    fn aside(&self) -> Result<PathBuf> {
        Ok(within(&paths::target()?.join("tools"), self.program))
    }

    fn destination(&self) -> Result<PathBuf> {
        if paths::which(self.program).is_none() { paths::cargo_home() } else { Ok(paths::target()?.join("tools")) }
    }

    fn serves(&self, path: &Path) -> bool {
        let version = || shell::at_root().ok()?.cmd(path).arg("--version").quiet().ignore_stderr().read().ok();
        path.is_file() && (!self.exact || version().is_some_and(|printed| mentions(&printed, self.version)))
    }

    fn compile(&self, directory: &Path, options: &[&str]) -> Job {
        Job::cargo(format!("set-up · cargo install {}", self.package))
            .args(["install", self.package, "--version", self.version, "--root"])
            .arg(directory)
            // These tools run for seconds; compiling them takes most of the time.
            .args(["--config", "profile.release.opt-level=1"])
            .args(options)
    }
}

impl Need for Crate {
    fn missing(&self) -> Result<Option<Missing>> {
        if self.present()?.is_some() {
            return Ok(None);
        }
        let directory = self.destination()?;
        let command = self.compile(&directory, LOCKED).command_line()?;
        let what = format!("{} {}", self.program, self.version);
        Ok(Some(Missing::installable(what, directory.join("bin").display(), &[command])))
    }

    fn install(&self) -> Result<()> {
        let Self { package, program, version, .. } = self;
        let directory = self.destination()?;
        progress::say(format!("compiling {program} {version} takes some minutes, once"));
        // A registry may no longer offer a version that the locked set names; then the newest compatible ones serve.
        if self.compile(&directory, LOCKED).attempt()?.is_err() {
            progress::say("the locked dependencies cannot be had; trying with compatible ones");
            self.compile(&directory, &[])
                .hint(format!("Check the network, or put `{program}` {version} on PATH by hand."))
                .run()
                .with_context(|| format!("{package} could not be installed"))?;
        }
        Ok(())
    }
}

fn within(directory: &Path, program: &str) -> PathBuf {
    directory.join("bin").join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
}

fn mentions(printed: &str, version: &str) -> bool {
    printed.split_whitespace().any(|word| word == version)
}

const LOCKED: &[&str] = &["--locked"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_has_the_version_that_the_lock_file_has() {
        let lock_file = std::fs::read_to_string(paths::root().join("Cargo.lock")).unwrap();
        let version = WASM_BINDGEN_TEST_RUNNER.version;
        assert!(lock_file.contains(&format!("name = \"wasm-bindgen\"\nversion = \"{version}\"")));
    }

    #[test]
    fn another_version_does_not_serve_where_the_version_matters() {
        let program = PathBuf::from(env!("CARGO"));
        let tool = |exact| Crate { package: "cargo", program: "cargo", version: "0.0.0", exact, variable: None };
        assert!(tool(false).serves(&program) && !tool(true).serves(&program));
    }
}
