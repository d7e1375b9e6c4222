//! The driver of a client that speaks to a Socket.IO server: the loop of [`super`], with a link in front of each socket.
//!
//! A host of this kind is a [`Host`] that calls [`begin`], [`transmit`], [`leave`] and [`abandon`] where the state machine opens, uses and ends
//! a socket. What happens to its socket goes to the functions of this module instead of those of the loop. The socket itself may carry several clients: what
//! arrives on it goes through [`connection`].

pub mod connection;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Host, LONGEST_DELAY_MS, TextOf};
use crate::proto::close::{ABNORMAL, reconnect_action};
use crate::proto::socketio::{Acks, Continuity, Link, LinkOutput, Recovery, UnexpectedPacket};
use crate::proto::wire::socketio::{self as packet, Arguments, Namespace, PacketKind, PacketText, PacketValue};
use crate::proto::{Input, Message, Reason, ReconnectAction, Refusal, RequestFailure, Sent, SocketId, Timestamp};

/// What a client of a Socket.IO server is, beside its state machine.
#[derive(Debug)]
pub struct Membership<V: PacketValue> {
    namespace: Namespace<V::Text>,
    /// What stands in front of most events: those without an id and attachments.
    plain_header: V::Text,
    link: Option<(SocketId, Link<V>)>,
    acks: Acks,
    recovery: Recovery<V>,
    /// How many attachments the messages have that were not transmitted yet, by their numbers; those that are not here have none.
    attachments: Vec<(u64, u32)>,
    /// The deadline that the second alarm is armed for.
    deadline: Timestamp,
}

impl<V: PacketValue> Membership<V> {
    /// Of a client that will want to be in this namespace.
    pub fn new(namespace: Namespace<V::Text>) -> Self {
        Self {
            plain_header: packet::event(&namespace, None, &V::Text::from_ascii(""), 0),
            namespace,
            link: None,
            acks: Acks::default(),
            recovery: Recovery::default(),
            attachments: Vec::new(),
            deadline: Timestamp::NEVER,
        }
    }

    /// Where the client wants to be.
    pub const fn namespace(&self) -> &Namespace<V::Text> {
        &self.namespace
    }

    fn attachments_of(&self, seq: u64) -> u32 {
        self.attachments.iter().find(|(of, _)| *of == seq).map_or(0, |(_, count)| *count)
    }

    fn forget(&mut self, seq: u64) {
        self.acks.forget(seq);
        self.attachments.retain(|(of, _)| *of != seq);
    }

    fn link(&mut self) -> Option<&mut Link<V>> {
        self.link.as_mut().map(|(_, link)| link)
    }

    fn poll_output(&mut self) -> Option<(SocketId, LinkOutput<V>)> {
        let (socket, link) = self.link.as_mut()?;
        link.poll_output().map(|output| (*socket, output))
    }
}

/// A host whose server speaks Socket.IO. What the methods from [`joined`](Self::joined) on are told is for the application.
pub trait PacketHost: Host<Value: PacketValue> {
    /// What belongs to the driver of this host. It is borrowed for `look` only, which calls no method of the host.
    fn with_membership<R>(&mut self, look: impl FnOnce(&mut Membership<Self::Value>) -> R) -> R;

    /// The JSON text of what the application authenticates itself by, for the attempt that is under way. `claim` are the members `pid` and
    /// `offset` that ask for the session before.
    fn auth(&mut self, claim: Option<(TextOf<Self>, TextOf<Self>)>) -> Option<TextOf<Self>>;

    /// Hands the attachments of the message of this number to the socket. Returns what [`send`](Host::send) does.
    fn send_attachments(&mut self, socket: SocketId, seq: u64) -> Option<u64>;

    /// Calls [`handle_timeout`] after so many milliseconds; `None` switches this alarm off, which is another than that of the loop.
    fn set_ack_alarm(&mut self, delay_ms: Option<u64>);

    /// The client is in its namespace, by this id. [`opened`](Host::opened) follows.
    fn joined(&mut self, sid: TextOf<Self>, continuity: Continuity);

    /// The server does not let the client in; [`closed`](Host::closed) follows. An object with a `message`, or a string.
    fn kept_out(&mut self, reason: Self::Value);

    /// The server has put the client out of its namespace; [`closed`](Host::closed) follows.
    fn put_out(&mut self);

