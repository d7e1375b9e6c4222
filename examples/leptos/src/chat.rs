//! A conversation: what the page shows, and the tasks that keep it true.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use everwire::client::{Client, ClientError, ClientEvent, Options, ReceiptStatus, Snapshot};
use everwire::proto::Config;
use futures_util::{Stream, StreamExt};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::events::{Join, Message, Refusal, Said, Say, Type, Types};
use crate::page;

/// One conversation on one connection, which ends with the component that has opened it.
#[derive(Clone, Copy)]
pub struct Chat {
    /// Where the connection stands.
    pub snapshot: RwSignal<Snapshot>,
    /// The messages, oldest first.
    pub entries: RwSignal<Vec<Entry>>,
    /// Who else types, each until when without another sign of it.
    pub writers: RwSignal<BTreeMap<String, f64>>,
    /// The latest thing that went wrong.
    pub notice: RwSignal<Option<String>>,
    client: StoredValue<Client, LocalStorage>,
    room: StoredValue<String>,
    said_typing_at: StoredValue<Option<f64>>,
}

/// A message, and how far it has come if it is this user's.
#[derive(Clone)]
pub struct Entry {
    /// The message.
    pub message: Message,
    /// `None` for messages of others.
    pub status: Option<Status>,
    seq: Option<u64>,
}

/// How far a message of this user has come.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Status {
    /// On its way, or waiting for a connection.
    Sending,
    /// The server has it.
    Sent,
    /// Another person has it.
    Delivered,
    /// Another person has read it.
    Read,
    /// It will not arrive.
    Failed(String),
}

impl Chat {
    /// Connects as `user` and enters a room.
    pub fn open(user: String, room: String) -> Result<Self, Box<dyn Error>> {
        let token = move |_| page::fetch_token(user.clone());
        let client = Client::new(Options::new().token_from(token).config(Config::reliable()))?;
        let chat = Self {
            snapshot: RwSignal::new(client.snapshot()),
            entries: RwSignal::default(),
            writers: RwSignal::default(),
            notice: RwSignal::default(),
            client: StoredValue::new_local(client.clone()),
            room: StoredValue::new(room.clone()),
            said_typing_at: StoredValue::new(None),
        };
        follow(client.snapshots(), move |snapshot| chat.snapshot.set(snapshot));
        follow(client.connection_events(), move |event| chat.checked(event, Self::note));
        follow(client.events(), move |said| chat.checked(said, Self::hear));
        follow(client.events(), move |types| chat.checked(types, Self::see_typing));
        follow(client.events(), move |refusal| {
            chat.checked(refusal, |chat, Refusal { message }| chat.complain(message))
        });
        // Waits in the queue until the connection is open.
        client.send(&Join { session_id: room })?;
        client.connect()?;
        Ok(chat)
    }

    /// Shows a message at once, and sends it now or when there is a connection.
    pub fn send(self, content: String) {
        let message = Message { id: page::random_id(), content, author: None };
        let say = Say { session_id: self.room.get_value(), message: message.clone() };
        let sent = self.client.with_value(|client| client.send(&say).map(|_| client.latest_seq()));
        let (status, seq) = match sent {
            Ok(seq) => (Status::Sending, Some(seq)),
            Err(error) => (Status::Failed(error.to_string()), None),
        };
        self.add(Entry { message, status: Some(status), seq });
        self.said_typing_at.set_value(None);
    }

    /// Tells the others, at most every 2 s, that the user types.
    pub fn key_pressed(self) {
        let now = js_sys::Date::now();
        if self.said_typing_at.get_value().is_none_or(|at| now - at > 2_000.0) {
            self.said_typing_at.set_value(Some(now));
            self.say_typing(true);
        }
    }

    /// Tells the others that the user has stopped, if they were told that the user types.
    pub fn stopped_typing(self) {
        if self.said_typing_at.try_update_value(Option::take).flatten().is_some() {
            self.say_typing(false);
        }
    }

    fn say_typing(self, is_typing: bool) {
        let typing = Type { session_id: self.room.get_value(), is_typing };
        // Without a connection it is refused, because it would be worth nothing later.
        _ = self.client.with_value(|client| client.send(&typing));
    }

    fn hear(self, Said { message }: Said) {
        if let Some(author) = &message.author {
            self.writers.update(|writers| _ = writers.remove(author));
        }
        self.add(Entry { message, status: None, seq: None });
    }

    fn see_typing(self, Types { user_id, is_typing }: Types) {
        if !is_typing {
            self.writers.update(|writers| _ = writers.remove(&user_id));
            return;
        }
        let until = js_sys::Date::now() + STALE_AFTER.as_millis() as f64;
        self.writers.update(|writers| _ = writers.insert(user_id, until));
        // Somebody whose connection is gone does not say that they have stopped.
        let expire = move || _ = self.writers.try_update(|writers| writers.retain(|_, latest| *latest > until));
        set_timeout(expire, STALE_AFTER);
    }

    /// Takes note of what became of messages.
    fn note(self, event: ClientEvent) {
        match event {
            ClientEvent::Acknowledged { seq } => self.advance(|own| own <= seq, &Status::Sent),
            ClientEvent::Receipt { seq, status: ReceiptStatus::Read } => self.advance(|own| own == seq, &Status::Read),
            ClientEvent::Receipt { seq, .. } => self.advance(|own| own == seq, &Status::Delivered),
            ClientEvent::Rejected { seq, message, .. } => self.advance(|own| own == seq, &Status::Failed(message)),
            ClientEvent::Dropped { seq: Some(seq), reason, .. } => {
                self.advance(|own| own == seq, &Status::Failed(reason.code().into()));
            }
            ClientEvent::Gap { .. } => self.complain("Some messages are missing here.".into()),
            ClientEvent::Error(error) => self.complain(error.to_string()),
            _ => {}
        }
    }

    /// Moves messages forward: a later acknowledgement covers earlier messages, which may be delivered already.
    fn advance(self, concerns: impl Fn(u64) -> bool, to: &Status) {
        self.entries.update(|entries| {
            for entry in entries.iter_mut().filter(|entry| entry.seq.is_some_and(&concerns)) {
                if entry.status.as_ref().is_some_and(|from| from.rank() < to.rank()) {
                    entry.status = Some(to.clone());
                }
            }
        });
    }

    fn add(self, entry: Entry) {
        self.entries.update(|entries| {
            if entries.len() == MOST_ENTRIES {
                entries.remove(0);
            }
            entries.push(entry);
        });
    }

    fn complain(self, text: String) {
        self.notice.set(Some(text));
    }

    fn checked<T>(self, told: Result<T, ClientError>, take: impl FnOnce(Self, T)) {
        match told {
            Ok(told) => take(self, told),
            Err(error) => self.complain(error.to_string()),
        }
    }
}

impl Status {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Sending => "sending".into(),
            Self::Sent => "sent".into(),
            Self::Delivered => "delivered".into(),
            Self::Read => "read".into(),
            Self::Failed(why) => format!("not sent: {why}"),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Sending => 0,
            Self::Sent => 1,
            Self::Failed(_) => 2,
            Self::Delivered => 3,
            Self::Read => 4,
        }
    }
}

/// Hands on what a stream gives until it ends, which it does with the client.
fn follow<T>(mut stream: impl Stream<Item = T> + Unpin + 'static, take: impl Fn(T) + 'static) {
    spawn_local(async move {
        while let Some(told) = stream.next().await {
            take(told);
        }
    });
}

/// Longer than the time between two signs of typing.
const STALE_AFTER: Duration = Duration::from_secs(5);
/// The page shows no more than the latest of them.
const MOST_ENTRIES: usize = 500;
