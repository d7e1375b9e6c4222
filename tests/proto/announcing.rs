//! A change is told once.

use everwire::proto::{Client, Config, Event, FrameKind, Inbound, Input, Message, Output, Purpose, Timestamp};

struct Said;

impl Inbound for Said {
    fn news(&self) -> FrameKind {
        FrameKind::Event
    }
}

const NOW: Timestamp = Timestamp::from_millis(1_000);

#[test]
fn requests_that_end_with_the_connection_leave_no_change_to_be_told_later() {
    let config = Config::reliable();
    let mut client: Client<&'static str, Said> = Client::new(config, 1).expect("the options are valid");
    client.connect(NOW);
    let mut request = Message::new("a", 10, Purpose::Ordinary);
    request.policy.reply_within_ms = Some(5_000);
    client.send(request, NOW).expect("there is room");
    client.disconnect(NOW);
    let outputs = core::iter::from_fn(|| client.poll_output());
    assert_eq!(outputs.filter(|output| matches!(output, Output::Event(Event::RequestFailed { .. }))).count(), 1);
    client.handle_input(Input::Timeout, NOW);
    assert!(client.poll_output().is_none());
}
