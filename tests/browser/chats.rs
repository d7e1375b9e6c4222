//! Conversations on a client: what a chat window shows.

#![cfg(feature = "json")]

use std::cell::RefCell;
use std::future::Ready;
use std::rc::Rc;

use everwire::client::{ChatHandle, ChatOptions, ChatPage, Client, Diagnostics, EarlierRequest};
use everwire::proto::{Overflow, Phase};
use everwire::session::ChatStatus;
use futures_util::stream::FusedStream;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::leaks::nothing_left;
use crate::user::{User, listen, quick, quick_and_reliable, until_phase};
use crate::waiting::{Log, until, until_async};
use crate::{faults, page, server};

fn texts(chat: &ChatHandle) -> Vec<String> {
    chat.snapshot().messages.iter().map(|message| message.content.clone()).collect()
}

fn statuses(chat: &ChatHandle) -> Vec<ChatStatus> {
    chat.snapshot().messages.iter().filter_map(|message| message.status).collect()
}

async fn shows(chat: &ChatHandle, expected: &[&str]) {
    until(&format!("{expected:?} is shown"), || texts(chat) == expected).await;
}

async fn has_come(chat: &ChatHandle, expected: &[ChatStatus]) {
    until(&format!("the messages are {expected:?}"), || statuses(chat) == expected).await;
}

async fn joins(user: &User, join: &str) {
    let is_joined = async || server::received_types(&user.id).await.iter().any(|kind| kind == join);
    until_async("the server has the join", is_joined).await;
}

/// The same session of two users, each on a client of the reliable mode.
async fn session() -> [(User, Client, ChatHandle); 2] {
    let id = page::random_name();
    let enter = async || {
        let user = User::new().await;
        let client = user.reliable().await;
        let chat = client.session_chat(&id, ChatOptions::new());
        joins(&user, "join_session").await;
        (user, client, chat)
    };
    [enter().await, enter().await]
}

/// The same match of two users, each on a client that sends at most once.
async fn match_of_two(options: &ChatOptions) -> [(User, Client, ChatHandle); 2] {
    let users = [User::new().await, User::new().await];
    let id = server::make_match([&users[0].id, &users[1].id]).await;
    let mut entered = Vec::new();
    for user in users {
        let client = user.online().await;
        let chat = client.match_chat(&id, options.clone());
        joins(&user, "join_match").await;
        entered.push((user, client, chat));
    }
    entered.try_into().unwrap_or_else(|_| panic!("two entered"))
}

#[wasm_bindgen_test]
async fn a_message_of_a_session_is_shown_at_once_and_delivered_to_the_other() {
    let [(ada, _ada, hers), (_, _grace, his)] = session().await;
    let id = hers.send_with("hello", json!({ "mood": "curious" }));
    assert_eq!((texts(&hers), statuses(&hers)), (vec!["hello".to_owned()], vec![ChatStatus::Sending]));
    shows(&his, &["hello"]).await;
    has_come(&hers, &[ChatStatus::Delivered]).await;
    let [sent, heard] = [&hers, &his].map(|chat| chat.snapshot().messages[0].clone());
    assert_eq!((sent.id, sent.is_own, sent.server_id), (id.clone(), true, Some(id.clone())));
    assert_eq!((heard.id, heard.is_own, heard.sender_id), (id, false, Some(ada.id)));
    assert_eq!(his.snapshot().unread, 1);
    his.mark_as_read();
    assert_eq!(his.snapshot().unread, 0);
}

#[wasm_bindgen_test]
async fn a_message_of_a_match_goes_from_sent_to_read_and_never_back() {
    let [(_, _ada, hers), (_, _grace, his)] = match_of_two(&ChatOptions::new()).await;
    let (seen, mut snapshots) = (Log::new(), hers.snapshots());
    let told = seen.clone();
    spawn_local(async move {
        while let Some(snapshot) = snapshots.next().await {
            snapshot.messages.iter().filter_map(|message| message.status).for_each(|status| told.add(status));
        }
    });
    hers.send("hello");
    // At most once: it was handed to the connection, and more is not known of it.
    assert_eq!(statuses(&hers), [ChatStatus::Sent]);
    shows(&his, &["hello"]).await;
    his.mark_as_read_up_to(&his.snapshot().messages[0].id);
    has_come(&hers, &[ChatStatus::Read]).await;
    until("the stream has come as far", || seen.all().last() == Some(&ChatStatus::Read)).await;
    let seen = seen.all();
    assert!(seen.is_sorted(), "{seen:?}");
}

