//! An application that mounts the library and uses it as its documentation says.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/server/tests/common/client.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod client;
#[path = "../../../tests/server/tests/common/positions.rs"]
mod positions;

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, http::request::Parts, routing::get};
use client::{Client, PATIENCE};
use everwire_axum::{
    Context, DatabaseError, Everwire, Limits, MAX_NUMBER, Message, Refuse, Room, SqliteStore, Ticket, Tokens, User,
    Wire,
};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_tungstenite::connect_async;

const SECRET: &str = "a secret that only this test knows";
const TAB: &str = "k3Zq8vXw2LmN4pRt";

#[derive(serde::Deserialize)]
struct Note {
    text: String,
}

impl Message for Note {
    const TYPE: &str = "note";
}

#[derive(serde::Deserialize)]
struct Enter {}

impl Message for Enter {
    const TYPE: &str = "enter";
}

/// What panics again when it is dropped.
struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        std::panic::panic_any(Self)
    }
}

struct Application {
    wire: Wire,
    addr: SocketAddr,
    analysed: mpsc::UnboundedReceiver<String>,
    presence: Arc<Mutex<Vec<(String, bool)>>>,
}

impl Application {
    async fn start() -> Self {
        let (done, analysed) = mpsc::unbounded_channel();
        let note = move |ctx: &mut Context<'_>, Note { text }: Note| {
            match text.as_str() {
                "panic" => {
                    ctx.after_commit(|| panic!("a bug, on purpose"));
                    return Ok(());
                }
                "panic at once" => std::panic::panic_any(Explosive),
                "refuse what explodes" => {
                    let explosive = Explosive;
                    ctx.after_commit(move || drop(explosive));
                    return Err(Refuse::new("undone"));
                }
                "roll back" => {
                    let nobodys = "INSERT OR ROLLBACK INTO notes (user_id) VALUES (NULL)";
                    let _ = ctx.db().execute(nobodys, &[]);
                }
                _ => {}
            }
            ctx.db().execute("INSERT INTO notes (user_id, text) VALUES (?1, ?2)", &[&ctx.user(), &text])?;
            if text.is_empty() {
                return Err(Refuse::new("empty"));
            }
            let done = done.clone();
            ctx.after_commit(move || drop(tokio::spawn(async move { done.send(text).unwrap() })));
            Ok::<_, Refuse>(())
        };
        let enter = |ctx: &mut Context<'_>, _: Enter| ctx.join(&Room::new("hall"));
        let presence = Arc::<Mutex<Vec<(String, bool)>>>::default();
        let seen = presence.clone();
        let store =
            SqliteStore::in_memory().setup("CREATE TABLE IF NOT EXISTS notes (user_id TEXT NOT NULL, text TEXT)");
        let wire = Everwire::new(store)
            .tokens(Tokens::new(SECRET))
            .on_presence(move |user, online| {
                assert_ne!(user, "nobody greets", "a bug, on purpose");
                seen.lock().push((user.to_owned(), online));
            })
            .on(note)
            .on(enter)
            .start()
            .await
            .unwrap();
        let addr = serve(&wire).await;
        Self { wire, addr, analysed, presence }
    }

    async fn connect(&self, user: &str) -> Client {
        connect(self.addr, user).await
    }
}

async fn serve(wire: &Wire) -> SocketAddr {
    let whoami = get(async |User(user): User| user.to_string());
    let app = Router::new().route("/api/ws", wire.route()).route("/me", whoami).with_state(wire.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    addr
}

async fn connect(addr: SocketAddr, user: &str) -> Client {
    let token = Tokens::new(SECRET).issue(user, None).unwrap();
    let url = format!("ws://{addr}/api/ws?token={token}");
    let mut client = Client::new(connect_async(url).await.unwrap().0, positions::Positions::default());
    client.is(user);
    client
}

#[tokio::test]
async fn what_is_done_after_a_commit_may_spawn_tasks_and_panic() {
    let mut application = Application::start().await;
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for (seq, text) in (1..).zip(["panic", "", "hi"]) {
        ada.say(seq, "note", json!({ "text": text })).await;
    }
    ada.acked(3).await;
    assert_eq!(timeout(PATIENCE, application.analysed.recv()).await.unwrap().unwrap(), "hi");
    let stored = application.wire.transact(|ctx| {
        ctx.db().query("SELECT user_id, text FROM notes", &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))
    });
    assert_eq!(stored.await.unwrap(), [("ada".to_owned(), "hi".to_owned())]);
}

