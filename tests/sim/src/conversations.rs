//! A conversation on a page: the shipped chat state machine, which hears what the driver reports, and whose outputs go to the driver.

use std::collections::{BTreeMap, BTreeSet};

use everwire::events::rules::classify;
use everwire::proto::wire::{self, ReceiptStatus};
use everwire::proto::{Delivery, Event, Message, Phase, Purpose, Sent};
use everwire::session::{Chat, ChatConfig, ChatFailure, ChatKind, ChatMessage, ChatOutput, ChatStatus};
use serde_json::{Value, json};

use crate::client_frame::room_name;
use crate::run_plan::{ChatAct, Note};
use crate::run_tally::Count;
use crate::sent_message::{MessageModel, What};
use crate::simulated_page::BrowserEvent;
use crate::simulation::{DAY_ONE_MS, Scheduled, Simulation};
use crate::trace;
use crate::verdict::Rule;

/// The room that is the conversation.
pub const CONVERSATION: u32 = 100;

/// What a page keeps beside the machine, as the glue of the package does, and what the one who judges has seen of it.
#[derive(Debug)]
pub struct Conversation {
    pub chat: Chat,
    pub kind: ChatKind,
    /// What the driver has reported and the chat has not heard yet: it hears it once the driver is done.
    inbox: Vec<Report>,
    /// The chat's messages by their sequence numbers.
    sent: BTreeMap<u64, String>,
    /// The number of the join that the server has not taken.
    join: Option<u64>,
    /// Up to which number acknowledgements were heard.
    acked: u64,
    alarm_stamp: u32,
    alarm: Option<i64>,
    /// How many alarms have gone off since something else happened.
    alarms: u32,
    /// How far each own message was seen to have come.
    pub seen: BTreeMap<String, ChatStatus>,
    written: Vec<String>,
    /// Messages that were handed to a connection at most once.
    unconfirmed: Vec<String>,
    retries: u32,
    /// Whether events may have been lost.
    has_lost: bool,
}

/// What the driver has reported that concerns a chat.
#[derive(Debug)]
enum Report {
    Opened,
    Closed,
    Gap,
    Reset,
    Frame(Value),
    Transmitted(u64),
    Acknowledged(u64),
    /// Another user has a message, or has read it.
    Receipt(u64, bool),
    /// A message was dropped or refused.
    Failed(u64, &'static str, Value),
}

/// What is asked of the history.
#[derive(Clone, Debug)]
pub enum Fetch {
    Before(Option<String>),
    After(Option<String>),
}

/// A page of the history: its messages, and whether there are more.
pub type HistoryPage = Option<(Vec<Value>, bool)>;

pub fn user_name(user: u32) -> String {
    format!("user-{user}")
}

impl Conversation {
    fn new(kind: ChatKind, can_load_missed: bool) -> Self {
        let config = ChatConfig { can_load_earlier: true, can_load_missed, ..ChatConfig::default() };
        Self {
            chat: Chat::new(kind, room_name(CONVERSATION), config),
            kind,
            inbox: Vec::new(),
            sent: BTreeMap::new(),
            join: None,
            acked: 0,
            alarm_stamp: 0,
            alarm: None,
            alarms: 0,
            seen: BTreeMap::new(),
            written: Vec::new(),
            unconfirmed: Vec::new(),
            retries: 0,
            has_lost: false,
        }
    }
}

impl Simulation {
    /// A page enters the conversation before it connects.
    pub fn converse(&mut self, page: usize) {
        let Some(setup) = self.setup.chat else { return };
        let user = user_name(self.setup.devices[self.pages[page].device].user);
        let mut conversation = Conversation::new(setup.kind, setup.can_load_missed);
        conversation.chat.set_user(&user);
        conversation.chat.enter();
        self.pages[page].conversation = Some(conversation);
        self.tally.add(Count::Conversations);
        self.perform_chat(page);
    }

    /// The page's time of day, which jumps with its clock.
    fn chat_time(&self, page: usize) -> i64 {
        DAY_ONE_MS as i64 + self.now as i64 + self.pages[page].ahead_ms
    }

