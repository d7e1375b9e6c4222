//! One direction of a connection.

use std::collections::VecDeque;

use fastrand::Rng;

/// Frames under way, in order, each with its size: what is cut may be cut in the middle of one.
#[derive(Debug)]
pub struct Pipe<T> {
    parcels: VecDeque<Parcel<T>>,
    latency_ms: u64,
    jitter_ms: u64,
    /// Bytes that leave per millisecond, if that is a limit.
    bandwidth: Option<u32>,
    /// When everything that was written will have left.
    left_at: u64,
    /// Nothing arrives before.
    stalled_until: u64,
    last_at: u64,
    /// Whether everything written is swallowed.
    is_hole: bool,
    swallowed: u64,
}

#[derive(Debug)]
struct Parcel<T> {
    at: u64,
    bytes: u32,
    what: T,
}

impl<T> Pipe<T> {
    pub const fn new(latency_ms: u64, jitter_ms: u64, bandwidth: Option<u32>) -> Self {
        Self {
            parcels: VecDeque::new(),
            latency_ms,
            jitter_ms,
            bandwidth,
            left_at: 0,
            stalled_until: 0,
            last_at: 0,
            is_hole: false,
            swallowed: 0,
        }
    }

    /// Writes a frame; says when it arrives, if it does.
    pub fn write(&mut self, what: T, bytes: u32, rng: &mut Rng, now: u64) -> Option<u64> {
        if self.is_hole {
            self.swallowed += u64::from(bytes);
            return None;
        }
        self.left_at = self.left_at.max(now);
        if let Some(bandwidth) = self.bandwidth {
            self.left_at += u64::from(bytes / bandwidth.max(1));
        }
        let jitter = if self.jitter_ms > 0 { rng.u64(0..=self.jitter_ms) } else { 0 };
        let at = (self.left_at + self.latency_ms + jitter).max(self.stalled_until).max(self.last_at);
        self.last_at = at;
        self.parcels.push_back(Parcel { at, bytes, what });
        Some(at)
    }

    /// Takes the next frame that has arrived by `now`.
    pub fn read(&mut self, now: u64) -> Option<T> {
        if self.parcels.front()?.at > now {
            return None;
        }
        self.parcels.pop_front().map(|parcel| parcel.what)
    }

    /// How much the writer's side still holds.
    pub fn buffered(&self, now: u64) -> u64 {
        let waiting = self.bandwidth.map_or(0, |rate| self.left_at.saturating_sub(now) * u64::from(rate));
        waiting + self.swallowed
    }

    /// Swallows what is written from now on.
    pub const fn swallow(&mut self) {
        self.is_hole = true;
    }

    /// Cuts what is under way after a share of its bytes; says how many frames never arrive.
    pub fn cut(&mut self, share: u16) -> usize {
        self.is_hole = true;
        let total: u64 = self.parcels.iter().map(|parcel| u64::from(parcel.bytes)).sum();
        let mut left = total * u64::from(share) / u64::from(u16::MAX);
        let before = self.parcels.len();
        let whole = self.parcels.iter().take_while(|parcel| {
            let fits = u64::from(parcel.bytes) <= left;
            left = left.saturating_sub(u64::from(parcel.bytes));
            fits
        });
        let whole = whole.count();
        self.parcels.truncate(whole);
        before - whole
    }

    /// Delays everything; gives the new times of what is under way.
    pub fn stall(&mut self, until: u64) -> Vec<u64> {
        self.stalled_until = self.stalled_until.max(until);
        for parcel in &mut self.parcels {
            parcel.at = parcel.at.max(until);
            self.last_at = self.last_at.max(parcel.at);
        }
        self.parcels.iter().map(|parcel| parcel.at).collect()
    }

    /// What is under way, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &T> {
        self.parcels.iter().map(|parcel| &parcel.what)
    }

    pub fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    pub const fn is_hole(&self) -> bool {
        self.is_hole
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::Pipe;

    fn written(bytes: [u32; 3]) -> Pipe<usize> {
        let (mut pipe, mut rng) = (Pipe::new(10, 0, None), Rng::with_seed(1));
        for (number, bytes) in bytes.into_iter().enumerate() {
            pipe.write(number, bytes, &mut rng, 0);
        }
        pipe
    }

    fn arrived(pipe: &mut Pipe<usize>, now: u64) -> Vec<usize> {
        core::iter::from_fn(|| pipe.read(now)).collect()
    }

    #[test]
    fn a_cut_lets_only_whole_frames_through() {
        for (share, whole) in [(0, 0), (32_767, 1), (40_000, 1), (u16::MAX - 10, 2), (u16::MAX, 3)] {
            let mut pipe = written([100, 100, 100]);
            assert_eq!(pipe.cut(share), 3 - whole, "{share}");
            assert_eq!(arrived(&mut pipe, 10).len(), whole, "{share}");
            assert_eq!(pipe.write(9, 1, &mut Rng::with_seed(1), 20), None);
        }
    }

    #[test]
    fn frames_keep_their_order_whatever_the_jitter() {
        let (mut pipe, mut rng) = (Pipe::new(10, 500, None), Rng::with_seed(1));
        for number in 0..100 {
            pipe.write(number, 10, &mut rng, number as u64);
        }
        assert_eq!(arrived(&mut pipe, 9), [0_usize; 0]);
        assert_eq!(arrived(&mut pipe, 10_000), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_narrow_pipe_fills_the_writers_buffer() {
        let (mut pipe, mut rng) = (Pipe::new(10, 0, Some(10)), Rng::with_seed(1));
        assert_eq!(pipe.write(0, 1_000, &mut rng, 0), Some(110));
        assert_eq!((pipe.buffered(0), pipe.buffered(40), pipe.buffered(200)), (1_000, 600, 0));
        pipe.swallow();
        pipe.write(1, 77, &mut rng, 200);
        assert_eq!(pipe.buffered(9_999), 77);
    }

    #[test]
    fn a_stalled_pipe_delivers_later_and_loses_nothing() {
        let mut pipe = written([1, 1, 1]);
        assert_eq!(pipe.stall(50), [50, 50, 50]);
        assert_eq!(arrived(&mut pipe, 49), [0_usize; 0]);
        assert_eq!(arrived(&mut pipe, 50), [0, 1, 2]);
    }
}
