//! A stand-in for the tutor of MasterX, with `--dev`: it reads the feeling of a message from a list of words, and its answers are
//! written in advance. What it shows is how they reach the page.

mod feeling;

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use everwire_axum::{Class, Connection, RATE_LIMITED, TOO_LARGE, clock, envelope};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::{self, Push},
    app::App,
    masterx,
    problem::{Body, Problem},
    rooms,
};
use feeling::Feeling;

#[derive(Deserialize)]
pub struct ChatRequest {
    session_id: String,
    message: String,
    message_id: Option<String>,
}

/// `POST /api/v1/chat`, with the token of a user. The answer is whole at once for who has no connection; those who have get it as
/// it is written.
pub async fn chat(State(app): State<Arc<App>>, headers: HeaderMap, Body(request): Body<ChatRequest>) -> Answer {
    let user = api::user_of(&app, &headers)?;
    let ChatRequest { session_id, message, message_id } = request;
    if !app.limits.allow(&user, Class::Message) {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, RATE_LIMITED));
    }
    if message.len() > app.options.max_message_bytes {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE));
    }
    let number = app.dev.as_ref().map_or(0, |dev| dev.next_sample());
    let message_id = message_id.unwrap_or_else(|| format!("chat-{number}"));
    let feeling = Feeling::of(&message);
    let emotion = feeling.to_json();
    let update = masterx::emotion_update(emotion.clone(), Some(message_id.clone()), number);
    // The page asked for an answer, and gets it whether or not its devices can be reached.
    let pushed = Push::to_user(&user, "emotion_update", update).deliver(&app).await;
    if let Err(problem) = &pushed {
        tracing::warn!(%problem, "an emotion was not pushed");
    }
    let answer = WrittenAnswer {
        id: format!("tutor-{}-{number}", clock::epoch_ms()),
        session_id: session_id.clone(),
        user,
        text: answer_to(feeling),
    };
    let body = json!({
        "session_id": session_id,
        "message_id": message_id,
        "message": answer.text,
        "reply_id": answer.id,
        "emotion_state": emotion,
        "pushed": pushed.is_ok(),
    });
    tokio::spawn(answer.stream(app));
    Ok(Json(body))
}

type Answer = Result<Json<Value>, Problem>;

/// What the tutor says, and to whom.
struct WrittenAnswer {
    id: String,
    session_id: String,
    user: Arc<str>,
    text: &'static str,
}

impl WrittenAnswer {
    /// "Thinking", then more and more of it, then all of it.
    async fn stream(self, app: Arc<App>) {
        self.delta(&app, None);
        tokio::time::sleep(THINKING).await;
        for (end, _) in self.text.match_indices(' ').chain([(self.text.len(), "")]) {
            self.delta(&app, Some(&self.text[..end]));
            tokio::time::sleep(PAUSE).await;
        }
        let data = json!({ "message": {
            "id": self.id, "content": self.text, "role": "assistant", "timestamp": clock::iso(),
            "session_id": self.session_id, "user_id": "tutor",
        } });
        let Value::Object(data) = data else { return };
        let push = if self.is_member(&app) {
            Push::to_session(&self.session_id, "message_received", data)
        } else {
            Push::to_user(&self.user, "message_received", data)
        };
        if let Err(problem) = push.deliver(&app).await {
            tracing::warn!(%problem, "an answer was not pushed");
        }
    }

    /// The text so far, or that there is none yet. Each holds all before it, so none has to arrive.
    fn delta(&self, app: &App, so_far: Option<&str>) {
        let mut data = json!({ "session_id": self.session_id, "message_id": self.id });
        match so_far {
            None => data["thinking"] = true.into(),
            Some(text) => data["text"] = text.into(),
        }
        let event = envelope::event("message_delta", &data);
        let connections = if self.is_member(app) {
            app.hub.connections_in(&rooms::session(&self.session_id))
        } else {
            app.hub.connections(Some(&self.user))
        };
        for connection in connections.iter().filter(|connection| keeps_up(connection)) {
            connection.deliver(&event);
        }
    }

    fn is_member(&self, app: &App) -> bool {
        app.hub.is_member(&self.user, &rooms::session(&self.session_id))
    }
}

/// A page that is slow gets the next part that it has time for, and no queue of those before it.
fn keeps_up(connection: &Connection) -> bool {
    connection.queue_len() < MAX_WAITING
}

fn answer_to(feeling: Feeling) -> &'static str {
    match feeling.emotion {
        "excitement" | "joy" | "pride" => {
            "That is great to hear! Let us use it: which part would you like to try first?"
        }
        "curiosity" | "realization" => "Good question. Let us look at one example together, step by step.",
        "confusion" => {
            "Let us take it apart. Read the exercise once more, slowly, and write down what is given and what is asked for. Then look at \
             each step of your solution and say in your own words why it follows from the one before. Which of the steps is the first that \
             does not make sense to you?"
        }
        "annoyance" | "anger" => "That can be frustrating. Shall we go one step back and try it in another way?",
        "nervousness" | "sadness" | "disappointment" => "You are not alone with that. We begin with something short.",
        "gratitude" => "You are welcome. Shall we go on with the next one?",
        _ => "I see. Tell me what you have tried so far, and we go on from there.",
    }
}

const THINKING: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(40);

/// Frames in the queue of a connection from which on it is too slow for every part.
const MAX_WAITING: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use everwire_axum::Ticket;

    use crate::{options::Options, server::Server};

    #[tokio::test]
    async fn a_page_that_does_not_read_gets_few_parts_of_an_answer_and_is_not_cut_off() {
        let flags = ["--dev", "--port", "0", "--queue-frames", "4"];
        let server = Server::start(Options::from_flags(flags).unwrap()).await.unwrap();
        let app = server.app();
        let mut page = server.engine().converse(&Ticket { user: "ada".into(), expires_at_ms: i64::MAX }).unwrap();
        let answer = WrittenAnswer { id: "m1".into(), session_id: "s1".into(), user: "ada".into(), text: "" };
        for n in 0..50 {
            answer.delta(app, Some(&"x".repeat(n)));
        }
        assert_eq!(page.connection().queue_len(), MAX_WAITING);
        assert!(!page.has_ended());
        // What it reads next has everything that was left out.
        while page.next_frame().is_some() {}
        answer.delta(app, Some(&"x".repeat(50)));
        let next = page.next_frame().unwrap();
        assert!(next.frame().to_text().unwrap().contains(&"x".repeat(50)));
    }
}