    /// Something happens in the conversation of a page, if it has one.
    pub fn with_chat(&mut self, page: usize, act: impl FnOnce(&mut Conversation, i64)) {
        let now = self.chat_time(page);
        let Some(conversation) = &mut self.pages[page].conversation else { return };
        conversation.alarms = 0;
        act(conversation, now);
        self.perform_chat(page);
    }

    pub fn chat_acts(&mut self, page: usize, act: ChatAct) {
        let id = format!("{page}-{}", self.messages.len());
        self.with_chat(page, |conversation, now| {
            let chat = &mut conversation.chat;
            match act {
                ChatAct::Write => {
                    chat.write(now, &id, &format!("text of {id}"), json!({}));
                    conversation.written.push(id);
                }
                ChatAct::Press => chat.key_pressed(now),
                ChatAct::Read => chat.mark_as_read(None),
                ChatAct::LoadEarlier => _ = chat.load_earlier(),
                ChatAct::Retry => {
                    let failed = chat.messages().find(|message| message.status == Some(ChatStatus::Failed));
                    if let Some(id) = failed.map(|failed| failed.id.clone()) {
                        conversation.seen.remove(&id);
                        chat.retry(now, &id);
                    }
                }
            }
        });
    }

    /// The driver has reported something: the chat hears it when the driver is done.
    pub fn tell_chat(&mut self, page: usize, event: &Event<Value>) {
        let Some(conversation) = &mut self.pages[page].conversation else { return };
        let report = match event {
            Event::Opened => Report::Opened,
            Event::Closed(_) => Report::Closed,
            Event::Gap { to: None, .. } => Report::Reset,
            Event::Gap { .. } => Report::Gap,
            Event::Frame(frame) => Report::Frame(frame.clone()),
            Event::Transmitted { seq } => Report::Transmitted(*seq),
            Event::Acknowledged { origin: None, seq } => Report::Acknowledged(*seq),
            Event::Receipt { seq, status } => Report::Receipt(*seq, *status == ReceiptStatus::Read),
            Event::Refused { seq, data } => Report::Failed(*seq, "refused", data.clone()),
            Event::Dropped { message, .. } if message.origin.is_none() => {
                Report::Failed(message.seq, "dropped", Value::Null)
            }
            _ => return,
        };
        if conversation.inbox.is_empty() {
            self.queue.schedule(self.now, Scheduled::ChatTurn { page });
        }
        conversation.inbox.push(report);
    }

    pub fn chat_turn(&mut self, page: usize) {
        let Some(conversation) = &mut self.pages[page].conversation else { return };
        let inbox = core::mem::take(&mut conversation.inbox);
        if self.pages[page].is_alive {
            inbox.into_iter().for_each(|event| self.chat_hears(page, event));
        }
    }

    fn chat_hears(&mut self, page: usize, report: Report) {
        let client = self.pages[page].client();
        let (is_reliable, is_open) = (client.delivery() == Delivery::Reliable, client.snapshot().phase == Phase::Open);
        self.with_chat(page, |Conversation { chat, sent, join, acked, unconfirmed, has_lost, .. }, now| match report {
            Report::Opened => {
                *has_lost |= !is_reliable;
                chat.handle_open(now, is_reliable);
            }
            Report::Closed => chat.handle_close(),
            Report::Gap => {
                *has_lost = true;
                chat.handle_gap(now);
            }
            Report::Reset => {
                *has_lost = true;
                chat.handle_reset(now);
            }
            // What a connection answers that is being closed says nothing of what the next one brings.
            Report::Frame(frame) if !is_open && matches!(frame["type"].as_str(), Some("pong" | "session_members")) => {}
            Report::Frame(frame) => chat.handle_event(now, frame["type"].as_str().unwrap_or(""), &frame["data"]),
            Report::Transmitted(seq) if !is_reliable => {
                if join.take_if(|join| *join <= seq).is_some() {
                    chat.handle_join(now, true);
                }
                if let Some(id) = sent.get(&seq) {
                    chat.handle_status(id, ChatStatus::Sent);
                    unconfirmed.push(id.clone());
                }
            }
            Report::Acknowledged(seq) if seq > *acked => {
                if join.take_if(|join| *join <= seq).is_some() {
                    chat.handle_join(now, true);
                }
                for id in sent.range(*acked + 1..=seq).map(|(_, id)| id) {
                    chat.handle_acknowledgement(id);
                }
                *acked = seq;
            }
            Report::Receipt(seq, read) => {
                if let Some(id) = sent.get(&seq) {
                    chat.handle_status(id, if read { ChatStatus::Read } else { ChatStatus::Delivered });
                }
            }
            Report::Failed(seq, code, cause) => {
                if let Some(id) = sent.remove(&seq) {
                    chat.handle_failure(&id, ChatFailure { code: code.to_owned(), cause });
                }
            }
            Report::Transmitted(_) | Report::Acknowledged(_) => {}
        });
    }

