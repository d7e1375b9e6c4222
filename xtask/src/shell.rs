//! Short questions to other programs, whose answers are read and not shown.

use std::path::Path;

use anyhow::{Context, Result};
use xshell::Shell;

use crate::paths;

/// A shell that works in the checkout.
pub fn at_root() -> Result<Shell> {
    let shell = Shell::new().context("the working directory is gone")?;
    shell.change_dir(paths::root());
    Ok(shell)
}

/// Whether a program can be started with these arguments and is content.
pub fn succeeds(program: impl AsRef<Path>, arguments: &[&str]) -> bool {
    let answer = |shell: Shell| shell.cmd(&program).args(arguments).quiet().ignore_stderr().read().is_ok();
    at_root().is_ok_and(answer)
}
