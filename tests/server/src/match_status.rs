//! The status of a match, changed where everything else about it is decided.

use std::sync::Arc;

use everwire_axum::{Context, DatabaseResult};
use serde_json::{Value, json};

use crate::{
    messages::{self, MatchStatus},
    rooms,
};

/// The payload of the `session_update` about a match.
pub fn update(id: &str, status: MatchStatus) -> Value {
    json!({ "session_id": id, "match_id": id, "status": status.as_str() })
}

/// Changes the status of a match, tells its users, and ends their membership unless it is active. Says whether it was another
/// before; `None` if there is no such match.
pub fn set(context: &mut Context<'_>, id: &str, status: MatchStatus) -> DatabaseResult<Option<bool>> {
    let Some(users) = messages::set_status(context.db(), id, status)? else {
        return Ok(messages::exists(context.db(), id)?.then_some(false));
    };
    context.announce()?;
    let data = update(id, status);
    for user in users.map(Arc::<str>::from) {
        context.publish(&user, "session_update", &data)?;
        if status != MatchStatus::Active {
            context.remove(&user, &rooms::of_match(id))?;
        }
    }
    Ok(Some(true))
}