    /// Does what the chat asks for, after every input.
    fn perform_chat(&mut self, page: usize) {
        while let Some(output) = self.pages[page].conversation.as_mut().and_then(|this| this.chat.poll_output()) {
            trace!(self, "page {page}: the chat asks for {output:?}");
            match output {
                ChatOutput::Send { event, data, id } => self.send_for_chat(page, event, data, id),
                ChatOutput::LoadEarlier { token, before } => self.fetch(page, token, Fetch::Before(before)),
                ChatOutput::LoadMissed { token, after } => self.fetch(page, token, Fetch::After(after)),
            }
        }
        self.check_chat(page);
        self.arm_chat(page);
    }

    fn send_for_chat(&mut self, page: usize, event: &'static str, mut data: Value, id: Option<String>) {
        let rules = classify(event, &[], |field| data.get(field).and_then(Value::as_str).map(str::to_owned));
        if event != "ping" {
            data["id"] = self.messages.len().into();
        }
        let what = match rules.purpose {
            Purpose::Join(_) => What::Join(CONVERSATION),
            Purpose::Volatile => What::Volatile,
            _ => What::Note { room: Some(CONVERSATION) },
        };
        let frame = wire::message::<Value>(&event.to_owned(), data, self.wall_clock_ms());
        let bytes = frame.len() as u32;
        let mut message = Message::new(frame, bytes, rules.purpose);
        (message.policy.coalesce, message.policy.rank) = (rules.coalesce, rules.rank);
        let seq = self.pages[page].client().latest_seq() + 1;
        let answer = self.submit(page, what, Note::PLAIN, message, true);
        let is_reliable = self.pages[page].client().delivery() == Delivery::Reliable;
        let now = self.chat_time(page);
        let Some(conversation) = &mut self.pages[page].conversation else { return };
        if matches!(what, What::Join(_)) {
            let is_taken = answer == Ok(Sent::Now) && !is_reliable;
            conversation.join = Some(seq).filter(|_| !is_taken);
            conversation.chat.handle_join(now, is_taken);
        }
        let Some(id) = id else { return };
        match answer {
            Ok(sent) => {
                if sent == Sent::Now && !is_reliable {
                    conversation.chat.handle_status(&id, ChatStatus::Sent);
                    conversation.unconfirmed.push(id.clone());
                }
                conversation.sent.insert(seq, id);
            }
            Err(refusal) => {
                let failure = ChatFailure { code: format!("{refusal:?}"), cause: Value::Null };
                conversation.chat.handle_failure(&id, failure);
            }
        }
    }

    /// Asks for a page of the history, beside the connection.
    fn fetch(&mut self, page: usize, token: u64, fetch: Fetch) {
        let takes = self.rng.u64(10..400);
        self.queue.schedule(self.now + takes, Scheduled::Fetch { page, token, fetch });
    }

