//! One socket in JavaScript (`pkg/src/host/socketio/connection.ts`), which carries the clients of one or more namespaces.

use wasm_bindgen::prelude::*;

use super::codes::{FlawName, UnexpectedName};
use super::value::JsBinary;
use crate::driver::socketio::connection::{self, CarrierDriver, ConnectionHost};
use crate::npm::host::now;
use crate::npm::value::{JsonText, JsonValue};
use crate::proto::socketio::{Report, UnexpectedPacket};
use crate::proto::wire::socketio::{Packet, PacketKind};
use crate::proto::{Close, Timestamp};
use crate::reentrancy_cell::ReentrancyCell;

#[wasm_bindgen]
extern "C" {
    pub type JsConnection;

    #[wasm_bindgen(method)]
    fn send(this: &JsConnection, text: &JsonText);
    #[wasm_bindgen(method, js_name = setAlarm)]
    fn set_alarm(this: &JsConnection, delay_ms: Option<f64>);
    #[wasm_bindgen(method)]
    fn opened(this: &JsConnection, max_payload_bytes: f64);
    /// Calls [`Core::packet`](crate::npm::client::Core::packet) of the client of this namespace; without a name, it is the main one.
    #[wasm_bindgen(method)]
    fn deliver(this: &JsConnection, namespace: Option<JsonText>) -> UnexpectedName;
    /// Calls [`Core::carrier_ended`](crate::npm::client::Core::carrier_ended) of every client.
    #[wasm_bindgen(method)]
    fn ended(this: &JsConnection);
    #[wasm_bindgen(method)]
    fn flawed(this: &JsConnection, flaw: FlawName);
    #[wasm_bindgen(method, js_name = flawed)]
    fn unexpected(this: &JsConnection, packet: UnexpectedName);
}

/// One socket. Every method takes the object that it belongs to.
#[wasm_bindgen]
pub struct Carrier {
    driver: ReentrancyCell<CarrierDriver<JsonValue>>,
    /// What is being delivered.
    packet: ReentrancyCell<Option<PacketKind<JsonValue>>>,
    /// How it has ended.
    close: ReentrancyCell<Option<Close<JsonText>>>,
}

#[wasm_bindgen]
impl Carrier {
    /// A socket that is being opened.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self {
            driver: ReentrancyCell::new(CarrierDriver::default()),
            packet: ReentrancyCell::new(None),
            close: ReentrancyCell::new(None),
        }
    }

    /// A text frame arrived.
    pub fn text(&self, host: &JsConnection, frame: &JsonText) {
        connection::handle_text(&mut Call { carrier: self, host }, frame);
    }

    /// A binary frame arrived.
    pub fn binary(&self, host: &JsConnection, frame: JsBinary) {
        connection::handle_binary(&mut Call { carrier: self, host }, frame);
    }

    /// The alarm went off.
    pub fn timeout(&self, host: &JsConnection) {
        connection::handle_timeout(&mut Call { carrier: self, host });
    }

    /// The page or the network has changed.
    pub fn probe(&self, host: &JsConnection) {
        connection::probe(&mut Call { carrier: self, host });
    }
}

impl Carrier {
    /// How it has ended.
    pub(super) fn close(&self) -> Option<Close<JsonText>> {
        self.close.borrow_mut().clone()
    }

    /// Takes what is being delivered.
    pub(super) fn take_packet(&self) -> Option<PacketKind<JsonValue>> {
        self.packet.borrow_mut().take()
    }
}

struct Call<'a> {
    carrier: &'a Carrier,
    host: &'a JsConnection,
}

impl ConnectionHost for Call<'_> {
    type Value = JsonValue;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut CarrierDriver<JsonValue>) -> R) -> R {
        look(&mut self.carrier.driver.borrow_mut())
    }

    fn now(&mut self) -> Timestamp {
        now()
    }

    fn send(&mut self, text: &JsonText) {
        self.host.send(text);
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        self.host.set_alarm(delay_ms.map(|delay| delay as f64));
    }

    fn opened(&mut self, max_payload_bytes: u64) {
        self.host.opened(max_payload_bytes as f64);
    }

    fn packet(&mut self, Packet { namespace, kind }: Packet<JsonValue>) -> Result<(), UnexpectedPacket> {
        *self.carrier.packet.borrow_mut() = Some(kind);
        self.host.deliver(namespace.name().cloned()).error().map_or(Ok(()), Err)
    }

    fn ended(&mut self, close: Close<JsonText>) {
        *self.carrier.close.borrow_mut() = Some(close);
        self.host.ended();
    }

    fn reported(&mut self, report: Report) {
        match report {
            Report::Flaw(flaw) => self.host.flawed(flaw.into()),
            Report::Unexpected(packet) => self.host.unexpected(packet.into()),
        }
    }
}
