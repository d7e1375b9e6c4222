//! The server refuses the token.

use everwire::proto::Phase;
use everwire_kit::{SocketOutcome, TestHarness, secs};

fn asked_for_fresh_tokens(harness: &TestHarness) -> Vec<bool> {
    harness.sockets.iter().map(|socket| socket.token_refused).collect()
}

#[test]
fn a_refused_token_is_replaced_once_and_then_the_client_stops() {
    for code in [1008, 4401] {
        let mut harness = TestHarness::new(|_| {});
        harness.server.outcome = SocketOutcome::Close(code);
        harness.connect();
        harness.advance(secs(60));
        assert_eq!(harness.phase(), Phase::Fatal, "{code}");
        assert_eq!(asked_for_fresh_tokens(&harness), [false, true], "{code}");
        assert_eq!(harness.closes(), [code, code], "{code}");
    }
}

#[test]
fn a_fresh_token_that_the_server_accepts_ends_the_matter() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(4401);
    harness.advance(1_000);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(secs(10));
    harness.close(1006);
    harness.advance(1_000);
    assert_eq!(asked_for_fresh_tokens(&harness), [false, true, false]);
    harness.advance(secs(10));
    harness.close(4401);
    harness.advance(1_000);
    assert_eq!((harness.phase(), asked_for_fresh_tokens(&harness)), (Phase::Open, vec![false, true, false, true]));
}

#[test]
fn a_handshake_that_opens_does_not_yet_prove_the_fresh_token() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1008);
    harness.advance(1_000);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(100);
    harness.close(1008);
    assert_eq!(harness.phase(), Phase::Fatal);
}

#[test]
fn a_refused_handshake_is_no_verdict_on_the_token() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    harness.advance(secs(60));
    assert_eq!((harness.phase(), asked_for_fresh_tokens(&harness)), (Phase::GivenUp, vec![false; 6]));
}

#[test]
fn the_application_can_try_again_after_a_fatal_refusal() {
    for revive in [TestHarness::reconnect, TestHarness::connect] {
        let mut harness = TestHarness::new(|_| {});
        harness.server.outcome = SocketOutcome::Close(1008);
        harness.connect();
        harness.advance(secs(60));
        revive(&mut harness);
        assert_eq!((harness.phase(), harness.last().token_refused), (Phase::Connecting, false));
        harness.advance(secs(60));
        assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Fatal, 4));
    }
}