    /// A request arrives at the history, which may fail, and whose answer may be late.
    pub fn history_is_asked(&mut self, page: usize, token: u64, fetch: &Fetch) {
        let has_faults = self.now < self.setup.calm_at;
        let fails = !self.server_is_up || has_faults && self.rng.u8(0..4) == 0;
        let answer = (!fails).then(|| self.look_up(fetch));
        let slow = if has_faults && self.rng.u8(0..6) == 0 { self.rng.u64(1_000..9_000) } else { 0 };
        let takes = self.rng.u64(10..400) + slow;
        self.tally.add(if fails { Count::FailedFetches } else { Count::Fetches });
        let event = BrowserEvent::Fetched { token, answer };
        self.queue.schedule(self.now + takes, Scheduled::BrowserEvent { page, event });
    }

    pub fn chat_fetched(&mut self, page: usize, token: u64, answer: HistoryPage) {
        self.with_chat(page, |conversation, now| match answer {
            Some((messages, has_more)) => conversation.chat.handle_page(now, token, &messages, has_more),
            None => conversation.chat.handle_fetch_failure(now, token, "HTTP 503"),
        });
    }

    fn arm_chat(&mut self, page: usize) {
        let now = self.chat_time(page);
        let Some(conversation) = &mut self.pages[page].conversation else { return };
        let due = conversation.chat.poll_timeout();
        if due == conversation.alarm {
            return;
        }
        conversation.alarm = due;
        conversation.alarm_stamp += 1;
        if let Some(due) = due {
            let at = self.now + u64::try_from(due - now).unwrap_or(0);
            let event = BrowserEvent::ChatAlarm(conversation.alarm_stamp);
            self.queue.schedule(at, Scheduled::BrowserEvent { page, event });
        }
    }

    pub fn chat_alarm(&mut self, page: usize, stamp: u32) {
        let now = self.chat_time(page);
        let Some(conversation) = &mut self.pages[page].conversation else { return };
        if conversation.alarm_stamp != stamp {
            return;
        }
        (conversation.alarm, conversation.alarms) = (None, conversation.alarms + 1);
        conversation.chat.handle_timeout(now);
        let due = conversation.chat.poll_timeout();
        if due.is_some_and(|due| due <= now) || conversation.alarms > MOST_ALARMS {
            let detail = format!("page {page}: {due:?} at {now}, {} alarms", conversation.alarms);
            return self.break_rule(Rule::ChatAlarms, detail);
        }
        self.perform_chat(page);
    }

    /// After the faults, users send again what has failed, and scroll to the beginning.
    pub fn finish_conversations(&mut self) {
        for device in 0..self.devices.len() {
            let page = self.devices[device].page;
            if self.pages[page].frozen_until.is_some() || !self.pages[page].is_alive {
                continue;
            }
            if let Some(conversation) = &mut self.pages[page].conversation {
                conversation.retries += 1;
                let retries = conversation.retries <= MOST_RETRIES;
                self.chat_acts(page, ChatAct::LoadEarlier);
                if retries {
                    self.chat_acts(page, ChatAct::Retry);
                }
            }
        }
    }

    /// What holds at any time.
    fn check_chat(&mut self, page: usize) {
        let Some(conversation) = &mut self.pages[page].conversation else { return };
        let Conversation { chat, seen, written, kind, .. } = conversation;
        let mut broken = None;
        let mut ids: Vec<&str> = Vec::new();
        let mut before = None;
        for message in chat.messages() {
            if ids.contains(&message.id.as_str()) {
                broken = Some((Rule::ChatDoubled, message.id.clone()));
            }
            ids.push(&message.id);
            let time = if *kind == ChatKind::Match { "createdAt" } else { "timestamp" };
            if message.data[time].is_string() {
                let place = self.history.iter().position(|stored| stored.id == message.id);
                if place.is_none() || place == before {
                    broken = Some((Rule::ChatDoubled, format!("{} is {:?} on the server", message.id, place)));
                } else if place < before {
                    broken = Some((Rule::ChatDisordered, format!("{} after {before:?}", message.id)));
                }
                before = place;
            }
            let Some(status) = message.status else { continue };
            let known = seen.get(&message.id).copied().unwrap_or(ChatStatus::Failed);
            if status < known && !(status == ChatStatus::Failed && known <= ChatStatus::Sent) {
                broken = Some((Rule::ChatStatusBackwards, format!("{}: {known:?} to {status:?}", message.id)));
            }
            if status != known || !seen.contains_key(&message.id) {
                seen.insert(message.id.clone(), status);
            }
        }
        // One that is fetched again has come as far as the history says.
        seen.retain(|id, _| ids.contains(&id.as_str()));
        // What the server has may make way for a page of the history, and is to be had by fetching earlier ones.
        let is_stored = |id: &str| self.history.iter().any(|stored| stored.id == id);
        if let Some(gone) = written.iter().find(|id| !ids.contains(&id.as_str()) && !is_stored(id)) {
            broken = Some((Rule::ChatForgets, gone.clone()));
        }
        if let Some((rule, detail)) = broken {
            self.break_rule(rule, format!("page {page}: {detail}"));
        }
    }