#[tokio::test]
async fn a_handler_that_panics_with_something_that_panics_is_a_refusal() {
    let application = Application::start().await;
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for (seq, text) in (1..).zip(["panic at once", "hi"]) {
        ada.say(seq, "note", json!({ "text": text })).await;
    }
    let refused = ada.event("error").await;
    assert_eq!((&refused["code"], &refused["seq"]), (&"internal".into(), &1.into()));
    ada.acked(2).await;
}

#[tokio::test]
async fn a_refusal_whose_closures_panic_when_they_are_dropped_is_one_all_the_same() {
    let application = Application::start().await;
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for (seq, text) in (1..).zip(["refuse what explodes", "hi"]) {
        ada.say(seq, "note", json!({ "text": text })).await;
    }
    let refused = ada.event("error").await;
    assert_eq!((&refused["code"], &refused["seq"]), (&"undone".into(), &1.into()));
    ada.acked(2).await;
}

#[tokio::test]
async fn a_statement_that_ends_the_transaction_of_others_is_refused_when_its_message_comes_again() {
    let application = Application::start().await;
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "note", json!({ "text": "roll back" })).await;
    assert_eq!(ada.closed().await.0, 1011);
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "note", json!({ "text": "roll back" })).await;
    let refused = ada.event("error").await;
    assert_eq!((&refused["code"], &refused["seq"]), (&"internal".into(), &1.into()));
    ada.acked(1).await;
    let count = "SELECT COUNT(*) FROM notes";
    let stored = application.wire.transact(|ctx| ctx.db().query_row(count, &[], |row| row.get::<i64>(0)));
    assert_eq!(stored.await.unwrap(), Some(0));
}

#[tokio::test]
async fn what_is_told_reaches_a_user_a_room_or_everyone() {
    let application = Application::start().await;
    let mut ada = application.connect("ada").await;
    let mut ben = application.connect("ben").await;
    ada.send("enter", json!({})).await;
    ada.settle().await;
    ben.settle().await;
    let Application { wire, presence, .. } = &application;
    let nothing = Map::<String, Value>::new();
    assert_eq!(wire.tell("ben", "to_user", &nothing), 1);
    assert_eq!(wire.tell_room(&Room::new("hall"), "to_room", &nothing), 1);
    assert_eq!(wire.tell_everyone("to_everyone", &nothing), 2);
    ada.event("to_room").await;
    ada.event("to_everyone").await;
    ben.event("to_user").await;
    ben.event("to_everyone").await;
    assert_eq!(*presence.lock(), [("ada".to_owned(), true), ("ben".to_owned(), true)]);
    assert!(wire.is_connected("ben"));
    assert_eq!(wire.close("ben", 4001, "bye"), 1);
    assert_eq!(ben.closed().await.0, 4001);
}

