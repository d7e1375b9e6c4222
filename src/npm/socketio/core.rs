//! The methods of the class that are about Socket.IO servers.

use wasm_bindgen::prelude::*;

use super::codes::UnexpectedName;
use super::connection::Carrier;
use crate::driver::socketio::{self, Membership};
use crate::npm::client::Core;
use crate::npm::codes::SendOutcome;
use crate::npm::host::{JsHost, now};
use crate::npm::value::{JsonText, JsonValue};
use crate::proto::wire::socketio::{Namespace, ack};
use crate::proto::{Input, Message, Purpose};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = JsHost)]
    pub type JsNamedHost;

    /// The namespace of the client.
    #[wasm_bindgen(method, getter)]
    fn namespace(this: &JsNamedHost) -> JsonText;
}

/// The namespace of a host, which JavaScript has checked.
pub(in crate::npm) fn membership(host: &JsHost) -> Membership<JsonValue> {
    let named: &JsNamedHost = host.unchecked_ref();
    Membership::new(Namespace::new(named.namespace()).unwrap_or(Namespace::MAIN))
}

#[wasm_bindgen]
impl Core {
    /// Sends an event, or queues it, with how long to wait for its acknowledgement if one is asked for.
    pub fn emit(
        &self,
        host: &JsHost,
        arguments: JsonText,
        bytes: u32,
        attachments: u32,
        is_volatile: bool,
        ack_ms: Option<f64>,
    ) -> SendOutcome {
        let purpose = if is_volatile { Purpose::Volatile } else { Purpose::Ordinary };
        let until = ack_ms.map(|wait| now() + wait as u64);
        let message = Message::new(arguments, bytes, purpose);
        socketio::send(&mut self.call(host), message, attachments, until).map(|(sent, _)| sent).into()
    }

    /// The number of the latest event that was accepted.
    #[wasm_bindgen(js_name = latestSeq)]
    pub fn latest_seq(&self) -> f64 {
        self.driver.borrow_mut().client().latest_seq() as f64
    }

    /// The size of the largest event that is accepted, in bytes.
    #[wasm_bindgen(js_name = maxBytes)]
    pub fn max_bytes(&self) -> u32 {
        self.driver.borrow_mut().client().max_message_bytes()
    }

    /// The connection is open.
    pub fn open(&self, host: &JsHost, max_payload_bytes: f64) {
        socketio::handle_open(&mut self.call(host), max_payload_bytes as u64);
    }

    /// The connection has ended, in the way that the carrier knows.
    #[wasm_bindgen(js_name = carrierEnded)]
    pub fn carrier_ended(&self, host: &JsHost, carrier: &Carrier) {
        if let Some(close) = carrier.close() {
            self.about_socket(host, |socket| Input::SocketClosed { socket, close });
        }
    }

    /// A packet for the namespace of this client is being delivered. Says what is wrong with it, if anything is.
    pub fn packet(&self, host: &JsHost, carrier: &Carrier) -> Option<UnexpectedName> {
        let packet = carrier.take_packet()?;
        socketio::handle_packet(&mut self.call(host), packet).err().map(Into::into)
    }

    /// What the acknowledgement of an event of the server is. Its attachments follow it.
    pub fn ack(&self, id: f64, arguments: &JsonText, attachments: u32) -> JsonText {
        ack(self.membership.borrow_mut().namespace(), id as u64, arguments, attachments)
    }
}
