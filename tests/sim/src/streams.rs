//! What a client makes of the streams, against what the server has stored: the reference model for the way from server to client.

use crate::frame::Position;
use crate::page::Follow;
use crate::tally::Count;
use crate::verdict::Rule;
use crate::world::World;

impl World {
    pub fn notice_event(&mut self, page: usize, position: Position) {
        self.tally.add(Count::Events);
        let Some(follow) = self.pages[page].follow(position.stream).copied() else {
            return self.go_on(page, position.passed());
        };
        let detail = format!("page {page}: {position:?} comes at {follow:?}");
        if !follow.is_void && position.index < follow.index {
            self.break_rule(Rule::EventRepeated, detail);
        } else if !follow.is_void && position.index > follow.index {
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

    pub fn notice_gap(&mut self, page: usize, stream: u32, from: u64, to: Option<u64>) {
        let stream = self.pages[page].names[stream as usize];
        let told = self.pages[page].telling;
        let follow = self.pages[page].follow(stream).copied();
        let detail = format!("page {page}: gap in {stream:?} from {from} to {to:?} at {follow:?}, told {told:?}");
        let (Some(follow), Some(told)) = (follow, told) else {
            return self.break_rule(Rule::BogusGap, detail);
        };
        let is_sound = told.stream == stream
            && from == follow.at + 1
            && to.is_none_or(|to| to == told.offset && to > follow.at)
            && follow.is_void == to.is_none();
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
        self.go_on(page, told);
    }

    /// The client's positions are those that the model has followed.
    pub fn compare_positions(&mut self, page: usize) {
        if let Some(position) = self.pages[page].telling
            && self.pages[page].follow(position.stream).is_none()
            && self.pages[page].has_position(position)
        {
            self.go_on(page, position);
        }
        let this = &self.pages[page];
        let mut differences = this.client.positions().filter_map(|(number, at)| {
            let stream = this.names[number as usize];
            let follow = this.follow(stream);
            let differs = follow.is_none_or(|follow| follow.at != at);
            differs.then(|| format!("page {page}: {stream:?} at {at}, followed {follow:?}"))
        });
        let difference = differences.next();
        drop(differences);
        if let Some(detail) = difference {
            self.break_rule(Rule::PositionsDiffer, detail);
        }
    }

    /// A client that goes on from a position has everything before it, or was told that it is missing.
    pub fn compare_index(&mut self, page: usize, told: Position) {
        if let Some(follow) = self.pages[page].follow(told.stream)
            && follow.is_at(told)
            && follow.index != told.index
            && !follow.is_void
        {
            let detail = format!("page {page} goes on at {told:?}, and is at {follow:?}");
            self.break_rule(Rule::EventMissed, detail);
        }
    }

    /// A stream that is not complete in the end.
    pub fn incomplete_stream(&self, page: usize) -> Option<String> {
        let is_behind = |follow: &&Follow| {
            let newest = self.memory.known(follow.stream).map(|log| log.resume(None));
            newest.is_none_or(|newest| follow.is_void || !follow.is_at(newest) || follow.index != newest.index)
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
