//! News and snapshots as JavaScript objects.

use super::host;
use crate::browser::frame::{Incoming, Text};
use crate::browser::{Driver, Face, now};
use crate::proto::{Close, Event, Message, Reason, Snapshot};

/// Passes everything on to the current client of `host.js`.
pub(super) struct JsFace;

impl Face for JsFace {
    type Entered = ();

    fn enter(&self) {}

    fn notice(&self, driver: &Driver<Self>, event: Event<Text, Incoming>) {
        let (news, numbers) = match event {
            Event::Opened => (0, [0; 4]),
            Event::Reconnecting { attempt, delay_ms } => (1, [attempt.into(), delay_ms, 0, 0]),
            Event::GaveUp { attempts } => (2, [attempts.into(), 0, 0, 0]),
            Event::Transmitted { seq } => (3, [seq, 0, 0, 0]),
            Event::RequestFailed { seq, failure } => (4, [seq, failure as u64, 0, 0]),
            Event::Violation(violation) => (5, [violation as u64, 0, 0, 0]),
            // An end is at least 1, so 0 can stand for none.
            Event::Gap { stream, from, to } => (6, [stream.into(), from, to.unwrap_or(0), 0]),
            Event::Acknowledged { sender, seq } => (7, [sender.unwrap_or(0).into(), seq, 0, 0]),
            Event::Dropped { message, reason } => {
                let Message { frame, seq, sender, .. } = *message;
                (8, [frame.into(), reason as u64, sender.unwrap_or(0).into(), seq])
            }
            Event::Closed(close) => {
                (9, [close.code.into(), u64::from(cause(&close).unsigned_abs()), close.was_clean.into(), 0])
            }
            Event::Changed { phase } => {
                driver.look(|core| show(&core.snapshot()));
                (10, [phase.into(), 0, 0, 0])
            }
            Event::Frame(_) => return,
        };
        let [a, b, c, d] = numbers.map(|number| number as f64);
        host::notice(news, a, b, c, d);
    }

    fn token_failed(&self) {
        host::notice(11, 0.0, 0.0, 0.0, 0.0);
    }
}

/// Makes the snapshot what there is to see now.
pub(super) fn show(seen: &Snapshot<'_, Text>) {
    host::set_snapshot(
        seen.phase as i32,
        seen.attempt as i32,
        seen.retry_at.map_or(-1.0, |at| at.since(now()) as f64),
        seen.close.map_or(0, |close| close.code.into()),
        seen.close.map_or(0, cause),
        seen.close.is_some_and(|close| close.was_clean).into(),
        seen.queued as i32,
        seen.queued_bytes as f64,
        seen.last_rtt_ms.map_or(-1.0, |rtt| rtt as f64),
        seen.delivery as i32,
        seen.has_room.into(),
        seen.protocol_errors as i32,
    );
}

/// The place of the client's own cause among `CAUSES` in `host.js`; 0 stands for the peer's own words.
fn cause(close: &Close<Text>) -> i32 {
    match close.reason {
        Reason::Peer(_) => 0,
        Reason::Client(cause) => cause as i32 + 1,
    }
}
