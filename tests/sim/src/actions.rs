//! What a plan's steps do to the simulation.

use everwire::driver;
use everwire::proto::time::FOREVER;
use everwire::proto::{Message, Phase, Refusal, Sent};

use crate::application::Draft;
use crate::downward_frame::{Down, Kind, Stream};
use crate::run_plan::{Act, Note, PageEnd, Target};
use crate::run_tally::Count;
use crate::sent_message::{End, MessageModel, Status, What};
use crate::simulated_connection::Stage;
use crate::simulated_page::BrowserEvent;
use crate::simulation::{Scheduled, Simulation};
use crate::trace;
use crate::verdict::Rule;

impl Simulation {
    pub fn act(&mut self, number: usize) {
        let act = self.steps[number].act.clone();
        trace!(self, "STEP {number}: {act:?}");
        if let Some(device) = act.device()
            && (device >= self.devices.len() || !self.pages[self.devices[device].page].is_alive)
        {
            return;
        }
        match act {
            Act::Send { .. }
            | Act::Burst { .. }
            | Act::Volatile { .. }
            | Act::Join { .. }
            | Act::Leave { .. }
            | Act::Cancel { .. }
            | Act::Connect { .. }
            | Act::Disconnect { .. }
            | Act::Reconnect { .. } => self.act_as_application(&act),
            Act::Reload { .. }
            | Act::Suspend { .. }
            | Act::ClockJump { .. }
            | Act::Cache { .. }
            | Act::Visible { .. }
            | Act::Offline { .. } => self.act_as_page(&act),
            Act::Restart { down_ms, kind, share } => self.restart(down_ms, kind, share),
            Act::CloseConnection { device, code } => {
                if let Some(connection) = self.live_connection(device) {
                    self.close_connection(connection, code);
                }
            }
            Act::Push { stream, count } if self.server_is_up => {
                let stream = match stream {
                    Target::User(user) => Stream::User(user),
                    Target::Room(room) => Stream::Room(room),
                };
                (0..count).for_each(|_| self.push(stream, Kind::EVENT));
            }
            Act::Push { .. } => {}
            Act::Forget { streams } if self.server_is_up => self.forget(streams),
            Act::Forget { .. } => {}
            Act::HoldBack { ms } if self.server_is_up && !self.server_is_plain => self.hold_back(ms),
            Act::HoldBack { .. } => {}
            Act::ServerClock { ms } => self.server_ahead_ms += ms,
            Act::Chat { device, act } => {
                let page = self.devices[device].page;
                if self.pages[page].frozen_until.is_none() {
                    self.chat_acts(page, act);
                }
            }
            Act::Shout { device } => {
                if let Some(connection) = self.live_connection(device)
                    && self.connections[connection].server.is_some()
                {
                    self.send_frame(connection, Down::plain(Kind::EVENT));
                }
            }
            _ => self.act_as_network(&act),
        }
    }

    fn act_as_application(&mut self, act: &Act) {
        let Some(device) = act.device() else { return };
        let page = self.devices[device].page;
        match *act {
            Act::Send { note, .. } => self.send(page, note),
            Act::Burst { count, note, .. } => {
                self.send(page, note);
                (1..count).for_each(|_| self.send(page, Note { poison: None, ..note }));
            }
            Act::Volatile { .. } => self.send_as(page, What::Volatile, Note::PLAIN),
            Act::Join { room, .. } => {
                self.tally.add(Count::Joins);
                self.send_as(page, What::Join(room), Note::PLAIN);
            }
            Act::Leave { room, .. } => self.send_as(page, What::Leave(room), Note::PLAIN),
            Act::Cancel { back, .. } => self.cancel(page, back),
            Act::Connect { .. } => self.connect(page),
            Act::Disconnect { .. } => self.command(page, |client, now| client.disconnect(now)),
            _ => self.command(page, |client, now| client.reconnect(now)),
        }
    }

