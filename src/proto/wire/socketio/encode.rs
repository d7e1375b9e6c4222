//! From what a client says to the text of its frames.

use alloc::string::String;

use super::namespace::Namespace;
use super::platform::PacketText;

/// The answer to a ping of the server.
pub fn pong<T: PacketText>() -> T {
    T::from_ascii("3")
}

/// Asks to be let into a namespace. `auth` is the JSON text of an object.
pub fn connect<T: PacketText>(namespace: &Namespace<T>, auth: Option<&T>) -> T {
    let packet = header("40", 0, namespace, None);
    auth.map_or_else(|| packet.clone(), |auth| packet.followed_by(auth))
}

/// Leaves a namespace.
pub fn disconnect<T: PacketText>(namespace: &Namespace<T>) -> T {
    header("41", 0, namespace, None)
}

/// An event of the application. With an id, an acknowledgement is asked for.
///
/// `arguments` is the JSON text of an array whose first element is the event's name. With attachments it has placeholders for them, and the
/// attachments follow this frame, each as a binary frame, with nothing in between.
pub fn event<T: PacketText>(namespace: &Namespace<T>, id: Option<u64>, arguments: &T, attachments: u32) -> T {
    let kind = if attachments > 0 { "45" } else { "42" };
    header(kind, attachments, namespace, id).followed_by(arguments)
}

/// The acknowledgement of an event of the server. `arguments` and `attachments` are as those of [`event`], without a name.
pub fn ack<T: PacketText>(namespace: &Namespace<T>, id: u64, arguments: &T, attachments: u32) -> T {
    let kind = if attachments > 0 { "46" } else { "43" };
    header(kind, attachments, namespace, Some(id)).followed_by(arguments)
}

fn header<T: PacketText>(kind: &str, attachments: u32, namespace: &Namespace<T>, id: Option<u64>) -> T {
    let mut start = String::from(kind);
    if attachments > 0 {
        push_number(&mut start, u64::from(attachments));
        start.push('-');
    }
    let mut end = String::new();
    if let Some(id) = id {
        push_number(&mut end, id);
    }
    match namespace.name() {
        Some(name) => {
            end.insert(0, ',');
            T::from_ascii(&start).followed_by(name).followed_by(&T::from_ascii(&end))
        }
        None => {
            start.push_str(&end);
            T::from_ascii(&start)
        }
    }
}

/// Without `core::fmt`, which would be a large part of a small module.
fn push_number(text: &mut String, number: u64) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}
