//! Debian packages, where they can be installed without asking.

use std::path::Path;

use anyhow::Result;

use crate::install::Missing;
use crate::job::Job;
use crate::{paths, shell};

/// What is missing without `packages`: installed by this tool where the system allows it, otherwise as `by_hand` says.
pub fn missing(what: &str, packages: &[&str], by_hand: String) -> Result<Missing> {
    let Some(steps) = steps(packages) else {
        return Ok(Missing::by_hand(by_hand));
    };
    let commands = steps.iter().map(Job::command_line).collect::<Result<Vec<_>>>()?;
    Ok(Missing::installable(what, "the system's Debian packages", &commands))
}

pub fn install(packages: &[&str]) -> Result<()> {
    steps(packages).into_iter().flatten().try_for_each(Job::run)
}

/// The steps that install `packages`, if this is such a system.
fn steps(packages: &[&str]) -> Option<Vec<Job>> {
    let privilege = privilege()?;
    let apt = |step: String| match privilege {
        Privilege::Root => Job::new(step, "apt-get"),
        Privilege::Sudo => Job::new(step, "sudo").args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]),
    };
    let list = packages.join(" ");
    let update = apt("set-up · apt-get update".into()).arg("update").env("DEBIAN_FRONTEND", "noninteractive");
    let install = apt(format!("set-up · apt-get install {list}"))
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .hint(format!("Install by hand: {list}"));
    Some(vec![update, install])
}

#[derive(Clone, Copy)]
enum Privilege {
    Root,
    Sudo,
}

fn privilege() -> Option<Privilege> {
    if !cfg!(target_os = "linux") || !Path::new("/etc/debian_version").exists() || paths::which("apt-get").is_none() {
        return None;
    }
    if is_root() {
        return Some(Privilege::Root);
    }
    shell::succeeds("sudo", &["-n", "true"]).then_some(Privilege::Sudo)
}

#[cfg(unix)]
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
