//! A server of Socket.IO as npm `socket.io` is one, on its connections. What it keeps of sessions is in [`sessions`](super::sessions).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client_packet::{self, ClientPacket, PacketKind};
use super::frames::{Downward, Frame, Upward, attachment, placeholders};
use super::plan::{Broadcast, NAMESPACES};
use super::sessions::{Channel, Session};
use super::world::{Scheduled, World};
use crate::run_tally::Count;
use crate::trace;
use crate::verdict::Rule;

#[derive(Debug, Default)]
pub struct Server {
    pub is_down: bool,
    pub starts: u32,
    pub channels: [Channel; NAMESPACES.len()],
    /// The sessions of those who have gone, by their `pid`.
    pub sessions: BTreeMap<String, Session>,
    /// How many seats, sessions and questions there were.
    pub made: u64,
    pub admissions: Vec<Admission>,
}

/// What is true of a session, whatever its client believes.
#[derive(Clone, Debug)]
pub struct Admission {
    pub connection: usize,
    pub client: usize,
    pub sid: String,
    pub is_recovered: bool,
    /// The place of the first stored event that it gets.
    pub starts_at: usize,
}

/// What the server keeps about a connection.
#[derive(Debug, Default)]
pub struct ServerEnd {
    pub seats: Vec<Seat>,
    /// A binary packet whose attachments have not all come.
    incoming: Option<(ClientPacket, Vec<Vec<u8>>)>,
    /// How many pings were sent or answered.
    pings: u32,
}

/// A client in a namespace, or one that has asked to be.
#[derive(Debug)]
pub struct Seat {
    pub number: u64,
    pub namespace: usize,
    pub client: usize,
    pub sid: String,
    pub pid: Option<String>,
    pub claim: Option<(String, String)>,
    pub is_admitted: bool,
    pub starts_at: usize,
    /// What it was asked and has not answered, by the ids of the questions.
    asked: BTreeMap<u64, u64>,
    questions: u64,
    /// The event that has come last.
    latest: Option<u32>,
}

impl ServerEnd {
    pub fn seat(&mut self, number: u64) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.number == number)
    }

    pub fn admitted(&self, namespace: usize) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.namespace == namespace && seat.is_admitted)
    }
}

/// The start of a packet: its type, how many attachments follow, the namespace and the id.
pub fn header(kind: &str, attachments: u32, namespace: usize, id: Option<u64>) -> String {
    let count = if attachments > 0 { format!("{attachments}-") } else { String::new() };
    let name = if namespace == 0 { String::new() } else { format!("{},", NAMESPACES[namespace]) };
    let id = id.map_or_else(String::new, |id| id.to_string());
    format!("4{kind}{count}{name}{id}")
}

impl World {
    /// Something has arrived at the server.
    pub fn server_reads(&mut self, connection: usize) {
        while let Some(what) = self.connections[connection].up.read(self.now) {
            match what {
                Upward::Handshake if self.server.is_down => self.write_down(connection, Downward::Close(1006)),
                Upward::Handshake => self.server_opens(connection),
                Upward::Frame(frame) => {
                    if self.connections[connection].server.is_some() {
                        self.server_hears(connection, frame);
                    }
                }
                Upward::Close => {
                    self.server_loses(connection, true);
                    self.write_down(connection, Downward::Close(1000));
                }
            }
        }
    }

    fn server_opens(&mut self, connection: usize) {
        self.connections[connection].server = Some(ServerEnd::default());
        self.write_down(connection, Downward::Handshake);
        let setup = &self.setup.server;
        let mut handshake = json!({
            "sid": format!("engine {connection}"),
            "upgrades": [],
            "pingInterval": setup.interval_ms,
            "pingTimeout": setup.timeout_ms,
        });
        if let Some(most) = setup.max_payload {
            handshake["maxPayload"] = most.into();
        }
        let interval_ms = setup.interval_ms;
        self.say(connection, Frame::Text(format!("0{handshake}")));
        self.schedule(interval_ms, Scheduled::Ping { connection, stamp: 0 });
    }

    /// The server sends a frame, and now and then something else before it.
    pub fn say(&mut self, connection: usize, frame: Frame) {
        self.lie_now_and_then(connection);
        self.write_down(connection, Downward::Frame(frame));
    }

    fn server_hears(&mut self, connection: usize, frame: Frame) {
        let Some(server) = &mut self.connections[connection].server else { return };
        let packet = match frame {
            Frame::Binary(bytes) => {
                let Some((packet, attachments)) = &mut server.incoming else {
                    return self.break_rule(Rule::ClientBrokeProtocol, "a binary frame that nothing has announced");
                };
                attachments.push(bytes);
                if attachments.len() < packet.attachments as usize {
                    return;
                }
                server.incoming.take()
            }
            Frame::Text(text) => match client_packet::read(&text) {
                Err(why) => return self.break_rule(Rule::ClientBrokeProtocol, format!("{text}: {why}")),
                Ok(packet) if packet.kind == PacketKind::Pong => return self.server_hears_pong(connection),
                Ok(_) if server.incoming.is_some() => {
                    return self.break_rule(Rule::ClientBrokeProtocol, format!("{text} in place of an attachment"));
                }
                Ok(packet) if packet.attachments > 0 => {
                    server.incoming = Some((packet, Vec::new()));
                    None
                }
                Ok(packet) => Some((packet, Vec::new())),
            },
        };
        if let Some((packet, attachments)) = packet {
            self.server_handles(connection, packet, &attachments);
        }
    }

