//! Installs Debian packages where that is possible without asking.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::job::Job;
use crate::paths;

/// Installs `packages` if this is such a system; says whether it did.
pub fn install(packages: &[&str]) -> Result<bool> {
    let Some(privilege) = privilege() else {
        return Ok(false);
    };
    let apt = |step: String| match privilege {
        Privilege::Root => Job::new(step, "apt-get"),
        Privilege::Sudo => Job::new(step, "sudo").args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]),
    };
    let list = packages.join(" ");
    apt("set-up · apt-get update".into()).arg("update").env("DEBIAN_FRONTEND", "noninteractive").run()?;
    apt(format!("set-up · apt-get install {list}"))
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .hint(format!("Install by hand: {list}"))
        .run()?;
    Ok(true)
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
    let sudo = Command::new("sudo").args(["-n", "true"]).output();
    sudo.is_ok_and(|output| output.status.success()).then_some(Privilege::Sudo)
}

#[cfg(unix)]
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
