//! What a client makes of the streams, against what the server has stored: the reference model for the way from server to client.

use crate::downward_frame::{Kind, Position, Stream};
use crate::run_tally::Count;
use crate::simulated_page::Follow;
use crate::simulation::Simulation;
use crate::verdict::Rule;

impl Simulation {
    pub fn observe_event(&mut self, page: usize, position: Position) {
        self.tally.add(Count::Events);
        if matches!(position.stream, Stream::Sender(sender) if sender as usize != page) {
            // The page has no position in the answers to another's messages.
            return;
        }
        let Some(follow) = self.pages[page].follow(position.stream).copied() else {
            return self.go_on(page, position.passed());
        };
        let detail = format!("page {page}: {position:?} comes at {follow:?}");
        if !follow.is_reset && position.index < follow.index {
            self.break_rule(Rule::EventRepeated, detail);
        } else if !follow.is_reset && position.index > follow.index {
            self.break_rule(Rule::EventMissed, detail);
        } else {
            self.go_on(page, position.passed());
        }
    }

    fn go_on(&mut self, page: usize, position: Position) {
        let follows = &mut self.pages[page].follows;
        follows.retain(|follow| follow.stream != position.stream);
        follows.push(Follow::new(position));
    }

    pub fn observe_gap(&mut self, page: usize, name: &str, from: u64, to: Option<u64>) {
        let Some(stream) = Stream::parse(name) else {
            return self.break_rule(Rule::BogusGap, format!("page {page}: gap in \"{name}\", which it cannot follow"));
        };
        let mut announced = None;
        let mut leaves_out = false;
        match self.pages[page].receiving.clone().map(|down| down.kind) {
            Some(Kind::Welcome { epoch, streams, .. }) => {
                self.pages[page].adopt_epoch(epoch);
                announced = streams.into_iter().find(|announced| announced.stream == stream);
                leaves_out = announced.is_none();
            }
            Some(Kind::Begin(position)) => announced = Some(position).filter(|announced| announced.stream == stream),
            _ => {}
        }
        let follow = self.pages[page].follow(stream).copied();
        let detail =
            format!("page {page}: gap in {stream:?} from {from} to {to:?} at {follow:?}, announced {announced:?}");
        let Some(follow) = follow.filter(|follow| from == follow.at + 1) else {
            return self.break_rule(Rule::BogusGap, detail);
        };
        if leaves_out && to.is_none() {
            self.tally.add(Count::LeftOut);
            return self.pages[page].follows.retain(|follow| follow.stream != stream);
        }
        let Some(announced) = announced else {
            return self.break_rule(Rule::BogusGap, detail);
        };
        let begins_anew = follow.is_reset || announced.offset < follow.at;
        let is_sound = to.is_none_or(|to| to == announced.offset && to > follow.at) && begins_anew == to.is_none();
        if !is_sound {
            return self.break_rule(Rule::BogusGap, detail);
        }
        if let Some(to) = to {
            self.tally.add(Count::Gaps);
            if self.pages[page].epoch == self.memory.epoch
                && let Some(log) = self.memory.known(stream)
                && log.floor < to
            {
                return self.break_rule(Rule::BogusGap, format!("{detail}, kept after {}", log.floor));
            }
        } else {
            self.tally.add(Count::EndlessGaps);
        }
        self.go_on(page, announced);
    }

    /// The client's positions are those that the model has followed.
    pub fn compare_positions(&mut self, page: usize) {
        let this = &self.pages[page];
        let mut differences = this.client().positions().filter_map(|(name, at)| {
            let stream = Stream::parse(name);
            let follow = stream.and_then(|stream| this.follow(stream));
            let differs = follow.is_none_or(|follow| follow.at != at);
            differs.then(|| format!("page {page}: {stream:?} at {at}, followed {follow:?}"))
        });
        let difference = differences.next();
        drop(differences);
        if let Some(detail) = difference {
            self.break_rule(Rule::PositionsDiffer, detail);
        }
    }

    /// Every stream of a connection is in its welcome. What a client followed beside them is named as missing.
    pub fn compare_welcome(&mut self, page: usize, announced: &[Position]) {
        for announced in announced {
            self.begin_to_follow(page, *announced);
            self.compare_announced(page, *announced);
        }
        let is_carried = |follow: &&Follow| announced.iter().any(|announced| announced.stream == follow.stream);
        if let Some(follow) = self.pages[page].follows.iter().find(|follow| !is_carried(follow)) {
            let detail = format!("page {page} is not announced that nothing comes any more at {follow:?}");
            self.break_rule(Rule::EventMissed, detail);
        }
        self.compare_positions(page);
    }

    /// A client begins to follow a stream where the server says that it begins.
    pub fn begin_to_follow(&mut self, page: usize, announced: Position) {
        if self.pages[page].follow(announced.stream).is_none() && self.pages[page].has_position(announced) {
            self.go_on(page, announced);
        }
    }

    /// A client that goes on from a position has everything before it, or was given a gap for it.
    pub fn compare_announced(&mut self, page: usize, announced: Position) {
        let Some(follow) = self.pages[page].follow(announced.stream) else { return };
        let detail = format!("page {page} was announced {announced:?}, and is at {follow:?}");
        if !follow.is_at(announced) {
            self.break_rule(Rule::PositionsDiffer, detail);
        } else if follow.index != announced.index && !follow.is_reset {
            self.break_rule(Rule::EventMissed, detail);
        }
    }

    /// A stream that is not complete in the end.
    pub fn incomplete_stream(&self, page: usize) -> Option<String> {
        let is_behind = |follow: &&Follow| {
            let newest = self.memory.known(follow.stream).map(|log| log.resume(None));
            newest.is_none_or(|newest| follow.is_reset || !follow.is_at(newest) || follow.index != newest.index)
        };
        let follow = self.pages[page].follows.iter().find(is_behind)?;
        Some(format!("page {page}: {follow:?}, the server has {:?}", self.memory.known(follow.stream)))
    }
}

impl Position {
    /// Behind the event that stands here.
    const fn passed(self) -> Self {
        Self { index: self.index + 1, ..self }
    }
}
