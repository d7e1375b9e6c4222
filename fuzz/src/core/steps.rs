//! What each step does to the client.

use everwire::proto::{Cause, Close, Input, Phase, Reason, SocketId};
use everwire_kit::{Json, Reaction, note, request};

use super::fuzzed_run::Run;
use super::script::{Failure, Step, Which, Why, Wild};
use super::server_frame_drafts::Listed;

impl Run {
    pub fn take(&mut self, step: &Step) {
        let attempts = self.harness.sockets.len();
        self.act(step);
        if self.harness.sockets.len() > attempts {
            self.harness.buffered = 0;
        }
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Connect => self.harness.connect(),
            Step::Disconnect => self.harness.disconnect(),
            Step::Reconnect(Why::Asked) => self.harness.reconnect(),
            Step::Reconnect(Why::TokenChanged) => self.harness.token_changed(),
            Step::Send(draft) => {
                let message = self.message(draft);
                _ = self.harness.send(message);
            }
            Step::Submit(draft) => {
                let message = self.message(draft);
                _ = self.harness.submit(message);
            }
            Step::Cancel(number) => _ = self.harness.cancel(self.number(*number)),
            Step::Stored(number) => self.harness.stored(self.number(*number)),
            Step::Restore(leftovers) => {
                let messages = self.leftovers(leftovers);
                self.harness.restore(messages);
            }
            Step::Forget => self.harness.forget(),
            Step::Opened(which) => self.happens(*which, |socket| Input::SocketOpened { socket }),
            Step::Closed(which, code) => self.closed(*which, *code),
            Step::Failed(which, Failure::NoToken) => {
                self.happens(*which, |socket| Input::OpenFailed { socket, cause: Cause::NoToken });
            }
            Step::Failed(which, Failure::LoggedOut) => self.happens(*which, |socket| Input::TokenAbsent { socket }),
            Step::Frame(which, draft) => {
                if let Some(socket) = self.pick(*which) {
                    let text = self.frame(socket, draft);
                    self.harness.text_arrives(socket, &text);
                }
            }
            Step::Text(which, text) => {
                if let Some(socket) = self.pick(*which) {
                    self.harness.text_arrives(socket, &text.to_string());
                }
            }
            Step::Buffered(which, bytes) => {
                let bytes = self.number(*bytes);
                if self.pick(*which).is_some_and(|socket| self.harness.socket(socket).is_live()) {
                    self.harness.buffered = bytes;
                }
                self.happens(*which, |socket| Input::Buffered { socket, bytes });
            }
            Step::StopAccepting => self.harness.stop_accepting(),
            Step::Timeout => self.harness.input(Input::Timeout),
            Step::Online => self.harness.input(Input::NetworkOnline),
            Step::Offline => self.harness.input(Input::NetworkOffline),
            Step::Visible => self.harness.input(Input::PageVisible),
            Step::PageRestored => self.harness.input(Input::PageRestored),
            Step::Wait(ms) => self.jump(self.harness.now.saturating_add(u64::from(*ms))),
            Step::Alarm(late) => {
                if let Some((at, _)) = self.harness.deadline() {
                    self.jump(at.saturating_add(u64::from(*late)));
                    self.harness.wake();
                }
            }
            Step::TurnBack(ms) => self.harness.now = self.harness.now.saturating_sub(u64::from(*ms)),
            Step::Welcomed(window, listed) => self.welcomed(u32::from(*window), *listed),
            Step::Struck(code) => self.struck(BLAMING[usize::from(*code) % BLAMING.len()]),
            Step::React(kind) => self.harness.reaction = Some(REACTIONS[usize::from(*kind) % REACTIONS.len()]),
            Step::Again(_) => {}
            Step::Wild(wild) => self.go_wild(wild),
        }
    }

    fn happens(&mut self, which: Which, input: impl FnOnce(SocketId) -> Input<Json>) {
        if let Some(socket) = self.pick(which) {
            self.harness.arrive(socket, input(socket));
        }
    }

    fn closed(&mut self, which: Which, code: u16) {
        let close = Close { code, reason: Reason::Peer(String::new()), was_clean: code != 1006 };
        self.happens(which, |socket| Input::SocketClosed { socket, close });
    }

    /// An opened connection, with a server of the reliable mode that tells the truth.
    fn welcomed(&mut self, window: u32, listed: Listed) {
        self.happens(Which::Live, |socket| Input::SocketOpened { socket });
        let Some(socket) = self.pick(Which::Live) else { return };
        let last = if self.harness.socket(socket).origin.is_none() { self.harness.sent } else { 0 };
        let streams = self.listed(listed);
        let welcome = everwire_kit::welcome(self.harness.epoch.max(1), last, window, streams);
        self.harness.text_arrives(socket, &welcome.to_string());
        self.harness.text_arrives(socket, r#"{"type":"pong"}"#);
    }

    /// The next attempt, opened and welcomed, and then ended by the server with a code that can mean a message.
    fn struck(&mut self, code: u16) {
        if let Some((at, _)) = self.harness.deadline()
            && self.harness.phase() == Phase::Waiting
        {
            self.jump(at);
            self.harness.wake();
        }
        self.welcomed(8, Listed::Own { further: 0, left_out: 0 });
        self.closed(Which::Live, code);
    }

    fn go_wild(&mut self, wild: &Wild) {
        self.harness.breaks_contract = true;
        match wild {
            Wild::Undelivered(which, drafts) => {
                let messages = drafts.iter().map(|draft| self.message(draft)).collect::<Vec<_>>();
                self.harness.unmodelled += messages.len();
                if let Some(socket) = self.pick(*which) {
                    self.harness.input(Input::Undelivered { socket, messages });
                }
            }
            Wild::Restore(drafts) => {
                let mut messages = Vec::new();
                for (draft, number, origin) in drafts {
                    let mut message = self.message(draft);
                    message.seq = self.number(*number);
                    message.origin = origin.map(|origin| format!("previous-instance-{origin}"));
                    messages.push(message);
                }
                self.harness.restore(messages);
            }
            // Every size of number is as likely as every other.
            Wild::Jump(bits) => self.jump(bits >> (bits % 64)),
        }
    }
}

/// What handlers may do.
const REACTIONS: [Reaction; 7] = [
    |harness| harness.connect(),
    |harness| harness.disconnect(),
    |harness| harness.reconnect(),
    |harness| harness.forget(),
    |harness| _ = harness.send(note("from a handler")),
    |harness| _ = harness.submit(request("from a handler", 5_000)),
    |harness| _ = harness.cancel(harness.client().latest_seq()),
];

/// The close codes with which a server can mean a message.
const BLAMING: [u16; 6] = [1003, 1007, 1009, 1011, 4400, 4409];
