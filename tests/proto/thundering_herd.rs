//! Many clients lose one server in the same moment.

use everwire::proto::Config;
use everwire_kit::{SocketOutcome, TestHarness, secs};

const CLIENTS: usize = 10_000;

#[test]
fn ten_thousand_clients_do_not_come_back_in_the_same_moment() {
    let mut arrivals = [(); 5].map(|()| vec![0_usize; secs(60) as usize / BUCKET_MS]);
    for seed in 0..CLIENTS as u64 {
        let mut harness = TestHarness::seeded(Config::default(), seed);
        harness.server.outcome = SocketOutcome::Refuse;
        harness.connect();
        harness.advance(0);
        let lost_at = harness.now;
        harness.advance(secs(40));
        for (attempt, socket) in harness.sockets.iter().skip(1).enumerate() {
            arrivals[attempt][(socket.asked_at - lost_at) as usize / BUCKET_MS] += 1;
        }
    }
    for (attempt, percent) in [(1, 15), (3, 5), (5, 3)] {
        let buckets = &arrivals[attempt - 1];
        assert_eq!(buckets.iter().sum::<usize>(), CLIENTS, "every client makes attempt {attempt}");
        let busiest = buckets.iter().max().copied().unwrap_or_default();
        assert!(busiest * 100 <= CLIENTS * percent, "attempt {attempt}: {busiest} clients within {BUCKET_MS} ms");
    }
}

const BUCKET_MS: usize = 100;