#[wasm_bindgen_test]
async fn what_is_written_without_a_connection_waits_and_arrives_once() {
    let [(ada, client, hers), (_, _grace, his)] = session().await;
    hers.send("before");
    shows(&his, &["before"]).await;
    let refusal = faults::refuse().await;
    server::close(&ada.id, 1012).await;
    until_phase(&client, Phase::Waiting).await;
    hers.send("meanwhile");
    assert_eq!(statuses(&hers)[1], ChatStatus::Sending);
    assert!(faults::hits(refusal).await < 1_000);
    faults::heal().await;
    client.connected().await.unwrap();
    hers.send("after");
    shows(&his, &["before", "meanwhile", "after"]).await;
    has_come(&hers, &[ChatStatus::Delivered; 3]).await;
    assert_eq!(texts(&hers), ["before", "meanwhile", "after"]);
}

#[wasm_bindgen_test]
async fn at_most_once_a_message_that_has_waited_is_sent_when_there_is_a_connection() {
    let user = User::new().await;
    let client = user.client();
    let chat = client.session_chat(page::random_name(), ChatOptions::new());
    chat.send("early");
    assert_eq!(statuses(&chat), [ChatStatus::Sending]);
    client.connect().unwrap();
    has_come(&chat, &[ChatStatus::Sent]).await;
    let expected = ["join_session", "message_sent"];
    until_async("both have arrived, in order", async || server::received_types(&user.id).await == expected).await;
}

#[wasm_bindgen_test]
async fn typing_is_seen_and_ends_with_the_message_when_it_stops_and_by_itself() {
    let [(ada, _ada, hers), (_, _grace, his)] = session().await;
    let types = async || until("typing is seen", || his.snapshot().typing == [ada.id.clone()]).await;
    let stops = async || until("typing has ended", || his.snapshot().typing.is_empty()).await;
    hers.key_pressed();
    types().await;
    hers.stopped();
    stops().await;
    hers.key_pressed();
    types().await;
    stops().await;
    hers.key_pressed();
    types().await;
    hers.send("done");
    shows(&his, &["done"]).await;
    stops().await;
}

#[wasm_bindgen_test]
async fn what_is_not_accepted_has_failed_with_the_reason_and_can_be_sent_again_or_taken_out() {
    let [(_, client, hers), (_, _grace, his)] = session().await;
    let id = hers.send(&"x".repeat(11_000));
    has_come(&hers, &[ChatStatus::Failed]).await;
    let error = hers.snapshot().messages[0].error.clone().unwrap();
    assert_eq!(error.code, "too_large");
    assert!(error.cause["message"].as_str().unwrap().contains("10240"), "{error:?}");
    hers.retry(&id);
    assert_eq!(statuses(&hers), [ChatStatus::Failed]);
    hers.discard(&id);
    hers.send("short");
    shows(&his, &["short"]).await;
    assert_eq!(texts(&hers), ["short"]);
    client.disconnect();
    drop(client);
    hers.send("too late");
    assert_eq!(hers.snapshot().messages[1].error.clone().unwrap().code, "disposed");
}

#[wasm_bindgen_test]
async fn what_the_server_refuses_has_failed_with_its_words_the_join_too() {
    let user = User::new().await;
    let id = server::make_match(["ada", "grace"]).await;
    let client = user.reliable().await;
    let chat = client.match_chat(&id, ChatOptions::new());
    until("the join is refused", || chat.snapshot().error.is_some()).await;
    chat.send("let me in");
    has_come(&chat, &[ChatStatus::Failed]).await;
    let failure = chat.snapshot().messages[0].error.clone().unwrap();
    let error = chat.snapshot().error.clone().unwrap();
    assert_eq!((failure.code.as_str(), failure.cause["message"].as_str()), ("refused", Some(&*error.message)));
    assert_eq!(failure.cause["code"].as_str(), error.code.as_deref());
}

#[wasm_bindgen_test]
async fn a_session_that_finds_no_room_in_the_queue_is_joined_when_there_is_some() {
    for mut config in [quick(), quick_and_reliable()] {
        for overflow in [Overflow::Reject, Overflow::DropOldest] {
            config.queue.max_messages = 2;
            config.queue.overflow = overflow;
            let user = User::new().await;
            let client = Client::new(user.options().config(config.clone())).unwrap();
            let chats: Vec<_> = ["a", "b", "c"].map(|id| client.session_chat(id, ChatOptions::new())).into();
            for _ in 0..2 {
                let _ = client.send_raw("note", &js_sys::Object::new());
            }
            client.connect().unwrap();
            let joins =
                async || server::received_types(&user.id).await.iter().filter(|kind| *kind == "join_session").count();
            until_async("all are joined", async || joins().await == chats.len()).await;
        }
    }
}

