//! Three devices of two users in one match, over a network that fails: the chat state machine against what the client promises it, in virtual time.

use std::collections::{BTreeMap, VecDeque};

use everwire::session::{Chat, ChatConfig, ChatKind, ChatMessage, ChatOutput, ChatStatus};
use fastrand::Rng;
use serde_json::{Value as Json, json};

/// Until when the network fails, and until when everything has to be well, in milliseconds.
const FAULTS_MS: i64 = 20_000;
const END_MS: i64 = 60_000;
const TICK_MS: i64 = 20;
const MATCH: &str = "m1";
const EPOCH_MS: i64 = 1_767_225_600_000;

struct World {
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

/// A message as the server has it.
struct Stored {
    sender: &'static str,
    client_id: String,
    content: String,
    at: i64,
    is_read: bool,
}

struct Page {
    user: &'static str,
    chat: Chat,
    /// How far the page's clock is before the server's.
    ahead_ms: i64,
    is_open: bool,
    /// Whether the server sends it the events of the match.
    is_joined: bool,
    opens_at: i64,
    /// What waits for a connection.
    queue: VecDeque<Up>,
    up: VecDeque<(i64, Up)>,
    down: VecDeque<(i64, Down)>,
    fetches: Vec<(i64, Answer)>,
    /// How far each own message has come, to see that it only moves forward.
    seen: BTreeMap<String, ChatStatus>,
    written: usize,
}

/// What the history had when it was asked, which may be before the server had seen the join.
struct Answer {
    token: u64,
    messages: Vec<Json>,
    has_more: bool,
}

#[derive(Clone, Debug)]
enum Up {
    Join,
    Ping,
    Typing,
    Message { client_id: String, content: String },
    Read { id: usize },
}

#[derive(Clone, Debug)]
enum Down {
    Event(&'static str, Json),
    Acknowledged(String),
    Gap,
}

impl Up {
    /// Whether the reliable mode numbers it.
    const fn is_numbered(&self) -> bool {
        matches!(self, Self::Message { .. } | Self::Read { .. })
    }
}

impl Down {
    fn is_stored(&self) -> bool {
        matches!(self, Self::Event("new_message" | "message_read", _) | Self::Gap)
    }
}

impl World {
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
        let mut world = Self {
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
        for page in 0..world.pages.len() {
            let Page { user, chat, .. } = &mut world.pages[page];
            chat.set_user(user);
            chat.enter();
            world.perform(page);
        }
        world
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

    fn act(&mut self, page: usize) {
        let now = self.local(page);
        let this = &mut self.pages[page];
        match self.rng.u32(..200) {
            0..6 => {
                this.written += 1;
                let id = format!("{}-{page}-{}", this.user, this.written);
                this.chat.write(now, &id, &format!("text {}", this.written), json!({}));
            }
            6..9 => this.chat.mark_as_read(None),
            9..12 => this.chat.key_pressed(now),
            12 => drop(this.chat.load_earlier()),
            13 => return self.retry(page),
            _ => return,
        }
        self.perform(page);
    }

    fn retry(&mut self, page: usize) {
        let now = self.local(page);
        let this = &mut self.pages[page];
        let failed = this.chat.messages().find(|message| message.status == Some(ChatStatus::Failed));
        if let Some(id) = failed.map(|message| message.id.clone()) {
            this.seen.remove(&id);
            this.chat.retry(now, &id);
            self.perform(page);
        }
    }

    fn open(&mut self, page: usize) {
        let (now, is_reliable) = (self.local(page), self.is_reliable);
        self.pages[page].is_open = true;
        self.send(page, Up::Join);
        if is_reliable {
            // The answer to the ping that follows the hello.
            self.tell(page, Down::Event("pong", json!({})));
        }
        for up in core::mem::take(&mut self.pages[page].queue) {
            self.send(page, up);
        }
        self.pages[page].chat.handle_open(now, is_reliable);
        self.perform(page);
    }

    fn cut(&mut self, page: usize) {
        let is_reliable = self.is_reliable;
        let forgets = is_reliable && self.rng.u32(..3) == 0;
        let this = &mut self.pages[page];
        this.is_open = false;
        this.is_joined &= is_reliable;
        this.opens_at = self.now + self.rng.i64(100..3_000);
        let lost_up = core::mem::take(&mut this.up);
        let lost_down = core::mem::take(&mut this.down);
        if is_reliable {
            // What is not acknowledged goes out again before what waits, and what is stored comes again.
            for (_, up) in lost_up.into_iter().rev().filter(|(_, up)| up.is_numbered()) {
                this.queue.push_front(up);
            }
            let kept =
                lost_down.into_iter().filter(|(_, down)| down.is_stored() || matches!(down, Down::Acknowledged(_)));
            this.down = kept.map(|(_, down)| (i64::MAX, down)).collect();
            if forgets {
                this.down.retain(|(_, down)| !down.is_stored());
                this.down.push_front((i64::MAX, Down::Gap));
                self.gaps += 1;
            }
        }
        this.chat.handle_close();
        self.perform(page);
    }

    /// What the machine has asked for, after every input.
    fn perform(&mut self, page: usize) {
        self.check(page);
        while let Some(output) = self.pages[page].chat.poll_output() {
            let ChatOutput::Send { event, data, id } = output else {
                let at = self.now + self.rng.i64(50..800);
                let answer = self.look_up(output);
                self.pages[page].fetches.push((at, answer));
                continue;
            };
            let up = match (event, id) {
                ("ping", _) => Up::Ping,
                ("typing", _) => Up::Typing,
                ("read_message", _) => {
                    let id = data["message_id"].as_str().and_then(|id| id.parse().ok());
                    Up::Read { id: id.expect("the id of a message that the server knows") }
                }
                ("send_message", Some(client_id)) => {
                    Up::Message { client_id, content: data["content"].as_str().expect("a text").to_owned() }
                }
                // The client joins by itself.
                _ => continue,
            };
            if self.pages[page].is_open {
                self.send(page, up);
            } else if up.is_numbered() {
                self.pages[page].queue.push_back(up);
            }
        }
    }

    fn send(&mut self, page: usize, up: Up) {
        let at = self.arrival(self.pages[page].up.back().map(|(at, _)| *at));
        if let (Up::Message { client_id, .. }, false) = (&up, self.is_reliable) {
            self.pages[page].chat.handle_status(client_id, ChatStatus::Sent);
        }
        self.pages[page].up.push_back((at, up));
    }

    fn tell(&mut self, page: usize, down: Down) {
        // What a page has not heard yet that is away waits for it.
        let this = &mut self.pages[page];
        if !this.is_open {
            if self.is_reliable && (down.is_stored() || matches!(down, Down::Acknowledged(_))) {
                this.down.push_back((i64::MAX, down));
            }
            return;
        }
        for waiting in &mut this.down {
            waiting.0 = waiting.0.min(self.now);
        }
        let last = self.pages[page].down.back().map(|(at, _)| *at);
        let at = self.arrival(last);
        self.pages[page].down.push_back((at, down));
    }

    fn arrival(&mut self, last: Option<i64>) -> i64 {
        (self.now + self.rng.i64(5..200)).max(last.unwrap_or(0))
    }

    fn serve(&mut self, page: usize, up: Up) {
        let user = self.pages[page].user;
        match up {
            Up::Typing => {}
            Up::Ping => {
                self.tell(page, Down::Event("pong", json!({})));
            }
            Up::Join => {
                self.pages[page].is_joined = true;
                if !self.tells_members {
                    return;
                }
                let members =
                    [json!({ "user_id": "ada", "online": true }), json!({ "user_id": "ben", "online": true })];
                let data = json!({ "session_id": MATCH, "match_id": MATCH, "members": members });
                self.tell(page, Down::Event("session_members", data));
            }
            Up::Message { client_id, content } => {
                let known = self.stored.iter().position(|stored| stored.client_id == client_id);
                if let Some(known) = known {
                    let copy = payload(known, &self.stored[known]);
                    self.tell(page, Down::Event("new_message", copy));
                } else {
                    let (sender, at) = (user, self.now);
                    self.stored.push(Stored { sender, client_id: client_id.clone(), content, at, is_read: false });
                    let id = self.stored.len() - 1;
                    self.announce("new_message", &payload(id, &self.stored[id]));
                }
                if self.is_reliable {
                    self.tell(page, Down::Acknowledged(client_id));
                }
            }
            Up::Read { id } => {
                for stored in self.stored[..=id].iter_mut().filter(|stored| stored.sender != user) {
                    stored.is_read = true;
                }
                let data = json!({ "message_id": id.to_string(), "match_id": MATCH, "up_to": true });
                self.announce("message_read", &data);
            }
        }
    }

    fn announce(&mut self, event: &'static str, data: &Json) {
        for page in 0..self.pages.len() {
            if self.pages[page].is_joined {
                self.tell(page, Down::Event(event, data.clone()));
            }
        }
    }

    fn hear(&mut self, page: usize, down: Down) {
        let now = self.local(page);
        let chat = &mut self.pages[page].chat;
        match down {
            Down::Event(event, data) => chat.handle_event(now, event, &data),
            Down::Acknowledged(id) => chat.handle_acknowledgement(&id),
            Down::Gap => chat.handle_gap(now),
        }
        self.perform(page);
    }

    fn look_up(&self, output: ChatOutput) -> Answer {
        let newest = self.stored.len();
        let (token, range, has_more) = match output {
            ChatOutput::LoadEarlier { token, before } => {
                let end = before.map_or(newest, |before| before.parse().expect("an id"));
                let first = end.saturating_sub(PAGE);
                (token, first..end, first > 0)
            }
            ChatOutput::LoadMissed { token, after } => {
                let first = after.map_or(0, |after| after.parse::<usize>().expect("an id") + 1);
                let end = newest.min(first + PAGE);
                (token, first..end, end < newest)
            }
            ChatOutput::Send { .. } => unreachable!("a fetch"),
        };
        let messages = range.map(|id| payload(id, &self.stored[id])).collect();
        Answer { token, messages, has_more }
    }

    fn answer(&mut self, page: usize, Answer { token, messages, has_more }: &Answer) {
        let now = self.local(page);
        let is_failure = self.has_faults() && self.rng.u32(..4) == 0;
        let chat = &mut self.pages[page].chat;
        if is_failure {
            self.failures += 1;
            chat.handle_fetch_failure(now, *token, "HTTP 503");
        } else {
            chat.handle_page(now, *token, messages, *has_more);
        }
        self.perform(page);
    }

    /// What holds at any time.
    fn check(&mut self, page: usize) {
        let Page { chat, seen, user, .. } = &mut self.pages[page];
        let mut ids: Vec<_> = chat.messages().map(|message| message.id.as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "a message is shown twice to {user}");
        for message in chat.messages().filter(|message| message.is_own) {
            let status = message.status.expect("own messages have a status");
            let before = seen.insert(message.id.clone(), status).unwrap_or(ChatStatus::Failed);
            let is_forward = status >= before || status == ChatStatus::Failed && before <= ChatStatus::Sent;
            assert!(is_forward, "{} went from {before:?} to {status:?}", message.id);
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

    fn local(&self, page: usize) -> i64 {
        self.now + self.pages[page].ahead_ms
    }
}

fn pop_due<T>(queue: &mut VecDeque<(i64, T)>, now: i64) -> Option<(i64, T)> {
    queue.front().is_some_and(|(at, _)| *at <= now).then(|| queue.pop_front())?
}

fn payload(id: usize, stored: &Stored) -> Json {
    let at = stored.at - EPOCH_MS;
    let time = |at: i64| format!("2026-01-01T00:{:02}:{:02}.{:03}Z", at / 60_000, at / 1_000 % 60, at % 1_000);
    json!({
        "id": id.to_string(),
        "matchId": MATCH,
        "senderId": stored.sender,
        "content": stored.content,
        "createdAt": time(at),
        "readAt": stored.is_read.then(|| time(at)),
        "clientId": stored.client_id,
    })
}

const PAGE: usize = 5;

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
        let mut world = World::new(seed, is_reliable);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
        assert!(outcome.is_ok(), "with the seed {seed}");
        gaps += world.gaps;
        failures += world.failures;
    }
    assert!(failures > 20 && (gaps > 20) == is_reliable, "{failures} fetches failed, {gaps} gaps");
}
