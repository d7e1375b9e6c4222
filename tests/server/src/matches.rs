//! Who is matched with whom.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use crate::{
    messages,
    store::{Store, StoreError},
    sync::SharedLock as _,
};

/// All matches, in memory: authorisation and presence ask on every message, and must not wait for a disk.
pub struct Matches {
    store: Store,
    index: RwLock<Index>,
}

#[derive(Default)]
struct Index {
    /// The row of the newest match that was read.
    newest: i64,
    users: HashMap<Arc<str>, [Arc<str>; 2]>,
    partners: HashMap<Arc<str>, Vec<Arc<str>>>,
    by_user: HashMap<Arc<str>, Vec<Arc<str>>>,
}

/// Why a match was not made.
#[derive(Debug)]
pub enum MatchError {
    /// There is one of that id between other users.
    Taken,
    /// It could not be stored.
    Store(StoreError),
}

impl Matches {
    /// Loads what is stored.
    pub async fn load(store: Store) -> Result<Self, StoreError> {
        let matches = Self { store, index: RwLock::default() };
        matches.read().await?;
        Ok(matches)
    }

    /// Takes up the matches that other processes make, for as long as the server runs.
    pub async fn follow(&self) {
        loop {
            self.store.others_have_stored().await;
            if let Err(error) = self.read().await {
                tracing::error!(%error, "matches of other processes could not be read");
            }
        }
    }

    /// Loads what was stored since the last time.
    async fn read(&self) -> Result<(), StoreError> {
        let known = self.index.reading().newest;
        let stored = self.store.run(move |database| messages::matches_since(database, known)).await?;
        let mut index = self.index.writing();
        for (row, id, [first, second]) in stored {
            index.newest = index.newest.max(row);
            index.add(id.into(), [first.into(), second.into()]);
        }
        Ok(())
    }

    /// Stores a match. Making it twice is the same as making it once.
    pub async fn make(&self, id: &str, users: [String; 2]) -> Result<(), MatchError> {
        let pair = users.each_ref().map(|user| Arc::<str>::from(user.as_str()));
        if let Some(existing) = self.index.reading().users.get(id) {
            return if same_pair(existing, &pair) { Ok(()) } else { Err(MatchError::Taken) };
        }
        // Another request, or another process, may have stored the same id first, and what is stored counts.
        let stored_id = id.to_owned();
        let stored = self.store.run(move |database| messages::insert_match(database, &stored_id, &users));
        let stored = stored.await.map_err(MatchError::Store)?.map(Arc::<str>::from);
        let result = if same_pair(&stored, &pair) { Ok(()) } else { Err(MatchError::Taken) };
        self.index.writing().add(id.into(), stored);
        result
    }

    /// The other user of a match that `user` belongs to.
    pub fn partner(&self, id: &str, user: &str) -> Option<Arc<str>> {
        match self.index.reading().users.get(id)? {
            [first, second] if &**first == user => Some(second.clone()),
            [first, second] if &**second == user => Some(first.clone()),
            _ => None,
        }
    }

    /// The users of a match.
    pub fn users(&self, id: &str) -> Option<[Arc<str>; 2]> {
        self.index.reading().users.get(id).cloned()
    }

    /// The matches of a user.
    pub fn of_user(&self, user: &str) -> Vec<Arc<str>> {
        self.index.reading().by_user.get(user).cloned().unwrap_or_default()
    }

    /// Everyone whom a user is matched with.
    pub fn partners(&self, user: &str) -> Vec<Arc<str>> {
        self.index.reading().partners.get(user).cloned().unwrap_or_default()
    }

    /// Where the messages are.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Index {
    fn add(&mut self, id: Arc<str>, users: [Arc<str>; 2]) {
        let [first, second] = &users;
        for (user, partner) in [(first, second), (second, first)] {
            let partners = self.partners.entry(user.clone()).or_default();
            if !partners.contains(partner) {
                partners.push(partner.clone());
            }
            let matches = self.by_user.entry(user.clone()).or_default();
            if !matches.contains(&id) {
                matches.push(id.clone());
            }
        }
        self.users.insert(id, users);
    }
}

fn same_pair([a, b]: &[Arc<str>; 2], [c, d]: &[Arc<str>; 2]) -> bool {
    (a == c && b == d) || (a == d && b == c)
}
