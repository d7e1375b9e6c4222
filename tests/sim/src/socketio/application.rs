//! What applications, the server's application and the world do.

use everwire::driver;
use everwire::driver::socketio;
use everwire::proto::wire::socketio::{Namespace, ack};
use everwire::proto::{Client, Input, Message, Purpose, Sent};

use super::connection::Stage;
use super::frames::{Frame, attachment, placeholders};
use super::judge::Emitted;
use super::plan::{Act, Emit, NAMESPACES};
use super::world::{Scheduled, World};
use crate::run_tally::Count;
use crate::trace;
use crate::verdict::Rule;
use everwire::driver::Host;

impl World {
    pub fn act(&mut self, number: usize) {
        let act = self.steps[number].act.clone();
        if act.page().is_some_and(|page| self.is_suspended(page)) {
            return;
        }
        trace!(self, "{act:?}");
        match act {
            Act::Emit { page, client, count, kind } => {
                for _ in 0..count {
                    self.emit(self.pages[page].clients[client], kind);
                }
            }
            Act::Connect { page, client } => self.connect(self.pages[page].clients[client]),
            Act::Disconnect { page, client } => self.disconnect(self.pages[page].clients[client]),
            Act::Bounce { page, client } => {
                let client = self.pages[page].clients[client];
                self.disconnect(client);
                self.connect(client);
            }
            Act::Broadcast { namespace, count, kind } => {
                for _ in 0..count {
                    self.broadcast(namespace, kind);
                }
            }
            Act::Ask { namespace, attachments } => self.ask_all(namespace, attachments),
            Act::PutOut { page, client } => self.put_out(self.pages[page].clients[client]),
            Act::Refuse { namespace, ms } => self.server.channels[namespace].refuses_until = self.now + ms,
            Act::Restart { ms, is_told } => self.restart(ms, is_told),
            Act::Offline { page, ms } => self.go_offline(page, ms),
            Act::Unreachable { page, ms, is_silent } => {
                let page = &mut self.pages[page];
                (page.unreachable_until, page.is_silent) = (self.now + ms, is_silent);
            }
            Act::Suspend { page, ms, sees_first } => {
                self.tally.add(Count::Suspensions);
                self.pages[page].suspended_until = self.now + ms;
                self.schedule(ms + if sees_first { 0 } else { 5 }, Scheduled::Show { page });
            }
            Act::Show { page } => self.show(page),
            Act::End { page, .. }
            | Act::Cut { page, .. }
            | Act::Hole { page, .. }
            | Act::Stall { page, .. }
            | Act::StopAccepting { page, .. } => {
                if let Some(connection) = self.live_connection(page) {
                    self.hurt(connection, &act);
                }
            }
        }
    }

    fn hurt(&mut self, connection: usize, act: &Act) {
        match *act {
            Act::End { by_packet, .. } if self.connections[connection].server.is_some() => {
                if by_packet {
                    self.say(connection, Frame::Text("1".to_owned()));
                }
                self.server_closes(connection, 1005);
            }
            Act::Cut { up, down, is_told, .. } => {
                self.cut(connection, up, down);
                if is_told {
                    self.schedule(1, Scheduled::PageLoses { connection, code: 1006 });
                    self.schedule(2, Scheduled::ServerLoses(connection));
                } else {
                    self.schedule(30_000, Scheduled::ServerLoses(connection));
                }
            }
            Act::Hole { ms, is_told, .. } => {
                self.tally.add(Count::Swallowed);
                let this = &mut self.connections[connection];
                this.is_hurt = true;
                this.up.swallow();
                this.down.swallow();
                self.schedule(ms, Scheduled::Hole { connection, is_told });
            }
            Act::Stall { up, down, ms, .. } => self.stall(connection, up, down, self.now + ms),
            Act::StopAccepting { ms, .. } if self.connections[connection].stage == Stage::Open => {
                self.connections[connection].stopped_accepting = true;
                self.cut(connection, u16::MAX, u16::MAX);
                self.schedule(ms, Scheduled::PageLoses { connection, code: 1006 });
                self.schedule(ms, Scheduled::ServerLoses(connection));
            }
            _ => {}
        }
    }

    fn go_offline(&mut self, page: usize, ms: u64) {
        self.tally.add(Count::Offline);
        self.pages[page].offline_until = self.now + ms;
        for connection in 0..self.connections.len() {
            if self.connections[connection].page == page && !self.connections[connection].is_over_for_good() {
                self.cut(connection, u16::MAX, u16::MAX);
                self.schedule(1_000, Scheduled::PageLoses { connection, code: 1006 });
                self.schedule(40_000, Scheduled::ServerLoses(connection));
            }
        }
        self.schedule(ms, Scheduled::Online { page });
        self.page_event(page, || Input::NetworkOffline);
    }