    fn send(&mut self, page: usize, note: Note) {
        let rooms = &self.pages[page].rooms;
        let room =
            if note.to_room && !rooms.is_empty() { Some(rooms[self.messages.len() % rooms.len()]) } else { None };
        self.send_as(page, What::Note { room }, note);
    }

    pub fn send_as(&mut self, page: usize, what: What, note: Note) {
        let uid = self.messages.len() as u32;
        let message = Draft { uid, what, note }.message(self.wall_clock_ms());
        _ = self.submit(page, what, note, message, false);
    }

    /// Hands a message to the driver, whose number in the model is the next. Returns what has become of it.
    pub fn submit(
        &mut self,
        page: usize,
        what: What,
        note: Note,
        message: Box<Message<String>>,
        is_chat: bool,
    ) -> Result<Sent, Refusal> {
        let uid = self.messages.len() as u32;
        let (frame, bytes) = (message.frame.clone(), message.bytes);
        let (key, rank) = (message.policy.coalesce.clone(), message.policy.rank);
        let seq = self.pages[page].client().latest_seq() + 1;
        self.messages.push(MessageModel {
            sender: page,
            holder: page,
            seq,
            what,
            is_chat,
            was_refused: false,
            frame,
            bytes,
            key,
            rank,
            ttl_ms: note.ttl_ms,
            is_stored: false,
            is_request: note.reply_within_ms.is_some(),
            request_ends: 0,
            status: Status::Queued,
            is_acknowledged: false,
            numbered: 0,
            plain: 0,
            was_restored: false,
            is_undead: false,
            is_unconfirmed: false,
            is_being_removed: false,
            may_come_twice: false,
            accepted_at: self.now,
            poison: note.poison,
            sent_on: None,
            strikes: 0,
            ends: 0,
            processed_in: None,
        });
        let must_fit = self.must_fit(page, what, note, bytes);
        // The application learns the number with the answer, and the events before it refer to it.
        self.pages[page].uids.push(uid);
        let answer = driver::send(&mut self.host(page), message).map(|(sent, _)| sent);
        trace!(self, "page {page}: message {uid} {what:?} {note:?}: {answer:?}");
        if must_fit.is_some_and(|is_open| answer.is_err() || is_open && answer.as_ref().ok() != Some(&Sent::Now)) {
            self.break_rule(Rule::RoomDenied, format!("message {uid} of page {page}: {answer:?}"));
            return answer;
        }
        if answer == Ok(Sent::Now) && what != What::Volatile {
            self.note_refused_unasked(page, uid);
        }
        let is_handed_over = self.messages[uid as usize].numbered + self.messages[uid as usize].plain > 0;
        if answer == Ok(Sent::Now) && !is_handed_over {
            self.break_rule(Rule::SaidSent, format!("message {uid} of page {page}: {:?}", self.messages[uid as usize]));
        }
        let was_accepted = self.pages[page].client().latest_seq() == seq;
        if was_accepted && answer == Err(Refusal::NotOpen) {
            // It was handed to a socket that turned out to be closing, and was dropped.
            self.check_ended(uid);
            return answer;
        }
        if answer.is_err() {
            self.tally.add(Count::Refused);
            self.pages[page].uids.pop();
            self.messages[uid as usize].status = Status::Ended(End::Dropped);
            return answer;
        }
        self.tally.add(Count::Accepted);
        if self.pages[page].client().latest_seq() != seq || self.pages[page].uids.len() as u64 != seq {
            self.break_rule(Rule::DriverContract, format!("message {uid} has not the number {seq}"));
            return answer;
        }
        self.tally.add_many(Count::Requests, usize::from(note.reply_within_ms.is_some()));
        match what {
            What::Volatile => self.tally.add(Count::Volatile),
            What::Join(room) => {
                self.pages[page].leave(room);
                self.pages[page].rooms.push(room);
            }
            What::Leave(room) => {
                self.pages[page].leave(room);
                self.pages[page].left_rooms.push(room);
            }
            _ => {}
        }
        if note.durable {
            self.tally.add(Count::Durable);
            self.store(page, uid);
        }
        answer
    }

