//! What arrives on a socket that carries clients of one or more namespaces.

use crate::driver::LONGEST_DELAY_MS;
use crate::proto::socketio::{Carrier, CarrierOutput, Report, UnexpectedPacket};
use crate::proto::wire::Value;
use crate::proto::wire::socketio::{EnginePacket, Packet, PacketKind, PacketValue, Reading, disconnect};
use crate::proto::{Close, Timestamp};

/// A socket of a Socket.IO server with what its driver has to remember.
#[derive(Debug)]
pub struct CarrierDriver<V: PacketValue> {
    carrier: Carrier<V>,
    /// The deadline that the alarm is armed for.
    deadline: Timestamp,
}

impl<V: PacketValue> Default for CarrierDriver<V> {
    fn default() -> Self {
        Self { carrier: Carrier::default(), deadline: Timestamp::NEVER }
    }
}

/// The strings of a host.
pub type TextOf<H> = <<H as ConnectionHost>::Value as Value>::Text;

/// The place of one socket.
pub trait ConnectionHost {
    /// JSON as this place keeps it.
    type Value: PacketValue;

    /// What belongs to the driver of this socket. It is borrowed for `look` only, which calls no method of the host.
    fn with_driver<R>(&mut self, look: impl FnOnce(&mut CarrierDriver<Self::Value>) -> R) -> R;

    /// The monotonic clock that every decision is made by.
    fn now(&mut self) -> Timestamp;

    /// Hands a text to the socket. One that it does not take is lost with it.
    fn send(&mut self, text: &TextOf<Self>);

    /// Calls [`handle_timeout`] after so many milliseconds; `None` switches the alarm off.
    fn set_alarm(&mut self, delay_ms: Option<u64>);

    /// The handshake has come: [`handle_open`](super::handle_open) for every client on this socket, and for those that come to it later.
    fn opened(&mut self, max_payload_bytes: u64);

    /// [`handle_packet`](super::handle_packet) for the client of the packet's namespace. Without one it is a [`UnexpectedPacket::LeftNamespace`] if one has left this
    /// socket, which must not come back to it, since nothing tells what is for its new session from what is for the one before.
    fn packet(&mut self, packet: Packet<Self::Value>) -> Result<(), UnexpectedPacket>;

    /// Abandons the socket, and tells every client on it that it closed so.
    fn ended(&mut self, close: Close<TextOf<Self>>);

    /// The server has sent what means nothing here.
    fn reported(&mut self, report: Report);
}

/// A text frame has arrived.
pub fn handle_text<H: ConnectionHost>(host: &mut H, frame: &TextOf<H>) {
    let reading = host.with_driver(|driver| driver.carrier.read_text(frame));
    handle_reading(host, reading);
}

/// A binary frame has arrived.
pub fn handle_binary<H: ConnectionHost>(host: &mut H, frame: <H::Value as PacketValue>::Binary) {
    let reading = host.with_driver(|driver| driver.carrier.read_binary(frame));
    handle_reading(host, reading);
}

/// The alarm went off.
pub fn handle_timeout<H: ConnectionHost>(host: &mut H) {
    host.with_driver(|driver| driver.deadline = Timestamp::NEVER);
    handle(host, Carrier::handle_timeout);
}

/// The page is visible or runs again, or the network has changed.
pub fn probe<H: ConnectionHost>(host: &mut H) {
    handle(host, Carrier::probe);
}

fn handle_reading<H: ConnectionHost>(host: &mut H, reading: Reading<H::Value>) {
    match reading {
        // Almost all frames; their time is not asked for, since browsers are slow to say it.
        Ok(Some(EnginePacket::Message(packet))) => {
            host.with_driver(|driver| driver.carrier.handle_packet(packet));
            follow_up(host);
        }
        reading => handle(host, |carrier, now| carrier.handle(reading, now)),
    }
}

fn handle<H: ConnectionHost>(host: &mut H, act: impl FnOnce(&mut Carrier<H::Value>, Timestamp)) {
    let now = host.now();
    host.with_driver(|driver| act(&mut driver.carrier, now));
    follow_up(host);
}

fn follow_up<H: ConnectionHost>(host: &mut H) {
    while let Some(output) = host.with_driver(|driver| driver.carrier.poll_output()) {
        match output {
            CarrierOutput::Open { max_payload_bytes } => host.opened(max_payload_bytes),
            CarrierOutput::Send(frame) => host.send(&frame),
            CarrierOutput::Packet(packet) => {
                let has_joined = matches!(packet.kind, PacketKind::Connect { .. });
                let goodbye = has_joined.then(|| disconnect(&packet.namespace));
                if let Err(unexpected) = host.packet(packet) {
                    // The client has left while the server decided.
                    if unexpected == UnexpectedPacket::LeftNamespace {
                        goodbye.iter().for_each(|frame| host.send(frame));
                    }
                    host.with_driver(|driver| driver.carrier.handle_unexpected(unexpected));
                }
            }
            CarrierOutput::Ended(close) => host.ended(close),
            CarrierOutput::Report(report) => host.reported(report),
        }
    }
    rearm(host);
}

/// Arms the alarm, unless it goes off early enough.
fn rearm<H: ConnectionHost>(host: &mut H) {
    let new_deadline = host.with_driver(|driver| {
        let deadline = driver.carrier.poll_timeout().unwrap_or(Timestamp::NEVER);
        let is_new = deadline < driver.deadline || (deadline == Timestamp::NEVER && driver.deadline < deadline);
        if is_new {
            driver.deadline = deadline;
        }
        is_new.then_some(deadline)
    });
    if let Some(deadline) = new_deadline {
        let now = host.now();
        host.set_alarm((deadline < Timestamp::NEVER).then(|| deadline.since(now).min(LONGEST_DELAY_MS)));
    }
}
