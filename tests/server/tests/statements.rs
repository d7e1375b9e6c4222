//! What an application's statements may do to a transaction that PostgreSQL shares among messages.
//!
//! `cargo xtask test nodes` starts it and runs these.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::services::{fresh, services, until};
use everwire_axum::{Context, Everwire, PostgresStore, StoreError, Tokens};
use serde_json::json;

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_failed_statement_that_nobody_heeds_undoes_what_the_application_did_and_nothing_else() {
    let [postgres, _] = services();
    let ada = fresh("ada");
    let store = PostgresStore::new(postgres).setup("CREATE TABLE IF NOT EXISTS heedless (text TEXT NOT NULL UNIQUE)");
    let wire = Everwire::new(store).tokens(Tokens::new("a secret that only this test knows")).start().await.unwrap();
    let insert = |text: String| {
        move |ctx: &mut Context<'_>| {
            let sql = "INSERT INTO heedless (text) VALUES (?1)";
            ctx.db().execute(sql, &[&text])?;
            let _ = ctx.db().execute(sql, &[&text]);
            ctx.publish("ada", "notification", &json!({}))
        }
    };
    let alone = wire.transact(insert(ada.clone())).await.unwrap_err();
    assert!(alone.to_string().contains("a statement of the application's has failed"), "{alone}");
    let texts = ["a", "b", "c"].map(|suffix| format!("{ada}-{suffix}"));
    let write =
        |text: String| wire.transact(move |ctx| ctx.db().execute("INSERT INTO heedless (text) VALUES (?1)", &[&text]));
    let (first, heedless, last) =
        tokio::join!(write(texts[0].clone()), wire.transact(insert(texts[1].clone())), write(texts[2].clone()));
    assert!(heedless.is_err());
    assert_eq!((first.unwrap(), last.unwrap()), (1, 1));
    for (text, expected) in texts.iter().zip([0, 1, 0]) {
        assert_eq!(write(text.clone()).await.is_ok(), expected == 1, "{text}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn what_postgresql_refuses_fails_alone_whatever_its_error_code_is() {
    let [postgres, _] = services();
    let store = PostgresStore::new(postgres).setup(
        "CREATE TABLE IF NOT EXISTS refusing (text TEXT NOT NULL UNIQUE,
         parent TEXT REFERENCES refusing (text) DEFERRABLE INITIALLY DEFERRED)",
    );
    let wire = Everwire::new(store).tokens(Tokens::new("a secret that only this test knows")).start().await.unwrap();
    let write =
        |text: String| wire.transact(move |ctx| ctx.db().execute("INSERT INTO refusing (text) VALUES (?1)", &[&text]));
    let beyond_the_index: String = std::iter::repeat_with(fastrand::alphanumeric).take(9_000).collect();
    let statements = [
        "DO $$ BEGIN RAISE EXCEPTION 'not this'; END $$".to_owned(),
        "DO $$ BEGIN RAISE EXCEPTION 'a bug' USING ERRCODE = 'XX000'; END $$".to_owned(),
        "SELECT ?1".to_owned(),
        format!("INSERT INTO refusing (text) VALUES ('{beyond_the_index}')"),
        "INSERT INTO refusing (text, parent) VALUES ('orphan', 'nobody')".to_owned(),
    ];
    for statement in statements {
        let about: String = statement.chars().take(60).collect();
        let refused = wire.transact(move |ctx| ctx.db().execute(&statement, &[]));
        let (before, refused, after) = tokio::join!(write(fresh("before")), refused, write(fresh("after")));
        assert!(matches!(refused, Err(StoreError::Database(_))), "{about}: {refused:?}");
        assert_eq!((before.unwrap(), after.unwrap()), (1, 1), "{about}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_session_that_a_statement_has_spoiled_is_left() {
    let [postgres, _] = services();
    let store = PostgresStore::new(postgres).setup("CREATE TABLE IF NOT EXISTS spoiling (text TEXT NOT NULL)");
    let wire = Everwire::new(store).tokens(Tokens::new("a secret that only this test knows")).start().await.unwrap();
    let read_only = "SELECT set_config('default_transaction_read_only', 'on', false)";
    for spoiling in ["DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$", read_only] {
        let write = || wire.transact(|ctx| ctx.db().execute("INSERT INTO spoiling (text) VALUES (?1)", &[&"later"]));
        write().await.unwrap();
        let _ = wire.transact(move |ctx| ctx.db().execute(spoiling, &[])).await;
        assert!(spoiling != read_only || !wire.is_healthy().await);
        until("what comes later is stored", async || write().await.is_ok()).await;
    }
}