#[wasm_bindgen_test]
async fn a_session_is_joined_by_the_first_use_and_left_after_the_last() {
    nothing_left().await;
    let user = User::new().await;
    let client = user.online().await;
    let before = Diagnostics::take();
    let id = page::random_name();
    let chat = client.session_chat(&id, ChatOptions::new());
    let (twin, snapshots) = (client.session_chat(&id, ChatOptions::new()), chat.snapshots());
    chat.send("one");
    assert_eq!(texts(&twin), ["one"]);
    drop(chat);
    drop(twin);
    drop(snapshots);
    // In the same macrotask: nothing is left and nothing lost.
    let again = client.session_chat(&id, ChatOptions::new());
    assert_eq!(texts(&again), ["one"]);
    has_come(&again, &[ChatStatus::Sent]).await;
    drop(again);
    let expected = ["join_session", "message_sent", "leave_session"];
    until_async("it is left, once", async || server::received_types(&user.id).await == expected).await;
    assert_eq!(Diagnostics::take(), before);
    assert!(client.session_chat(&id, ChatOptions::new()).snapshot().messages.is_empty());
    drop(client);
    nothing_left().await;
}

#[wasm_bindgen_test]
async fn a_conversation_ends_with_the_client_which_it_does_not_keep() {
    nothing_left().await;
    let user = User::new().await;
    let client = user.online().await;
    let chat = client.session_chat(page::random_name(), ChatOptions::new());
    chat.key_pressed();
    let mut snapshots = chat.snapshots();
    assert!(snapshots.next().await.is_some());
    let ended = Log::new();
    let (told, waiting) = (ended.clone(), chat.snapshots());
    spawn_local(async move { told.add(waiting.count().await) });
    drop(client);
    ended.holds(1).await;
    while snapshots.next().await.is_some() {}
    assert!(snapshots.is_terminated());
    nothing_left().await;
    until_async("the server has none left", async || server::connections(&user.id).await.open == 0).await;
}

#[wasm_bindgen_test]
async fn a_stream_tells_only_what_differs() {
    let [(_, _ada, hers), _grace] = session().await;
    let mut snapshots = hers.snapshots();
    let first = snapshots.next().await.unwrap();
    while snapshots.next().now_or_never().is_some() {}
    assert!(first.messages.is_empty());
    hers.discard("nothing");
    assert!(snapshots.next().now_or_never().is_none());
    hers.send("one");
    hers.send("two");
    assert_eq!(snapshots.next().await.unwrap().messages.len(), 2);
}

#[wasm_bindgen_test]
async fn history_comes_in_pages_and_a_page_that_fails_says_why() {
    let user = User::new().await;
    let id = server::make_match([&user.id, "other"]).await;
    let asked = Rc::new(RefCell::new(Vec::<(Option<String>, usize)>::new()));
    let pages = asked.clone();
    let load = move |request: everwire::client::EarlierRequest| {
        pages.borrow_mut().push((request.before.clone(), request.limit));
        let count = pages.borrow().len();
        async move {
            match count {
                1 => {
                    Ok(ChatPage { messages: vec![stored(&request.id, "3"), stored(&request.id, "4")], has_more: true })
                }
                2 => Err("the archive is shut"),
                _ => {
                    Ok(ChatPage { messages: vec![stored(&request.id, "1"), stored(&request.id, "2")], has_more: false })
                }
            }
        }
    };
    let client = user.online().await;
    let chat = client.match_chat(&id, ChatOptions::new().user_id(&*user.id).page_size(2).load_earlier(load));
    shows(&chat, &["message 3", "message 4"]).await;
    assert!(chat.snapshot().has_earlier);
    let error = chat.load_earlier().await.unwrap_err();
    assert_eq!((error.message.as_str(), error.code.as_deref()), ("the archive is shut", Some("load_failed")));
    chat.load_earlier().await.unwrap();
    shows(&chat, &["message 1", "message 2", "message 3", "message 4"]).await;
    assert!(!chat.snapshot().has_earlier);
    chat.load_earlier().await.unwrap();
    assert_eq!(*asked.borrow(), [(None, 2), (Some("3".into()), 2), (Some("3".into()), 2)]);
}

fn stored(match_id: &str, id: &str) -> Value {
    let (content, at) = (format!("message {id}"), format!("2026-01-01T00:00:0{id}Z"));
    json!({ "id": id, "matchId": match_id, "senderId": "other", "content": content, "createdAt": at })
}

