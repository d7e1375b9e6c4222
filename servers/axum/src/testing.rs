//! An engine for the tests of the modules.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::{
    Context, Everwire, Message, On, Refuse, SqliteStore, Wire,
    database::{Database, open_sqlite},
    engine::Engine,
    room::Room,
    tables::Tables,
};

/// A database with its tables.
pub fn database() -> Database {
    open_sqlite(None, &Tables::default()).unwrap()
}

#[derive(Deserialize)]
struct Join {
    session_id: String,
}

impl Message for Join {
    const TYPE: &str = "join_session";
}

#[derive(Deserialize)]
struct Leave {
    session_id: String,
}

impl Message for Leave {
    const TYPE: &str = "leave_session";
}

fn room(session_id: &str) -> Room {
    Room::new(&format!("session:{session_id}"))
}

pub struct TestEngine(Wire);

impl std::ops::Deref for TestEngine {
    type Target = Arc<Engine>;

    fn deref(&self) -> &Arc<Engine> {
        self.0.engine()
    }
}

/// Sessions that can be joined and left.
pub async fn engine() -> TestEngine {
    let wire = Everwire::new(SqliteStore::in_memory())
        .on_connect(|user| json!({ "user_id": user }))
        .on_with(On::join(), |context: &mut Context<'_>, join: Join| context.join(&room(&join.session_id)))
        .on(|context: &mut Context<'_>, leave: Leave| Ok::<_, Refuse>(context.leave(&room(&leave.session_id))?))
        .start()
        .await
        .unwrap();
    TestEngine(wire)
}
