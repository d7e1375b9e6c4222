//! What a transaction has done and the database has not been told of yet. It is told before anything else is asked of it.

use std::collections::HashMap;

use tokio_postgres::types::ToSql;

/// In the order in which it was done.
#[derive(Default)]
pub struct Pending {
    takes: Vec<Take>,
    events: Vec<NewEvent>,
    sent: Vec<(i64, Sent)>,
    processed: Vec<Processed>,
}

/// A place in it.
pub struct Mark {
    takes: usize,
    events: usize,
    sent: usize,
    processed: usize,
}

/// A client's message is processed.
pub struct Take {
    pub user: String,
    pub client_id: String,
    pub owner: String,
    pub prev: u64,
    pub seq: u64,
}

/// An event that has its place.
pub struct NewEvent {
    pub stream: i64,
    pub offset: u64,
    pub stored_at: i64,
    pub kind: String,
    pub frame: String,
    pub origin: Option<i64>,
    /// How many events of the stream are kept.
    pub kept: u64,
}

/// A message that receipts may come for.
pub struct Sent {
    pub user: String,
    pub client_id: String,
    pub seq: u64,
    pub room: Option<String>,
    pub message_id: Option<i64>,
    pub sent_at: i64,
}

/// A message that is written down for the tests that count them.
pub struct Processed {
    pub user: String,
    pub client_id: String,
    pub seq: u64,
    pub kind: String,
    pub data: String,
    pub refused: Option<String>,
}

/// A statement and what is given with it.
pub struct Write {
    pub sql: &'static str,
    pub params: Vec<Box<dyn ToSql + Sync>>,
}

impl Pending {
    pub fn take(&mut self, take: Take) {
        self.takes.push(take);
    }

