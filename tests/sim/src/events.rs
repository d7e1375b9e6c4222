//! What the client tells its application, against what is true.

use everwire::proto::{Cause, DropReason, Event, Phase, ProtocolViolation as Doubt, Reason, RequestFailure};

use crate::flaw::Flaw;
use crate::frame::{Arrived, Down, Kind, Stream, Text};
use crate::ledger::{End, Status, What, end_of};
use crate::tally::Count;
use crate::trace;
use crate::verdict::Rule;
use crate::world::World;

impl World {
    pub fn notice(&mut self, page: usize, event: Event<Text, Arrived>) {
        trace!(self, "page {page}: told {event:?}");
        match event {
            Event::Frame(arrived) => self.notice_frame(page, &arrived),
            Event::Opened => self.tally.add(Count::Opened),
            Event::Closed(close) => self.tally_close(page, &close.reason),
            Event::GaveUp { .. } => self.tally.add(Count::GaveUp),
            Event::Transmitted { seq } => self.notice_transmission(page, seq),
            Event::Acknowledged { sender, seq } => self.notice_acknowledgement(page, sender, seq),
            Event::RequestFailed { seq, failure } => self.notice_failure(page, seq, failure),
            Event::Gap { stream, from, to } => self.notice_gap(page, stream, from, to),
            Event::ProtocolViolation(doubt) => self.notice_doubt(page, doubt),
            Event::Dropped { message, reason } => {
                if let Text::Message(uid) = message.frame {
                    self.notice_drop(page, uid, reason, message.seq > 0);
                }
            }
            Event::Changed { .. } | Event::Reconnecting { .. } => {}
        }
    }

    fn tally_close(&mut self, page: usize, reason: &Reason<Text>) {
        if matches!(reason, Reason::Client(Cause::AckTimeout | Cause::PongTimeout)) {
            self.check_patience(page);
        }
        let count = match reason {
            Reason::Client(Cause::AckTimeout) => Count::AckTimeouts,
            Reason::Client(Cause::PongTimeout) => Count::PongTimeouts,
            Reason::Client(Cause::ConnectTimeout) => Count::ConnectTimeouts,
            Reason::Client(Cause::ProtocolViolation) => {
                if !self.is_liar() {
                    self.break_rule(Rule::HonestServerDoubted, "the client left in disbelief");
                }
                Count::Disbeliefs
            }
            Reason::Client(Cause::EventLost) if !self.is_liar() => {
                return self.break_rule(Rule::HonestServerDoubted, "the client thinks that an event was lost");
            }
            _ => return,
        };
        self.tally.add(count);
    }

    pub fn uid(&self, page: usize, seq: u64) -> Option<u32> {
        self.pages[page].uids.get((seq as usize).checked_sub(1)?).copied()
    }

    fn notice_frame(&mut self, page: usize, arrived: &Arrived) {
        let kind = self.pages[page].hearing.clone().map(|down| down.kind);
        let stream = arrived.position.map(|position| position.stream);
        let is_foreign = matches!(stream, Some(Stream::Sender(sender)) if sender as usize != page);
        if let Some(position) = arrived.position {
            self.notice_event(page, position);
        }
        match kind {
            Some(Kind::Reply { seq }) if !is_foreign => {
                self.tally.add(Count::Replies);
                self.end_request(page, seq);
            }
            // It may have ended before: an error is not only for requests.
            Some(Kind::Refused { seq })
                if self.uid(page, seq).is_some_and(|uid| self.ledger[uid as usize].request_ends == 0) =>
            {
                self.end_request(page, seq);
            }
            Some(Kind::Receipt { seq, read }) if !is_foreign => {
                self.tally.add(Count::Receipts);
                if let Some(uid) = self.uid(page, seq) {
                    self.ledger[uid as usize].receive(read);
                }
            }
            _ => {}
        }
    }

    fn end_request(&mut self, page: usize, seq: u64) {
        if let Some(uid) = self.uid(page, seq) {
            let judged = self.ledger[uid as usize].end_request();
            self.judge(uid, judged);
        }
    }

    fn notice_acknowledgement(&mut self, page: usize, sender: Option<Text>, seq: u64) {
        let sender = if let Some(Text::Sender(sender)) = sender { sender as usize } else { page };
        let covered = (1..=seq).map_while(|seq| self.uid(sender, seq)).collect::<Vec<_>>();
        for uid in covered {
            if self.ledger[uid as usize].holder != page {
                continue;
            }
            match self.ledger[uid as usize].acknowledge() {
                // A receipt may have told the same before.
                Ok(()) => self.remove(page, uid),
                Err(broken) => self.judge(uid, Err(broken)),
            }
        }
    }

    /// A message that had waited was handed to the socket. A plain server acknowledges nothing, so that is its end.
    fn notice_transmission(&mut self, page: usize, seq: u64) {
        let Some(uid) = self.uid(page, seq) else {
            return self.break_rule(Rule::SaidSent, format!("message {seq} of page {page}, which never was"));
        };
        let entry = &self.ledger[uid as usize];
        if entry.status == Status::Queued || entry.numbered + entry.plain == 0 {
            self.break_rule(Rule::SaidSent, format!("message {uid} of page {page}: {entry:?}"));
        } else if entry.plain > 0 && entry.numbered == 0 && self.setup.server.flaw != Some(Flaw::Outbox) {
            self.remove(page, uid);
        }
    }

