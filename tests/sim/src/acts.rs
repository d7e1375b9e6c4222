//! What a plan's steps do to the world.

use everwire::proto::time::FOREVER;
use everwire::proto::{Message, Phase, Purpose, Sent};

use crate::frame::{Down, Kind, Stream, Text};
use crate::ledger::{End, Entry, Status, What};
use crate::page::Fact;
use crate::plan::{Act, Note, PageEnd, Target};
use crate::tally::Count;
use crate::trace;
use crate::verdict::Rule;
use crate::wire::Stage;
use crate::world::{Happening, World};

impl World {
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
                if let Some(wire) = self.live_wire(device) {
                    self.close_wire(wire, code);
                }
            }
            Act::Push { stream, count } if self.server_is_up => {
                let stream = match stream {
                    Target::User(user) => Stream::User(user),
                    Target::Room(room) => Stream::Room(room),
                };
                (0..count).for_each(|_| self.push(stream, Kind::Event));
            }
            Act::Push { .. } => {}
            Act::Forget { streams } if self.server_is_up => self.forget(streams),
            Act::Forget { .. } => {}
            Act::HoldBack { ms } if self.server_is_up && !self.server_is_plain => self.hold_back(ms),
            Act::HoldBack { .. } => {}
            Act::ServerClock { ms } => self.server_ahead_ms += ms,
            Act::Shout { device } => {
                if let Some(wire) = self.live_wire(device)
                    && self.wires[wire].server.is_some()
                {
                    self.say(wire, Down::plain(Kind::Event));
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
            Act::Connect { .. } => self.command(page, |client, now| client.connect(now)),
            Act::Disconnect { .. } => self.command(page, |client, now| client.disconnect(now)),
            _ => self.command(page, |client, now| client.reconnect(now)),
        }
    }

    fn send(&mut self, page: usize, note: Note) {
        let rooms = &self.pages[page].rooms;
        let room = if note.to_room && !rooms.is_empty() { Some(rooms[self.ledger.len() % rooms.len()]) } else { None };
        self.send_as(page, What::Note { room }, note);
    }

    pub fn send_as(&mut self, page: usize, what: What, note: Note) {
        let uid = self.ledger.len() as u32;
        let purpose = match what {
            What::Note { .. } => Purpose::Ordinary,
            What::Volatile => Purpose::Volatile,
            What::Join(room) => Purpose::Join(Text::Room(room)),
            What::Leave(room) => Purpose::Leave(Text::Room(room)),
        };
        let mut message = Message::new(Text::Message(uid), note.bytes, purpose);
        message.policy.ttl_ms = note.ttl_ms;
        message.policy.coalesce = note.key.map(Text::Key);
        message.policy.awaits_storage = note.durable;
        message.policy.reply_within_ms = note.reply_within_ms;
        let seq = self.pages[page].client.latest_seq() + 1;
        self.ledger.push(Entry {
            sender: page,
            holder: page,
            seq,
            what,
            bytes: note.bytes,
            ttl_ms: note.ttl_ms,
            is_stored: false,
            is_request: note.reply_within_ms.is_some(),
            request_ends: 0,
            status: Status::Queued,
            is_acknowledged: false,
            numbered: 0,
            plain: 0,
            taken_back: 0,
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
        let must_fit = self.must_fit(page, what, note);
        // The driver learns the number with the answer, and what follows refers to it.
        self.pages[page].uids.push(uid);
        self.pages[page].drafts.insert(uid);
        let answer = self.command(page, |client, now| client.send(message, now));
        trace!(self, "page {page}: message {uid} {what:?} {note:?}: {answer:?}");
        if must_fit.is_some_and(|is_open| answer.is_err() || is_open && answer.as_ref().ok() != Some(&Sent::Now)) {
            return self.break_rule(Rule::RoomDenied, format!("message {uid} of page {page}: {answer:?}"));
        }
        if answer.is_err() {
            self.tally.add(Count::Refused);
            self.pages[page].uids.pop();
            self.pages[page].drafts.remove(&uid);
            self.ledger[uid as usize].status = Status::Ended(End::Dropped);
            return;
        }
        self.tally.add(Count::Accepted);
        if self.pages[page].client.latest_seq() != seq || self.pages[page].uids.len() as u64 != seq {
            return self.break_rule(Rule::DriverContract, format!("message {uid} has not the number {seq}"));
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
    }

    /// Whether a message that is sent now has to be taken, and if so, whether the page is open and has to send it at once.
    fn must_fit(&self, page: usize, what: What, note: Note) -> Option<bool> {
        let this = &self.pages[page];
        let snapshot = this.client.snapshot();
        let is_open = snapshot.phase == Phase::Open;
        let is_plain =
            matches!(what, What::Note { .. }) && note.reply_within_ms.is_none() && !(is_open && note.durable);
        // What has become of the connection meanwhile, a page does not know that is frozen, or that is just late.
        let is_due = this.client.poll_timeout().is_some_and(|(at, _)| at <= self.time(page));
        let is_awake = this.frozen_until.is_none() && !is_due;
        let fits =
            snapshot.has_room && is_plain && is_awake && u64::from(note.bytes) <= self.setup.server.limits.max_bytes;
        fits.then_some(is_open)
    }

    fn cancel(&mut self, page: usize, back: usize) {
        let Some(seq) = self.pages[page].uids.len().checked_sub(back) else { return };
        let Some(uid) = self.uid(page, seq as u64) else { return };
        if !matches!(self.ledger[uid as usize].what, What::Note { .. } | What::Volatile) {
            return;
        }
        let taken_back = self.ledger[uid as usize].taken_back;
        let is_back = self.command(page, |client, now| client.cancel(seq as u64, now));
        trace!(self, "page {page}: cancel {uid}: {is_back}");
        if is_back {
            self.tally.add(Count::Cancelled);
            let judged = self.ledger[uid as usize].end(End::Cancelled);
            self.judge(uid, judged);
            let judged = self.ledger[uid as usize].end_request();
            self.judge(uid, judged);
            self.remove(page, uid);
        } else if self.ledger[uid as usize].status == Status::Queued
            && self.ledger[uid as usize].taken_back == taken_back
        {
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
                self.agenda.note(self.now + away_ms, Happening::NewPage { device, restore_ms });
            }
            Act::Suspend { ms, clock_stops, frames_first, .. } => {
                self.tally.add(Count::Suspensions);
                self.pages[page].frames_first = frames_first;
                // A clock that stands still hides from a page how old its messages are, which the server counts on being told.
                if clock_stops && self.setup.server.limits.remember_ms == FOREVER {
                    self.pages[page].ahead_ms -= ms as i64;
                }
                self.freeze(page, ms);
                self.rearm(page);
            }
            Act::ClockJump { ms, .. } => {
                self.tally.add(Count::ClockJumps);
                self.pages[page].ahead_ms += ms as i64;
                self.hurt_wires(page);
                self.rearm(page);
            }
            Act::Cache { ms, alarm_first, .. } => {
                self.tally.add(Count::Cached);
                if let Some(wire) = self.live_wire(device) {
                    self.wires[wire].is_deaf = true;
                    self.write_up(wire, crate::wire::Upward::Close, 8);
                    self.wires[wire].up.swallow();
                    self.wires[wire].down.cut(0);
                }
                self.pages[page].frames_first = !alarm_first;
                self.freeze(page, ms);
                self.tell(page, Fact::Cached);
            }
            Act::Visible { .. } => self.tell(page, Fact::Visible),
            Act::Offline { ms, is_real, .. } => {
                self.tally.add(Count::Offline);
                if is_real {
                    self.devices[device].offline_until = self.now + ms;
                    self.agenda.note(self.now + ms, Happening::Network { device });
                    if let Some(wire) = self.live_wire(device) {
                        self.stall(wire, true, true, self.now + ms);
                    }
                } else {
                    self.agenda.note(self.now + ms, Happening::Fact { page, fact: Fact::Online });
                }
                self.tell(page, Fact::Offline);
            }
            _ => {}
        }
    }

    fn end_page(&mut self, page: usize, end: PageEnd, share: u16) {
        self.pages[page].is_alive = false;
        self.pages[page].deferred.clear();
        self.release_locks(page);
        let wires: Vec<_> = (0..self.wires.len())
            .filter(|wire| self.wires[*wire].page == page && self.wires[*wire].is_live())
            .collect();
        for wire in wires {
            self.wires[wire].stage = Stage::Abandoned;
            match end {
                PageEnd::Orderly => self.write_up(wire, crate::wire::Upward::Close, 8),
                PageEnd::Crash => {
                    self.cut(wire, share, 0);
                    self.agenda.note(self.now + 400, Happening::ServerHears(wire));
                }
                PageEnd::Linger(ms) => {
                    self.linger(wire, ms);
                    self.write_up(wire, crate::wire::Upward::Close, 8);
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
                if let Some(wire) = self.live_wire(device) {
                    self.act_on_wire(act, wire);
                }
            }
        }
    }

    fn act_on_wire(&mut self, act: &Act, wire: usize) {
        match *act {
            Act::Cut { up, down, client_hears, server_hears, deaf_ms, .. } => {
                self.cut(wire, up, down);
                match client_hears {
                    Some(ms) => {
                        self.agenda.note(self.now + ms, Happening::ClientHears { wire, code: 1006, deaf_ms });
                    }
                    None => self.tally.add(Count::HalfOpen),
                }
                let server_hears = server_hears.unwrap_or(60_000);
                self.agenda.note(self.now + server_hears, Happening::ServerHears(wire));
            }
            Act::Linger { ms, .. } => {
                self.linger(wire, ms);
                self.agenda.note(self.now, Happening::ClientHears { wire, code: 1006, deaf_ms: 0 });
                self.agenda.note(self.now + ms + 60_000, Happening::ServerHears(wire));
            }
            Act::BlackHole { up, down, ms, is_told, .. } => {
                self.tally.add(Count::Swallowed);
                self.wires[wire].is_hurt = true;
                if up {
                    self.wires[wire].up.swallow();
                }
                if down {
                    self.wires[wire].down.swallow();
                }
                self.agenda.note(self.now + ms, Happening::Hole { wire, is_told });
            }
            Act::Stall { up, down, ms, .. } => {
                self.tally.add(Count::Stalls);
                self.stall(wire, up, down, self.now + ms);
            }
            _ => {}
        }
    }
}
