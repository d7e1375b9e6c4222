//! One run from its plan to its verdict.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use everwire::proto::time::FOREVER;
use everwire::proto::{Delivery, Phase};

use crate::page_host::ENDLESS;
use crate::run_plan::{Note, Plan};
use crate::run_tally::Tally;
use crate::sent_message::{End, Status, What};
use crate::simulated_page::BrowserEvent;
use crate::simulation::Simulation;
use crate::verdict::{BrokenRule, Rule};

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub violation: Option<BrokenRule>,
    pub tally: Tally,
    pub trace: Vec<String>,
    /// The virtual time that it took, in milliseconds.
    pub took_ms: u64,
}

/// Runs a plan; the same plan always gives the same outcome.
pub fn run(plan: &Plan, is_traced: bool) -> Outcome {
    let mut simulation = Simulation::new(plan, is_traced);
    let finished = catch_unwind(AssertUnwindSafe(|| simulation.complete()));
    if let Err(panic) = finished {
        let (rule, words) = panicked(&*panic);
        simulation.violation = None;
        simulation.break_rule(rule, words);
    }
    let Simulation { violation, tally, trace, now, .. } = simulation;
    Outcome { violation, tally, trace: trace.unwrap_or_default(), took_ms: now }
}

/// What a panic has broken, and its words.
pub fn panicked(panic: &(dyn Any + Send)) -> (Rule, String) {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?").to_owned();
    (if words == ENDLESS { Rule::Spins } else { Rule::Panic }, words)
}

impl Simulation {
    fn complete(&mut self) {
        self.advance(self.setup.calm_at);
        self.calm();
        let until = self.now + self.patience_ms();
        while self.violation.is_none() {
            self.reconnect_those_who_stopped();
            self.probe_once_more();
            self.finish_conversations();
            let next = self.now + SLICE_MS;
            self.advance(next);
            let unsettled = self.unsettled();
            match unsettled {
                None => break,
                Some((rule, detail)) if self.now >= until => self.break_rule(rule, detail),
                Some(_) => {}
            }
        }
        if self.violation.is_none() {
            self.judge_the_end();
        }
    }

    /// Faults stop.
    fn calm(&mut self) {
        self.setup.server.byzantine_every = self.setup.server.byzantine_every.min(1) * u32::MAX;
        for number in 0..self.devices.len() {
            let device = &mut self.devices[number];
            (device.silent_until, device.refusing_until) = (0, 0);
            (device.no_tokens, device.refused_tokens) = (0, 0);
            let page = device.page;
            if self.setup.calm_is_announced {
                self.dispatch(page, BrowserEvent::Online);
                self.dispatch(page, BrowserEvent::Visible);
            }
        }
    }

    /// How long everything may take once faults have stopped, in milliseconds.
    fn patience_ms(&self) -> u64 {
        let slowest = self.setup.devices.iter().map(|device| {
            let interval = if device.interval_ms == FOREVER { 0 } else { device.interval_ms };
            2 * interval + 4 * device.timeout_ms + 3 * device.connect_timeout_ms
        });
        slowest.max().unwrap_or(0) + 200_000
    }

    /// A client that has stopped for good is connected again by its application.
    fn reconnect_those_who_stopped(&mut self) {
        for number in 0..self.devices.len() {
            let page = self.devices[number].page;
            let has_stopped = matches!(
                self.pages[page].client().snapshot().phase,
                Phase::Idle | Phase::LoggedOut | Phase::GivenUp | Phase::Fatal
            );
            if self.pages[page].is_alive && self.pages[page].frozen_until.is_none() && has_stopped {
                self.connect(page);
            }
        }
    }