    pub fn append(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    pub fn note_sent(&mut self, id: i64, sent: Sent) {
        self.sent.push((id, sent));
    }

    pub fn note_processed(&mut self, processed: Processed) {
        self.processed.push(processed);
    }

    pub fn is_empty(&self) -> bool {
        self.takes.is_empty() && self.events.is_empty() && self.sent.is_empty() && self.processed.is_empty()
    }

    pub fn mark(&self) -> Mark {
        Mark {
            takes: self.takes.len(),
            events: self.events.len(),
            sent: self.sent.len(),
            processed: self.processed.len(),
        }
    }

    /// Takes back what has come since.
    pub fn undo(&mut self, mark: &Mark) {
        drop(self.split_off(mark));
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What has come since.
    pub fn split_off(&mut self, mark: &Mark) -> Self {
        Self {
            takes: self.takes.split_off(mark.takes),
            events: self.events.split_off(mark.events),
            sent: self.sent.split_off(mark.sent),
            processed: self.processed.split_off(mark.processed),
        }
    }

    pub fn into_writes(self) -> Vec<Write> {
        let mut writes = Vec::new();
        if !self.takes.is_empty() {
            writes.push(takes(self.takes));
        }
        if !self.sent.is_empty() {
            writes.push(sent(self.sent));
        }
        if !self.events.is_empty() {
            events(self.events, &mut writes);
        }
        if !self.processed.is_empty() {
            writes.push(processed(self.processed));
        }
        writes
    }
}

/// Each client once, from before its first message to its last. If a row is not as it was expected, the transaction ends.
fn takes(takes: Vec<Take>) -> Write {
    let mut merged: Vec<Take> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for take in takes {
        let key = (take.user.clone(), take.client_id.clone());
        match places.get(&key) {
            Some(place) => merged[*place].seq = take.seq,
            None => {
                places.insert(key, merged.len());
                merged.push(take);
            }
        }
    }
    let count = merged.len() as i64;
    let mut whose: (Vec<String>, Vec<String>, Vec<String>) = Default::default();
    let mut numbers: (Vec<i64>, Vec<i64>) = Default::default();
    for Take { user, client_id, owner, prev, seq } in merged {
        whose.0.push(user);
        whose.1.push(client_id);
        whose.2.push(owner);
        numbers.0.push(prev.cast_signed());
        numbers.1.push(seq.cast_signed());
    }
    let (users, client_ids, owners) = whose;
    let (prevs, seqs) = numbers;
    Write {
        sql: "WITH taken AS (
                UPDATE everwire_clients AS c SET last = v.seq
                FROM unnest(?1::text[], ?2::text[], ?3::text[], ?4::bigint[], ?5::bigint[])
                    AS v (user_id, client_id, owner, prev, seq)
                WHERE c.user_id = v.user_id AND c.client_id = v.client_id AND c.owner = v.owner AND c.last = v.prev
                RETURNING 1)
              SELECT 1 / (CASE WHEN (SELECT COUNT(*) FROM taken) = ?6::bigint THEN 1 ELSE 0 END)",
        params: vec![
            Box::new(users),
            Box::new(client_ids),
            Box::new(owners),
            Box::new(prevs),
            Box::new(seqs),
            Box::new(count),
        ],
    }
}

fn sent(sent: Vec<(i64, Sent)>) -> Write {
    let mut columns: (Vec<i64>, Vec<String>, Vec<String>, Vec<i64>) = Default::default();
    let mut more: (Vec<Option<String>>, Vec<Option<i64>>, Vec<i64>) = Default::default();
    for (id, Sent { user, client_id, seq, room, message_id, sent_at }) in sent {
        columns.0.push(id);
        columns.1.push(user);
        columns.2.push(client_id);
        columns.3.push(seq.cast_signed());
        more.0.push(room);
        more.1.push(message_id);
        more.2.push(sent_at);
    }
    let (ids, users, client_ids, seqs) = columns;
    let (rooms, message_ids, times) = more;
    Write {
        sql: "INSERT INTO everwire_sent (id, user_id, client_id, seq, room, message_id, status, sent_at)
              SELECT v.id, v.user_id, v.client_id, v.seq, v.room, v.message_id, 0, v.sent_at
              FROM unnest(?1::bigint[], ?2::text[], ?3::text[], ?4::bigint[], ?5::text[], ?6::bigint[], ?7::bigint[])
                  AS v (id, user_id, client_id, seq, room, message_id, sent_at)",
        params: vec![
            Box::new(ids),
            Box::new(users),
            Box::new(client_ids),
            Box::new(seqs),
            Box::new(rooms),
            Box::new(message_ids),
            Box::new(times),
        ],
    }
}

fn processed(processed: Vec<Processed>) -> Write {
    let mut columns: (Vec<String>, Vec<String>, Vec<i64>) = Default::default();
    let mut more: (Vec<String>, Vec<String>, Vec<Option<String>>) = Default::default();
    for Processed { user, client_id, seq, kind, data, refused } in processed {
        columns.0.push(user);
        columns.1.push(client_id);
        columns.2.push(seq.cast_signed());
        more.0.push(kind);
        more.1.push(data);
        more.2.push(refused);
    }
    Write {
        sql: "INSERT INTO everwire_processed (user_id, client_id, seq, type, data, refused)
              SELECT * FROM unnest(?1::text[], ?2::text[], ?3::bigint[], ?4::text[], ?5::text[], ?6::text[])",
        params: vec![
            Box::new(columns.0),
            Box::new(columns.1),
            Box::new(columns.2),
            Box::new(more.0),
            Box::new(more.1),
            Box::new(more.2),
        ],
    }
}

fn events(events: Vec<NewEvent>, writes: &mut Vec<Write>) {
    let mut streams: HashMap<i64, (i64, i64)> = HashMap::new();
    let mut forgotten: HashMap<i64, i64> = HashMap::new();
    let mut columns: (Vec<i64>, Vec<i64>, Vec<i64>) = Default::default();
    let mut more: (Vec<String>, Vec<String>, Vec<Option<i64>>) = Default::default();
    for NewEvent { stream, offset, stored_at, kind, frame, origin, kept } in events {
        let (newest, bytes) = streams.entry(stream).or_default();
        *newest = offset.cast_signed();
        *bytes += frame.len() as i64;
        // Now and then, so that not each transaction has to look.
        if offset.is_multiple_of(FORGET_EVERY) {
            forgotten.insert(stream, offset.saturating_sub(kept).cast_signed());
        }
        columns.0.push(stream);
        columns.1.push(offset.cast_signed());
        columns.2.push(stored_at);
        more.0.push(kind);
        more.1.push(frame);
        more.2.push(origin);
    }
    let mut grown: (Vec<i64>, Vec<i64>, Vec<i64>) = Default::default();
    for (stream, (newest, bytes)) in streams {
        grown.0.push(stream);
        grown.1.push(newest);
        grown.2.push(bytes);
    }
    let count = grown.0.len() as i64;
    writes.push(Write {
        sql: "WITH grown AS (
                UPDATE everwire_streams AS s SET newest = v.newest, bytes = s.bytes + v.bytes
                FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS v (id, newest, bytes)
                WHERE s.id = v.id AND s.newest < v.newest RETURNING 1)
              SELECT 1 / (CASE WHEN (SELECT COUNT(*) FROM grown) = ?4::bigint THEN 1 ELSE 0 END)",
        params: vec![Box::new(grown.0), Box::new(grown.1), Box::new(grown.2), Box::new(count)],
    });
    let (streams, offsets, times) = columns;
    let (kinds, frames, origins) = more;
    writes.push(Write {
        sql: "INSERT INTO everwire_events (stream, \"offset\", stored_at, type, frame, origin)
              SELECT * FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::text[], ?5::text[], ?6::bigint[])",
        params: vec![
            Box::new(streams),
            Box::new(offsets),
            Box::new(times),
            Box::new(kinds),
            Box::new(frames),
            Box::new(origins),
        ],
    });
    if !forgotten.is_empty() {
        let (streams, upto): (Vec<i64>, Vec<i64>) = forgotten.into_iter().unzip();
        writes.push(Write {
            sql: "DELETE FROM everwire_events AS e USING unnest(?1::bigint[], ?2::bigint[]) AS v (stream, upto)
                  WHERE e.stream = v.stream AND e.\"offset\" <= v.upto",
            params: vec![Box::new(streams), Box::new(upto)],
        });
    }
}

/// A history is bounded to within so many events.
const FORGET_EVERY: u64 = 64;
