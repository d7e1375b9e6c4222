//! A small chat in Leptos: two people in a room, on a connection that comes back by itself.

mod chat;
mod page;

use chat::{Chat, status_text};
use everwire::client::{ChatHandle, Snapshot};
use everwire::proto::Phase;
use everwire::session::ChatMessage;
use leptos::prelude::*;

fn main() {
    leptos::mount::mount_to_body(App);
}

/// The conversation of the person and the room that the address names.
#[component]
fn App() -> impl IntoView {
    let user = page::parameter("user").unwrap_or_else(|| "ada".into());
    let room = page::parameter("room").unwrap_or_else(|| "engine".into());
    match Chat::open(user, room) {
        Ok(chat) => view! { <Room chat /> }.into_any(),
        Err(error) => view! { <p role="alert">{error.to_string()}</p> }.into_any(),
    }
}

#[component]
fn Room(chat: Chat) -> impl IntoView {
    let writers = move || chat.conversation.with(|conversation| conversation.typing.join(", "));
    let refusal = move || chat.conversation.with(|conversation| conversation.error.clone().map(|error| error.message));
    let notice = move || refusal().or_else(|| chat.notice.get());
    view! {
        <Connection snapshot=chat.connection />
        <ol aria-label="Messages">
            <For
                each=move || chat.conversation.get().messages.clone()
                key=|message| (message.id.clone(), message.content.clone(), status_text(message))
                children=|message| view! { <Line message /> }
            />
        </ol>
        <p aria-label="Typing" aria-live="polite">
            {move || Some(writers()).filter(|names| !names.is_empty()).map(|names| format!("{names} is typing …"))}
        </p>
        <Composer chat />
        {move || notice().map(|text| view! { <p role="alert">{text}</p> })}
    }
}

/// Where the connection stands, in words. It needs no client, so a server may render it as well.
#[component]
fn Connection(snapshot: RwSignal<Snapshot>) -> impl IntoView {
    let text = move || {
        let Snapshot { phase, attempt, queued, .. } = snapshot.get();
        let state = match phase {
            Phase::Open => return "Connected".to_owned(),
            Phase::Waiting => format!("Connection lost. Attempt {attempt} follows"),
            Phase::Offline => "No network".into(),
            Phase::GivenUp => "No connection. Reload the page to try again".into(),
            Phase::LoggedOut | Phase::Fatal => "The server lets nobody in by that name".into(),
            _ => "Connecting".into(),
        };
        if queued > 0 { format!("{state}; {queued} waiting to be sent") } else { state }
    };
    view! { <p role="status" data-phase=move || snapshot.get().phase.code()>{text}</p> }
}

#[component]
fn Line(message: ChatMessage) -> impl IntoView {
    let status = status_text(&message);
    let author = message.sender_id.filter(|_| !message.is_own).unwrap_or_else(|| "me".into());
    view! {
        <li>
            <b>{author}</b> ": " <span>{message.content}</span>
            {status.map(|status| view! { " " <small>{status}</small> })}
        </li>
    }
}

#[component]
fn Composer(chat: Chat) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let typed = move |event| {
        text.set(event_target_value(&event));
        chat.handle.with_value(ChatHandle::key_pressed);
    };
    let submitted = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let content = text.get();
        if !content.trim().is_empty() {
            chat.handle.with_value(|handle| handle.send(&content));
            text.set(String::new());
        }
    };
    view! {
        <form on:submit=submitted>
            <input aria-label="Message" autocomplete="off" prop:value=text on:input=typed />
            <button>"Send"</button>
        </form>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use everwire::client::{Client, Options};
    use leptos::prelude::*;

    use super::Connection;

    #[test]
    fn a_server_renders_the_connection_as_the_browser_starts_with_it() {
        let client = Client::new(Options::new().url("https://chat.example")).expect("the options are in range");
        client.connect().expect("the URL is valid");
        let owner = Owner::new();
        let html = owner.with(|| view! { <Connection snapshot=RwSignal::new(client.snapshot()) /> }.to_html());
        assert_eq!(html, r#"<p role="status" data-phase="idle">Connecting</p>"#);
    }
}