    /// Whether a message that is sent now has to be taken, and if so, whether the page is open and has to send it at once.
    fn must_fit(&self, page: usize, what: What, note: Note, bytes: u32) -> Option<bool> {
        let this = &self.pages[page];
        let snapshot = this.client().snapshot();
        let is_open = snapshot.phase == Phase::Open;
        let is_simple =
            matches!(what, What::Note { .. }) && note.reply_within_ms.is_none() && !(is_open && note.durable);
        // What has become of the connection meanwhile, a page does not know that is frozen, or that is just late.
        let is_due = this.client().poll_timeout().is_some_and(|(at, _)| at <= self.time(page));
        let is_awake = this.frozen_until.is_none() && !is_due;
        let fits = snapshot.has_room && is_simple && is_awake && u64::from(bytes) <= self.setup.server.limits.max_bytes;
        fits.then(|| is_open && !self.is_closing_unseen(page))
    }

    /// Whether the socket of a page takes nothing any more, which the page does not know yet.
    fn is_closing_unseen(&self, page: usize) -> bool {
        let socket = self.pages[page].client().socket();
        let connection = socket.and_then(|socket| self.connection_of(page, socket));
        connection.is_some_and(|connection| self.connections[connection].stopped_accepting)
    }

    /// A message that was refused after it had been accepted has ended.
    fn check_ended(&mut self, uid: u32) {
        if !self.messages[uid as usize].has_ended() {
            self.break_rule(Rule::DriverContract, format!("message {uid} is refused and not dropped"));
        }
    }

    fn cancel(&mut self, page: usize, back: usize) {
        let Some(seq) = self.pages[page].uids.len().checked_sub(back) else { return };
        let Some(uid) = self.uid(page, seq as u64) else { return };
        // A chat's messages are the chat's.
        let MessageModel { what, is_chat, .. } = self.messages[uid as usize];
        if is_chat || !matches!(what, What::Note { .. } | What::Volatile) {
            return;
        }
        let is_back = self.command(page, |client, now| client.cancel(seq as u64, now));
        trace!(self, "page {page}: cancel {uid}: {is_back}");
        if is_back {
            self.tally.add(Count::Cancelled);
            let judged = self.messages[uid as usize].end(End::Cancelled);
            self.judge(uid, judged);
            let judged = self.messages[uid as usize].end_request();
            self.judge(uid, judged);
            self.remove(page, uid);
        } else if self.messages[uid as usize].status == Status::Queued && !self.pages[page].was_refused {
            // One that was just refused by its socket, or would have been, waits again.
            self.break_rule(Rule::DriverContract, format!("message {uid} waits and cannot be cancelled"));
        }
    }

    fn act_as_page(&mut self, act: &Act) {
        let Some(device) = act.device() else { return };
        let page = self.devices[device].page;
        match *act {
            Act::Reload { away_ms, restore_ms, share, end, .. } => {
                self.tally.add(Count::Reloads);
                self.end_page(page, end, share);
                self.queue.schedule(self.now + away_ms, Scheduled::NewPage { device, restore_ms });
            }
            Act::Suspend { ms, clock_stops, frames_first, .. } => {
                self.tally.add(Count::Suspensions);
                self.pages[page].frames_first = frames_first;
                // A clock that stands still hides from a page how old its messages are, which the server counts on being told.
                if clock_stops && self.setup.server.limits.remember_ms == FOREVER {
                    self.pages[page].ahead_ms -= ms as i64;
                }
                self.freeze(page, ms);
                self.arm(page);
            }
            Act::ClockJump { ms, .. } => {
                self.tally.add(Count::ClockJumps);
                self.pages[page].ahead_ms += ms as i64;
                self.hurt_connections(page);
                self.arm(page);
            }
            Act::Cache { ms, alarm_first, .. } => {
                self.tally.add(Count::Cached);
                if let Some(connection) = self.live_connection(device) {
                    self.connections[connection].stopped_accepting = true;
                    self.write_up(connection, crate::simulated_connection::Upward::Close, 8);
                    self.connections[connection].up.swallow();
                    self.connections[connection].down.cut(0);
                }
                self.pages[page].frames_first = !alarm_first;
                self.freeze(page, ms);
                self.dispatch(page, BrowserEvent::Cached);
            }
            Act::Visible { .. } => self.dispatch(page, BrowserEvent::Visible),
            Act::Offline { ms, is_real, .. } => {
                self.tally.add(Count::Offline);
                self.queue.schedule(self.now + ms, Scheduled::Network { device });
                if is_real {
                    self.devices[device].offline_until = self.now + ms;
                    if let Some(connection) = self.live_connection(device) {
                        self.stall(connection, true, true, self.now + ms);
                    }
                } else {
                    self.devices[device].pretends_until = self.now + ms;
                }
                self.dispatch(page, BrowserEvent::Offline);
            }
            _ => {}
        }
    }

