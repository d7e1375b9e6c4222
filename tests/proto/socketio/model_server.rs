//! A Socket.IO server, as the scenarios need it.

use serde_json::json;

/// A server with one namespace, the main one.
#[derive(Default)]
pub struct ModelServer {
    /// What it answers to a CONNECT instead of letting the client in.
    pub refusal: Option<String>,
    /// Whether nothing of it arrives any more, and nothing arrives at it.
    pub is_gone: bool,
    /// The `auth` of every CONNECT.
    pub auths: Vec<String>,
    pub received: Vec<String>,
    ping_at: Option<u64>,
    pong_by: Option<u64>,
}

impl ModelServer {
    pub fn accept_socket(&mut self, now: u64) -> Vec<String> {
        (self.ping_at, self.pong_by) = (Some(now + INTERVAL_MS), None);
        let handshake =
            json!({ "sid": "c", "pingInterval": INTERVAL_MS, "pingTimeout": TIMEOUT_MS, "maxPayload": 1_000_000 });
        if self.is_gone { vec![] } else { vec![format!("0{handshake}")] }
    }

    pub fn receive(&mut self, frame: &str, now: u64) -> Vec<String> {
        if self.is_gone {
            return vec![];
        }
        match frame {
            "3" => {
                assert!(self.pong_by.take().is_some_and(|by| now <= by), "a pong that nobody waits for");
                self.ping_at = Some(now + INTERVAL_MS);
                vec![]
            }
            _ if frame.starts_with("40") => {
                self.auths.push(frame[2..].to_owned());
                vec![self.refusal.clone().unwrap_or_else(|| r#"40{"sid":"s"}"#.to_owned())]
            }
            _ => {
                assert!(frame.starts_with("42") || frame == "41", "{frame}");
                self.received.push(frame.to_owned());
                vec![]
            }
        }
    }

    pub fn tick(&mut self, now: u64) -> Vec<String> {
        assert!(self.is_gone || self.pong_by.is_none_or(|by| now <= by), "the client has not answered a ping");
        if self.ping_at.is_none_or(|at| now < at) {
            return vec![];
        }
        (self.ping_at, self.pong_by) = (None, Some(now + TIMEOUT_MS));
        if self.is_gone { vec![] } else { vec!["2".to_owned()] }
    }
}

/// How often the model server pings, and how long it waits for the pong, in milliseconds: the defaults of npm `socket.io`.
pub const INTERVAL_MS: u64 = 25_000;
pub const TIMEOUT_MS: u64 = 20_000;
