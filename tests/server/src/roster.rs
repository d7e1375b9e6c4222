//! Who is in a session or match, told to its members whenever that changes.

use std::{sync::Arc, time::Duration};

use everwire_axum::{Room, envelope};
use serde_json::json;

use crate::{app::App, rooms};

/// Announces changes for as long as the server runs. Those that come together are told together: after a restart everyone joins at once.
pub async fn run(app: Arc<App>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        for room in app.hub.take_changed() {
            announce(&app, &room);
        }
    }
}

fn announce(app: &App, room: &Room) {
    let (data, members) = if let Some(id) = rooms::match_id(room) {
        // Both belong to it, joined or not.
        let users = app.matches.users(id).into_iter().flatten();
        let members = users.map(|user| (user.clone(), app.hub.is_online(&user))).collect();
        (json!({ "session_id": id, "match_id": id }), members)
    } else {
        (json!({ "session_id": rooms::session_id(room) }), app.hub.members(room))
    };
    if members.is_empty() || members.len() > MAX_ANNOUNCED {
        return;
    }
    let mut data = data;
    data["members"] = members.iter().map(|(user, online)| json!({ "user_id": &**user, "online": online })).collect();
    app.hub.deliver_to_room(room, None, &envelope::event("session_members", &data));
}

const PAUSE: Duration = Duration::from_millis(50);

/// The news of one join grows with the square of the members, so larger sessions get none.
const MAX_ANNOUNCED: usize = 100;