#[wasm_bindgen_test]
async fn what_was_missed_is_fetched_once_the_server_has_seen_the_join() {
    let missed = Log::new();
    let told = missed.clone();
    let load = move |request: everwire::client::MissedRequest| {
        told.add(request.after.clone());
        async move { Ok::<_, String>(ChatPage::default()) }
    };
    let [(ada, client, hers), (_, _grace, his)] = match_of_two(&ChatOptions::new().load_missed(load)).await;
    his.send("before");
    shows(&hers, &["before"]).await;
    let newest = hers.snapshot().messages[0].server_id.clone();
    assert!(newest.is_some());
    server::close(&ada.id, 1012).await;
    until("the connection is lost", || client.phase() != Phase::Open).await;
    client.connected().await.unwrap();
    assert!(!hers.snapshot().is_complete);
    assert_eq!(missed.holds(1).await, [newest]);
    until("nothing is missing", || hers.snapshot().is_complete).await;
    assert_eq!(texts(&hers), ["before"]);
}

#[wasm_bindgen_test]
async fn a_user_function_that_panics_is_reported_and_everything_is_heard_all_the_same() {
    let [(_, client, hers), (_, _grace, his)] = session().await;
    let log = listen(&client);
    let options = ChatOptions::new().user_id_with(|| panic!("this signal is disposed"));
    let _another = client.session_chat(page::random_name(), options);
    assert_eq!(log.errors(), ["option_failed"]);
    client.reconnect().unwrap();
    client.connected().await.unwrap();
    until("it is reported again", || log.errors().len() > 1).await;
    his.send("can you hear me?");
    shows(&hers, &["can you hear me?"]).await;
}

#[wasm_bindgen_test]
async fn a_page_function_that_panics_has_failed() {
    let at_once = |_: EarlierRequest| -> Ready<Result<ChatPage, String>> { panic!("this function is broken") };
    let later = async |_: EarlierRequest| -> Result<ChatPage, String> { panic!("this future is broken") };
    for options in [ChatOptions::new().load_earlier(at_once), ChatOptions::new().load_earlier(later)] {
        let user = User::new().await;
        let client = user.online().await;
        let log = listen(&client);
        let chat = client.session_chat(page::random_name(), options);
        until("it is reported", || log.errors().contains(&"option_failed")).await;
        let snapshot = chat.snapshot();
        assert!(!snapshot.is_loading);
        let error = snapshot.error.clone().unwrap();
        assert_eq!(error.message, "the function of the chat option `load_earlier` panicked");
    }
}

#[wasm_bindgen_test]
async fn who_logs_out_leaves_nothing_to_the_next_user() {
    let [(_, client, hers), (_, _grace, his)] = session().await;
    his.send("for her eyes");
    shows(&hers, &["for her eyes"]).await;
    hers.send("hm");
    client.forget();
    assert!(hers.snapshot().messages.is_empty());
    client.connect().unwrap();
    client.connected().await.unwrap();
    his.send("back?");
    shows(&hers, &["back?"]).await;
}

#[wasm_bindgen_test]
async fn what_is_not_sent_outlives_a_hundred_other_conversations() {
    let user = User::new().await;
    let client = user.client();
    let id = page::random_name();
    client.session_chat(&id, ChatOptions::new()).send("early");
    for number in 0..101 {
        drop(client.session_chat(format!("{id}-{number}"), ChatOptions::new()));
    }
    let chat = client.session_chat(&id, ChatOptions::new());
    assert_eq!((texts(&chat), statuses(&chat)), (vec!["early".to_owned()], vec![ChatStatus::Sending]));
    client.connect().unwrap();
    has_come(&chat, &[ChatStatus::Sent]).await;
}

#[wasm_bindgen_test]
async fn a_message_that_is_nested_too_deep_is_reported_and_the_next_is_shown() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    let chat = client.session_chat("algebra", ChatOptions::new());
    let message = |id: &str, more: &str| {
        format!(
            "{{\"type\": \"message_received\", \"data\": {{\"session_id\": \"algebra\", \"message\": \
             {{\"id\": \"{id}\", \"user_id\": \"grace\", \"content\": \"{id}\", \"more\": {more}}}}}}}"
        )
    };
    server::raw(&user.id, &message("deep", &format!("{}{}", "[".repeat(128), "]".repeat(128)))).await;
    server::raw(&user.id, &message("flat", "[]")).await;
    shows(&chat, &["flat"]).await;
    assert_eq!(log.errors(), ["undecodable"]);
}

#[wasm_bindgen_test]
async fn handles_are_equal_when_they_are_of_the_same() {
    let [client, other] = [User::new().await.client(), User::new().await.client()];
    assert_eq!(client, client.clone());
    assert_ne!(client, other);
    let chat = client.session_chat("algebra", ChatOptions::new());
    assert_eq!(chat, client.session_chat("algebra", ChatOptions::new()));
    assert_eq!(chat, chat.clone());
    assert_ne!(chat, client.match_chat("algebra", ChatOptions::new()));
    assert_ne!(chat, other.session_chat("algebra", ChatOptions::new()));
}
