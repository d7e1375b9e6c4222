//! How events wait and what they replace: data beside the catalogues, from which the TypeScript of the npm package is generated.

use alloc::format;
use alloc::string::String;

use crate::proto::Purpose;

/// What is special about sending one event type. Every other type is ordinary and replaces nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventRule {
    /// The event type.
    pub event: &'static str,
    /// What it is for.
    pub handling: Handling,
    /// The field of the payload that names the session that it is about.
    pub session: Option<&'static str>,
    /// Whether it replaces a waiting one about the same session.
    pub coalesces: bool,
    /// The field of the payload that says which of two says more, if it holds digits alone; without them, nothing is replaced.
    pub rank: Option<&'static str>,
}

/// What an event type is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handling {
    /// Kept while there is no connection.
    Ordinary,
    /// Sent at once or not at all.
    Volatile,
    /// Enters a session, if the payload names one.
    Join,
    /// Leaves a session, if the payload names one.
    Leave,
}

/// The rules of both catalogues.
pub const RULES: [EventRule; 7] = [
    EventRule { event: "ping", handling: Handling::Volatile, session: None, coalesces: false, rank: None },
    EventRule { handling: Handling::Volatile, coalesces: true, ..about("user_typing", "session_id") },
    EventRule { handling: Handling::Volatile, coalesces: true, ..about("typing", "match_id") },
    EventRule { coalesces: true, rank: Some("message_id"), ..about("read_message", "match_id") },
    EventRule { handling: Handling::Join, ..about("join_session", "session_id") },
    EventRule { handling: Handling::Leave, ..about("leave_session", "session_id") },
    EventRule { handling: Handling::Join, ..about("join_match", "match_id") },
];

const fn about(event: &'static str, session: &'static str) -> EventRule {
    EventRule { event, handling: Handling::Ordinary, session: Some(session), coalesces: false, rank: None }
}

/// What the rules say of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classified {
    /// What it is for.
    pub purpose: Purpose,
    /// What it replaces.
    pub coalesce: Option<String>,
    /// Which of two with the same key says more.
    pub rank: u64,
}

/// The events that join and leave one kind of session, beside those of the catalogues.
///
/// ```
/// use everwire::events::rules::SessionRule;
///
/// let rooms = SessionRule::new("join_room", "room_id").leave("leave_room");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRule {
    /// The type of the event that joins. The latest one of a session is what is sent again.
    pub join: String,
    /// The type of the event that leaves, if there is one.
    pub leave: Option<String>,
    /// The field of both payloads that names the session: a string, or a whole number, which means the same as its digits. An event without
    /// it neither joins nor leaves.
    pub key: String,
}

impl SessionRule {
    /// What joins, and the field that names the session. What was joined stays joined, unless there is something that [leaves](Self::leave).
    pub fn new(join: impl Into<String>, key: impl Into<String>) -> Self {
        Self { join: join.into(), leave: None, key: key.into() }
    }

    /// What leaves.
    #[must_use]
    pub fn leave(mut self, event: impl Into<String>) -> Self {
        self.leave = Some(event.into());
        self
    }

    /// Whether it has the names that it needs.
    #[cfg(feature = "web")]
    pub(crate) fn is_valid(&self) -> bool {
        let leave = self.leave.as_deref();
        !self.join.is_empty() && !self.key.is_empty() && leave != Some("") && leave != Some(&self.join)
    }

    fn purpose(&self, event: &str, text: &impl Fn(&str) -> Option<String>) -> Option<Purpose> {
        let joins = event == self.join;
        if !joins && self.leave.as_deref() != Some(event) {
            return None;
        }
        let session = format!("{} {}={}", self.join, self.key, text(&self.key)?);
        Some(if joins { Purpose::Join(session) } else { Purpose::Leave(session) })
    }
}

