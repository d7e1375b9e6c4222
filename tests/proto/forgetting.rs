//! What forgetting leaves of a connection of the reliable mode.

use everwire::proto::{
    Client, Config, FrameKind, Inbound, Input, Message, Output, Phase, Purpose, SocketId, Timer, Timestamp,
};

struct Said(FrameKind);

impl Inbound for Said {
    fn news(&self) -> FrameKind {
        self.0
    }
}

type Reliable = Client<&'static str, Said>;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn client() -> Reliable {
    Client::new(Config::reliable(), 1).expect("the options are valid")
}

fn opened(client: &mut Reliable) -> SocketId {
    let socket = client.socket().expect("an attempt runs");
    client.handle_input(Input::SocketOpened { socket }, NOW);
    socket
}

fn welcome(client: &mut Reliable, last: u64) {
    let socket = opened(client);
    for news in
        [FrameKind::Welcome { epoch: 1, last, window: 8, max_bytes: u64::MAX, remember_ms: u64::MAX }, FrameKind::Pong]
    {
        client.handle_input(Input::Frame { socket, payload: Said(news) }, NOW);
    }
}

fn outputs(client: &mut Reliable) -> Vec<Output<&'static str, Said>> {
    core::iter::from_fn(|| client.poll_output()).collect()
}

/// The frames that were handed over, each with the client id that its connection had said hello with.
fn transmitted(outputs: &[Output<&'static str, Said>]) -> Vec<(&'static str, Option<&'static str>)> {
    let mut hello = Some("no hello");
    let mut all = Vec::new();
    for output in outputs {
        match output {
            Output::Hello { sender, .. } => hello = *sender,
            Output::Transmit { message, .. } => all.push((message.frame, hello)),
            _ => {}
        }
    }
    all
}

fn left_by(sender: &'static str, frame: &'static str) -> Box<Message<&'static str>> {
    let mut message = Message::new(frame, 10, Purpose::Ordinary);
    (message.sender, message.seq) = (Some(sender), 5);
    message
}

#[test]
fn what_was_under_way_is_not_waited_for() {
    let mut client = client();
    client.connect(NOW);
    welcome(&mut client, 0);
    client.send(Message::new("a", 10, Purpose::Ordinary), NOW).expect("there is room");
    client.forget(NOW);
    assert_eq!((client.snapshot().phase, client.in_flight()), (Phase::Connecting, 0));
    welcome(&mut client, 1);
    assert_eq!(client.poll_timeout().map(|(_, timer)| timer), Some(Timer::PingDue));
}

#[test]
fn own_messages_do_not_go_out_under_the_name_of_a_forgotten_page() {
    let mut client = client();
    client.connect(NOW);
    client.restore(vec![left_by("earlier", "left")], NOW);
    welcome(&mut client, 0);
    assert_eq!(transmitted(&outputs(&mut client)), [("left", Some("earlier"))]);
    client.forget(NOW);
    client.send(Message::new("own", 10, Purpose::Ordinary), NOW).expect("there is room");
    welcome(&mut client, 0);
    assert_eq!(transmitted(&outputs(&mut client)), [("own", None)]);
}

#[test]
fn the_answer_to_a_hello_for_a_forgotten_page_is_not_taken_for_the_own() {
    let mut client = client();
    client.connect(NOW);
    client.restore(vec![left_by("earlier", "left")], NOW);
    let greeted = opened(&mut client);
    client.forget(NOW);
    let payload = Said(FrameKind::Welcome { epoch: 1, last: 4, window: 8, max_bytes: u64::MAX, remember_ms: u64::MAX });
    client.handle_input(Input::Frame { socket: greeted, payload }, NOW);
    assert_eq!(client.snapshot().protocol_errors, 0);
}