    fn end_page(&mut self, page: usize, end: PageEnd, share: u16) {
        self.pages[page].is_alive = false;
        self.pages[page].deferred.clear();
        self.release_locks(page);
        let connections: Vec<_> = (0..self.connections.len())
            .filter(|connection| self.connections[*connection].page == page && self.connections[*connection].is_live())
            .collect();
        for connection in connections {
            self.connections[connection].stage = Stage::Abandoned;
            match end {
                PageEnd::Orderly => self.write_up(connection, crate::simulated_connection::Upward::Close, 8),
                PageEnd::Crash => {
                    self.cut(connection, share, 0);
                    self.queue.schedule(self.now + 400, Scheduled::ServerLosesConnection(connection));
                }
                PageEnd::Linger(ms) => {
                    self.linger(connection, ms);
                    self.write_up(connection, crate::simulated_connection::Upward::Close, 8);
                }
            }
        }
    }

    fn act_as_network(&mut self, act: &Act) {
        let Some(device) = act.device() else { return };
        match *act {
            Act::Silence { ms, late, .. } => {
                self.devices[device].silent_until = self.now + ms;
                self.devices[device].is_late = late;
            }
            Act::Refuse { ms, .. } => self.devices[device].refusing_until = self.now + ms,
            Act::NoToken { count, .. } => self.devices[device].no_tokens = count,
            Act::RefuseToken { count, code, .. } => {
                self.devices[device].refused_tokens = count;
                self.devices[device].refusal_code = code;
            }
            _ => {
                if let Some(connection) = self.live_connection(device) {
                    self.act_on_wire(act, connection);
                }
            }
        }
    }

    fn act_on_wire(&mut self, act: &Act, connection: usize) {
        match *act {
            Act::Cut { up, down, client_learns_ms, server_learns_ms, closing_ms, .. } => {
                self.cut(connection, up, down);
                match client_learns_ms {
                    Some(ms) => {
                        self.queue.schedule(
                            self.now + ms,
                            Scheduled::ClientLosesConnection { connection, code: 1006, closing_ms },
                        );
                    }
                    None => self.tally.add(Count::HalfOpen),
                }
                let server_learns_ms = server_learns_ms.unwrap_or(60_000);
                self.queue.schedule(self.now + server_learns_ms, Scheduled::ServerLosesConnection(connection));
            }
            Act::Linger { ms, .. } => {
                self.linger(connection, ms);
                self.queue
                    .schedule(self.now, Scheduled::ClientLosesConnection { connection, code: 1006, closing_ms: 0 });
                self.queue.schedule(self.now + ms + 60_000, Scheduled::ServerLosesConnection(connection));
            }
            Act::BlackHole { up, down, ms, is_told, .. } => {
                self.tally.add(Count::Swallowed);
                self.connections[connection].is_hurt = true;
                if up {
                    self.connections[connection].up.swallow();
                }
                if down {
                    self.connections[connection].down.swallow();
                }
                self.queue.schedule(self.now + ms, Scheduled::Hole { connection, is_told });
            }
            Act::Stall { up, down, ms, .. } => {
                self.tally.add(Count::Stalls);
                self.stall(connection, up, down, self.now + ms);
            }
            _ => {}
        }
    }
}
