//! Many clients lose one server in the same moment.

use everwire::proto::{Cause, Client, Close, Config, Input, Output, Reason, SocketId, Timestamp};

use serde_json::Value;

use crate::downward_frame::client_id;

/// The share of the clients that arrive in the busiest 100 ms, at each attempt in percent.
#[derive(Clone, Debug, PartialEq)]
pub struct ThunderingHerd {
    /// How many there are.
    pub clients: usize,
    /// The share at each attempt.
    pub busiest_percent: Vec<f64>,
}

/// How much of them the server bears at the first, the third and the fifth attempt, in percent.
pub const BOUNDS: [(usize, f64); 3] = [(1, 15.0), (3, 5.0), (5, 3.0)];

/// Cuts so many clients off at once, and lets every attempt to come back fail.
pub fn thundering_herd(clients: usize) -> ThunderingHerd {
    let mut buckets = vec![vec![0_usize; BUCKETS]; ATTEMPTS];
    for seed in 0..clients as u64 {
        for (attempt, at) in attempts(seed).into_iter().enumerate() {
            if let Some(bucket) = buckets[attempt].get_mut((at / BUCKET_MS) as usize) {
                *bucket += 1;
            }
        }
    }
    let busiest = |buckets: &Vec<usize>| buckets.iter().max().copied().unwrap_or(0);
    let busiest_percent = buckets.iter().map(|buckets| 100.0 * busiest(buckets) as f64 / clients as f64).collect();
    ThunderingHerd { clients, busiest_percent }
}

/// When one client comes back, in milliseconds since it lost the server.
fn attempts(seed: u64) -> Vec<u64> {
    let mut at = Vec::new();
    let Ok(mut client) = Client::<Value>::new(Config::reliable(), client_id(seed as u32), seed) else {
        return at;
    };
    let mut now = Timestamp::from_millis(0);
    client.connect(now);
    while at.len() <= ATTEMPTS {
        let socket = asked_for(&mut client);
        if let Some(socket) = socket {
            at.push(now.as_millis());
            let close = Close { code: 1006, reason: Reason::Client(Cause::NoSocket), was_clean: false };
            client.handle_input(Input::SocketClosed { socket, close }, now);
        }
        let Some((deadline, _)) = client.poll_timeout() else { break };
        now = deadline;
        client.handle_input(Input::Timeout, now);
    }
    // The first is the one that was lost.
    at.into_iter().skip(1).take(ATTEMPTS).collect()
}

fn asked_for(client: &mut Client<Value>) -> Option<SocketId> {
    let mut asked = None;
    while let Some(output) = client.poll_output() {
        if let Output::Open { socket, .. } = output {
            asked = Some(socket);
        }
    }
    asked
}

impl ThunderingHerd {
    /// What is beyond its bound: the attempt, its share and the bound.
    pub fn excess(&self) -> Vec<(usize, f64, f64)> {
        let share = |attempt: usize| self.busiest_percent.get(attempt - 1).copied().unwrap_or(100.0);
        let shares = BOUNDS.into_iter().map(|(attempt, bound)| (attempt, share(attempt), bound));
        // A share of nothing means that nobody came.
        shares.filter(|(_, share, bound)| share > bound || *share == 0.0).collect()
    }
}

const ATTEMPTS: usize = 5;
const BUCKET_MS: u64 = 100;
const BUCKETS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::thundering_herd;

    #[test]
    fn a_thousand_clients_spread() {
        let thundering_herd = thundering_herd(1_000);
        assert_eq!(thundering_herd.excess(), []);
        assert!(thundering_herd.busiest_percent[0] > thundering_herd.busiest_percent[4]);
    }
}
