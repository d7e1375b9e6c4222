//! What the client reports to its application, against what is true.

use everwire::proto::wire::ReceiptStatus;
use everwire::proto::{
    Cause, Delivery, DropReason, Event, Message, Phase, ProtocolViolation, Reason, RequestFailure, Timestamp,
};
use serde_json::Value;

use crate::downward_frame::{Claim, Down, Kind, Position, Stream, sender_of};
use crate::flaw::Flaw;
use crate::run_tally::Count;
use crate::sent_message::{End, Status, What, end_of};
use crate::simulation::Simulation;
use crate::trace;
use crate::verdict::Rule;

impl Simulation {
    pub fn observe(&mut self, page: usize, event: Event<Value>) {
        trace!(self, "page {page}: event {event:?}");
        self.check_belief(page, &event);
        self.tell_chat(page, &event);
        match event {
            Event::Frame(_) => self.observe_frame(page),
            Event::Opened => {
                self.tally.add(Count::Opened);
                let is_plain = self.pages[page].client().delivery() == Delivery::AtMostOnce;
                let is_presumed = is_plain && self.setup.server.is_silent;
                self.tally.add_many(Count::PresumedPlain, usize::from(is_presumed));
                if is_plain && !self.is_byzantine() && !self.may_be_plain(page) {
                    self.break_rule(Rule::TakenForPlain, format!("page {page}"));
                }
            }
            Event::Closed(close) => self.tally_close(page, &close.reason),
            Event::GaveUp { .. } => self.tally.add(Count::GaveUp),
            Event::Transmitted { seq } => self.observe_transmission(page, seq),
            Event::Acknowledged { origin, seq } => self.observe_acknowledgement(page, origin, seq),
            Event::Refused { seq, data } => self.observe_refusal(page, seq, &data),
            Event::Replied { seq, data } => self.observe_reply(page, seq, &data),
            Event::Receipt { seq, status } => self.observe_receipt(page, seq, status),
            Event::RequestFailed { seq, failure } => self.observe_failure(page, seq, failure),
            Event::Gap { stream, from, to } => self.observe_gap(page, &stream, from, to),
            Event::Violation(violation) => self.observe_violation(page, violation),
            Event::Dropped { message, reason } => self.observe_drop(page, &message, reason),
            Event::Changed { .. } | Event::Reconnecting { .. } => {}
        }
    }

    /// Whether the server that a page has connected to is a plain one, or was one that answers nothing.
    fn may_be_plain(&self, page: usize) -> bool {
        let connection = self.connections.iter().rfind(|connection| connection.page == page);
        self.pages[page].has_met_silence || connection.is_some_and(|connection| connection.is_plain)
    }

    fn tally_close(&mut self, page: usize, reason: &Reason) {
        if matches!(reason, Reason::Client(Cause::AckTimeout | Cause::PongTimeout)) {
            self.check_patience(page);
        }
        let count = match reason {
            Reason::Client(Cause::AckTimeout) => Count::AckTimeouts,
            Reason::Client(Cause::PongTimeout) => Count::PongTimeouts,
            Reason::Client(Cause::NeverAnswered) => Count::NeverAnswered,
            Reason::Client(Cause::NoWelcome) => Count::Unwelcomed,
            Reason::Client(Cause::ConnectTimeout) => Count::ConnectTimeouts,
            Reason::Client(Cause::ProtocolViolation) => {
                if !self.is_byzantine() {
                    self.break_rule(Rule::HonestServerAccused, "the client has left for violations of the protocol");
                }
                Count::LeftForViolations
            }
            Reason::Client(Cause::EventLost) if !self.is_byzantine() => {
                return self.break_rule(Rule::HonestServerAccused, "the client thinks that an event was lost");
            }
            _ => return,
        };
        self.tally.add(count);
    }

    pub fn uid(&self, page: usize, seq: u64) -> Option<u32> {
        self.pages[page].uids.get((seq as usize).checked_sub(1)?).copied()
    }

