//! What scenarios look at.

use everwire::proto::{DropReason, Event, Phase, Timer};
use serde_json::Value;

use crate::server::Socket;
use crate::wire::{Envelope, label};
use crate::world::World;

impl World {
    pub fn phase(&self) -> Phase {
        self.client.snapshot().phase
    }

    /// Milliseconds until the alarm, and its reason.
    pub fn due(&self) -> Option<(u64, Timer)> {
        self.alarm().map(|(at, timer)| (at.saturating_sub(self.now), timer))
    }

    pub const fn now(&self) -> u64 {
        self.now
    }

    pub fn live(&self) -> Option<&Socket> {
        self.sockets.iter().find(|socket| socket.is_live())
    }

    pub fn last(&self) -> &Socket {
        self.sockets.last().expect("an attempt was made")
    }

    /// What the latest socket took, pings apart.
    pub fn heard(&self) -> Vec<&str> {
        self.last().labels()
    }

    /// Number and wait of every scheduled attempt.
    pub fn reconnecting(&self) -> Vec<(u32, u64)> {
        self.pick(|event| match event {
            Event::Reconnecting { attempt, delay_ms } => Some((*attempt, *delay_ms)),
            _ => None,
        })
    }

    /// After how many attempts the client gave up, each time.
    pub fn gave_up(&self) -> Vec<u32> {
        self.pick(|event| if let Event::GaveUp { attempts } = event { Some(*attempts) } else { None })
    }

    pub fn dropped(&self) -> Vec<(String, DropReason)> {
        self.pick(|event| match event {
            Event::Dropped { message, reason } => Some((label(&message.frame), *reason)),
            _ => None,
        })
    }

    pub fn closes(&self) -> Vec<u16> {
        self.pick(|event| if let Event::Closed(close) = event { Some(close.code) } else { None })
    }

    pub fn opens(&self) -> usize {
        self.pick(|event| matches!(event, Event::Opened).then_some(())).len()
    }

    pub fn frames(&self) -> Vec<Value> {
        self.pick(|event| if let Event::Frame(Envelope(envelope)) = event { Some(envelope.clone()) } else { None })
    }

    fn pick<T>(&self, pick: impl Fn(&Event<String, Envelope>) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(|(_, event)| pick(event)).collect()
    }
}
