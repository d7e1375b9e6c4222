//! A conversation: what the page shows, and the tasks that keep it true.

use std::error::Error;
use std::sync::Arc;

use everwire::client::{ChatHandle, ChatOptions, Client, ClientEvent, Options, Snapshot};
use everwire::proto::Config;
use everwire::session::{ChatMessage, ChatSnapshot};
use futures_util::{Stream, StreamExt};
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use crate::page;

/// One conversation on one connection, which ends with the component that has opened it.
#[derive(Clone, Copy)]
pub struct Chat {
    /// Where the connection stands.
    pub connection: RwSignal<Snapshot>,
    /// Messages, oldest first, who else types, and what the server has refused.
    pub conversation: RwSignal<Arc<ChatSnapshot>>,
    /// The latest thing that went wrong with the connection.
    pub notice: RwSignal<Option<String>>,
    /// What sends and types.
    pub handle: StoredValue<ChatHandle, LocalStorage>,
}

impl Chat {
    /// Connects as `user` and enters a room.
    pub fn open(user: String, room: String) -> Result<Self, Box<dyn Error>> {
        let options = ChatOptions::new().user_id(&*user);
        let token = move |_| page::fetch_token(user.clone());
        let client = Client::new(Options::new().token_from(token).config(Config::reliable()))?;
        let handle = client.session_chat(room, options);
        let connection = RwSignal::new(client.snapshot());
        let conversation = RwSignal::new(handle.snapshot());
        let notice = RwSignal::default();
        follow(client.snapshots(), move |snapshot| connection.set(snapshot));
        follow(handle.snapshots(), move |snapshot| conversation.set(snapshot));
        follow(client.connection_events(), move |event| match event {
            Ok(ClientEvent::Error(error)) | Err(error) => notice.set(Some(error.to_string())),
            Ok(ClientEvent::Gap { .. }) => notice.set(Some("Some messages are missing here.".into())),
            Ok(_) => {}
        });
        client.connect()?;
        // It ends with the component.
        StoredValue::new_local(client);
        Ok(Self { connection, conversation, notice, handle: StoredValue::new_local(handle) })
    }
}

/// How far a message of this user has come, in words.
pub fn status_text(message: &ChatMessage) -> Option<String> {
    let status = message.status?;
    Some(match &message.error {
        Some(error) => format!("not sent: {}", error.cause["message"].as_str().unwrap_or(&error.code)),
        None => status.name().into(),
    })
}

/// Hands on what a stream gives as long as the component is there: a stream of a conversation keeps it joined.
fn follow<T>(mut stream: impl Stream<Item = T> + Unpin + 'static, take: impl Fn(T) + 'static) {
    spawn_local_scoped_with_cancellation(async move {
        while let Some(told) = stream.next().await {
            take(told);
        }
    });
}
