//! Nothing is left behind.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use everwire::client::{Client, Diagnostics};
use everwire::events::masterx::Notification;
use everwire::proto::Phase;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::server;
use crate::user::{User, listen, quick, until_phase};
use crate::waiting::{until, until_async};

/// Waits until the clients of earlier tests have closed.
pub async fn nothing_left() {
    until("nothing is left", || {
        let left = Diagnostics::take();
        left.closures == 0 && left.sockets == 0
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_thousand_subscriptions_leave_no_handler_and_no_closure() {
    nothing_left().await;
    let user = User::new().await;
    let client = user.online().await;
    let before = (client.handlers(), Diagnostics::take());
    for _ in 0..1_000 {
        let subscription = client.subscribe(|_: Notification| {});
        assert_eq!(client.handlers(), before.0 + 1);
        drop(subscription);
    }
    let together: Vec<_> = (0..1_000).map(|_| client.subscribe(|_: Notification| {})).collect();
    assert_eq!(client.handlers(), before.0 + 1_000);
    assert_eq!(Diagnostics::take().closures, before.1.closures + 1_000);
    drop(together);
    assert_eq!((client.handlers(), Diagnostics::take()), before);
    drop(client);
    nothing_left().await;
}

#[wasm_bindgen_test]
async fn fifty_reconnects_leave_no_closure_and_no_socket() {
    nothing_left().await;
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    let before = (client.handlers(), Diagnostics::take());
    assert_eq!(before.1.sockets, 1);
    for cycle in 0..50 {
        match cycle % 3 {
            0 => client.reconnect().unwrap(),
            1 => {
                client.disconnect();
                client.connect().unwrap();
            }
            _ => {
                client.disconnect();
                until_phase(&client, Phase::Idle).await;
                client.connect().unwrap();
            }
        }
        client.connected().await.unwrap();
    }
    assert_eq!((client.handlers(), Diagnostics::take()), before);
    assert!(log.closes().iter().all(|code| *code == 1000), "{:?}", log.closes());
    until_async("the server has one connection left", async || {
        server::connections(&user.id).await == server::Connections { open: 1, accepted: 51 }
    })
    .await;
    drop(client);
    nothing_left().await;
    until_async("the server has none left", async || server::connections(&user.id).await.open == 0).await;
}

#[wasm_bindgen_test]
async fn a_client_takes_its_handlers_and_what_they_hold_along() {
    nothing_left().await;
    let user = User::new().await;
    let client = user.online().await;
    let held = Rc::new(());
    let (one, two) = (held.clone(), held.clone());
    let kept = client.subscribe(move |_: Notification| _ = &one);
    client.on_event(move |_| _ = &two).forget();
    assert_eq!((client.handlers(), Rc::strong_count(&held)), (2, 3));
    drop(client);
    assert_eq!(Rc::strong_count(&held), 1);
    drop(kept);
    nothing_left().await;
}

#[wasm_bindgen_test]
async fn a_wait_that_is_dropped_leaves_no_waker() {
    struct Noted;
    impl Wake for Noted {
        fn wake(self: Arc<Self>) {}
    }
    let user = User::new().await;
    let mut config = quick();
    config.queue.max_messages = 0;
    let client = Client::new(user.options().config(config)).unwrap();
    client.connect().unwrap();
    let noted = Arc::new(Noted);
    let waker = Waker::from(noted.clone());
    for _ in 0..10 {
        let waits: [Pin<Box<dyn Future<Output = ()>>>; 2] =
            [Box::pin(client.when_room()), Box::pin(async { client.connected().await.unwrap() })];
        for mut wait in waits {
            assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert_eq!(Arc::strong_count(&noted), 3);
        }
    }
    assert_eq!(Arc::strong_count(&noted), 2);
}

#[wasm_bindgen_test]
async fn clients_that_are_dropped_in_any_state_leave_nothing() {
    nothing_left().await;
    let user = User::new().await;
    drop(user.client());
    let connecting = user.client();
    connecting.connect().unwrap();
    drop(connecting);
    let closing = user.online().await;
    closing.disconnect();
    assert_eq!(closing.phase(), Phase::Closing);
    drop(closing);
    let waiting = user.online().await;
    server::close(&user.id, 1013).await;
    until("it waits", || matches!(waiting.phase(), Phase::Waiting | Phase::Connecting)).await;
    drop(waiting);
    nothing_left().await;
}
