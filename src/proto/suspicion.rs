//! The last resort against a message that a server cannot take and answers by ending the connection.

/// Which message is blamed for the connections that the server has ended. All numbers are those of one origin.
#[derive(Debug, Default)]
pub struct Suspicion {
    /// The number of the message that was at the head of those under way.
    head: u64,
    /// How many connections in a row the server has ended over it.
    strikes: u32,
    /// The highest number that was under way at a strike. Up to it, messages go out one at a time.
    until: u64,
}

impl Suspicion {
    /// The server has ended a connection on which the messages from `head` to `last` were under way. Says whether `head` is to be
    /// given up.
    pub fn strike(&mut self, head: u64, last: u64) -> bool {
        if self.head != head {
            (self.head, self.strikes) = (head, 0);
        }
        self.strikes += 1;
        self.until = self.until.max(last);
        self.strikes >= MOST_STRIKES
    }

    /// Whether the message with this number may be to blame, and so goes out alone.
    pub const fn covers(&self, seq: u64) -> bool {
        seq <= self.until
    }
}

/// How many connections in a row a server ends over a message before the client gives the message up.
const MOST_STRIKES: u32 = 3;

#[cfg(test)]
mod tests {
    use super::Suspicion;

    #[test]
    fn the_third_strike_in_a_row_against_one_message_is_the_last() {
        let mut suspicion = Suspicion::default();
        assert_eq!([4, 4, 4].map(|head| suspicion.strike(head, 6)), [false, false, true]);
    }

    #[test]
    fn another_message_at_the_head_starts_at_one_again() {
        let mut suspicion = Suspicion::default();
        assert_eq!([4, 5, 5, 5].map(|head| suspicion.strike(head, 6)), [false, false, false, true]);
    }

    #[test]
    fn all_that_was_under_way_at_the_first_strike_goes_out_alone() {
        let mut suspicion = Suspicion::default();
        assert!(!suspicion.covers(1));
        suspicion.strike(4, 6);
        suspicion.strike(4, 4);
        assert_eq!([5, 6, 7].map(|seq| suspicion.covers(seq)), [true, true, false]);
    }
}