    /// What is not true, or concerns nobody here, has no effect.
    fn check_belief(&mut self, page: usize, event: &Event<Value>) {
        let is_effect = matches!(
            event,
            Event::Acknowledged { .. }
                | Event::Refused { .. }
                | Event::Replied { .. }
                | Event::Receipt { .. }
                | Event::Gap { .. }
        );
        let claim = self.pages[page].receiving.as_ref().map(|down| down.claim);
        match claim {
            Some(Claim::False) if is_effect => {
                self.break_rule(Rule::UntruthAccepted, format!("page {page} is given {event:?}"));
            }
            Some(Claim::Irrelevant) if is_effect => {
                self.break_rule(Rule::IrrelevantActedOn, format!("page {page} is given {event:?}"));
            }
            _ => {}
        }
    }

    fn observe_frame(&mut self, page: usize) {
        let Some(down) = self.pages[page].receiving.clone() else {
            return self.break_rule(Rule::DriverContract, format!("page {page} is given a frame that never came"));
        };
        if down.is_own(page) {
            return self.break_rule(Rule::OwnEventDelivered, format!("page {page}: {down:?}"));
        }
        if down.claim == Claim::False && !(down.is_answer() && self.serves_previous_instance(page)) {
            return self.break_rule(Rule::UntruthAccepted, format!("page {page} is given {down:?}"));
        }
        if let Some((position, _)) = down.place {
            self.observe_event(page, position);
        }
    }

    /// The frame that is being received, if it is an answer of this kind to a message of this page.
    fn check_answer(&mut self, page: usize, is_it: impl Fn(&Kind) -> bool) -> Option<Position> {
        let down = self.pages[page].receiving.clone();
        let place = down.as_ref().and_then(|down| down.place).map(|(position, _)| position);
        let is_foreign =
            matches!(place.map(|place| place.stream), Some(Stream::Sender(sender)) if sender as usize != page);
        if is_foreign || !down.as_ref().is_some_and(|down| is_it(&down.kind)) {
            self.break_rule(Rule::AnswerMixedUp, format!("page {page} is given another answer than {down:?}"));
        }
        place
    }

    fn observe_refusal(&mut self, page: usize, seq: u64, data: &Value) {
        self.check_answer(
            page,
            |kind| matches!(kind, Kind::Refused { seq: said } if *said == seq && data["seq"] == seq),
        );
        // It may have ended before: an error is not only for requests.
        if self.uid(page, seq).is_some_and(|uid| self.messages[uid as usize].request_ends == 0) {
            self.end_request(page, seq);
        }
    }

    fn observe_reply(&mut self, page: usize, seq: u64, data: &Value) {
        let is_it =
            |kind: &Kind| matches!(kind, Kind::Reply { seq: said } if *said == seq && data["result"]["of"] == seq);
        if let Some(place) = self.check_answer(page, is_it) {
            self.observe_event(page, place);
        }
        self.tally.add(Count::Replies);
        self.end_request(page, seq);
    }

    fn observe_receipt(&mut self, page: usize, seq: u64, status: ReceiptStatus) {
        let has_read = status == ReceiptStatus::Read;
        let is_it =
            |kind: &Kind| matches!(kind, Kind::Receipt { seq: said, read } if *said == seq && *read == has_read);
        if let Some(place) = self.check_answer(page, is_it) {
            self.observe_event(page, place);
        }
        self.tally.add(Count::Receipts);
        if let Some(uid) = self.uid(page, seq) {
            self.messages[uid as usize].receive(has_read);
        }
    }

    fn end_request(&mut self, page: usize, seq: u64) {
        if let Some(uid) = self.uid(page, seq) {
            let judged = self.messages[uid as usize].end_request();
            self.judge(uid, judged);
        }
    }

