//! One conversation with its clock, its client and its users.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::clock::Clock;
use super::fetches::Fetches;
use super::options::{ChatOptions, EarlierRequest, Load, MissedRequest};
use super::tracking::{Tracked, Tracking};
use crate::client::sending::submit;
use crate::client::waiters::Waiters;
use crate::client::{ClientError, ClientEvent, SendError, SendOptions, decode, encode};
use crate::proto::wire::ReceiptStatus;
use crate::proto::{Delivery, DropReason, Phase, Refusal, Sent};
use crate::reentrancy_cell::ReentrancyCell;
use crate::session::{Chat, ChatError, ChatFailure, ChatKind, ChatOutput, ChatSnapshot, ChatStatus};
use crate::web::{Alarm, HAS_JAVASCRIPT, WebHost, awaited, caught, random_id};

/// Drives the machine of one conversation. Nothing is borrowed while code of the application runs.
pub(super) struct Store {
    this: Weak<Self>,
    host: Weak<WebHost>,
    kind: ChatKind,
    id: String,
    options: ChatOptions,
    machine: ReentrancyCell<Chat>,
    /// Counts the machines: what belongs to an earlier one comes too late.
    epoch: Cell<u32>,
    /// What was shown last.
    snapshot: ReentrancyCell<Arc<ChatSnapshot>>,
    is_stale: Cell<bool>,
    tracking: Tracking,
    /// The join or leave that found no room in the queue.
    owed: Cell<Option<&'static str>>,
    /// The server's id of the message whose read receipt found none.
    owed_receipt: ReentrancyCell<Option<String>>,
    fetches: Fetches,
    uses: Cell<usize>,
    is_entered: Cell<bool>,
    is_over: Cell<bool>,
    alarm: ReentrancyCell<Option<Alarm>>,
    alarm_at: Cell<Option<i64>>,
    clock: Clock,
    leaving: ReentrancyCell<Option<Alarm>>,
    changes: Waiters,
}

