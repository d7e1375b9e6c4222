//! The virtual clock.

use crate::TestHarness;

impl TestHarness {
    /// Lets time pass; everything that is due happens when it is due.
    pub fn advance(&mut self, millis: u64) {
        let until = self.now + millis;
        for _ in 0..MOST_STEPS {
            let arrival = self.under_way.keys().next().map_or(u64::MAX, |(at, _)| *at);
            let alarm = self.alarm.unwrap_or(u64::MAX);
            if arrival.min(alarm) > until {
                self.now = until;
                return;
            }
            self.now = self.now.max(arrival.min(alarm));
            if arrival <= alarm {
                self.deliver();
            } else {
                self.wake();
            }
        }
        panic!("the client spins: {:?}", self.client());
    }

    /// The page sleeps: nothing happens until its end, and then the alarm comes first.
    pub fn suspend(&mut self, millis: u64) {
        self.now += millis;
        self.wake();
        self.advance(0);
    }

    /// Time passes, and something else happens before the alarm that is due goes off.
    pub const fn sleep_without_alarm(&mut self, millis: u64) {
        self.now += millis;
    }

    /// The connection is lost, and the next one is made.
    pub fn come_back(&mut self) {
        self.close(1006);
        self.try_again();
    }

    /// The scheduled attempt is made.
    pub fn try_again(&mut self) {
        let retry_at = self.client().snapshot().retry_at.expect("an attempt is scheduled");
        self.advance(retry_at.as_millis() - self.now);
    }

    /// What the client sends from now on gets lost on the way.
    pub fn cut(&mut self) {
        if let Some(socket) = self.sockets.iter_mut().find(|socket| socket.is_live()) {
            socket.is_cut = true;
        }
    }

    /// The browser takes no messages on the live socket any more, and has not said so yet.
    pub fn stop_accepting(&mut self) {
        self.stop_accepting_after(0);
    }

    /// As [`TestHarness::stop_accepting`], after `messages` more.
    pub fn stop_accepting_after(&mut self, messages: usize) {
        if let Some(socket) = self.sockets.iter_mut().find(|socket| socket.is_live()) {
            socket.room = socket.room.min(messages);
        }
    }
}

const MOST_STEPS: usize = 100_000;
