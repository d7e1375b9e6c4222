//! What a process takes, and how busy the machine is.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Memory and processor time up to now.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Resident memory in bytes.
    pub resident: u64,
    /// The most that was ever resident, in bytes.
    pub peak: u64,
    /// User and system time together.
    pub cpu: Duration,
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        let none = Self { resident: 0, peak: 0, cpu: Duration::ZERO };
        usages.fold(none, |sum, usage| Self {
            resident: sum.resident + usage.resident,
            peak: sum.peak + usage.peak,
            cpu: sum.cpu + usage.cpu,
        })
    }
}

/// The usage of a process.
pub fn usage(pid: u32) -> Result<Usage> {
    let id = Pid::from_u32(pid);
    let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu().without_tasks();
    let mut system = system()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, wanted);
    let process = system.process(id).with_context(|| format!("there is no process {pid}"))?;
    Ok(Usage {
        resident: process.memory(),
        peak: peak(pid)?,
        cpu: Duration::from_millis(process.accumulated_cpu_time()),
    })
}

/// `sysinfo` knows what is resident now, and a peak between two looks would be missed; only Linux keeps it.
fn peak(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}, which only Linux has"))?;
    let kibibytes = kibibytes(&status, "VmHWM:").with_context(|| format!("{path} has no VmHWM"))?;
    Ok(kibibytes * 1024)
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn system() -> Result<System> {
    System::new().context("this system does not say what processes take")
}

/// The processors of the machine, from one look at them to the next.
pub struct Processors(System);

impl Processors {
    /// Takes the first look.
    pub fn new() -> Result<Self> {
        let mut system = system()?;
        system.refresh_cpu_usage();
        Ok(Self(system))
    }

    /// How many of them everybody together has kept busy since the last look.
    ///
    /// Between two looks there must be [`sysinfo::MINIMUM_CPU_UPDATE_INTERVAL`], or the second sees nothing.
    pub fn busy(&mut self) -> f64 {
        self.0.refresh_cpu_usage();
        f64::from(self.0.global_cpu_usage()) / 100.0 * self.0.cpus().len() as f64
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Keeps one processor busy for long enough to be seen.
    fn work() {
        let start = std::time::Instant::now();
        while start.elapsed() < 2 * sysinfo::MINIMUM_CPU_UPDATE_INTERVAL {
            std::hint::black_box(0);
        }
    }

    #[test]
    fn work_shows_in_the_usage_of_the_process_and_of_the_machine() {
        let mut processors = Processors::new().unwrap();
        let before = usage(std::process::id()).unwrap();
        work();
        let (after, busy) = (usage(std::process::id()).unwrap(), processors.busy());
        assert!(after.cpu > before.cpu, "{before:?} {after:?}");
        assert!(busy > 0.1, "{busy}");
        assert!(after.resident > 1 << 20 && after.peak >= after.resident, "{after:?}");
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        // Linux gives no process a number beyond 2^22.
        assert!(usage(u32::MAX >> 1).is_err());
    }
}
