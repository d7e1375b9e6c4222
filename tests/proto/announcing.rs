//! A change is told once.

use everwire::proto::{Event, Input};
use everwire_kit::{TestHarness, request};

#[test]
fn requests_that_end_with_the_connection_leave_no_change_to_be_told_later() {
    let mut harness = TestHarness::asking(|_| {});
    harness.connect();
    harness.send(request("a", 5_000)).unwrap();
    harness.disconnect();
    assert_eq!(harness.failed_requests().len(), 1);
    let told = harness.events.len();
    assert!(matches!(harness.events[told - 1], (_, Event::Changed { .. })));
    harness.input(Input::Timeout);
    assert_eq!(harness.events.len(), told);
}
