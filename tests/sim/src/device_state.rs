//! One tab over several pages: its network.

#[derive(Debug, Default)]
pub struct Device {
    /// The page that is open, or was last.
    pub page: usize,
    /// Connects are not answered before.
    pub silent_until: u64,
    /// Whether they arrive late instead of never.
    pub is_late: bool,
    pub refusing_until: u64,
    pub offline_until: u64,
    /// Until when the browser believes that there is no network, although there is.
    pub pretends_until: u64,
    pub no_tokens: u32,
    pub refused_tokens: u32,
    pub refusal_code: u16,
}

impl Device {
    /// Whether the browser says that there is no network.
    pub fn says_offline(&self, now: u64) -> bool {
        now < self.offline_until.max(self.pretends_until)
    }
}
