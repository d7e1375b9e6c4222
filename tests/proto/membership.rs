//! The server's idea of who is in which session agrees with the application's.

use std::collections::BTreeSet;

use everwire::proto::{Config, Purpose};
use everwire_kit::TestHarness;
use proptest::prelude::*;

use crate::steps::{Histories, Step, histories};

fn follow(sessions: &mut BTreeSet<String>, purpose: &Purpose) {
    match purpose {
        Purpose::Join(session) | Purpose::Rejoin(session) => {
            sessions.insert(session.clone());
        }
        Purpose::Leave(session) => {
            sessions.remove(session);
        }
        Purpose::Ordinary | Purpose::Volatile => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_finds_the_server_in_the_sessions_that_the_application_had_joined(
        seed: u64, history in histories(60),
    ) {
        let mut harness = TestHarness::seeded(Config::default(), seed);
        for (number, step) in history.into_iter().enumerate() {
            // A browser changes its mind about a socket between two drains, never within one.
            let step = if let Step::StopAccepting { .. } = step { Step::StopAccepting { after: 0 } } else { step };
            harness.take(step, number);
        }
        let mut wanted = BTreeSet::new();
        for socket in &harness.sockets {
            let mut entered = BTreeSet::new();
            for heard in &socket.sent {
                follow(&mut entered, &heard.purpose);
                if !matches!(heard.purpose, Purpose::Rejoin(_)) {
                    follow(&mut wanted, &heard.purpose);
                    prop_assert_eq!(&entered, &wanted, "{} on {:?}", heard.label(), socket.id);
                }
            }
        }
    }
}
