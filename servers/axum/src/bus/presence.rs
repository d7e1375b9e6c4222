//! Who is online at other processes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::Bus;

/// A user has come online somewhere else, or gone from everywhere else.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub user: Arc<str>,
    pub online: bool,
}

impl Bus {
    /// A process has told of one user.
    pub(super) fn heard(&self, process: &str, user: &str, online: bool) -> Option<Change> {
        let before = self.is_elsewhere(user);
        {
            let mut elsewhere = self.elsewhere.write();
            if online {
                elsewhere.entry(process.to_owned()).or_default().insert(user.into());
            } else if let Some(users) = elsewhere.get_mut(process) {
                users.remove(user);
            }
        }
        (before != self.is_elsewhere(user)).then(|| Change { user: user.into(), online })
    }

    /// All of a process, as Redis has it.
    pub(super) fn replace(&self, process: &str, users: HashSet<Arc<str>>) -> Vec<Change> {
        self.change(|elsewhere| {
            elsewhere.insert(process.to_owned(), users);
        })
    }

    /// These processes live, and no others.
    pub(super) fn keep(&self, alive: &HashSet<String>) -> Vec<Change> {
        if self.elsewhere.read().keys().all(|process| alive.contains(process)) {
            return Vec::new();
        }
        self.change(|elsewhere| elsewhere.retain(|process, _| alive.contains(process)))
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, HashSet<Arc<str>>>)) -> Vec<Change> {
        let mut elsewhere = self.elsewhere.write();
        let before: HashSet<Arc<str>> = elsewhere.values().flatten().cloned().collect();
        change(&mut elsewhere);
        let after: HashSet<Arc<str>> = elsewhere.values().flatten().cloned().collect();
        let gone = before.difference(&after).map(|user| Change { user: user.clone(), online: false });
        let come = after.difference(&before).map(|user| Change { user: user.clone(), online: true });
        gone.chain(come).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::RedisBus;

    fn bus() -> Arc<Bus> {
        RedisBus::new("redis://127.0.0.1:1").open().unwrap().0
    }

    fn change(user: &str, online: bool) -> Change {
        Change { user: user.into(), online }
    }

    #[test]
    fn a_user_is_elsewhere_until_the_last_process_has_lost_them() {
        let bus = bus();
        assert_eq!(bus.heard("a", "ada", true), Some(change("ada", true)));
        assert_eq!(bus.heard("b", "ada", true), None);
        assert_eq!(bus.heard("a", "ada", false), None);
        assert!(bus.is_elsewhere("ada"));
        assert_eq!(bus.heard("b", "ada", false), Some(change("ada", false)));
        assert!(!bus.is_elsewhere("ada"));
    }

    #[test]
    fn with_a_process_that_is_dead_its_users_go_who_are_nowhere_else() {
        let bus = bus();
        bus.replace("a", ["ada", "ben"].map(Arc::from).into());
        bus.replace("b", ["ben"].map(Arc::from).into());
        assert_eq!(bus.keep(&["b".to_owned()].into()), [change("ada", false)]);
        assert_eq!(bus.keep(&["b".to_owned()].into()), []);
        let mut changes = bus.replace("b", ["cleo"].map(Arc::from).into());
        changes.sort();
        assert_eq!(changes, [change("ben", false), change("cleo", true)]);
    }
}