    /// An event of the server, with an id if it wants to be acknowledged.
    fn event(&mut self, id: Option<u64>, arguments: Arguments<Self::Value>);

    /// The server has acknowledged the message of this number.
    fn event_acknowledged(&mut self, seq: u64, arguments: Arguments<Self::Value>);

    /// The server will not acknowledge the message of this number, or it is too late.
    fn event_unacknowledged(&mut self, seq: u64, failure: RequestFailure);
}

/// Where the host opens a socket.
pub fn begin<H: PacketHost>(host: &mut H, socket: SocketId) {
    host.with_membership(|member| member.link = Some((socket, Link::new(member.namespace.clone()))));
}

/// How the host transmits a message.
pub fn transmit<H: PacketHost>(host: &mut H, socket: SocketId, message: &Message<TextOf<H>>) -> Option<u64> {
    let seq = message.seq;
    let (frame, attachments) = host.with_membership(|member| {
        let attachments = member.attachments_of(seq);
        let id = member.acks.is_asked(seq).then_some(seq);
        let frame = if id.is_none() && attachments == 0 {
            member.plain_header.followed_by(&message.frame)
        } else {
            packet::event(&member.namespace, id, &message.frame, attachments)
        };
        (frame, attachments)
    });
    let mut buffered = host.send(socket, &frame)?;
    if attachments > 0 {
        buffered = host.send_attachments(socket, seq)?;
    }
    host.with_membership(|member| {
        member.acks.hand_over(seq);
        member.attachments.retain(|(of, _)| *of != seq);
    });
    Some(buffered)
}

/// In front of what the host does to close a socket.
pub fn leave<H: PacketHost>(host: &mut H, socket: SocketId) {
    let goodbye = host.with_membership(|member| {
        member.link()?.leave();
        member.link()?.poll_output()
    });
    if let Some(LinkOutput::Send(frame)) = goodbye {
        _ = host.send(socket, &frame);
    }
}

/// In front of what the host does to abandon a socket.
pub fn abandon<H: PacketHost>(host: &mut H, socket: SocketId) {
    leave(host, socket);
    end(host);
}

/// Sends an event, or queues it: see [`super::send`]. With a deadline, an acknowledgement is asked for, which has to come by then.
pub fn send<H: PacketHost>(
    host: &mut H,
    message: Box<Message<TextOf<H>>>,
    attachments: u32,
    acknowledge_by: Option<Timestamp>,
) -> Result<(Sent, u64), Refusal> {
    // The message may be transmitted before this function knows its number.
    let seq = host.with_driver(|driver| driver.client.latest_seq()) + 1;
    let has_room = host.with_membership(|member| {
        if acknowledge_by.is_some() && member.acks.is_full() {
            return false;
        }
        acknowledge_by.into_iter().for_each(|until| member.acks.ask(seq, until));
        if attachments > 0 {
            member.attachments.push((seq, attachments));
        }
        true
    });
    if !has_room {
        return Err(Refusal::QueueFull);
    }
    let sent = super::send(host, message);
    if sent.is_err() {
        forget(host, seq);
    }
    if acknowledge_by.is_some() {
        rearm(host);
    }
    sent
}

/// The message of this number was dropped or taken back: nobody will acknowledge it.
pub fn forget<H: PacketHost>(host: &mut H, seq: u64) {
    host.with_membership(|member| member.forget(seq));
}

/// The connection is open, for frames up to this size in bytes.
pub fn handle_open<H: PacketHost>(host: &mut H, max_payload_bytes: u64) {
    _ = handle(host, |link| {
        link.handle_open(max_payload_bytes);
        Ok(())
    });
}

/// A packet for the namespace of this client has arrived. It is an error if there is no use for it.
pub fn handle_packet<H: PacketHost>(host: &mut H, packet: PacketKind<H::Value>) -> Result<(), UnexpectedPacket> {
    handle(host, |link| link.handle_packet(packet))
}

