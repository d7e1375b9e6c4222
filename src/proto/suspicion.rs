//! The last resort against a message that a server cannot take and answers by ending the connection.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use super::message::Message;

/// Which message is blamed for the connections that the server has ended.
#[derive(Debug)]
pub struct Suspicion<M> {
    sender: Option<M>,
    /// The number of the message that was at the head of those under way.
    head: u64,
    /// How many connections in a row the server has ended over it.
    strikes: u32,
    /// The highest number that was under way at a strike. Up to it, messages go out one at a time.
    until: u64,
}

impl<M: Clone + PartialEq> Suspicion<M> {
    /// The server has ended a connection on which the first `under_way` of `in_flight` were sent. Says whether the first of them is
    /// to be given up.
    pub fn strike(current: &mut Option<Self>, in_flight: &VecDeque<Box<Message<M>>>, under_way: usize) -> bool {
        let last = under_way.checked_sub(1).and_then(|last| in_flight.get(last));
        let (Some(head), Some(last)) = (in_flight.front(), last) else { return false };
        let known = current.take().filter(|known| known.sender == head.sender);
        let (strikes, until) = known.map_or((0, 0), |known| {
            let strikes = if known.head == head.seq { known.strikes } else { 0 };
            (strikes, known.until)
        });
        let strikes = strikes + 1;
        *current = Some(Self { sender: head.sender.clone(), head: head.seq, strikes, until: until.max(last.seq) });
        strikes >= MOST_STRIKES
    }

    /// Whether `head`, the first message in flight, is among those that may be to blame, and so goes out alone.
    pub fn covers(&self, head: &Message<M>) -> bool {
        head.sender == self.sender && head.seq <= self.until
    }
}

/// How many connections in a row a server ends over a message before the client gives the message up.
const MOST_STRIKES: u32 = 3;

#[cfg(test)]
mod tests {
    use super::{Box, Message, Suspicion, VecDeque};
    use crate::proto::Purpose;

    fn in_flight(numbers: &[u64]) -> VecDeque<Box<Message<char>>> {
        let message = |seq: &u64| {
            let mut message = Message::new('m', 1, Purpose::Ordinary);
            message.seq = *seq;
            message
        };
        numbers.iter().map(message).collect()
    }

    #[test]
    fn the_third_strike_in_a_row_against_one_message_is_the_last() {
        let mut suspicion = None;
        let strikes = [0, 1, 2].map(|_| Suspicion::strike(&mut suspicion, &in_flight(&[4, 5, 6]), 1));
        assert_eq!(strikes, [false, false, true]);
    }

    #[test]
    fn another_message_at_the_head_starts_at_one_again() {
        let mut suspicion = None;
        Suspicion::strike(&mut suspicion, &in_flight(&[4, 5, 6]), 3);
        let strikes = [0, 1, 2].map(|_| Suspicion::strike(&mut suspicion, &in_flight(&[5, 6]), 1));
        assert_eq!(strikes, [false, false, true]);
    }

    #[test]
    fn all_that_was_under_way_at_the_first_strike_goes_out_alone() {
        let mut suspicion = None;
        let queue = in_flight(&[4, 5, 6, 7]);
        Suspicion::strike(&mut suspicion, &queue, 3);
        Suspicion::strike(&mut suspicion, &queue, 1);
        let suspicion = suspicion.unwrap();
        assert_eq!([0, 1, 2, 3].map(|index| suspicion.covers(&queue[index])), [true, true, true, false]);
    }

    #[test]
    fn a_connection_with_nothing_under_way_blames_nobody() {
        let mut suspicion = None;
        assert!(!Suspicion::strike(&mut suspicion, &in_flight(&[4]), 0));
        assert!(!Suspicion::strike(&mut suspicion, &in_flight(&[]), 1));
        assert!(suspicion.is_none());
    }
}