    fn notice_failure(&mut self, page: usize, seq: u64, failure: RequestFailure) {
        self.tally.add(if failure == RequestFailure::TimedOut { Count::TimedOut } else { Count::Abandoned });
        self.end_request(page, seq);
        let Some(uid) = self.uid(page, seq) else {
            return self.break_rule(Rule::DriverContract, format!("request {seq} of page {page} never was"));
        };
        if self.ledger[uid as usize].status == Status::Queued {
            let judged = self.ledger[uid as usize].end(End::RequestFailed);
            self.judge(uid, judged);
            self.remove(page, uid);
        }
    }

    fn notice_doubt(&mut self, page: usize, doubt: Doubt) {
        self.tally.add(Count::Violations);
        self.pages[page].told += 1;
        if self.pages[page].told > 10 {
            self.break_rule(Rule::ToldTooOften, format!("page {page} was told {} times", self.pages[page].told));
        }
        let hearing = self.pages[page].hearing.clone();
        if let (Doubt::UnexpectedReply, Some(Down { kind: Kind::Reply { seq }, .. })) = (doubt, &hearing)
            && self.uid(page, *seq).is_some_and(|uid| self.ledger[uid as usize].request_ends > 0)
        {
            self.tally.add(Count::LateReplies);
            return;
        }
        if self.is_liar() {
            return;
        }
        let telling = self.pages[page].telling;
        self.break_rule(Rule::HonestServerDoubted, format!("page {page}: {doubt:?} about {hearing:?} {telling:?}"));
    }

    fn notice_drop(&mut self, page: usize, uid: u32, reason: DropReason, was_accepted: bool) {
        self.tally.add(match reason {
            DropReason::Expired => Count::Expired,
            DropReason::Overflow => Count::Overflowed,
            DropReason::Replaced => Count::Replaced,
            DropReason::Unconfirmed => Count::Unconfirmed,
            DropReason::Poisoned => Count::Poisoned,
            DropReason::TooLarge => Count::Oversized,
            DropReason::OutcomeUnknown => Count::Unknowable,
            _ => Count::Abandoned,
        });
        if !was_accepted {
            return;
        }
        if reason == DropReason::Poisoned {
            self.check_blame(uid);
        }
        let judged = self.ledger[uid as usize].end(end_of(reason));
        self.judge(uid, judged);
        if self.ledger[uid as usize].sender == page && self.ledger[uid as usize].request_ends == 0 {
            let judged = self.ledger[uid as usize].end_request();
            self.judge(uid, judged);
        }
        if let What::Join(room) | What::Leave(room) = self.ledger[uid as usize].what {
            self.pages[page].doubtful_rooms.push(room);
        }
        if reason == DropReason::Unconfirmed {
            self.ledger[uid as usize].is_unconfirmed = true;
        } else {
            self.remove(page, uid);
        }
    }

    /// What holds after every input.
    pub fn check_page(&mut self, page: usize, announced: Option<bool>) {
        let this = &self.pages[page];
        let snapshot = this.client.snapshot();
        let seen = (snapshot.phase, snapshot.queued, snapshot.protocol_errors, snapshot.has_room);
        if this.seen.is_some_and(|before| before != seen) && announced.is_none()
            || this.seen.is_some_and(|before| before.0 != seen.0) && announced != Some(true)
        {
            let detail = format!("page {page}: {:?} became {seen:?}", this.seen);
            return self.break_rule(Rule::Unannounced, detail);
        }
        let live = self.wires.iter().rev().find(|wire| wire.page == page && wire.is_live());
        let is_pending = matches!(seen.0, Phase::Connecting) && live.is_none();
        if !is_pending && this.client.socket() != live.map(|wire| wire.socket) {
            let detail = format!("page {page}: {:?} against {:?}", this.client.socket(), live.map(|wire| wire.socket));
            return self.break_rule(Rule::DriverContract, detail);
        }
        let (now, alarm) = (self.time(page), self.pages[page].client.poll_timeout());
        if alarm.is_some_and(|(at, _)| at <= now) && self.pages[page].frozen_until.is_none() {
            self.break_rule(Rule::Spins, format!("page {page}: {alarm:?} is over at {now:?}"));
        }
        if matches!(seen.0, Phase::Connecting | Phase::Waiting | Phase::Offline | Phase::Closing) && alarm.is_none() {
            self.break_rule(Rule::Stuck, format!("page {page}: {:?} without a deadline", seen.0));
        }
        if seen.0 == Phase::Fatal && self.pages[page].seen.is_some_and(|before| before.0 != Phase::Fatal) {
            self.tally.add(Count::Fatal);
        }
        if self.pages[page].client.in_flight() > 4_096 {
            self.break_rule(Rule::Unbounded, format!("page {page} has too much in flight"));
        }
        self.pages[page].seen = Some(seen);
    }
}