/// Either alarm went off.
pub fn handle_timeout<H: PacketHost>(host: &mut H) {
    host.with_membership(|member| member.deadline = Timestamp::NEVER);
    host.with_driver(|driver| driver.deadline = Timestamp::NEVER);
    let now = host.now();
    // First, and at the same time: what expires now is dropped, and is not too late for its acknowledgement besides.
    super::handle_input(host, Input::Timeout, now);
    while let Some(seq) = host.with_membership(|member| member.acks.handle_timeout(now)) {
        host.with_driver(|driver| driver.client.cancel(seq, now));
        forget(host, seq);
        host.event_unacknowledged(seq, RequestFailure::TimedOut);
    }
    super::follow_up(host, now);
    rearm(host);
}

/// Something else has happened: to the page, the network, or the socket, which is closed or could not be made.
pub fn handle_input<H: PacketHost>(host: &mut H, mut input: Input<H::Value>) {
    let now = host.now();
    if let Input::SocketClosed { close, .. } = &mut input {
        end(host);
        // A server of Socket.IO says with packets that a client may not come back. A code of WebSocket does not: one damaged frame is enough for 1007.
        let stops = matches!(reconnect_action(close.code), ReconnectAction::Fatal | ReconnectAction::RefreshToken);
        if stops && matches!(close.reason, Reason::Peer(_)) {
            close.code = ABNORMAL;
        }
    }
    super::handle_input(host, input, now);
}

fn handle<H: PacketHost>(
    host: &mut H,
    act: impl FnOnce(&mut Link<H::Value>) -> Result<(), UnexpectedPacket>,
) -> Result<(), UnexpectedPacket> {
    let done = host.with_membership(|member| member.link().map(act));
    while let Some((socket, output)) = host.with_membership(Membership::poll_output) {
        perform(host, socket, output);
    }
    rearm(host);
    host.deliver();
    done.unwrap_or(Err(UnexpectedPacket::ForeignNamespace))
}

fn perform<H: PacketHost>(host: &mut H, socket: SocketId, output: LinkOutput<H::Value>) {
    match output {
        LinkOutput::Connect => {
            let claim = host
                .with_membership(|member| member.recovery.claim().map(|(pid, offset)| (pid.clone(), offset.clone())));
            let auth = host.auth(claim);
            let frame = host.with_membership(|member| packet::connect(&member.namespace, auth.as_ref()));
            _ = host.send(socket, &frame);
        }
        LinkOutput::Send(frame) => _ = host.send(socket, &frame),
        LinkOutput::Joined { sid, pid, max_payload_bytes } => {
            let continuity = host.with_membership(|member| member.recovery.handle_joined(pid.as_ref()));
            host.joined(sid, continuity);
            let now = host.now();
            host.with_driver(|driver| driver.client.limit_message_bytes(max_payload_bytes, now));
            super::handle_input(host, Input::SocketOpened { socket }, now);
        }
        LinkOutput::PutOut => {
            host.put_out();
            super::command(host, crate::proto::Client::disconnect);
        }
        LinkOutput::Ended { close, refusal } => {
            if let Some(reason) = refusal {
                host.kept_out(reason);
            }
            host.abandon(socket);
            let now = host.now();
            super::handle_input(host, Input::SocketClosed { socket, close }, now);
        }
        LinkOutput::Event { id, arguments } => {
            host.with_membership(|member| member.recovery.handle_event(id, &arguments));
            host.event(id, arguments);
        }
        LinkOutput::Ack { id, arguments } => {
            if host.with_membership(|member| member.acks.handle_ack(id)) {
                host.event_acknowledged(id, arguments);
            }
        }
    }
}

/// The socket is gone, and with it every acknowledgement that was to come by it.
fn end<H: PacketHost>(host: &mut H) {
    let lost: Vec<u64> = host.with_membership(|member| {
        member.link = None;
        member.acks.handle_end()
    });
    for seq in lost {
        host.event_unacknowledged(seq, RequestFailure::Abandoned);
    }
    rearm(host);
}

/// Arms the second alarm, unless it goes off early enough.
fn rearm<H: PacketHost>(host: &mut H) {
    let new_deadline = host.with_membership(|member| {
        let deadline = member.acks.poll_timeout();
        let is_new = deadline < member.deadline || (deadline == Timestamp::NEVER && member.deadline < deadline);
        if is_new {
            member.deadline = deadline;
        }
        is_new.then_some(deadline)
    });
    if let Some(deadline) = new_deadline {
        let now = host.now();
        host.set_ack_alarm((deadline < Timestamp::NEVER).then(|| deadline.since(now).min(LONGEST_DELAY_MS)));
    }
}
