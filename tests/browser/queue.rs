//! What happens to messages while there is no connection.

use everwire::client::{Client, ClientEvent, SendError};
use everwire::events::masterx::{MessageReceived, ServerError, UserTyping};
use everwire::proto::{DropReason, Overflow, Phase, Refusal, Sent};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::{collect, join, message};
use crate::user::{User, listen, quick};
use crate::waiting::{until, until_async};
use crate::{faults, page, server};

#[wasm_bindgen_test]
async fn what_is_sent_while_connections_are_refused_arrives_in_order_after_the_session_is_rejoined() {
    let (ann, bob) = (User::new().await, User::new().await);
    let session = page::random_name();
    let mut config = quick();
    config.reconnect.max_attempts = u32::MAX;
    // Bob does not pass the proxy, so the faults are Ann's alone.
    let anns = Client::new(ann.options().config(config)).unwrap();
    let bobs = Client::new(bob.options().url(server::URL)).unwrap();
    for client in [&anns, &bobs] {
        client.connect().unwrap();
        client.connected().await.unwrap();
    }
    let (heard, errors) = (collect::<MessageReceived>(&bobs), collect::<ServerError>(&anns));
    for (user, client) in [(&ann, &anns), (&bob, &bobs)] {
        client.send(&join(&session)).unwrap();
        until_async("the session is joined", async || server::received(&user.id).await.len() == 1).await;
    }

    let refusal = faults::refuse().await;
    faults::reset().await;
    until("the connection is lost", || anns.phase() != Phase::Open).await;
    for content in ["one", "two", "three"] {
        assert_eq!(anns.send(&message(&session, content)).unwrap(), Sent::Queued);
    }
    assert_eq!(anns.snapshot().queued, 3);
    until_async("an attempt is refused", async || faults::hits(refusal).await > 0).await;
    faults::heal().await;

    let heard: Vec<_> = heard.holds(3).await.into_iter().map(|event| event.message.content).collect();
    assert_eq!(heard, ["one", "two", "three"]);
    let received = server::received(&ann.id).await;
    let kinds: Vec<_> = received.iter().map(|frame| &*frame.kind).collect();
    assert_eq!(kinds, ["join_session", "join_session", "message_sent", "message_sent", "message_sent"]);
    assert_ne!(received[0].connection, received[1].connection);
    assert!(errors.all().is_empty(), "{:?}", errors.all());
    assert_eq!(anns.snapshot().queued, 0);
}

#[wasm_bindgen_test]
async fn what_is_sent_before_the_first_connect_waits_for_it() {
    let user = User::new().await;
    let client = user.client();
    assert_eq!(client.send(&join("early")).unwrap(), Sent::Queued);
    client.connect().unwrap();
    until_async("it arrives", async || server::received_types(&user.id).await == ["join_session"]).await;
}

#[wasm_bindgen_test]
async fn the_queue_survives_a_disconnect() {
    let user = User::new().await;
    let client = user.online().await;
    client.disconnect();
    client.send(&join("later")).unwrap();
    client.connect().unwrap();
    until_async("it arrives", async || server::received_types(&user.id).await == ["join_session"]).await;
}

#[wasm_bindgen_test]
async fn typing_is_sent_at_once_or_not_at_all() {
    let user = User::new().await;
    let client = user.client();
    let refused = client.send(&UserTyping { session_id: "s".into(), is_typing: true }).unwrap_err();
    assert!(matches!(refused, SendError::Refused(Refusal::NotOpen)), "{refused}");
    assert_eq!(client.snapshot().queued, 0);
}

#[wasm_bindgen_test]
async fn the_oldest_message_makes_room_and_is_handed_back() {
    let user = User::new().await;
    let mut config = quick();
    config.queue.max_messages = 2;
    config.queue.overflow = Overflow::DropOldest;
    let client = Client::new(user.options().config(config)).unwrap();
    let log = listen(&client);
    for content in ["one", "two", "three"] {
        assert_eq!(client.send(&message("s", content)).unwrap(), Sent::Queued);
    }
    let dropped = log.all().into_iter().find_map(|event| match event {
        ClientEvent::Dropped { seq, event, data, reason } => Some((seq, event, data, reason)),
        _ => None,
    });
    let (seq, event, data, reason) = dropped.unwrap();
    assert_eq!((seq, &*event, reason), (Some(1), "message_sent", DropReason::Overflow));
    assert_eq!(page::own(&page::own(&data, "message"), "content").as_string().unwrap(), "one");
    assert_eq!(client.snapshot().queued, 2);
}

#[wasm_bindgen_test]
async fn a_full_queue_refuses_at_the_call_and_what_it_refuses_has_no_number() {
    let user = User::new().await;
    for overflow in [Overflow::Reject, Overflow::DropNewest] {
        let mut config = quick();
        config.queue.max_messages = 1;
        config.queue.overflow = overflow;
        let client = Client::new(user.options().config(config)).unwrap();
        let log = listen(&client);
        client.send(&join("a")).unwrap();
        assert_eq!(client.send(&join("b")).unwrap_err().code(), "queue_full");
        let dropped = log.count(|event| matches!(event, ClientEvent::Dropped { seq: None, .. }));
        assert_eq!((dropped, client.latest_seq()), (usize::from(overflow == Overflow::DropNewest), 1));
    }
}

#[wasm_bindgen_test]
async fn a_message_that_waited_too_long_is_reported_and_never_sent() {
    let user = User::new().await;
    let mut config = quick();
    config.queue.ttl_ms = 30;
    let client = Client::new(user.options().config(config)).unwrap();
    let log = listen(&client);
    client.send(&message("s", "stale")).unwrap();
    until("it expires", || {
        log.count(|event| matches!(event, ClientEvent::Dropped { reason: DropReason::Expired, .. })) == 1
    })
    .await;
    client.connect().unwrap();
    client.connected().await.unwrap();
    client.send(&message("s", "fresh")).unwrap();
    until_async("the fresh one arrives", async || !server::received(&user.id).await.is_empty()).await;
    assert_eq!(server::received(&user.id).await[0].data["message"]["content"], "fresh");
}