    fn observe_acknowledgement(&mut self, page: usize, origin: Option<String>, seq: u64) {
        let sender = origin.as_deref().and_then(sender_of).map_or(page, |sender| sender as usize);
        let covered = (1..=seq).map_while(|seq| self.uid(sender, seq)).collect::<Vec<_>>();
        for uid in covered {
            if self.messages[uid as usize].holder != page {
                continue;
            }
            match self.messages[uid as usize].acknowledge() {
                // A receipt may have said the same before.
                Ok(()) => self.remove(page, uid),
                Err(broken) => self.judge(uid, Err(broken)),
            }
        }
    }

    /// A message that had waited was handed to the socket. A plain server acknowledges nothing, so that is its end.
    fn observe_transmission(&mut self, page: usize, seq: u64) {
        let Some(uid) = self.uid(page, seq) else {
            return self.break_rule(Rule::SaidSent, format!("message {seq} of page {page}, which never was"));
        };
        self.note_refused_unasked(page, uid);
        let entry = &self.messages[uid as usize];
        if entry.status == Status::Queued || entry.numbered + entry.plain == 0 {
            self.break_rule(Rule::SaidSent, format!("message {uid} of page {page}: {entry:?}"));
        } else if entry.plain > 0 && entry.numbered == 0 && self.setup.server.flaw != Some(Flaw::Outbox) {
            self.remove(page, uid);
        }
    }

    /// A socket that refuses one message is not asked about those behind it, which count as sent and go out again as well.
    pub fn note_refused_unasked(&mut self, page: usize, uid: u32) {
        let is_reliable = self.pages[page].client().delivery() == Delivery::Reliable;
        if self.pages[page].was_refused && is_reliable && self.messages[uid as usize].numbered == 0 {
            let judged = self.messages[uid as usize].hand_over(true);
            self.messages[uid as usize].take_back(true);
            self.judge(uid, judged);
        }
    }

    fn observe_failure(&mut self, page: usize, seq: u64, failure: RequestFailure) {
        self.tally.add(if failure == RequestFailure::TimedOut { Count::TimedOut } else { Count::Abandoned });
        self.end_request(page, seq);
        let Some(uid) = self.uid(page, seq) else {
            return self.break_rule(Rule::DriverContract, format!("request {seq} of page {page} never was"));
        };
        if self.messages[uid as usize].status == Status::Queued {
            let judged = self.messages[uid as usize].end(End::RequestFailed);
            self.judge(uid, judged);
            self.remove(page, uid);
        }
    }

    fn observe_violation(&mut self, page: usize, violation: ProtocolViolation) {
        self.tally.add(Count::Violations);
        self.pages[page].reported_violations += 1;
        if self.pages[page].reported_violations > 10 {
            self.break_rule(
                Rule::ReportedTooOften,
                format!("page {page} reported {} times", self.pages[page].reported_violations),
            );
        }
        let receiving = self.pages[page].receiving.clone();
        if let (ProtocolViolation::UnexpectedReply, Some(Down { kind: Kind::Reply { seq }, .. })) =
            (violation, &receiving)
            && self.uid(page, *seq).is_some_and(|uid| self.messages[uid as usize].request_ends > 0)
        {
            self.tally.add(Count::LateReplies);
            return;
        }
        let has_wrong_fields = |down: &Down| down.claim == Claim::False && matches!(down.kind, Kind::Raw(_));
        if violation != ProtocolViolation::Malformed && receiving.as_ref().is_some_and(has_wrong_fields) {
            self.break_rule(Rule::UntruthAccepted, format!("page {page} reads {receiving:?}: {violation:?}"));
        }
        if self.is_byzantine() {
            return;
        }
        self.break_rule(Rule::HonestServerAccused, format!("page {page}: {violation:?} about {receiving:?}"));
    }

