//! Lines that say what is going on and for how long it has been.

use std::{fmt::Display, sync::LazyLock, time::Instant};

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Says it on standard output.
pub fn say(text: impl Display) {
    println!("  [{:.1}s] {text}", STARTED.elapsed().as_secs_f64());
}
