//! Who is matched with whom.

use std::{collections::HashMap, sync::Arc};

use everwire_axum::{Context, Store, StoreError};
use parking_lot::RwLock;

use crate::{
    match_status,
    messages::{self, MatchStatus, StoredMatch},
};

/// All matches, in memory: authorisation and presence ask on every message, and must not wait for a disk.
pub struct Matches {
    store: Store,
    index: Arc<RwLock<Index>>,
}

#[derive(Default)]
struct Index {
    /// The newest revision of a match that was read.
    newest: i64,
    matches: HashMap<Arc<str>, Match>,
    partners: HashMap<Arc<str>, Vec<Arc<str>>>,
    by_user: HashMap<Arc<str>, Vec<Arc<str>>>,
}

struct Match {
    users: [Arc<str>; 2],
    status: MatchStatus,
    revision: i64,
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
    /// Loads what is stored. A database that is away has it later, which [`Matches::follow`] notices.
    pub async fn load(store: Store) -> Result<Self, StoreError> {
        let matches = Self { store, index: Arc::default() };
        match matches.read().await {
            Err(error) if !error.may_pass() => Err(error),
            _ => Ok(matches),
        }
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
        let known = self.index.read().newest;
        let stored = self.store.run(move |database| messages::matches_since(database, known)).await?;
        let mut index = self.index.write();
        for stored in stored {
            index.newest = index.newest.max(stored.revision);
            index.put(stored);
        }
        Ok(())
    }

    /// Stores a match. Making it twice is the same as making it once.
    pub async fn make(&self, id: &str, users: [String; 2], status: MatchStatus) -> Result<(), MatchError> {
        let pair = users.each_ref().map(|user| Arc::<str>::from(user.as_str()));
        if let Some(existing) = self.index.read().matches.get(id) {
            return if same_pair(&existing.users, &pair) { Ok(()) } else { Err(MatchError::Taken) };
        }
        // Another request, or another process, may have stored the same id first, and what is stored counts.
        let stored_id = id.to_owned();
        let stored = self.store.transact(move |context| {
            context.announce()?;
            messages::insert_match(context.db(), &stored_id, &users, status)
        });
        let stored = stored.await.map_err(MatchError::Store)?;
        let is_same = same_pair(&stored.users.each_ref().map(|user| user.as_str().into()), &pair);
        self.index.write().put(stored);
        if is_same { Ok(()) } else { Err(MatchError::Taken) }
    }

    /// Changes the status of a match and tells its users. Says whether it was another before; `None` if there is no such match.
    pub async fn set_status(&self, id: &str, status: MatchStatus) -> Result<Option<bool>, StoreError> {
        let (stored_id, index) = (id.to_owned(), self.index.clone());
        let change = move |context: &mut Context<'_>| {
            let id = stored_id.clone();
            // Before anybody hears of it: who does may join at once.
            context.after_commit(move || index.write().set_status(&id, status));
            match_status::set(context, &stored_id, status)
        };
        let changed = self.store.transact(change).await?;
        self.read().await?;
        Ok(changed)
    }

    /// How it stands with a match of this user; `None` if it is not theirs.
    pub fn status(&self, id: &str, user: &str) -> Option<MatchStatus> {
        let index = self.index.read();
        let known = index.matches.get(id).filter(|known| known.users.iter().any(|member| &**member == user))?;
        Some(known.status)
    }

    /// The other user of a match that `user` belongs to.
    pub fn partner(&self, id: &str, user: &str) -> Option<Arc<str>> {
        match &self.index.read().matches.get(id)?.users {
            [first, second] if &**first == user => Some(second.clone()),
            [first, second] if &**second == user => Some(first.clone()),
            _ => None,
        }
    }

    /// The users of a match.
    pub fn users(&self, id: &str) -> Option<[Arc<str>; 2]> {
        self.index.read().matches.get(id).map(|known| known.users.clone())
    }

    /// The matches of a user.
    pub fn of_user(&self, user: &str) -> Vec<Arc<str>> {
        self.index.read().by_user.get(user).cloned().unwrap_or_default()
    }

    /// Everyone whom a user is matched with.
    pub fn partners(&self, user: &str) -> Vec<Arc<str>> {
        self.index.read().partners.get(user).cloned().unwrap_or_default()
    }

    /// Where the messages are.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Index {
    fn set_status(&mut self, id: &str, status: MatchStatus) {
        if let Some(known) = self.matches.get_mut(id) {
            known.status = status;
        }
    }

    /// What was read first may be put in last.
    fn put(&mut self, stored: StoredMatch) {
        let id = Arc::<str>::from(stored.id);
        if self.matches.get(&id).is_some_and(|known| known.revision > stored.revision) {
            return;
        }
        let users = stored.users.map(Arc::<str>::from);
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
        self.matches.insert(id, Match { users, status: stored.status, revision: stored.revision });
    }
}

fn same_pair([a, b]: &[Arc<str>; 2], [c, d]: &[Arc<str>; 2]) -> bool {
    (a == c && b == d) || (a == d && b == c)
}
