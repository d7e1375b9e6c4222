//! The conversations of docs/vectors/session, played at the chat state machine.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use everwire::session::{Chat, ChatConfig, ChatFailure, ChatKind, ChatMessage, ChatOutput, ChatSnapshot, ChatStatus};
use serde_json::{Value as Json, json};

struct Player {
    chat: Chat,
    now: i64,
    tokens: Vec<u64>,
}

impl Player {
    fn new(vector: &Json) -> Self {
        let config = &vector["config"];
        let kind = if vector["kind"] == "match" { ChatKind::Match } else { ChatKind::Session };
        let config = ChatConfig {
            max_messages: config["maxMessages"].as_u64().map_or(1_000, |most| usize::try_from(most).expect("a size")),
            can_load_earlier: config["loadEarlier"] == true,
            can_load_missed: config["loadMissed"] == true,
            typing_rule: None,
        };
        Self { chat: Chat::new(kind, text(&vector["id"]), config), now: 0, tokens: Vec::new() }
    }

    fn play(&mut self, step: &Json) {
        for (name, argument) in step.as_object().expect("a step") {
            match name.as_str() {
                "at" => self.now = argument.as_i64().expect("a time"),
                "out" | "then" => {}
                _ => self.act(name, argument),
            }
        }
        let mut outputs = Vec::new();
        while let Some(output) = self.chat.poll_output() {
            outputs.push(self.shown(output));
        }
        assert_eq!(outputs, step["out"].as_array().cloned().unwrap_or_default());
        let snapshot = snapshot_json(&self.chat.snapshot());
        for (name, expected) in step["then"].as_object().into_iter().flatten() {
            match name.as_str() {
                "due" => assert_eq!(json!(self.chat.poll_timeout()), *expected),
                "messages" => {
                    let messages = snapshot["messages"].as_array().expect("messages");
                    let expected = expected.as_array().expect("messages");
                    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
                    for (message, expected) in messages.iter().zip(expected) {
                        for (field, value) in expected.as_object().expect("a message") {
                            assert_eq!(message[field], *value, "{field} of {message}");
                        }
                    }
                }
                _ => assert_eq!(snapshot[name], *expected, "{name}"),
            }
        }
    }

    fn act(&mut self, name: &str, argument: &Json) {
        let Self { chat, now, tokens } = self;
        let now = *now;
        let token = |of: &Json| {
            let number = of.as_u64().map_or(tokens.len(), |of| usize::try_from(of).expect("a number"));
            tokens[number - 1]
        };
        match name {
            "entered" => chat.enter(),
            "left" => chat.leave(),
            "opened" => chat.handle_open(now, argument["reliable"] == true),
            "joined" => chat.handle_join(now, argument["taken"] == true),
            "closed" => chat.handle_close(),
            "gap" => chat.handle_gap(now),
            "reset" => chat.handle_reset(now),
            "identified" => chat.set_user(text(argument)),
            "event" => chat.handle_event(now, text(&argument["type"]), &argument["data"]),
            "write" => chat.write(now, text(&argument["id"]), text(&argument["content"]), argument["fields"].clone()),
            "retry" => chat.retry(now, text(argument)),
            "discard" => chat.discard(text(argument)),
            "moved" => moved(chat, argument),
            "keyPressed" => chat.key_pressed(now),
            "stopped" => chat.stopped(),
            "markAsRead" => chat.mark_as_read(argument.as_str()),
            "loadEarlier" => drop(chat.load_earlier()),
            "loaded" => {
                let messages = argument["messages"].as_array().expect("messages");
                chat.handle_page(now, token(&argument["of"]), messages, argument["hasMore"] == true);
            }
            "failed" => chat.handle_fetch_failure(now, token(&Json::Null), text(argument)),
            "timeout" => chat.handle_timeout(now),
            _ => panic!("no such input: {name}"),
        }
    }

    fn shown(&mut self, output: ChatOutput) -> Json {
        match output {
            ChatOutput::Send { event, data, id: None } => json!({ "send": event, "data": data }),
            ChatOutput::Send { event, data, id: Some(id) } => json!({ "send": event, "data": data, "id": id }),
            ChatOutput::LoadEarlier { token, before } => {
                self.tokens.push(token);
                json!({ "loadEarlier": before })
            }
            ChatOutput::LoadMissed { token, after } => {
                self.tokens.push(token);
                json!({ "loadMissed": after })
            }
        }
    }
}

/// As the client of the npm package tells it, whose `sent` means different things in the two modes.
fn moved(chat: &mut Chat, argument: &Json) {
    let id = text(&argument["id"]);
    if let Some(code) = argument["error"].as_str() {
        chat.handle_failure(id, ChatFailure { code: code.to_owned(), cause: argument["cause"].clone() });
        return;
    }
    match text(&argument["status"]) {
        "acknowledged" => chat.handle_acknowledgement(id),
        "sent" if argument["reliable"] != true => chat.handle_status(id, ChatStatus::Sent),
        "delivered" => chat.handle_status(id, ChatStatus::Delivered),
        "read" => chat.handle_status(id, ChatStatus::Read),
        _ => {}
    }
}

fn snapshot_json(snapshot: &ChatSnapshot) -> Json {
    let members = snapshot.members.iter().map(|member| json!({ "userId": member.user_id, "online": member.online }));
    let error = snapshot.error.as_ref().map(|error| match &error.code {
        Some(code) => json!({ "message": error.message, "code": code }),
        None => json!({ "message": error.message }),
    });
    json!({
        "messages": snapshot.messages.iter().map(message_json).collect::<Vec<_>>(),
        "members": members.collect::<Vec<_>>(),
        "typing": snapshot.typing,
        "unread": snapshot.unread,
        "hasEarlier": snapshot.has_earlier,
        "isLoading": snapshot.is_loading,
        "isTypingElsewhere": snapshot.is_typing_elsewhere,
        "isComplete": snapshot.is_complete,
        "status": snapshot.status,
        "error": error,
    })
}

fn message_json(message: &ChatMessage) -> Json {
    json!({
        "id": message.id,
        "serverId": message.server_id,
        "content": message.content,
        "senderId": message.sender_id,
        "isOwn": message.is_own,
        "role": message.role,
        "at": message.at,
        "status": message.status.map(ChatStatus::name),
        "error": message.error.as_ref().map(|error| &error.code),
        "data": message.data,
    })
}

fn text(value: &Json) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn the_chat_keeps_to_every_conversation() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/vectors/session");
    let mut played = 0;
    for entry in fs::read_dir(directory).expect("there are conversations") {
        let path = entry.expect("the directory can be read").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        play(&fs::read_to_string(&path).expect("a text"));
        played += 1;
    }
    assert!(played >= 25, "{played}");
}

#[test]
fn random_histories_come_out_as_in_the_npm_package() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/vectors/session/random.jsonl");
    let histories = fs::read_to_string(path).expect("there are histories");
    histories.lines().for_each(play);
    assert!(histories.lines().count() >= 8);
}

fn play(vector: &str) {
    let vector: Json = serde_json::from_str(vector).expect("JSON");
    let mut player = Player::new(&vector);
    for (number, step) in vector["steps"].as_array().expect("steps").iter().enumerate() {
        let answer = catch_unwind(AssertUnwindSafe(|| player.play(step)));
        assert!(answer.is_ok(), "{}, step {number}: {step}", vector["about"]);
    }
}
