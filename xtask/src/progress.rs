//! Lines that say what is going on and for how long it has been.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static STARTED: OnceLock<Instant> = OnceLock::new();

pub fn start() {
    STARTED.get_or_init(Instant::now);
}

pub fn say(text: impl Display) {
    let elapsed = STARTED.get_or_init(Instant::now).elapsed();
    println!("[{}] {text}", seconds(elapsed));
}

pub fn seconds(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}
