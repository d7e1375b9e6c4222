//! Who is typing in which match, until they stop or two seconds pass.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

/// A user typing in a match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Typist {
    pub match_id: Arc<str>,
    pub user: Arc<str>,
}

/// Until when a user types, and on which of their connections they do.
#[derive(Clone, Copy)]
struct Typing {
    stops_at: Instant,
    connection: u64,
}

/// The typists and when they stop by themselves.
///
/// All deadlines are the same distance away, so a queue keeps them in order.
#[derive(Default)]
pub struct Typists {
    stops_at: HashMap<Typist, Typing>,
    deadlines: VecDeque<(Instant, Typist)>,
}

impl Typists {
    /// A key was pressed, on a connection.
    pub fn press(&mut self, typist: Typist, connection: u64, now: Instant) {
        let stops_at = now + AUTO_STOP;
        self.stops_at.insert(typist.clone(), Typing { stops_at, connection });
        self.deadlines.push_back((stops_at, typist));
    }

    /// They stopped. Returns the connection on which they were typing, if they were.
    pub fn stop(&mut self, typist: &Typist) -> Option<u64> {
        self.stops_at.remove(typist).map(|typing| typing.connection)
    }

    /// Takes a typist who has stopped by themselves, and the connection on which they were typing.
    pub fn take_stopped(&mut self, now: Instant) -> Option<(Typist, u64)> {
        while let Some((at, typist)) = self.deadlines.pop_front_if(|(at, _)| *at <= now) {
            // Only the deadline of the last key counts.
            if self.stops_at.get(&typist).is_some_and(|typing| typing.stops_at == at)
                && let Some(connection) = self.stop(&typist)
            {
                return Some((typist, connection));
            }
        }
        None
    }
}

/// When to take a pause for the end of typing.
const AUTO_STOP: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Typist {
        Typist { match_id: "m1".into(), user: "ada".into() }
    }

    #[test]
    fn typing_stops_two_seconds_after_the_last_key() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut typists = Typists::default();
        typists.press(ada(), 1, start);
        typists.press(ada(), 2, after(1500));
        assert_eq!(typists.take_stopped(after(3499)), None);
        assert_eq!(typists.take_stopped(after(3500)), Some((ada(), 2)));
        assert_eq!(typists.take_stopped(after(9000)), None);
        assert_eq!(typists.stop(&ada()), None);
    }

    #[test]
    fn who_stopped_does_not_stop_again() {
        let mut typists = Typists::default();
        let start = Instant::now();
        typists.press(ada(), 1, start);
        assert_eq!(typists.stop(&ada()), Some(1));
        assert_eq!(typists.take_stopped(start + Duration::from_secs(10)), None);
    }
}