    fn server_handles(&mut self, connection: usize, packet: ClientPacket, attachments: &[Vec<u8>]) {
        let Some(namespace) = NAMESPACES.iter().position(|name| *name == packet.namespace) else {
            return self.break_rule(Rule::ForeignNamespace, format!("{packet:?}"));
        };
        let is_byzantine = self.is_byzantine();
        let Some(server) = &mut self.connections[connection].server else { return };
        let seat = server.seats.iter_mut().find(|seat| seat.namespace == namespace);
        match (packet.kind, seat) {
            (PacketKind::Connect, None) => self.asks_to_join(connection, namespace, packet.payload.as_ref()),
            // A client believes the lies about its place.
            (PacketKind::Connect | PacketKind::Disconnect, Some(seat))
                if is_byzantine && !(seat.is_admitted && packet.kind == PacketKind::Disconnect) =>
            {
                self.server_closes(connection, 1005);
            }
            (PacketKind::Connect, Some(_)) => {
                self.break_rule(Rule::ConnectedTwice, format!("connection {connection}, {}", packet.namespace));
            }
            (PacketKind::Event, Some(seat)) if seat.is_admitted => {
                let (number, client) = (seat.number, seat.client);
                let uid = self.event_arrives(client, namespace, packet.payload.as_ref(), attachments);
                self.check_sequence(connection, number, uid);
                if let (Some(uid), Some(id)) = (uid, packet.id) {
                    self.promise_ack(connection, number, id, uid);
                }
            }
            (PacketKind::Ack, Some(seat)) if seat.is_admitted => {
                let said = packet.payload.as_ref().and_then(|payload| payload.get(1)).and_then(Value::as_u64);
                let asked = packet.id.and_then(|id| seat.asked.remove(&id));
                self.tally.add(Count::AnswersToServer);
                if (asked.is_none() || asked != said) && !is_byzantine {
                    let detail = format!("{said:?} answers {:?}, which is {asked:?}", packet.id);
                    self.break_rule(Rule::AnswerMixedUp, detail);
                }
            }
            (PacketKind::Disconnect, Some(seat)) if seat.is_admitted => {
                let number = seat.number;
                server.seats.retain(|seat| seat.number != number);
                self.tally.add(Count::LeftNamespaces);
            }
            (PacketKind::Disconnect, Some(seat)) => {
                let detail = format!("client {} leaves although it is not let in", seat.client);
                self.break_rule(Rule::ClientBrokeProtocol, detail);
            }
            // It crosses a DISCONNECT of the server, which leaves a connection over it.
            (PacketKind::Event | PacketKind::Ack | PacketKind::Disconnect, _) => {
                self.tally.add(Count::InvalidStates);
                self.server_closes(connection, 1005);
            }
            (PacketKind::Pong, _) => {}
        }
    }

    /// What comes by one connection is in order. What a connection still brings that its client has left may come later than that of the next.
    fn check_sequence(&mut self, connection: usize, seat: u64, uid: Option<u32>) {
        let server = self.connections[connection].server.as_mut();
        let Some(seat) = server.and_then(|server| server.seat(seat)) else { return };
        if let Some(before) = core::mem::replace(&mut seat.latest, uid)
            && uid.is_some_and(|uid| uid < before)
        {
            self.break_rule(Rule::Reordered, format!("event {uid:?} comes behind {before}"));
        }
    }

    fn promise_ack(&mut self, connection: usize, seat: u64, id: u64, uid: u32) {
        let setup = &self.setup.server;
        let (delay, forgets) = (setup.ack_delay_ms, setup.forgets_ack);
        if forgets == 0 || !uid.is_multiple_of(forgets) {
            self.schedule(delay, Scheduled::Acknowledge { connection, seat, id, uid });
        }
    }

