//! What the applications of the simulation send, as events with payloads.

use everwire::events::rules::{SessionRule, classify};
use everwire::proto::{Message, Purpose, wire};
use serde_json::{Map, Value};

use crate::client_frame::room_name;
use crate::run_plan::Note;
use crate::sent_message::What;

/// A message before it is one.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    pub uid: u32,
    pub what: What,
    pub note: Note,
}

impl Draft {
    /// Writes the frame as the package does: the shipped encoder, and the rules of the catalogue.
    pub fn message(self, timestamp: u64) -> Box<Message<String>> {
        let (event, data) = self.event();
        let declared = [SessionRule::new(DECLARED_JOIN, DECLARED_KEY).leave(DECLARED_LEAVE)];
        let rules = classify(event, &declared, |field| data.get(field).and_then(Value::as_str).map(str::to_owned));
        let write = if self.note.reply_within_ms.is_some() { wire::request::<Value> } else { wire::message };
        let mut frame = write(&event.to_owned(), Value::Object(data), timestamp);
        let missing = (self.note.bytes as usize).saturating_sub(frame.len());
        if let Some(length) = missing.checked_sub(CONTENT.len()) {
            // As if the payload had it: written once instead of twice, because simulations are quick or of no use.
            let (name, rest) = CONTENT.split_at(CONTENT.len() - r#"","#.len());
            frame.insert_str(DATA.len(), &[name, &"x".repeat(length), rest].concat());
        }
        let bytes = frame.len() as u32;
        let mut message = Message::new(frame, bytes, rules.purpose);
        message.policy.coalesce = match (self.note.key, &message.purpose) {
            (Some(key), Purpose::Ordinary) if rules.coalesce.is_none() => Some(format!("key {key}")),
            _ => rules.coalesce,
        };
        message.policy.rank = rules.rank;
        message.policy.ttl_ms = self.note.ttl_ms;
        message.policy.awaits_storage = self.note.durable;
        message.policy.reply_within_ms = self.note.reply_within_ms;
        message
    }

    fn event(self) -> (&'static str, Map<String, Value>) {
        let mut data = Map::new();
        data.insert("id".to_owned(), self.uid.into());
        let room = match self.what {
            What::Note { room } => room,
            What::Volatile => Some(0),
            What::Join(room) | What::Leave(room) => Some(room),
        };
        let declares = matches!(self.what, What::Join(room) | What::Leave(room) if room % 2 == 1);
        if let Some(room) = room {
            let key = if declares { DECLARED_KEY } else { "session_id" };
            data.insert(key.to_owned(), room_name(room).into());
        }
        let event = match (self.what, self.note.key) {
            (What::Note { room: None }, Some(key)) if key < 2 => {
                data.insert("match_id".to_owned(), format!("match-{key}").into());
                data.insert("message_id".to_owned(), self.read_up_to().to_string().into());
                "read_message"
            }
            (What::Note { .. }, _) => "message_sent",
            (What::Volatile, _) => "user_typing",
            (What::Join(_), _) if declares => DECLARED_JOIN,
            (What::Leave(_), _) if declares => DECLARED_LEAVE,
            (What::Join(_), _) => "join_session",
            (What::Leave(_), _) => "leave_session",
        };
        (event, data)
    }

    /// Mostly a later message than before, and now and then an earlier one, which says less.
    const fn read_up_to(self) -> u32 {
        if self.uid.is_multiple_of(3) { self.uid.saturating_sub(10) } else { self.uid }
    }
}

/// What joins and leaves the rooms of odd numbers: events that the application declares.
pub const DECLARED_JOIN: &str = "enter_room";
const DECLARED_LEAVE: &str = "exit_room";
pub const DECLARED_KEY: &str = "room";

/// How every message begins.
const DATA: &str = r#"{"data":{"#;
/// What content adds to a payload beside itself.
const CONTENT: &str = r#""content":"","#;

#[cfg(test)]
mod tests {
    use everwire::proto::Purpose;
    use serde_json::Value;

    use super::Draft;
    use crate::run_plan::Note;
    use crate::sent_message::What;

    #[test]
    fn frames_have_the_size_that_the_plan_asks_for() {
        for bytes in [200, 1_234] {
            let draft = Draft { uid: 7, what: What::Note { room: Some(1) }, note: Note { bytes, ..Note::PLAIN } };
            let message = draft.message(1_700_000_000_000);
            assert_eq!((message.bytes, message.frame.len()), (bytes, bytes as usize));
            let envelope: Value = serde_json::from_str(&message.frame).unwrap();
            assert_eq!(envelope.to_string(), message.frame);
        }
    }

    #[test]
    fn the_rules_of_the_catalogue_say_how_events_are_handled() {
        let handled = |what, key| {
            let message = Draft { uid: 7, what, note: Note { key, ..Note::PLAIN } }.message(5);
            (message.purpose.clone(), message.policy.coalesce.clone(), message.policy.rank)
        };
        assert_eq!(handled(What::Join(2), None).0, Purpose::Join("session_id=room-2".to_owned()));
        assert_eq!(handled(What::Leave(2), None).0, Purpose::Leave("session_id=room-2".to_owned()));
        assert_eq!(handled(What::Join(3), None).0, Purpose::Join("enter_room room=room-3".to_owned()));
        assert_eq!(handled(What::Leave(3), None).0, Purpose::Leave("enter_room room=room-3".to_owned()));
        assert_eq!(handled(What::Volatile, None).0, Purpose::Volatile);
        let read = handled(What::Note { room: None }, Some(1));
        assert_eq!((read.1.as_deref(), read.2), (Some("read_message match_id=match-1"), 7));
        assert_eq!(handled(What::Note { room: Some(1) }, Some(1)).1.as_deref(), Some("key 1"));
    }
}
