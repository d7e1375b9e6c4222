//! What has become of every message: the reference model for the way from client to server.

use everwire::proto::DropReason;

use crate::verdict::Rule;

/// One message that an application has sent.
#[derive(Clone, Debug)]
pub struct MessageModel {
    /// The page that gave it its number, which is also its client id.
    pub sender: usize,
    /// The page that has to send it: the same, or a later one that has restored it.
    pub holder: usize,
    pub seq: u64,
    pub what: What,
    /// Whether it is an event of the conversation.
    pub is_chat: bool,
    /// Whether the server has refused it, which its sender may not have heard.
    pub was_refused: bool,
    /// The text that the application has given.
    pub frame: String,
    pub bytes: u32,
    /// What messages that replace each other have in common, and which of two says more.
    pub key: Option<String>,
    pub rank: u64,
    pub ttl_ms: Option<u64>,
    /// Whether it is on disk, so that the application may rely on it.
    pub is_stored: bool,
    pub is_request: bool,
    pub request_ends: u32,
    pub status: Status,
    pub is_acknowledged: bool,
    /// How often it was handed to a socket with a number.
    pub numbered: u32,
    /// How often it was handed to a socket at most once.
    pub plain: u32,
    pub was_restored: bool,
    /// Whether it had ended when it was restored, because its page died before it was off the disk.
    pub is_undead: bool,
    /// Whether it was reported as unconfirmed, which it stays on disk for: a later page may learn more.
    pub is_unconfirmed: bool,
    /// Whether its page has begun to take it off the disk.
    pub is_being_removed: bool,
    /// Whether a page died between sending it to a plain server and taking it off the disk.
    pub may_come_twice: bool,
    pub accepted_at: u64,
    /// The close code with which the server answers it.
    pub poison: Option<u16>,
    /// The connection that it went out on last.
    pub sent_on: Option<usize>,
    /// How many connections that it was under way on were ended in words that can mean a message.
    pub strikes: u32,
    /// How many of these were ended over this very message.
    pub ends: u32,
    /// The latest life of the server's memory in which it was processed.
    pub processed_in: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Note { room: Option<u32> },
    Volatile,
    Join(u32),
    Leave(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Queued,
    Sent,
    Acknowledged,
    Delivered,
    Read,
    Ended(End),
}

/// Why a message went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Dropped,
    /// Given up after it was sent, so that it may have been processed.
    Unconfirmed,
    Cancelled,
    RequestFailed,
}