    /// Without a heartbeat, only a message that is not acknowledged shows that a connection is dead.
    fn probe_once_more(&mut self) {
        for number in 0..self.devices.len() {
            let page = self.devices[number].page;
            let this = &self.pages[page];
            let has_to = self.setup.devices[number].interval_ms == FOREVER && !this.has_probed;
            let snapshot = this.client().snapshot();
            let is_open = snapshot.phase == Phase::Open && snapshot.delivery == Delivery::Reliable;
            let can_be_seen =
                self.live_connection(number).is_some_and(|connection| !self.connections[connection].is_whole());
            if has_to && is_open && can_be_seen && this.is_alive && this.frozen_until.is_none() {
                self.pages[page].has_probed = true;
                self.send_as(page, What::Note { room: None }, Note::PLAIN);
            }
        }
    }

    /// Without a heartbeat, and with nothing to be acknowledged, nothing shows that a connection is dead.
    pub fn is_blind(&self, page: usize) -> bool {
        let this = &self.pages[page];
        let snapshot = this.client().snapshot();
        let waits_for_nothing = this.client().in_flight() == 0 && !snapshot.has_room;
        self.setup.devices[this.device].interval_ms == FOREVER
            && (snapshot.delivery == Delivery::AtMostOnce || waits_for_nothing)
    }

    /// What is not as it has to be in the end.
    fn unsettled(&self) -> Option<(Rule, String)> {
        for (number, device) in self.devices.iter().enumerate() {
            let (page, this) = (device.page, &self.pages[device.page]);
            let snapshot = this.client().snapshot();
            if !(this.is_alive && this.has_restored) || this.frozen_until.is_some() || snapshot.phase != Phase::Open {
                return Some((Rule::NotOpen, format!("page {page} of device {number} is {:?}", snapshot.phase)));
            }
            let connection = self.live_connection(number);
            let is_whole = connection.is_some_and(|connection| self.connections[connection].is_whole());
            if self.is_blind(page) && !is_whole {
                continue;
            }
            if !is_whole {
                return Some((Rule::NotOpen, format!("page {page} thinks that {connection:?} is open, and it is not")));
            }
            if snapshot.queued + this.client().in_flight() > 0 {
                let detail = format!("page {page}: {} wait, {} in flight", snapshot.queued, this.client().in_flight());
                return Some((Rule::Stuck, detail));
            }
            if !snapshot.has_room {
                return Some((Rule::RoomDenied, format!("page {page} has no room although nothing waits")));
            }
            if !self.server_is_plain
                && let Some(detail) = self.incomplete_stream(page)
            {
                return Some((Rule::StreamIncomplete, detail));
            }
            if let Some(unsettled) = self.unsettled_chat(page) {
                return Some(unsettled);
            }
        }
        if let Some(left) = self.left_on_disk() {
            return Some(left);
        }
        for (uid, entry) in self.messages.iter().enumerate() {
            if entry.is_request
                && entry.request_ends == 0
                && self.pages[entry.sender].is_alive
                && entry.status != Status::Ended(End::Dropped)
            {
                return Some((Rule::RequestNeverEnded, format!("message {uid}, seq {}", entry.seq)));
            }
        }
        let busy =
            self.connections.iter().position(|connection| !(connection.up.is_empty() && connection.down.is_empty()))?;
        Some((Rule::Stuck, format!("something is under way on connection {busy}")))
    }

    fn judge_the_end(&mut self) {
        for uid in 0..self.messages.len() {
            let entry = &self.messages[uid];
            let can_still_be_sent =
                !self.is_blind(entry.holder) && (self.pages[entry.holder].is_alive || entry.is_stored);
            if entry.is_under_way() && can_still_be_sent && entry.what != What::Volatile {
                let lost = entry.processed_in.is_none();
                let rule = if lost { Rule::Lost } else { Rule::Stuck };
                return self.break_rule(rule, format!("message {uid} in the end: {entry:?}"));
            }
        }
        for device in 0..self.devices.len() {
            self.compare_positions(self.devices[device].page);
            self.compare_rooms(device);
        }
    }
}

const SLICE_MS: u64 = 500;