    pub fn connect(&mut self, client: usize) {
        let this = &mut self.clients[client];
        (this.is_put_out, this.is_disconnected) = (false, false);
        driver::connect(&mut self.host(client), Client::connect);
    }

    pub fn disconnect(&mut self, client: usize) {
        self.clients[client].is_disconnected = true;
        driver::command(&mut self.host(client), Client::disconnect);
    }

    /// Sends an event as the npm package does (`pkg/src/host/socketio/host.ts`).
    pub fn emit(&mut self, client: usize, kind: Emit) {
        let uid = self.emitted.len() as u32;
        let padding = "x".repeat(kind.padding as usize);
        let text = format!(r#"["e",{{"uid":{uid}}}{},"{padding}"]"#, placeholders(kind.attachments));
        let purpose = if kind.is_volatile { Purpose::Volatile } else { Purpose::Ordinary };
        let message = Message::new(text.clone(), text.len() as u32 + HEADER_BYTES, purpose);
        let until = kind.ack_ms.map(|wait| self.now + wait);
        self.emitted.push(Emitted {
            client,
            text,
            attachments: kind.attachments,
            until,
            was_tried: false,
            arrived: 0,
            outcomes: 0,
            is_ended: false,
            is_refused: false,
        });
        let this = &mut self.clients[client];
        let was_delivering = core::mem::replace(&mut this.is_delivering, true);
        let attachments = vec![attachment(u64::from(uid)); kind.attachments as usize];
        this.sending.clone_from(&attachments);
        let seq = this.driver.client().latest_seq() + 1;
        this.uids.insert(seq, uid);
        let until = until.map(everwire::proto::Timestamp::from_millis);
        let sent = socketio::send(&mut self.host(client), message, kind.attachments, until);
        trace!(self, "client {client}: event {uid} is {sent:?}");
        let this = &mut self.clients[client];
        match sent {
            Ok((sent, number)) => {
                self.tally.add(Count::PacketsSent);
                if sent == Sent::Queued && kind.attachments > 0 {
                    this.attachments.insert(number, attachments);
                }
                if number != seq {
                    self.break_rule(Rule::DriverContract, format!("event {uid} is {number}, not {seq}"));
                }
            }
            Err(_) => {
                this.uids.remove(&seq);
                let emitted = &mut self.emitted[uid as usize];
                (emitted.is_refused, emitted.is_ended) = (true, true);
                self.tally.add(Count::PacketsRefused);
            }
        }
        let this = &mut self.clients[client];
        this.sending.clear();
        this.is_delivering = was_delivering;
        let queued = this.driver.client().snapshot().queued;
        if queued > this.most_queued {
            self.break_rule(Rule::Unbounded, format!("client {client} lets {queued} wait"));
        }
        self.host(client).deliver();
    }

    /// An application acknowledges an event of the server.
    pub fn answer(&mut self, client: usize, visit: u32, id: u64, uid: u32, attachments: u32) {
        if self.is_suspended(self.clients[client].page) {
            let until = self.pages[self.clients[client].page].suspended_until;
            return self.queue.schedule(until, Scheduled::Answer { client, visit, id, uid, attachments });
        }
        let this = &self.clients[client];
        let Some(connection) = this.connection.filter(|_| this.visit == visit) else {
            // The id means nothing to another connection.
            return self.tally.add(Count::LateAnswers);
        };
        let name = Namespace::new(NAMESPACES[this.namespace].to_owned()).unwrap_or(Namespace::MAIN);
        let arguments = format!(r#"["r",{uid}{}]"#, placeholders(attachments));
        let text = ack(&name, id, &arguments, attachments);
        self.check_order(client, connection, &text);
        if self.send_frame(connection, Frame::Text(text)).is_some() {
            for _ in 0..attachments {
                _ = self.send_frame(connection, Frame::Binary(attachment(u64::from(uid))));
            }
        }
    }

    /// Applications send something as soon as they are connected, some of them at least.
    pub fn react_to_join(&mut self, client: usize) {
        if self.rng.u8(0..8) == 0 {
            self.emit(client, Emit { is_volatile: false, ack_ms: Some(2_000), attachments: 0, padding: 0 });
        }
    }

    /// Some come back although the server has put them out.
    pub fn react_to_put_out(&mut self, client: usize) {
        if self.rng.u8(0..3) == 0 {
            self.connect(client);
        }
    }
}

/// What may stand in front of an event's arguments.
const HEADER_BYTES: u32 = 60;
