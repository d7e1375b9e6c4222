//! What the process itself takes, where the operating system shows it as Linux does.

/// Memory and processor time.
pub struct Usage {
    pub resident_bytes: u64,
    pub cpu_seconds: f64,
}

/// `None` where there is no `/proc`.
pub fn usage() -> Option<Usage> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.split_whitespace().next()?.parse().ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, which may hold spaces.
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Usage { resident_bytes: kib * 1024, cpu_seconds: (user + system) as f64 / TICKS_PER_SECOND })
}

/// Fixed by the Linux ABI for what `/proc` shows.
const TICKS_PER_SECOND: f64 = 100.0;
