//! The catalogue of CoLabMatch, one-to-one chat between matched people.

use super::{ExtraFields, events, masterx::Member};

events! {
    /// Enters a match; refused unless the user belongs to it. The client enters it again after every reconnect.
    JoinMatch as "join_match" {
        /// The match.
        match_id: String,
    }
    /// A message to the match.
    SendMessage as "send_message" {
        /// The match.
        match_id: String,
        /// The text.
        content: String,
        /// The sender's own id of the message, by which the server knows it when it is sent again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        client_id: Option<String>,
    }
    /// Says that the user types, or has stopped. Sent at once or not at all.
    Typing as "typing" {
        /// The match.
        match_id: String,
        /// Whether the user types.
        is_typing: bool,
    }
    /// Says that the user has read a message.
    ReadMessage as "read_message" {
        /// The message.
        message_id: String,
        /// The match.
        match_id: String,
    }
    /// The first event of a connection: who the server thinks the user is.
    #[serde(transparent)]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(type = "Record<string, unknown>"))]
    Connected as "connected" {
        /// Whatever the server says about the user.
        user: ExtraFields,
    }
    /// A message, to everyone in the match, the sender included.
    NewMessage as "new_message" {
        /// The id that the server gave it.
        id: String,
        /// The match.
        #[serde(rename = "matchId")]
        match_id: String,
        /// Who sent it.
        #[serde(rename = "senderId")]
        sender_id: String,
        /// The text.
        content: String,
        /// When it was stored, in ISO 8601.
        #[serde(rename = "createdAt")]
        created_at: String,
        /// When it was read, in ISO 8601.
        #[serde(rename = "readAt")]
        read_at: Option<String>,
        /// The sender's own id of the message, if it came with one.
        #[serde(rename = "clientId", default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        client_id: Option<String>,
    }
    /// Another member types.
    UserTyping as "user_typing" {
        /// The match.
        match_id: String,
        /// The member.
        user_id: String,
    }
    /// Another member has stopped typing.
    TypingStopped as "typing_stopped" {
        /// The match.
        match_id: String,
        /// The member.
        user_id: String,
    }
    /// Somebody came or went.
    UserOnlineStatus as "user_online_status" {
        /// The user.
        user_id: String,
        /// Whether the user is there, on any device.
        online: bool,
    }
    /// A message was read.
    MessageRead as "message_read" {
        /// The message.
        message_id: String,
        /// The match.
        match_id: String,
        /// When, in ISO 8601.
        #[serde(rename = "readAt")]
        read_at: String,
        /// Whether every message before it is read as well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        up_to: Option<bool>,
    }
    /// Who is in a match, joined or not, and who of them is there.
    SessionMembers as "session_members" {
        /// The match, under the name that MasterX has for it.
        session_id: String,
        /// The match.
        match_id: String,
        /// Both users.
        members: Vec<Member>,
    }
    /// A match has another status.
    SessionUpdate as "session_update" {
        /// The match, under the name that MasterX has for it.
        session_id: String,
        /// The match.
        match_id: String,
        /// `pending`, `active` or `ended`. Only an active match can be joined and written to.
        status: String,
    }
    /// The server could not do what was asked.
    ServerError as "error" {
        /// Why, for people.
        message: String,
        /// Why, for programs, such as `not_allowed`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        code: Option<String>,
        /// The type of the message that was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        about: Option<String>,
        /// The match that the refused message has named, if it had no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        match_id: Option<String>,
        /// The id of the refused message, if it had no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        message_id: Option<String>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_a_match_and_its_status_name_it_in_both_ways() {
        let members = r#"{"session_id":"m","match_id":"m","members":[{"user_id":"ada","online":true},{"user_id":"ben","online":false}]}"#;
        let members: SessionMembers = serde_json::from_str(members).unwrap();
        let online: Vec<_> = members.members.iter().map(|member| (member.user_id.as_str(), member.online)).collect();
        assert_eq!((members.session_id, members.match_id), ("m".to_owned(), "m".to_owned()));
        assert_eq!(online, [("ada", true), ("ben", false)]);
        let status = r#"{"session_id":"m","match_id":"m","status":"ended"}"#;
        let update: SessionUpdate = serde_json::from_str(status).unwrap();
        assert_eq!(update.status, "ended");
    }
}