/// Applies the rules that the application has declared, then those of the catalogues, to a message; `text` reads a field of its payload,
/// if it is a string or a whole number.
pub fn classify(event: &str, declared: &[SessionRule], text: impl Fn(&str) -> Option<String>) -> Classified {
    let ordinary = Classified { purpose: Purpose::Ordinary, coalesce: None, rank: 0 };
    if let Some(purpose) = declared.iter().find_map(|rule| rule.purpose(event, &text)) {
        return Classified { purpose, ..ordinary };
    }
    let Some(rule) = RULES.iter().find(|rule| rule.event == event) else { return ordinary };
    let name = rule.session.and_then(|field| Some((field, text(field)?)));
    let session = name.map(|(field, name)| format!("{field}={name}"));
    let purpose = match (rule.handling, &session) {
        (Handling::Volatile, _) => Purpose::Volatile,
        (Handling::Join, Some(session)) => Purpose::Join(session.clone()),
        (Handling::Leave, Some(session)) => Purpose::Leave(session.clone()),
        (Handling::Ordinary | Handling::Join | Handling::Leave, _) => Purpose::Ordinary,
    };
    let rank = rule.rank.map(|field| text(field).as_deref().and_then(digits));
    let coalesce = session.filter(|_| rule.coalesces && rank != Some(None)).map(|session| format!("{event} {session}"));
    Classified { purpose, coalesce, rank: rank.flatten().unwrap_or(0) }
}

/// The number that a text of digits alone stands for, up to the largest that JavaScript holds.
fn digits(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_digits && *number <= LARGEST_RANK)
}

const LARGEST_RANK: u64 = (1 << 53) - 1;

#[cfg(test)]
mod tests {
    use super::{Classified, SessionRule, classify};
    use crate::proto::Purpose;

    fn classified(event: &str, members: &[(&str, &str)]) -> Classified {
        classify(event, &[], |field| {
            members.iter().find(|(name, _)| *name == field).map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn joining_and_leaving_need_a_session() {
        let named = [("session_id", "s1")];
        assert_eq!(classified("join_session", &named).purpose, Purpose::Join("session_id=s1".to_owned()));
        assert_eq!(classified("leave_session", &named).purpose, Purpose::Leave("session_id=s1".to_owned()));
        assert_eq!(classified("join_session", &[]).purpose, Purpose::Ordinary);
        assert_eq!(classified("join_match", &named).purpose, Purpose::Ordinary);
    }

    #[test]
    fn declared_rules_come_first_and_their_sessions_are_told_apart() {
        let rules = [
            SessionRule::new("enter", "id").leave("exit"),
            SessionRule::new("watch", "id").leave("exit"),
            SessionRule::new("join_session", "room"),
        ];
        let purpose =
            |event: &str, field: &str| classify(event, &rules, |name| (name == field).then(|| "7".to_owned())).purpose;
        assert_eq!(purpose("enter", "id"), Purpose::Join("enter id=7".to_owned()));
        assert_eq!(purpose("watch", "id"), Purpose::Join("watch id=7".to_owned()));
        assert_eq!(purpose("exit", "id"), Purpose::Leave("enter id=7".to_owned()));
        assert_eq!(purpose("enter", "other"), Purpose::Ordinary);
        assert_eq!(purpose("join_session", "room"), Purpose::Join("join_session room=7".to_owned()));
        assert_eq!(purpose("join_session", "session_id"), Purpose::Join("session_id=7".to_owned()));
    }

    #[test]
    fn typing_replaces_typing_about_the_same_session() {
        let typing = classified("typing", &[("match_id", "m")]);
        assert_eq!((typing.purpose, typing.coalesce.as_deref()), (Purpose::Volatile, Some("typing match_id=m")));
        assert_eq!(classified("typing", &[]).coalesce, None);
        assert_eq!(classified("message_sent", &[("session_id", "s1")]).coalesce, None);
    }

    #[test]
    fn having_read_a_message_replaces_having_read_an_earlier_one_where_ids_are_numbers() {
        let read = |id| {
            let read = classified("read_message", &[("match_id", "m"), ("message_id", id)]);
            read.coalesce.map(|_| read.rank)
        };
        let ranks = ["7", "0012", "m7", "", "-1", "+1", "99999999999999999999"].map(read);
        assert_eq!(ranks, [Some(7), Some(12), None, None, None, None, None]);
    }
}
