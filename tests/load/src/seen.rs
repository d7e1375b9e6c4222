//! Which messages of a stage one client has received.

/// A set of message numbers, begun anew with every stage.
#[derive(Default)]
pub struct Seen {
    stage: u32,
    bits: Vec<u64>,
}

impl Seen {
    /// Notes a message and says whether it is the first time.
    pub fn is_new(&mut self, stage: u32, number: u32) -> bool {
        if stage != self.stage {
            *self = Self { stage, bits: Vec::new() };
        }
        let (word, bit) = (number as usize / 64, 1 << (number % 64));
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_noticed_within_a_stage_in_any_order() {
        let mut seen = Seen::default();
        assert!(seen.is_new(1, 70) && seen.is_new(1, 3));
        assert!(!seen.is_new(1, 70) && !seen.is_new(1, 3));
        assert!(seen.is_new(2, 70));
    }
}
