//! A small chat in Leptos: two people in a room, on a connection that comes back by itself.

mod chat;
mod events;
mod page;

use std::time::Duration;

use chat::{Chat, Entry};
use everwire::client::Snapshot;
use everwire::proto::Phase;
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
    let writers = move || chat.writers.with(|writers| writers.keys().cloned().collect::<Vec<_>>().join(", "));
    view! {
        <Connection snapshot=chat.snapshot />
        <ol aria-label="Messages">
            <For
                each=move || chat.entries.get()
                key=|entry| (entry.message.id.clone(), entry.status.clone())
                children=|entry| view! { <Line entry /> }
            />
        </ol>
        <p aria-label="Typing" aria-live="polite">
            {move || Some(writers()).filter(|names| !names.is_empty()).map(|names| format!("{names} is typing …"))}
        </p>
        <Composer chat />
        <Show when=move || chat.notice.with(Option::is_some)>
            <p role="alert">{move || chat.notice.get()}</p>
        </Show>
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
fn Line(entry: Entry) -> impl IntoView {
    let author = entry.message.author.unwrap_or_else(|| "me".into());
    view! {
        <li>
            <b>{author}</b> ": " <span>{entry.message.content}</span>
            {entry.status.map(|status| view! { " " <small>{status.text()}</small> })}
        </li>
    }
}

#[component]
fn Composer(chat: Chat) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let mut stop_later = debounce(Duration::from_secs(3), move |()| chat.stopped_typing());
    let typed = move |event| {
        text.set(event_target_value(&event));
        chat.key_pressed();
        stop_later(());
    };
    let submitted = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let content = text.get();
        if !content.trim().is_empty() {
            chat.send(content);
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
