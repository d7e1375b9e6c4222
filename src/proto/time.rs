//! Points in time, as the driver tells them.

use core::ops::Add;

/// A span that never ends, in milliseconds: what `Infinity` means in an option.
pub const FOREVER: u64 = u64::MAX;

/// A point on the driver's monotonic clock, in whole milliseconds since an origin that only the driver knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// A point that no clock reaches.
    pub const NEVER: Self = Self(FOREVER);

    /// The point `millis` after the clock's origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the clock's origin.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to this point; 0 when `earlier` is later, because clocks of suspended pages do step back.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Timestamp {
    type Output = Self;

    // Deadlines are made everywhere; a copy at each would cost the npm package 40 bytes.
    #[inline(never)]
    fn add(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}
