//! Where the data is, and who may have it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

/// A directory that is removed when this is dropped.
pub struct Place {
    directory: PathBuf,
    account: Option<Account>,
}

/// Who runs `PostgreSQL`, which refuses to run as root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Place {
    /// Makes `wanted` empty, or a temporary directory where the account of `PostgreSQL` cannot come there.
    pub fn prepare(wanted: &Path) -> Result<Self> {
        let account = account()?;
        let fresh = |directory: &Path| {
            _ = fs::remove_dir_all(directory);
            fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))
        };
        fresh(wanted)?;
        let wanted = wanted.canonicalize()?;
        let mut place = Self { directory: wanted, account };
        if !place.may_enter() {
            fs::remove_dir_all(&place.directory)?;
            place.directory = env::temp_dir().join(format!("everwire-services-{}", std::process::id()));
            fresh(&place.directory)?;
        }
        if let Some(Account { user, group }) = account {
            own(&place.directory, user, group)?;
        }
        Ok(place)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A command that runs as whoever may have the data.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory);
        self.act(&mut command);
        command
    }

    fn may_enter(&self) -> bool {
        let mut command = Command::new("test");
        command.arg("-x").arg(&self.directory).current_dir("/");
        self.act(&mut command);
        command.status().is_ok_and(|status| status.success())
    }

    #[cfg(unix)]
    fn act(&self, command: &mut Command) {
        use std::os::unix::process::CommandExt as _;
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group);
        }
    }

    #[cfg(not(unix))]
    fn act(&self, _: &mut Command) {}
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.directory);
    }
}

#[cfg(unix)]
fn account() -> Result<Option<Account>> {
    use nix::unistd::{User, geteuid};
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres")?;
    let user = user.context("PostgreSQL does not run as root, and there is no user `postgres`")?;
    Ok(Some(Account { user: user.uid.as_raw(), group: user.gid.as_raw() }))
}

#[cfg(not(unix))]
fn account() -> Result<Option<Account>> {
    Ok(None)
}

#[cfg(unix)]
fn own(directory: &Path, user: u32, group: u32) -> Result<()> {
    std::os::unix::fs::chown(directory, Some(user), Some(group))
        .with_context(|| format!("giving {} to PostgreSQL's user", directory.display()))
}

#[cfg(not(unix))]
fn own(_: &Path, _: u32, _: u32) -> Result<()> {
    Ok(())
}