    /// What is not as it has to be in the end in the conversation of a page that is connected.
    pub fn unsettled_chat(&self, page: usize) -> Option<(Rule, String)> {
        let conversation = self.pages[page].conversation.as_ref()?;
        let snapshot = conversation.chat.snapshot();
        if !snapshot.typing.is_empty() {
            return Some((Rule::TypingStays, format!("page {page}: {:?}", snapshot.typing)));
        }
        // A join that the client had to give up is its application's to make again.
        let is_out =
            self.pages[page].doubtful_rooms.contains(&CONVERSATION) || !self.pages[page].rooms.contains(&CONVERSATION);
        if is_out || self.server_is_plain || self.pages[page].client().delivery() != Delivery::Reliable {
            return None;
        }
        let fetches = snapshot.is_loading || !snapshot.is_complete || snapshot.has_earlier;
        if fetches || conversation.chat.poll_timeout().is_some() || conversation.retries < MOST_RETRIES {
            return Some((Rule::ChatIncomplete, format!("page {page} still fetches or waits: {:?}", snapshot.error)));
        }
        // In a session, at most once, nothing says whether a message has arrived; and a refusal may be lost with its connection.
        let is_doubtful = |id: &String| {
            let is_stored = self.history.iter().any(|stored| stored.id == *id);
            let is_unconfirmed = conversation.kind == ChatKind::Session && conversation.unconfirmed.contains(id);
            let is_refused = |message: &MessageModel| {
                message.is_chat && message.was_refused && message.frame.contains(&format!("\"{id}\""))
            };
            !is_stored && (is_unconfirmed || self.messages.iter().any(is_refused))
        };
        let arrived = snapshot
            .messages
            .iter()
            .filter(|message| message.status != Some(ChatStatus::Failed) && !is_doubtful(&message.id));
        let is_unread = |message: &&ChatMessage| {
            let is_read = self.history.iter().any(|stored| stored.id == message.id && stored.is_read);
            message.is_own && is_read && message.status < Some(ChatStatus::Read)
        };
        // A match has two users, and what was read while events were lost is told with the next that is read.
        let users: BTreeSet<u32> = self.setup.devices.iter().map(|device| device.user).collect();
        let is_told = users.len() <= 2 && !conversation.has_lost;
        if let Some(unread) = snapshot.messages.iter().find(is_unread).filter(|_| is_told) {
            return Some((Rule::ChatUnread, format!("page {page}: {} is {:?}", unread.id, unread.status)));
        }
        let shown: Vec<_> = arrived.map(|message| message.id.as_str()).collect();
        let stored: Vec<_> = self.history.iter().map(|stored| stored.id.as_str()).collect();
        let is_sent = |status: ChatStatus| status != ChatStatus::Sending;
        if shown != stored || !snapshot.messages.iter().filter_map(|message| message.status).all(is_sent) {
            return Some((Rule::ChatsDiffer, format!("page {page} shows {shown:?}, the server has {stored:?}")));
        }
        None
    }
}

/// Alarms without anything in between: typing, its repetitions and its end, and one for each retry of a fetch.
const MOST_ALARMS: u32 = 12;
const MOST_RETRIES: u32 = 12;
