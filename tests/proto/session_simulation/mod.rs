//! Three devices of two users in one match, over a network that fails: the chat state machine against what the client promises it, in virtual time.

mod network;
mod page;
mod server;

use std::collections::{BTreeMap, VecDeque};

use everwire::session::{Chat, ChatConfig, ChatKind, ChatMessage, ChatStatus};
use fastrand::Rng;

use self::network::pop_due;
use self::page::Page;
use self::server::Stored;

/// Until when the network fails, and until when everything has to be well, in milliseconds.
const FAULTS_MS: i64 = 20_000;
const END_MS: i64 = 60_000;
const TICK_MS: i64 = 20;
const MATCH: &str = "m1";
const EPOCH_MS: i64 = 1_767_225_600_000;

struct Simulation {
    rng: Rng,
    now: i64,
    is_reliable: bool,
    /// Whether the server names the members of a match.
    tells_members: bool,
    /// Whether the devices can fetch the history.
    has_pages: bool,
    stored: Vec<Stored>,
    pages: Vec<Page>,
    gaps: usize,
    failures: usize,
}

impl Simulation {
    fn new(seed: u64, is_reliable: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let config = ChatConfig {
            can_load_earlier: rng.bool(),
            can_load_missed: rng.bool() || !is_reliable,
            ..ChatConfig::default()
        };
        let config = if config.can_load_earlier { config } else { ChatConfig { can_load_missed: true, ..config } };
        let page = |(user, ahead_ms)| Page {
            user,
            chat: Chat::new(ChatKind::Match, MATCH, config),
            ahead_ms,
            is_open: false,
            is_joined: false,
            opens_at: 0,
            queue: VecDeque::new(),
            up: VecDeque::new(),
            down: VecDeque::new(),
            fetches: Vec::new(),
            seen: BTreeMap::new(),
            written: 0,
        };
        let pages = [("ada", 0), ("ada", 90_000), ("ben", -45_000)].map(page).into();
        let (tells_members, has_pages) = (rng.bool(), config.can_load_earlier);
        let mut simulation = Self {
            rng,
            now: EPOCH_MS,
            is_reliable,
            tells_members,
            has_pages,
            stored: Vec::new(),
            pages,
            gaps: 0,
            failures: 0,
        };
        for page in 0..simulation.pages.len() {
            let Page { user, chat, .. } = &mut simulation.pages[page];
            chat.set_user(user);
            chat.enter();
            simulation.perform(page);
        }
        simulation
    }

    fn run(&mut self) {
        while self.now < EPOCH_MS + END_MS {
            self.now += TICK_MS;
            for page in 0..self.pages.len() {
                self.tick(page);
            }
        }
        self.check_end();
    }

    fn has_faults(&self) -> bool {
        self.now < EPOCH_MS + FAULTS_MS
    }

    fn tick(&mut self, page: usize) {
        if self.pages[page].is_open {
            if self.has_faults() && self.rng.u32(..150) == 0 {
                self.cut(page);
            }
        } else if self.now >= self.pages[page].opens_at {
            self.open(page);
        }
        while let Some((_, up)) = pop_due(&mut self.pages[page].up, self.now) {
            self.serve(page, up);
        }
        while let Some((_, down)) = pop_due(&mut self.pages[page].down, self.now) {
            self.hear(page, down);
        }
        let now = self.local(page);
        if self.pages[page].chat.poll_timeout().is_some_and(|at| now >= at) {
            self.pages[page].chat.handle_timeout(now);
            self.perform(page);
        }
        let due = self.pages[page].fetches.iter().position(|(at, _)| *at <= self.now);
        if let Some(due) = due {
            let (_, answer) = self.pages[page].fetches.remove(due);
            self.answer(page, &answer);
        }
        if self.has_faults() {
            self.act(page);
        } else {
            self.retry(page);
            self.pages[page].chat.load_earlier();
            self.perform(page);
        }
    }

    fn check_end(&self) {
        for (number, page) in self.pages.iter().enumerate() {
            let snapshot = page.chat.snapshot();
            assert!(snapshot.is_complete && !snapshot.is_loading, "page {number}: {:?}", snapshot.error);
            let statuses = |message: &ChatMessage| message.status.is_none_or(|status| status >= ChatStatus::Sent);
            assert!(snapshot.messages.iter().all(statuses), "page {number} has messages under way");
            let ids: Vec<_> = snapshot.messages.iter().map(|message| message.id.as_str()).collect();
            let stored: Vec<_> = self.stored.iter().map(|stored| stored.client_id.as_str()).collect();
            // Without pages, a device has what came since it joined.
            let first = if self.has_pages { 0 } else { stored.len().saturating_sub(ids.len()) };
            assert_eq!(ids, stored[first..], "page {number} shows what the server has, in its order");
        }
        let written: usize = self.pages.iter().map(|page| page.written).sum();
        assert_eq!(self.stored.len(), written, "every message that was written is on the server once");
    }
}

#[test]
fn in_the_reliable_mode_every_device_ends_with_the_same_list() {
    simulate(true);
}

#[test]
fn at_most_once_what_is_lost_fails_and_is_sent_again_and_every_device_ends_with_the_same_list() {
    simulate(false);
}

fn simulate(is_reliable: bool) {
    let (mut gaps, mut failures) = (0, 0);
    for seed in 0..20 {
        let mut simulation = Simulation::new(seed, is_reliable);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| simulation.run()));
        assert!(outcome.is_ok(), "with the seed {seed}");
        gaps += simulation.gaps;
        failures += simulation.failures;
    }
    assert!(failures > 20 && (gaps > 20) == is_reliable, "{failures} fetches failed, {gaps} gaps");
}
