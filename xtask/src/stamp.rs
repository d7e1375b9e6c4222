//! Copies of lock files beside what was installed from them: a lock file that differs from its copy asks for an installation.

use std::path::Path;

use anyhow::{Context, Result};

use crate::paths;

/// Whether what `stamp` lies beside was installed from `lock_file` as it is now; both are paths in the checkout.
pub fn is_current(lock_file: &str, stamp: &str) -> Result<bool> {
    let wanted = std::fs::read(paths::root().join(lock_file)).with_context(|| format!("reading {lock_file}"))?;
    Ok(std::fs::read(paths::root().join(stamp)).is_ok_and(|installed| installed == wanted))
}

pub fn write(lock_file: &str, stamp: &str) -> Result<()> {
    let [from, to] = [lock_file, stamp].map(|file| paths::root().join(file));
    std::fs::copy(from, to).with_context(|| format!("writing {stamp}"))?;
    Ok(())
}

/// What a person types who has installed it by hand.
pub fn command(lock_file: &str, stamp: &str) -> String {
    let [from, to] = [lock_file, stamp].map(|file| Path::new(file).display());
    format!("{} {from} {to}", if cfg!(windows) { "copy" } else { "cp" })
}
