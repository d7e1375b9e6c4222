//! Whether the server has let this side in.

/// Whether the server has let this side in, and from when on everything surely comes to it: once it has answered a ping that was sent behind the join.
#[derive(Debug, Default)]
pub struct Join {
    /// Whether the server's answer is open.
    is_open: bool,
    is_refused: bool,
    /// How many pongs must come before the server has surely seen this side join.
    pongs: u8,
    /// Whether the pings are out and it is not sure yet.
    is_asking: bool,
    /// Whether the join waits until the server takes it, as any message of the reliable mode.
    is_waiting: bool,
    is_seen: bool,
}

impl Join {
    /// A join is on its way.
    pub const fn begin(&mut self) {
        self.is_open = true;
    }

    /// The connection has ended.
    pub const fn end(&mut self) {
        (self.is_open, self.pongs, self.is_asking) = (false, 0, false);
    }

    /// Asks when the server has seen the join. Says how many pings are to be sent.
    pub const fn ask(&mut self, is_reliable: bool) -> u8 {
        (self.is_asking, self.is_seen) = (true, false);
        // In the reliable mode one more pong is on its way, of the ping that follows the hello.
        self.pongs = if is_reliable { 2 } else { 1 };
        self.pongs
    }

    pub const fn set_waiting(&mut self, is_waiting: bool) {
        self.is_waiting = is_waiting;
    }

    pub const fn handle_pong(&mut self) {
        self.pongs = self.pongs.saturating_sub(1);
    }

    /// Whether the server has answered. It may answer pings before it takes a message of the reliable mode.
    pub const fn is_answered(&self, is_reliable: bool) -> bool {
        self.is_asking && self.pongs == 0 && !(is_reliable && self.is_waiting)
    }

    /// The server has named the members to this side. Says whether that takes back a refusal.
    pub const fn allow(&mut self) -> bool {
        self.is_open = false;
        core::mem::replace(&mut self.is_refused, false)
    }

    /// The server refuses the join. Says whether one was open.
    pub const fn refuse(&mut self) -> bool {
        let was_open = self.is_open;
        if was_open {
            self.end();
            self.is_refused = true;
        }
        was_open
    }

    /// From here on, everything comes to this side.
    pub const fn see(&mut self) {
        (self.pongs, self.is_asking, self.is_seen) = (0, false, true);
    }

    pub const fn is_asking(&self) -> bool {
        self.is_asking
    }

    pub const fn is_refused(&self) -> bool {
        self.is_refused
    }

    pub const fn is_seen(&self) -> bool {
        self.is_seen
    }
}