#[tokio::test]
async fn http_requests_are_of_the_user_whose_token_they_have() {
    let application = Application::start().await;
    let ask = async |token: &str| {
        let request = reqwest::Client::new().get(format!("http://{}/me", application.addr)).bearer_auth(token);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let tokens = Tokens::new(SECRET);
    assert_eq!(ask(&tokens.issue("ada", None).unwrap()).await, (200, "ada".to_owned()));
    assert_eq!(ask(&tokens.issue("ada", Some(-1)).unwrap()).await, (401, "token expired".to_owned()));
    assert_eq!(ask("nonsense").await, (401, "token invalid".to_owned()));
    assert!(application.wire.is_healthy().await);
}

#[tokio::test]
async fn a_transaction_of_the_application_that_fails_or_panics_harms_nobody_else() {
    let application = Application::start().await;
    let Application { wire, .. } = &application;
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    let insert = "INSERT INTO notes (user_id, text) VALUES (?1, ?2)";
    let violated = wire.transact(move |ctx| {
        ctx.db().execute(insert, &[&"ada", &"undone"])?;
        ctx.publish("ada", "undone", &json!({}))?;
        ctx.db().execute(insert, &[&None::<String>, &"nobody's"])
    });
    assert!(violated.await.unwrap_err().to_string().contains("NOT NULL"));
    let panicked = wire.transact::<()>(|ctx| {
        ctx.publish("ada", "undone", &json!({}))?;
        panic!("a bug, on purpose")
    });
    assert!(panicked.await.unwrap_err().to_string().contains("panicked"));
    for (kind, data, why) in [
        ("ack", json!({}), "one of the protocol's"),
        ("close", json!({}), "one that clients tell by themselves"),
        ("", json!({}), "1 to 128 bytes"),
        ("\"quoted\"", json!(7), "the data of an event is an object"),
    ] {
        let refused = wire.publish("ada", kind, data).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    ada.say(1, "note", json!({ "text": "hi" })).await;
    ada.acked(1).await;
    wire.publish("ada", "\"quoted\"", json!({ "n": 1 })).await.unwrap();
    assert_eq!(ada.any().await["type"], "\"quoted\"");
    let count = "SELECT COUNT(*) FROM notes";
    assert_eq!(wire.transact(|ctx| ctx.db().query_row(count, &[], |row| row.get::<i64>(0))).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_transaction_of_the_applications_may_fail_in_words_of_its_own_and_harms_nobody() {
    let application = Application::start().await;
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    let failed = application.wire.transact::<()>(|ctx| {
        ctx.publish("ada", "undone", &json!({}))?;
        Err(DatabaseError::Failed("no such order"))
    });
    assert!(failed.await.unwrap_err().to_string().contains("no such order"));
    ada.say(1, "note", json!({ "text": "hi" })).await;
    ada.acked(1).await;
}

#[tokio::test]
async fn who_comes_is_counted_and_goes_whatever_the_application_does_about_it() {
    let application = Application::start().await;
    let ada = application.connect("nobody greets").await;
    let until = async |count: usize| {
        while application.wire.connections() != count {
            tokio::task::yield_now().await
        }
    };
    timeout(PATIENCE, until(1)).await.unwrap();
    drop(ada);
    timeout(PATIENCE, until(0)).await.unwrap();
    assert!(!application.wire.is_connected("nobody greets"));
}

#[tokio::test]
async fn who_cannot_be_greeted_is_connected_all_the_same() {
    let greet = |user: &str| {
        assert_ne!(user, "nobody greets", "a bug, on purpose");
        json!({ "user_id": user })
    };
    let wire = Everwire::new(SqliteStore::in_memory()).tokens(Tokens::new(SECRET)).on_connect(greet).start();
    let addr = serve(&wire.await.unwrap()).await;
    connect(addr, "nobody greets").await.hello(TAB, json!({})).await;
    assert_eq!(connect(addr, "ada").await.any().await["data"]["user_id"], "ada");
}

#[tokio::test]
async fn a_disk_that_is_full_is_not_healthy() {
    let application = Application::start().await;
    let Application { wire, .. } = &application;
    assert!(wire.is_healthy().await);
    let fill = wire.transact(|ctx| {
        ctx.db().sqlite().unwrap().execute_batch("PRAGMA max_page_count = 1")?;
        let insert = "INSERT INTO notes (user_id, text) VALUES ('ada', ?1)";
        ctx.db().execute(insert, &[&"x".repeat(1_000_000)])
    });
    assert!(fill.await.is_err());
    assert!(!wire.is_healthy().await);
}

#[tokio::test]
async fn what_no_client_could_take_for_an_event_is_not_told() {
    let application = Application::start().await;
    let Application { wire, .. } = &application;
    let mut ada = application.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for kind in ["ack", "welcome", "close", ""] {
        assert_eq!(wire.tell("ada", kind, &json!({ "seq": 1 })), 0, "{kind}");
        assert_eq!(wire.tell_everyone(kind, &json!({ "seq": 1 })), 0, "{kind}");
        let kind = kind.to_owned();
        wire.transact(move |ctx| {
            ctx.tell("ada", &kind, &json!({ "seq": 1 }), true);
            Ok(())
        })
        .await
        .unwrap();
    }
    assert_eq!(wire.tell("ada", "real", &json!({})), 1);
    assert_eq!(ada.any().await["type"], "real");
}

#[tokio::test]
async fn the_transaction_is_not_the_applications_to_end() {
    let application = Application::start().await;
    let insert = "INSERT INTO notes (user_id, text) VALUES ('ada', ?1)";
    let hidden = ["/* ; */ COMMIT", "-- now\n;\n/**/--\nEND", "; ;COMMIT", "\u{FEFF}COMMIT", "/* /* x */ COMMIT"];
    for ending in
        [" commit", "END;", "Rollback", "BEGIN", "savepoint mine", "RELEASE effects"].into_iter().chain(hidden)
    {
        let ended = application.wire.transact(move |ctx| {
            ctx.db().execute(insert, &[&"undone"])?;
            ctx.db().execute(ending, &[])
        });
        assert!(ended.await.unwrap_err().to_string().contains("the transaction is the library's"), "{ending}");
    }
    application.wire.transact(move |ctx| ctx.db().execute(insert, &[&"kept"])).await.unwrap();
    let stored =
        application.wire.transact(|ctx| ctx.db().query("SELECT text FROM notes", &[], |row| row.get::<String>(0)));
    assert_eq!(stored.await.unwrap(), ["kept"]);
}

#[tokio::test]
async fn the_connection_is_not_the_applications_to_change() {
    let application = Application::start().await;
    for spoiling in ["PRAGMA query_only = ON", "pragma wal_checkpoint(TRUNCATE)", "EXPLAIN PRAGMA query_only = 1"] {
        let spoiled = application.wire.transact(move |ctx| ctx.db().execute(spoiling, &[]));
        assert!(spoiled.await.unwrap_err().to_string().contains("the connection is the library's"), "{spoiling}");
    }
    let columns = "SELECT name FROM pragma_table_info('notes')";
    let read = application.wire.transact(move |ctx| ctx.db().query(columns, &[], |row| row.get::<String>(0)));
    assert_eq!(read.await.unwrap(), ["user_id", "text"]);
    let insert = "INSERT INTO notes (user_id, text) VALUES ('ada', 'kept')";
    application.wire.transact(move |ctx| ctx.db().execute(insert, &[])).await.unwrap();
}

#[tokio::test]
async fn who_is_authenticated_in_the_applications_own_way_can_be_stored_and_is_good_now() {
    let users = ["", "a\0b", &"x".repeat(129), "late", "ada"].map(Arc::<str>::from);
    let given = users.clone();
    let authenticate = move |request: &Parts| {
        let index: usize = request.uri.query().unwrap_or_default().parse().unwrap();
        let expires_at_ms = if &*given[index] == "late" { 1 } else { i64::MAX };
        Ok(Ticket { user: given[index].clone(), expires_at_ms })
    };
    let wire = Everwire::new(SqliteStore::in_memory()).authenticate(authenticate).start().await.unwrap();
    let addr = serve(&wire).await;
    for (index, user) in users.iter().enumerate() {
        let answer = reqwest::get(format!("http://{addr}/me?{index}")).await.unwrap();
        let answer = (answer.status().as_u16(), answer.text().await.unwrap());
        let socket = connect_async(format!("ws://{addr}/api/ws?{index}")).await.unwrap().0;
        let mut client = Client::new(socket, positions::Positions::default());
        match &**user {
            "ada" => {
                assert_eq!(answer, (200, "ada".to_owned()));
                client.hello(TAB, json!({})).await;
            }
            "late" => {
                assert_eq!(answer, (401, "token expired".to_owned()));
                assert_eq!(client.closed().await, (1008, "Authentication token expired".to_owned()));
            }
            _ => {
                assert_eq!(answer, (401, "token invalid".to_owned()), "{user}");
                assert_eq!(client.closed().await.0, 1008, "{user}");
            }
        }
    }
}

#[tokio::test]
async fn an_epoch_that_clients_cannot_read_is_refused_and_can_be_mended() {
    let file = std::env::temp_dir().join(format!("everwire-bad-epoch-{}.sqlite3", std::process::id()));
    let start = async |epoch: Option<u64>| {
        let limits = Limits { epoch, ..Limits::default() };
        let wire = Everwire::new(SqliteStore::new(&file)).tokens(Tokens::new(SECRET)).limits(limits).start().await;
        wire.map_err(|error| error.to_string())
    };
    for epoch in [0, MAX_NUMBER + 1, u64::MAX] {
        let refused = start(Some(epoch)).await.map(drop).unwrap_err();
        assert!(refused.contains(&format!("clients cannot read the epoch {epoch}; give one of 1 to")), "{refused}");
    }
    for stored in [i64::MAX, -7] {
        let wire = start(Some(MAX_NUMBER)).await.unwrap();
        let spoil = "UPDATE everwire_memory SET epoch = ?1";
        wire.transact(move |ctx| ctx.db().execute(spoil, &[&stored])).await.unwrap();
        drop(wire);
        let refused = start(None).await.map(drop).unwrap_err();
        assert!(refused.contains("clients cannot read its epoch; give one of 1 to"), "{refused}");
    }
    let wire = start(Some(1_700_000_000_000)).await.unwrap();
    let welcome = connect(serve(&wire).await, "ada").await.hello(TAB, json!({})).await;
    assert_eq!(welcome["epoch"], 1_700_000_000_000_u64);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}