type Judged = Result<(), (Rule, &'static str)>;

impl MessageModel {
    /// It was handed to a socket.
    pub fn hand_over(&mut self, is_numbered: bool) -> Judged {
        if let Status::Ended(_) = self.status {
            return Err((Rule::SentAfterItsEnd, "handed to a socket after its end"));
        }
        if self.is_acknowledged {
            return Err((Rule::StatusBackwards, "handed to a socket after its acknowledgement"));
        }
        self.status = self.status.max(Status::Sent);
        if is_numbered {
            self.numbered += 1
        } else {
            self.plain += 1
        }
        Ok(())
    }

    /// The socket did not take it. With a number it counts as sent all the same, and goes out again.
    pub fn take_back(&mut self, was_numbered: bool) {
        if !was_numbered {
            self.plain -= 1;
            self.status = Status::Queued;
        }
    }

    /// The server has said that it is processed.
    pub fn acknowledge(&mut self) -> Judged {
        // What was sent at most once has no number that the server could mean.
        if self.plain > 0 && self.numbered == 0 || self.has_ended() || self.what == What::Volatile {
            return Ok(());
        }
        if self.processed_in.is_none() && !self.is_undead {
            return Err((Rule::AcknowledgedUnprocessed, "acknowledged, and the server never saw it"));
        }
        self.is_acknowledged = true;
        self.status = self.status.max(Status::Acknowledged);
        Ok(())
    }

    pub fn receive(&mut self, read: bool) {
        let status = if read { Status::Read } else { Status::Delivered };
        if self.status < Status::Ended(End::Dropped) {
            self.status = self.status.max(status);
        }
    }

    pub fn end(&mut self, end: End) -> Judged {
        if self.is_acknowledged {
            return Err((Rule::EndsTwice, "ended after its acknowledgement"));
        }
        match self.status {
            Status::Ended(_) => return Err((Rule::EndsTwice, "ended twice")),
            // A receipt came before the acknowledgement, which the server that is there now cannot give any more.
            Status::Delivered | Status::Read if end == End::Unconfirmed => {
                self.is_acknowledged = true;
                return Ok(());
            }
            _ => {}
        }
        if self.plain > 0 && self.numbered == 0 && !self.was_restored {
            return Err((Rule::EndsTwice, "ended after it was sent at most once"));
        }
        let may_have_arrived = self.numbered + self.plain > 0 || self.was_restored;
        if end == End::Cancelled && self.status == Status::Sent {
            return Err((Rule::StatusBackwards, "cancelled after it was sent"));
        }
        if end == End::Dropped && self.numbered > 0 && !self.was_restored {
            return Err((Rule::StatusBackwards, "dropped after it was sent"));
        }
        self.status = Status::Ended(if may_have_arrived { End::Unconfirmed } else { end });
        Ok(())
    }

    pub fn process(&mut self, epoch: u64) -> Judged {
        if self.processed_in == Some(epoch) && !self.may_come_twice {
            return Err((Rule::Doubled, "processed twice"));
        }
        if self.numbered + self.plain == 0 && !self.was_restored {
            return Err((Rule::SentAfterItsEnd, "processed and never sent"));
        }
        self.processed_in = Some(epoch);
        Ok(())
    }

    pub fn end_request(&mut self) -> Judged {
        if self.is_request {
            self.request_ends += 1;
        }
        if self.request_ends > 1 { Err((Rule::RequestEndedTwice, "the request ended twice")) } else { Ok(()) }
    }

    /// A later page has found it on disk.
    pub fn restore(&mut self, holder: usize) {
        self.holder = holder;
        self.was_restored = true;
        self.may_come_twice |= self.plain > 0;
        (self.is_unconfirmed, self.is_being_removed) = (false, false);
        (self.sent_on, self.strikes, self.ends) = (None, 0, 0);
        self.is_undead |= self.has_ended();
        self.is_acknowledged = false;
        (self.numbered, self.plain) = (0, 0);
        self.status = Status::Queued;
    }

    /// Whether it was sent to a plain server, where nobody waits for it any more, and yet nobody takes it off the disk.
    pub const fn stays_on_disk(&self) -> bool {
        self.plain > 0 && !self.is_being_removed && !self.has_ended()
    }

    pub const fn has_ended(&self) -> bool {
        matches!(self.status, Status::Ended(_))
    }

    /// Whether somebody still has to bring it to the server.
    pub const fn is_under_way(&self) -> bool {
        !(self.is_acknowledged || self.has_ended()) && (self.plain == 0 || self.numbered > 0)
    }
}

/// How a drop that the client reports ends a message.
pub const fn end_of(reason: DropReason) -> End {
    match reason {
        DropReason::Unconfirmed | DropReason::Poisoned | DropReason::OutcomeUnknown => End::Unconfirmed,
        _ => End::Dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> MessageModel {
        MessageModel {
            sender: 0,
            holder: 0,
            seq: 1,
            what: What::Note { room: None },
            is_chat: false,
            was_refused: false,
            frame: String::new(),
            bytes: 1,
            key: None,
            rank: 0,
            ttl_ms: None,
            is_stored: false,
            is_request: true,
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
            accepted_at: 0,
            poison: None,
            sent_on: None,
            strikes: 0,
            ends: 0,
            processed_in: None,
        }
    }

    #[test]
    fn the_straight_way_breaks_nothing() {
        let mut entry = entry();
        entry.hand_over(true).unwrap();
        entry.process(1).unwrap();
        entry.hand_over(true).unwrap();
        entry.acknowledge().unwrap();
        assert_eq!(entry.status, Status::Acknowledged);
        entry.acknowledge().unwrap();
        entry.receive(true);
        entry.receive(false);
        assert_eq!(entry.status, Status::Read);
        entry.end_request().unwrap();
        assert!(!entry.is_under_way());
    }

    #[test]
    fn every_rule_about_one_message_can_be_broken() {
        let rule = |judged: Judged| judged.unwrap_err().0;
        let mut doubled = entry();
        doubled.hand_over(true).unwrap();
        doubled.process(1).unwrap();
        assert_eq!(rule(doubled.process(1)), Rule::Doubled);
        doubled.process(2).unwrap();

        let mut dropped = entry();
        dropped.end(End::Dropped).unwrap();
        assert_eq!(rule(dropped.hand_over(true)), Rule::SentAfterItsEnd);
        assert_eq!(rule(dropped.end(End::Dropped)), Rule::EndsTwice);
        assert_eq!(rule(dropped.process(1)), Rule::SentAfterItsEnd);

        let mut sent = entry();
        sent.hand_over(true).unwrap();
        assert_eq!(rule(sent.end(End::Cancelled)), Rule::StatusBackwards);
        assert_eq!(rule(sent.end(End::Dropped)), Rule::StatusBackwards);
        assert_eq!(sent.acknowledge().unwrap_err().0, Rule::AcknowledgedUnprocessed);
        sent.process(1).unwrap();
        sent.acknowledge().unwrap();
        assert_eq!(rule(sent.hand_over(true)), Rule::StatusBackwards);

        sent.end_request().unwrap();
        assert_eq!(rule(sent.end_request()), Rule::RequestEndedTwice);
    }

    #[test]
    fn what_was_sent_at_most_once_is_not_acknowledged_and_not_under_way() {
        let mut plain = entry();
        plain.hand_over(false).unwrap();
        plain.acknowledge().unwrap();
        assert_eq!(plain.status, Status::Sent);
        assert_eq!(plain.end(End::Dropped).unwrap_err().0, Rule::EndsTwice);
        assert!(!plain.is_under_way());
        plain.take_back(false);
        assert_eq!(plain.status, Status::Queued);
        assert!(plain.is_under_way());
    }
}