impl Store {
    /// A conversation that nobody uses. Without a host, as on a server, it stays as it is.
    pub(super) fn new(kind: ChatKind, id: &str, host: Option<&Rc<WebHost>>, options: ChatOptions) -> Rc<Self> {
        let machine = Chat::new(kind, id, options.config());
        let snapshot = Arc::new(machine.snapshot());
        let most_tracked = options.config().max_messages + 1;
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            host: host.map(Rc::downgrade).unwrap_or_default(),
            kind,
            id: id.to_owned(),
            options,
            machine: ReentrancyCell::new(machine),
            epoch: Cell::new(0),
            snapshot: ReentrancyCell::new(snapshot),
            is_stale: Cell::new(false),
            tracking: Tracking::new(most_tracked),
            owed: Cell::new(None),
            owed_receipt: ReentrancyCell::default(),
            fetches: Fetches::default(),
            uses: Cell::new(0),
            is_entered: Cell::new(false),
            is_over: Cell::new(host.is_none()),
            alarm: ReentrancyCell::new(None),
            alarm_at: Cell::new(None),
            clock: Clock::default(),
            leaving: ReentrancyCell::new(None),
            changes: Waiters::default(),
        })
    }

    pub(super) fn is(&self, kind: ChatKind, id: &str) -> bool {
        self.kind == kind && self.id == id
    }

    pub(super) const fn kind(&self) -> ChatKind {
        self.kind
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether somebody uses it, or something of the user would be lost with it.
    pub(super) fn is_needed(&self) -> bool {
        self.is_used() || self.machine.borrow_mut().is_pending()
    }

    const fn is_used(&self) -> bool {
        self.uses.get() > 0
    }

    /// Whether nothing changes any more.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over.get()
    }

    pub(super) const fn changes(&self) -> &Waiters {
        &self.changes
    }

    /// The same as before until something has changed.
    pub(super) fn snapshot(&self) -> Arc<ChatSnapshot> {
        if self.is_stale.replace(false) {
            let next = self.machine.borrow_mut().snapshot();
            let mut snapshot = self.snapshot.borrow_mut();
            if **snapshot != next {
                *snapshot = Arc::new(next);
            }
        }
        self.snapshot.borrow_mut().clone()
    }

    /// Joins with the first use.
    pub(super) fn enter(&self) {
        self.uses.set(self.uses.get() + 1);
        drop(self.leaving.replace(None));
        if self.is_over() || self.is_entered.replace(true) {
            return;
        }
        self.act(|machine, _| machine.enter());
        if self.host.upgrade().is_some_and(|host| host.with_core(|core| core.snapshot().phase == Phase::Open)) {
            self.opened();
        } else {
            self.identify();
        }
    }

    /// Leaves after the last use, unless another begins within a macrotask, so that a component that is made anew does not leave in between.
    pub(super) fn release(&self) {
        self.uses.set(self.uses.get() - 1);
        if self.is_used() || self.is_over() {
            return;
        }
        let this = self.this.clone();
        let leave = move || {
            if let Some(store) = this.upgrade() {
                store.leave();
            }
        };
        drop(self.leaving.replace(Some(Alarm::new(0, leave))));
    }

    fn leave(&self) {
        drop(self.leaving.replace(None));
        if !self.is_used() && self.is_entered.replace(false) {
            self.act(|machine, _| machine.leave());
        }
    }

    pub(super) fn hear(&self, event: &ClientEvent) {
        self.hand_over_late();
        match event {
            ClientEvent::Acknowledged { seq } => self.acknowledged(*seq),
            ClientEvent::Rejected { seq, code, message } => self.rejected(*seq, code, message),
            ClientEvent::Receipt { seq, status } => {
                let status = match status {
                    ReceiptStatus::Delivered => ChatStatus::Delivered,
                    ReceiptStatus::Read => ChatStatus::Read,
                };
                if let Some(id) = self.tracking.message(*seq) {
                    self.act(|machine, _| machine.handle_status(&id, status));
                }
            }
            ClientEvent::Dropped { seq: Some(seq), event, data, reason } => match self.tracking.take(*seq) {
                Some(Tracked::Message { id, .. }) => self.fail(&id, reason.code(), Value::Null),
                Some(Tracked::Join) if *reason == DropReason::Overflow => self.owed.set(Some(self.kind.join())),
                None if *reason == DropReason::Overflow && self.is_own_leave(event, data) => {
                    self.owed.set(self.kind.leave());
                }
                None if *reason == DropReason::Overflow => self.owe_receipt(*seq),
                _ => {}
            },
            _ if !self.is_entered.get() => {}
            ClientEvent::Opened => self.opened(),
            ClientEvent::Closed(_) => self.act(|machine, _| machine.handle_close()),
            ClientEvent::Gap { to: None, .. } => {
                // Another message may have its id now.
                drop(self.owed_receipt.replace(None));
                self.act(|machine, now| machine.handle_reset(now));
            }
            ClientEvent::Gap { .. } => self.act(|machine, now| machine.handle_gap(now)),
            _ => {}
        }
    }

    fn is_own_leave(&self, event: &str, data: &JsValue) -> bool {
        let named = || decode::payload::<Value>(event, data.clone()).ok();
        self.kind.leave() == Some(event) && named().is_some_and(|data| data[self.kind.key()] == self.id.as_str())
    }

    /// Whether an event of the server may say something about this conversation.
    pub(super) fn hears(&self, event: &str) -> bool {
        self.is_entered.get() && self.kind.hears(event)
    }

    pub(super) fn hear_frame(&self, event: &str, data: &Value) {
        // What a connection answers that is being closed says nothing of what the next one brings.
        let is_answer = matches!(event, "pong" | "session_members");
        if !is_answer || self.is_open() {
            self.act(|machine, now| machine.handle_event(now, event, data));
        }
    }

    /// Tells the machine who this user is, once that is known.
    pub(super) fn identify(&self) {
        let own = self.options.user_id.clone().and_then(|user_id| {
            let answer = caught(move || user_id());
            answer.unwrap_or_else(|cause| {
                self.option_failed("user_id_with", cause);
                None
            })
        });
        let user = own.or_else(|| self.host.upgrade()?.dispatcher().chats().named());
        if let Some(user) = user.filter(|_| self.is_entered.get()) {
            self.act(|machine, _| machine.set_user(&user));
        }
    }

    pub(super) fn is_tracking(&self, seq: u64) -> bool {
        self.tracking.knows(seq)
    }

    /// At most once, more is not known of a message.
    pub(super) fn transmitted(&self, seq: u64) {
        if self.is_reliable() {
            return;
        }
        self.joined(seq);
        if let Some(Tracked::Message { id, .. }) = self.tracking.take(seq) {
            self.act(|machine, _| machine.handle_status(&id, ChatStatus::Sent));
        }
    }

    /// The server has taken the messages up to this one.
    fn joined(&self, seq: u64) {
        if self.tracking.take_join(seq) {
            self.act(|machine, now| machine.handle_join(now, true));
        }
    }

    /// Forgets everything, and begins anew for those who use it.
    pub(super) fn clear(&self) {
        self.epoch.set(self.epoch.get() + 1);
        drop(self.machine.replace(Chat::new(self.kind, self.id.as_str(), self.options.config())));
        self.tracking.clear();
        self.owed.set(None);
        drop(self.owed_receipt.replace(None));
        let is_entered = self.is_entered.get();
        // Who the next user is is asked when they connect: until then the application may still name the last one.
        self.act(|machine, _| {
            if is_entered {
                machine.enter();
            }
        });
    }

    /// The client is gone.
    pub(super) fn close(&self) {
        self.is_over.set(true);
        self.act(|machine, _| machine.handle_close());
        drop(self.leaving.replace(None));
    }

    pub(super) fn send(&self, content: &str, fields: Value) -> String {
        if !HAS_JAVASCRIPT {
            return String::new();
        }
        let id = random_id();
        self.act(|machine, now| machine.write(now, &id, content, fields));
        id
    }

    pub(super) async fn load_earlier(&self) -> Result<(), ChatError> {
        let fetch = self.act(|machine, _| machine.load_earlier()).and_then(|token| self.fetches.find(token));
        let Some(fetch) = fetch else { return Ok(()) };
        fetch.outcome().await.map_err(|message| ChatError { message, code: Some("load_failed".to_owned()) })
    }

    /// One call of the machine, and all that it leads to.
    pub(super) fn act<R>(&self, run: impl FnOnce(&mut Chat, i64) -> R) -> R {
        let result = run(&mut self.machine.borrow_mut(), self.clock.now());
        self.is_stale.set(true);
        loop {
            // The borrow ends with the statement.
            let output = self.machine.borrow_mut().poll_output();
            match output {
                Some(output) => self.perform(output),
                None => break,
            }
        }
        self.set_alarm();
        for waker in self.changes.take() {
            waker.wake();
        }
        if !self.is_entered.get() && !self.is_needed() {
            self.host.upgrade().inspect(|host| host.dispatcher().chats().remove(self));
        }
        result
    }

    fn set_alarm(&self) {
        let at = self.machine.borrow_mut().poll_timeout().filter(|_| !self.is_over());
        if self.alarm_at.replace(at) == at {
            return;
        }
        let this = self.this.clone();
        let ring = move || {
            if let Some(store) = this.upgrade() {
                store.alarm_at.set(None);
                drop(store.alarm.replace(None));
                store.act(|machine, now| machine.handle_timeout(now));
            }
        };
        let alarm = at.map(|at| Alarm::new(u64::try_from(at - self.clock.now()).unwrap_or(0), ring));
        drop(self.alarm.replace(alarm));
    }

    fn perform(&self, output: ChatOutput) {
        let (id, kind, limit) = (self.id.clone(), self.kind, self.options.limit());
        match output {
            ChatOutput::Send { event, data, id } => self.hand_over(event, &data, id),
            ChatOutput::LoadEarlier { token, before } => {
                let request = EarlierRequest { id, kind, before, limit };
                self.fetch(token, "load_earlier", self.options.load_earlier.clone(), request);
            }
            ChatOutput::LoadMissed { token, after } => {
                let request = MissedRequest { id, kind, after, limit };
                self.fetch(token, "load_missed", self.options.load_missed.clone(), request);
            }
        }
    }

    fn hand_over(&self, event: &'static str, data: &Value, message: Option<String>) {
        let host = self.host.upgrade().filter(|_| !self.is_over());
        let Some(host) = host else {
            return message.into_iter().for_each(|id| self.fail(&id, "disposed", Value::Null));
        };
        // What becomes of a message may be told before the driver returns, so its number is expected before it is given.
        let seq = host.with_core(|core| core.latest_seq()) + 1;
        match &message {
            Some(id) => self.tracking.track_message(seq, id),
            None if event == self.kind.join() => {
                self.machine.borrow_mut().handle_join(self.clock.now(), false);
                self.tracking.track_join(seq);
            }
            None if event == ChatKind::READ => {
                // It says more than one that waits for room.
                drop(self.owed_receipt.replace(None));
                self.tracking.track_receipt(seq, data["message_id"].as_str().unwrap_or_default());
            }
            None => {}
        }
        let sent = encode::json(data).and_then(|data| submit(&host, event, &data, &SendOptions::default(), None));
        match sent {
            Ok((Sent::Now, seq)) => self.transmitted(seq),
            Ok((Sent::Queued, _)) => {}
            Err(error) => {
                self.tracking.take(seq);
                let (code, text) = (error.code(), error.to_string());
                let is_join = event == self.kind.join();
                let is_full = matches!(error, SendError::Refused(Refusal::QueueFull));
                if let Some(id) = message {
                    self.fail(&id, code, json!({ "message": text }));
                } else if is_join || Some(event) == self.kind.leave() {
                    if is_full {
                        self.owed.set(Some(event));
                    } else if is_join {
                        let refusal = json!({ "code": code, "message": text, "about": event });
                        self.act(|machine, now| machine.handle_event(now, "error", &refusal));
                    }
                } else if is_full {
                    self.owe_receipt(seq);
                }
            }
        }
    }

    /// Hands over what found no room before, if it is still wanted and there is some.
    fn hand_over_late(&self) {
        let (event, receipt) = (self.owed.get(), self.owed_receipt.borrow_mut().clone());
        if event.is_none() && receipt.is_none() {
            return;
        }
        if self.host.upgrade().is_some_and(|host| host.with_core(|core| core.snapshot().has_room)) {
            self.owed.set(None);
            drop(self.owed_receipt.replace(None));
            if let Some(event) = event.filter(|event| self.is_entered.get() == (*event == self.kind.join())) {
                self.hand_over(event, &json!({ self.kind.key(): self.id }), None);
            }
            if let Some(message) = receipt.filter(|_| self.is_entered.get()) {
                self.hand_over(ChatKind::READ, &json!({ self.kind.key(): self.id, "message_id": message }), None);
            }
        }
    }

    fn owe_receipt(&self, seq: u64) {
        if let Some(message) = self.tracking.take_receipt(seq) {
            drop(self.owed_receipt.replace(Some(message)));
        }
    }

    fn fetch<R: 'static>(&self, token: u64, option: &'static str, load: Option<Rc<Load<R>>>, request: R) {
        let Some(load) = load else { return };
        let page = caught(move || load(request));
        let fetch = self.fetches.begin(token);
        let (this, epoch) = (self.this.clone(), self.epoch.get());
        spawn_local(async move {
            let page = match page {
                Ok(page) => awaited(page).await,
                Err(cause) => Err(cause),
            };
            let page = page.unwrap_or_else(|cause| {
                Err(this.upgrade().map(|store| store.option_failed(option, cause)).unwrap_or_default())
            });
            let outcome = page.as_ref().map(|_| ()).map_err(String::clone);
            if let Some(store) = this.upgrade() {
                store.fetches.remove(&fetch);
                if store.epoch.get() == epoch {
                    store.act(|machine, now| match &page {
                        Ok(page) => machine.handle_page(now, token, &page.messages, page.has_more),
                        Err(error) => machine.handle_fetch_failure(now, token, error),
                    });
                }
            }
            fetch.end(outcome);
        });
    }

    fn option_failed(&self, option: &'static str, cause: JsValue) -> String {
        let error = ClientError::OptionFailed { option, cause };
        let text = error.to_string();
        if let Some(host) = self.host.upgrade() {
            host.dispatcher().dispatch(ClientEvent::Error(error));
        }
        text
    }

    fn opened(&self) {
        self.identify();
        let is_reliable = self.is_reliable();
        self.act(|machine, now| machine.handle_open(now, is_reliable));
    }

    /// The server has processed every message up to this one.
    fn acknowledged(&self, seq: u64) {
        self.joined(seq);
        let ids = self.tracking.acknowledge(seq);
        if !ids.is_empty() {
            self.act(|machine, _| ids.iter().for_each(|id| machine.handle_acknowledgement(id)));
        }
    }

    fn rejected(&self, seq: u64, code: &str, message: &str) {
        let said = [("code", code), ("message", message)].into_iter().filter(|(_, text)| !text.is_empty());
        let mut cause: Map<_, _> = said.map(|(name, text)| (name.to_owned(), Value::from(text))).collect();
        match self.tracking.take(seq) {
            Some(Tracked::Message { id, .. }) => {
                let failure = ChatFailure { code: "refused".to_owned(), cause: cause.into() };
                self.act(|machine, _| machine.handle_failure(&id, failure));
            }
            Some(Tracked::Join) => {
                cause.insert("about".to_owned(), self.kind.join().into());
                self.act(|machine, now| machine.handle_event(now, "error", &cause.into()));
            }
            None => {}
        }
    }

    fn fail(&self, id: &str, code: &str, cause: Value) {
        let failure = ChatFailure { code: code.to_owned(), cause };
        self.act(|machine, _| machine.handle_failure(id, failure));
    }

    fn is_open(&self) -> bool {
        let host = self.host.upgrade();
        host.is_some_and(|host| host.with_core(|core| core.snapshot().phase == Phase::Open))
    }

    fn is_reliable(&self) -> bool {
        let host = self.host.upgrade();
        host.is_some_and(|host| host.with_core(|core| core.snapshot().delivery == Delivery::Reliable))
    }
}
