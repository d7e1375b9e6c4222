//! What the process itself takes.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Memory and processor time.
pub struct Usage {
    pub resident_bytes: u64,
    pub cpu_seconds: f64,
}

/// `None` on a system that does not tell.
pub fn usage() -> Option<Usage> {
    let own = sysinfo::get_current_pid().ok()?;
    let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu().without_tasks();
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, wanted);
    let process = system.process(own)?;
    Some(Usage { resident_bytes: process.memory(), cpu_seconds: process.accumulated_cpu_time() as f64 / 1000.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_at_least_a_megabyte() {
        let usage = usage().unwrap();
        assert!(usage.resident_bytes > 1 << 20 && usage.cpu_seconds >= 0.0);
    }
}
