//! How one script becomes another.

use fastrand::Rng;

use super::script::{HEAD_BYTES, STEP_BYTES};

/// Changes a script that takes the first `size` of the bytes, and says how many it takes then. `usual` is what fuzzers do to bytes.
pub fn mutate(
    bytes: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    usual: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut rng = Rng::with_seed(u64::from(seed));
    let steps = size.saturating_sub(HEAD_BYTES) / STEP_BYTES;
    let step = |index: usize| HEAD_BYTES + index * STEP_BYTES;
    let has_room = size >= HEAD_BYTES && size + STEP_BYTES <= max_size;
    match rng.u8(..8) {
        // A step that was not there.
        0..=2 if has_room => {
            let at = step(rng.usize(..=steps));
            bytes.copy_within(at..size, at + STEP_BYTES);
            rng.fill(&mut bytes[at..at + STEP_BYTES]);
            size + STEP_BYTES
        }
        // A step once more, elsewhere.
        3 if has_room && steps > 0 => {
            let mut copy = [0; STEP_BYTES];
            let (from, at) = (step(rng.usize(..steps)), step(rng.usize(..=steps)));
            copy.copy_from_slice(&bytes[from..from + STEP_BYTES]);
            bytes.copy_within(at..size, at + STEP_BYTES);
            bytes[at..at + STEP_BYTES].copy_from_slice(&copy);
            size + STEP_BYTES
        }
        // One step less.
        4 if steps > 0 => {
            let at = step(rng.usize(..steps));
            bytes.copy_within(at + STEP_BYTES..size, at);
            size - STEP_BYTES
        }
        // Another step in place of one.
        5 if steps > 0 => {
            let at = step(rng.usize(..steps));
            rng.fill(&mut bytes[at..at + STEP_BYTES]);
            size
        }
        _ => usual(bytes, size, max_size),
    }
}