    fn observe_drop(&mut self, page: usize, message: &Message<String>, reason: DropReason) {
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
        // What is not accepted has no number.
        if message.seq == 0 {
            return;
        }
        let Some(uid) = self.uid_of(page, message) else {
            return self.break_rule(Rule::DriverContract, format!("page {page} drops {message:?}, which never was"));
        };
        if message.frame != self.messages[uid as usize].frame {
            self.break_rule(Rule::DriverContract, format!("page {page} hands another text back than that of {uid}"));
        }
        if reason == DropReason::Replaced {
            self.check_replacement(page, uid);
        }
        if reason == DropReason::Poisoned {
            self.check_blame(uid);
        }
        let judged = self.messages[uid as usize].end(end_of(reason));
        self.judge(uid, judged);
        if self.messages[uid as usize].sender == page && self.messages[uid as usize].request_ends == 0 {
            let judged = self.messages[uid as usize].end_request();
            self.judge(uid, judged);
        }
        if let What::Join(room) | What::Leave(room) = self.messages[uid as usize].what {
            self.pages[page].doubtful_rooms.push(room);
        }
        if reason == DropReason::Unconfirmed {
            self.messages[uid as usize].is_unconfirmed = true;
        } else {
            self.remove(page, uid);
        }
    }

    /// A message with the same key that says no less has taken the place of this one.
    fn check_replacement(&mut self, page: usize, uid: u32) {
        let old = &self.messages[uid as usize];
        let new = self.pages[page].uids.last().map(|newest| &self.messages[*newest as usize]);
        if !new.is_some_and(|new| new.key.is_some() && new.key == old.key && new.rank >= old.rank) {
            self.break_rule(Rule::WronglyReplaced, format!("message {uid} of page {page}, for {new:?}"));
        }
    }

    /// The alarm goes off no later than something is due.
    fn check_alarm(&mut self, page: usize) {
        let this = &self.pages[page];
        let due = this.client().poll_timeout().map_or(Timestamp::NEVER, |(at, _)| at);
        let is_late = this.alarm.unwrap_or(Timestamp::NEVER) > due;
        if is_late && this.frozen_until.is_none() && !this.alarm_waits {
            self.break_rule(Rule::AlarmMissing, format!("page {page}: {:?}, and something is due {due:?}", this.alarm));
        }
    }

    /// What holds after every input.
    pub fn check_page(&mut self, page: usize, announced: Option<bool>) {
        self.check_alarm(page);
        let this = &self.pages[page];
        let snapshot = this.client().snapshot();
        let seen = (snapshot.phase, snapshot.queued, snapshot.protocol_errors, snapshot.has_room);
        if this.seen.is_some_and(|before| before != seen) && announced.is_none()
            || this.seen.is_some_and(|before| before.0 != seen.0) && announced != Some(true)
        {
            let detail = format!("page {page}: {:?} became {seen:?}", this.seen);
            return self.break_rule(Rule::Unannounced, detail);
        }
        let live = self.connections.iter().rev().find(|connection| connection.page == page && connection.is_live());
        let is_pending = matches!(seen.0, Phase::Connecting) && live.is_none();
        if !is_pending && this.client().socket() != live.map(|connection| connection.socket) {
            let detail = format!(
                "page {page}: {:?} against {:?}",
                this.client().socket(),
                live.map(|connection| connection.socket)
            );
            return self.break_rule(Rule::DriverContract, detail);
        }
        let (now, alarm) = (self.time(page), self.pages[page].client().poll_timeout());
        if alarm.is_some_and(|(at, _)| at <= now) && self.pages[page].frozen_until.is_none() {
            self.break_rule(Rule::Spins, format!("page {page}: {alarm:?} is over at {now:?}"));
        }
        if matches!(seen.0, Phase::Connecting | Phase::Waiting | Phase::Offline | Phase::Closing) && alarm.is_none() {
            self.break_rule(Rule::Stuck, format!("page {page}: {:?} without a deadline", seen.0));
        }
        if seen.0 == Phase::Fatal && self.pages[page].seen.is_some_and(|before| before.0 != Phase::Fatal) {
            self.tally.add(Count::Fatal);
        }
        if self.pages[page].client().in_flight() > 4_096 {
            self.break_rule(Rule::Unbounded, format!("page {page} has too much in flight"));
        }
        self.pages[page].seen = Some(seen);
    }
}
