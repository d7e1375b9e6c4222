//! Ends connections that have been idle or stuck for too long or whose token has expired, and repeats acknowledgements.
//!
//! One task looks at all of them now and then: cheaper than two timers for each, and exact enough.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    clock::{epoch_ms, monotonic_ms},
    ending::Ending,
    engine::Engine,
    reliable::REJOINING_TIME,
    store::StoreError,
};

/// Sweeps for as long as the server runs.
pub async fn run(engine: Arc<Engine>) {
    let shortest = engine.limits.idle_timeout.min(engine.limits.send_timeout);
    let pause = (shortest / 10).clamp(Duration::from_millis(10), LONGEST_PAUSE);
    let mut sweeps = 0_u32;
    let shortest_age = engine.limits.history_age.min(engine.limits.remember);
    let forgetting_pause = (shortest_age / 10).min(FORGETTING_PAUSE);
    let mut forgot_at = Instant::now();
    loop {
        tokio::time::sleep(pause).await;
        sweep(&engine);
        sweeps = sweeps.wrapping_add(1);
        if sweeps.is_multiple_of(SWEEPS_PER_FORGETTING) {
            engine.rates.forget_idle();
            let lapse = engine.store.post(|database, ledger| ledger.end_lapsed_memberships(database, REJOINING_TIME));
            if let Err(error) = lapse.await {
                tracing::error!(%error, "memberships could not be ended");
            }
        }
        if forgot_at.elapsed() >= forgetting_pause {
            forgot_at = Instant::now();
            if let Err(error) = forget(&engine).await {
                tracing::error!(%error, "old events could not be forgotten");
            }
        }
    }
}

async fn forget(engine: &Engine) -> Result<(), StoreError> {
    let store = &engine.store;
    store.run_with_ledger(|database, ledger| ledger.note_presence(database)).await?;
    while store.run_with_ledger(|database, ledger| ledger.forget_old(database)).await? {}
    Ok(())
}

fn sweep(engine: &Engine) {
    let now = monotonic_ms();
    let now_epoch_ms = epoch_ms();
    for connection in engine.hub.connections(None) {
        if connection.stuck_for(now) > engine.limits.send_timeout {
            // The client does not read, so there is no point in a close frame.
            engine.metrics.error("stuck");
            connection.end(Ending::Abort);
        } else if connection.has_expired(now_epoch_ms) {
            connection.end(Ending::close(4401, "token expired"));
        } else if connection.idle_for(now) > engine.limits.idle_timeout && !connection.holds_back() {
            connection.end(Ending::close(1000, "idle"));
        } else {
            connection.repeat_ack(now, ACK_PAUSE);
        }
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// With the pause between two sweeps it makes the three seconds of the protocol.
const ACK_PAUSE: Duration = Duration::from_millis(1900);

const SWEEPS_PER_FORGETTING: u32 = 60;

/// Days are counted, so minutes do not matter.
const FORGETTING_PAUSE: Duration = Duration::from_secs(600);
