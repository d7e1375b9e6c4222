//! One user's typing, as few announcements.

use super::TypingRule;

/// Turns key presses into announcements: `true` when the user types or still types, `false` when that is over.
#[derive(Debug)]
pub struct Announcer {
    rule: TypingRule,
    is_announced: bool,
    /// Whether a key was pressed that no announcement covers yet.
    is_key_new: bool,
    /// Before this an announcement would be too early.
    say_at: Option<i64>,
    stop_at: Option<i64>,
}

impl Announcer {
    pub const fn new(rule: TypingRule) -> Self {
        Self { rule, is_announced: false, is_key_new: false, say_at: None, stop_at: None }
    }

    pub fn key_pressed(&mut self, now: i64) -> Option<bool> {
        self.stop_at = Some(now + self.rule.stop_ms);
        self.is_key_new = true;
        if self.say_at.is_some() {
            return None;
        }
        if self.is_announced || self.rule.debounce_ms == 0 {
            return Some(self.say(now));
        }
        self.say_at = Some(now + self.rule.debounce_ms);
        None
    }

    /// The user has stopped; that is announced only if the typing was.
    pub const fn stopped(&mut self) -> Option<bool> {
        let was_announced = self.is_announced;
        self.forget();
        if was_announced { Some(false) } else { None }
    }

    /// Nobody can be told any more.
    pub const fn forget(&mut self) {
        *self = Self::new(self.rule);
    }

    pub fn poll_timeout(&self) -> Option<i64> {
        [self.say_at, self.stop_at].into_iter().flatten().min()
    }

    pub fn handle_timeout(&mut self, now: i64) -> Option<bool> {
        let is_due = |at: Option<i64>| at.is_some_and(|at| now >= at);
        if is_due(self.stop_at) {
            return self.stopped();
        }
        if !is_due(self.say_at) {
            return None;
        }
        self.say_at = None;
        self.is_key_new.then(|| self.say(now))
    }

    const fn say(&mut self, now: i64) -> bool {
        self.is_announced = true;
        self.is_key_new = false;
        self.say_at = Some(now + self.rule.repeat_ms);
        true
    }
}
