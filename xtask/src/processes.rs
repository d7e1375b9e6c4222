//! The processes this tool has started: none of them outlives it.

use std::process::{Child, Command, ExitStatus};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;

/// A started process with its descendants; dropping it stops them all.
pub struct Running {
    child: Child,
    ended: bool,
}

impl Running {
    /// Starts `command` as the leader of its own process group, so that its whole tree can be stopped.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut leaders = lock();
        let child = command.spawn()?;
        leaders.push(child.id());
        Ok(Self { child, ended: false })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        self.ended |= status.is_some();
        Ok(status)
    }

    /// Waits for the end; `tick` is called about ten times a second and may give up with an error.
    pub fn wait(&mut self, mut tick: impl FnMut() -> Result<()>) -> Result<ExitStatus> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            tick()?;
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.child.id();
        if !self.ended {
            stop_group(id, Stop::Politely);
            let deadline = Instant::now() + GRACE;
            while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // The leader may have left descendants behind, for example a browser.
        stop_group(id, Stop::AtOnce);
        _ = self.child.kill();
        _ = self.child.wait();
        lock().retain(|&leader| leader != id);
    }
}

/// Makes Ctrl-C and termination take all started processes along.
pub fn stop_all_on_signal() {
    let installed = ctrlc::set_handler(|| {
        let leaders = lock();
        for &leader in leaders.iter() {
            stop_group(leader, Stop::Politely);
        }
        std::thread::sleep(Duration::from_millis(500));
        for &leader in leaders.iter() {
            stop_group(leader, Stop::AtOnce);
        }
        std::process::exit(130);
    });
    if let Err(error) = installed {
        eprintln!("warning: Ctrl-C may leave processes behind: {error}");
    }
}

#[derive(Clone, Copy)]
enum Stop {
    Politely,
    AtOnce,
}

#[cfg(unix)]
fn stop_group(leader: u32, how: Stop) {
    use nix::sys::signal::{Signal, killpg};
    let signal = match how {
        Stop::Politely => Signal::SIGTERM,
        Stop::AtOnce => Signal::SIGKILL,
    };
    if let Ok(leader) = i32::try_from(leader) {
        _ = killpg(nix::unistd::Pid::from_raw(leader), signal);
    }
}

#[cfg(not(unix))]
fn stop_group(leader: u32, how: Stop) {
    if matches!(how, Stop::AtOnce) {
        _ = Command::new("taskkill").args(["/T", "/F", "/PID", &leader.to_string()]).output();
    }
}

fn lock() -> std::sync::MutexGuard<'static, Vec<u32>> {
    LEADERS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

static LEADERS: Mutex<Vec<u32>> = Mutex::new(Vec::new());
const GRACE: Duration = Duration::from_secs(5);

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn dropping_stops_the_process_and_its_descendants() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & sleep 600"]);
        let running = Running::start(&mut command).unwrap();
        let group = i32::try_from(running.child.id()).unwrap();
        drop(running);
        let group = nix::unistd::Pid::from_raw(group);
        let deadline = Instant::now() + Duration::from_secs(5);
        while nix::sys::signal::killpg(group, None).is_ok() {
            assert!(Instant::now() < deadline, "a descendant is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
