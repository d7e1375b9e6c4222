//! What a process takes, as Linux shows it under `/proc`.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

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

/// The usage of another process.
pub fn usage(pid: u32) -> Result<Usage> {
    read(&pid.to_string())
}

/// The usage of this process.
pub fn own_usage() -> Result<Usage> {
    read("self")
}

/// Processor time that everybody on the machine has taken together.
pub fn machine_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("reading /proc/stat, which only Linux has")?;
    let ticks = busy_ticks(&stat).context("/proc/stat is not as expected")?;
    Ok(Duration::from_millis(ticks * MS_PER_TICK))
}

fn read(process: &str) -> Result<Usage> {
    let file = |name: &str| {
        let path = format!("/proc/{process}/{name}");
        fs::read_to_string(&path).with_context(|| format!("reading {path}, which only Linux has"))
    };
    let (status, stat) = (file("status")?, file("stat")?);
    let cpu = cpu_ticks(&stat).context("/proc/…/stat is not as expected")?;
    let bytes = |name| kibibytes(&status, name).with_context(|| format!("/proc/…/status has no {name}"));
    Ok(Usage {
        resident: bytes("VmRSS:")? * 1024,
        peak: bytes("VmHWM:")? * 1024,
        cpu: Duration::from_millis(cpu * MS_PER_TICK),
    })
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The second field is the program's name in parentheses, which may hold spaces.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Everything but the fourth and the fifth number, which are idle time, and those behind the eighth, which repeat others.
fn busy_ticks(stat: &str) -> Option<u64> {
    let numbers = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
    let ticks = numbers.map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    Some(ticks.iter().sum::<u64>() - ticks.get(3)? - ticks.get(4)?)
}

/// Fixed by the Linux ABI for what `/proc` shows.
const MS_PER_TICK: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_a_name_with_spaces_and_parentheses() {
        assert_eq!(cpu_ticks("7 (a (b) c) S 1 7 7 0 -1 4 1 2 3 4 250 50 0 0 20 0"), Some(300));
        assert_eq!(busy_ticks("cpu  10 1 20 999 50 3 4 5 7 0\ncpu0 1 1\n"), Some(43));
        assert_eq!(kibibytes("Name:\tx\nVmRSS:\t  1234 kB\n", "VmRSS:"), Some(1234));
    }
}