    /// The server acknowledges an event, if its client is still there.
    pub fn acknowledge(&mut self, connection: usize, seat: u64, id: u64, uid: u32) {
        let server = self.connections[connection].server.as_mut();
        let Some(seat) = server.and_then(|server| server.seat(seat)) else { return };
        let namespace = seat.namespace;
        let attachments = u32::from(uid.is_multiple_of(5));
        let kind = if attachments > 0 { "6" } else { "3" };
        let start = header(kind, attachments, namespace, Some(id));
        let text = format!(r#"{start}["a",{uid}{}]"#, placeholders(attachments));
        self.say_all(connection, text, attachments, u64::from(uid));
    }

    /// A packet and its attachments, with nothing in between.
    fn say_all(&mut self, connection: usize, text: String, attachments: u32, number: u64) {
        self.say(connection, Frame::Text(text));
        for _ in 0..attachments {
            self.write_down(connection, Downward::Frame(Frame::Binary(attachment(number))));
        }
    }

    /// Every client of a namespace gets an event.
    pub fn broadcast(&mut self, namespace: usize, kind: Broadcast) {
        let keeps = self.setup.server.recovers_ms.is_some();
        let (text, attachments, number) = match kind {
            Broadcast::Stored { attachments } => {
                let index = self.server.channels[namespace].store(self.server.starts, attachments);
                (self.server.channels[namespace].text(namespace, index, keeps), attachments, index as u64)
            }
            Broadcast::Volatile => {
                self.server.made += 1;
                let start = header("2", 0, namespace, None);
                (format!(r#"{start}["v",{{"ns":{namespace},"v":{}}}]"#, self.server.made), 0, 0)
            }
        };
        let is_early = self.setup.server.sends_early;
        for connection in 0..self.connections.len() {
            let Some(server) = &self.connections[connection].server else { continue };
            if server.seats.iter().any(|seat| seat.namespace == namespace && (seat.is_admitted || is_early)) {
                self.say_all(connection, text.clone(), attachments, number);
            }
        }
    }

    /// Every client of a namespace is asked something.
    pub fn ask_all(&mut self, namespace: usize, attachments: u32) {
        for connection in 0..self.connections.len() {
            self.server.made += 1;
            let question = self.server.made;
            let Some(server) = &mut self.connections[connection].server else { continue };
            let seats = server.seats.iter_mut();
            let Some(seat) = seats.filter(|seat| seat.is_admitted).find(|seat| seat.namespace == namespace) else {
                continue;
            };
            let id = seat.questions;
            seat.questions += 1;
            seat.asked.insert(id, question);
            let kind = if attachments > 0 { "5" } else { "2" };
            let start = header(kind, attachments, namespace, Some(id));
            let text = format!(r#"{start}["q",{{"ns":{namespace},"q":{question}}}{}]"#, placeholders(attachments));
            self.say_all(connection, text, attachments, question);
        }
    }

    /// The server does not want a client any more.
    pub fn put_out(&mut self, client: usize) {
        for connection in 0..self.connections.len() {
            let Some(server) = &mut self.connections[connection].server else { continue };
            let seats = server.seats.iter();
            let Some(seat) = seats.filter(|seat| seat.is_admitted).find(|seat| seat.client == client) else { continue };
            let (number, namespace) = (seat.number, seat.namespace);
            server.seats.retain(|seat| seat.number != number);
            self.tally.add(Count::PutOut);
            self.say(connection, Frame::Text(header("1", 0, namespace, None)));
        }
    }

    pub fn seat_for(&mut self, client: usize, namespace: usize, claim: Option<(String, String)>) -> Seat {
        self.server.made += 1;
        Seat {
            number: self.server.made,
            namespace,
            client,
            sid: format!("s{}", self.server.made),
            pid: self.setup.server.recovers_ms.map(|_| format!("p{}", self.server.made)),
            claim,
            is_admitted: false,
            starts_at: self.server.channels[namespace].len(),
            asked: BTreeMap::new(),
            questions: 0,
            latest: None,
        }
    }

    pub fn server_pings(&mut self, connection: usize, stamp: u32) {
        let timeout_ms = self.setup.server.timeout_ms;
        let Some(server) = &mut self.connections[connection].server else { return };
        if server.pings == stamp {
            server.pings += 1;
            let stamp = server.pings;
            self.say(connection, Frame::Text("2".to_owned()));
            self.schedule(timeout_ms, Scheduled::Pong { connection, stamp });
        }
    }

    fn server_hears_pong(&mut self, connection: usize) {
        let interval_ms = self.setup.server.interval_ms;
        let Some(server) = &mut self.connections[connection].server else { return };
        if server.pings % 2 == 0 {
            if !self.is_byzantine() {
                self.break_rule(Rule::ClientBrokeProtocol, "a pong that answers no ping");
            }
            return;
        }
        server.pings += 1;
        let stamp = server.pings;
        self.schedule(interval_ms, Scheduled::Ping { connection, stamp });
    }

    /// A client that has not answered by now is gone.
    pub fn pong_is_due(&mut self, connection: usize, stamp: u32) {
        if self.connections[connection].server.as_ref().is_some_and(|server| server.pings == stamp) {
            self.tally.add(Count::ServerPingTimeouts);
            self.server_closes(connection, 1005);
        }
    }

    pub fn server_closes(&mut self, connection: usize, code: u16) {
        trace!(self, "connection {connection}: closed by the server");
        self.server_loses(connection, true);
        self.write_down(connection, Downward::Close(code));
    }
}
