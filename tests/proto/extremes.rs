//! Sequence at the end of their range.

use everwire::proto::{
    Client, Config, Event, FrameKind, Inbound, Input, Message, Output, Purpose, SocketId, Timestamp,
};

struct Said(FrameKind);

impl Inbound for Said {
    fn news(&self) -> FrameKind {
        self.0
    }
}

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn opened(reliable: bool) -> (Client<&'static str, Said>, SocketId) {
    let config = if reliable { Config::reliable() } else { Config::default() };
    let mut client = Client::new(config, 1).expect("the options are valid");
    client.connect(NOW);
    let socket = client.socket().expect("an attempt runs");
    client.handle_input(Input::SocketOpened { socket }, NOW);
    (client, socket)
}

#[test]
fn a_buffer_as_full_as_can_be_takes_one_more_message() {
    let (mut client, replaced) = opened(false);
    client.reconnect(NOW);
    let socket = client.socket().expect("an attempt runs");
    client.handle_input(Input::SocketOpened { socket }, NOW);
    client.handle_input(Input::Buffered { socket, bytes: u64::MAX }, NOW);
    let messages = vec![Message::new("late", 10, Purpose::Ordinary)];
    client.handle_input(Input::Undelivered { socket: replaced, messages }, NOW);
    client.handle_input(Input::Buffered { socket, bytes: u64::MAX }, NOW);
    assert!(!client.snapshot().has_room);
}

#[test]
fn a_count_that_starts_anew_after_the_last_number_is_a_gap() {
    let (mut client, socket) = opened(true);
    let welcome =
        |epoch| Said(FrameKind::Welcome { epoch, last: 0, window: 8, max_bytes: u64::MAX, remember_ms: u64::MAX });
    client.handle_input(Input::Frame { socket, payload: welcome(1) }, NOW);
    client.handle_input(Input::Position { socket, stream: 0, offset: u64::MAX }, NOW);
    client.reconnect(NOW);
    let socket = client.socket().expect("an attempt runs");
    client.handle_input(Input::SocketOpened { socket }, NOW);
    client.handle_input(Input::Frame { socket, payload: welcome(2) }, NOW);
    client.handle_input(Input::Position { socket, stream: 0, offset: 4 }, NOW);
    let outputs = core::iter::from_fn(|| client.poll_output());
    assert_eq!(
        outputs.filter(|output| matches!(output, Output::Event(Event::Gap { from: u64::MAX, to: None, .. }))).count(),
        1
    );
}
