//! What the object of one client in JavaScript (`pkg/src/host/socketio/host.ts`) has for Socket.IO servers.

use wasm_bindgen::prelude::*;

use super::codes::ContinuityName;
use super::value::JsBinary;
use crate::driver::socketio::{Membership, PacketHost};
use crate::npm::codes::FailureName;
use crate::npm::host::Call;
use crate::npm::value::{JsonText, JsonValue, unless_nan};
use crate::proto::socketio::Continuity;
use crate::proto::wire::socketio::Arguments;
use crate::proto::{RequestFailure, SocketId};

#[wasm_bindgen]
extern "C" {
    /// A `JsHost`.
    type JsPacketHost;

    #[wasm_bindgen(method)]
    fn auth(this: &JsPacketHost, pid: Option<JsonText>, offset: Option<JsonText>) -> Option<JsonText>;
    /// NaN stands for `undefined`: the socket takes nothing.
    #[wasm_bindgen(method, js_name = sendAttachments)]
    fn send_attachments(this: &JsPacketHost, seq: f64) -> f64;
    #[wasm_bindgen(method, js_name = setAckAlarm)]
    fn set_ack_alarm(this: &JsPacketHost, delay_ms: Option<f64>);
    #[wasm_bindgen(method)]
    fn joined(this: &JsPacketHost, sid: &JsonText, continuity: ContinuityName);
    #[wasm_bindgen(method, js_name = keptOut)]
    fn kept_out(this: &JsPacketHost, reason: &JsonValue);
    #[wasm_bindgen(method, js_name = putOut)]
    fn put_out(this: &JsPacketHost);
    /// Before [`event`] or [`event_acknowledged`], for each attachment of theirs.
    #[wasm_bindgen(method)]
    fn attach(this: &JsPacketHost, attachment: &JsBinary);
    #[wasm_bindgen(method)]
    fn event(this: &JsPacketHost, id: Option<f64>, arguments: &JsonValue);
    #[wasm_bindgen(method, js_name = eventAcknowledged)]
    fn event_acknowledged(this: &JsPacketHost, seq: f64, arguments: &JsonValue);
    #[wasm_bindgen(method, js_name = eventUnacknowledged)]
    fn event_unacknowledged(this: &JsPacketHost, seq: f64, failure: FailureName);
}

impl Call<'_> {
    fn packets(&self) -> &JsPacketHost {
        AsRef::<JsValue>::as_ref(self.host).unchecked_ref()
    }

    fn told(&mut self) -> &JsPacketHost {
        self.record().unchecked_ref()
    }

    fn attach(&mut self, arguments: &Arguments<JsonValue>) -> &JsPacketHost {
        let host = self.told();
        arguments.attachments.iter().for_each(|attachment| host.attach(attachment));
        host
    }
}

impl PacketHost for Call<'_> {
    fn with_membership<R>(&mut self, look: impl FnOnce(&mut Membership<JsonValue>) -> R) -> R {
        look(&mut self.core.membership.borrow_mut())
    }

    fn auth(&mut self, claim: Option<(JsonText, JsonText)>) -> Option<JsonText> {
        let (pid, offset) = claim.unzip();
        self.packets().auth(pid, offset)
    }

    fn send_attachments(&mut self, _: SocketId, seq: u64) -> Option<u64> {
        unless_nan(self.packets().send_attachments(seq as f64))
    }

    fn set_ack_alarm(&mut self, delay_ms: Option<u64>) {
        self.packets().set_ack_alarm(delay_ms.map(|delay| delay as f64));
    }

    fn joined(&mut self, sid: JsonText, continuity: Continuity) {
        self.told().joined(&sid, continuity.into());
    }

    fn kept_out(&mut self, reason: JsonValue) {
        self.told().kept_out(&reason);
    }

    fn put_out(&mut self) {
        self.told().put_out();
    }

    fn event(&mut self, id: Option<u64>, arguments: Arguments<JsonValue>) {
        self.attach(&arguments).event(id.map(|id| id as f64), &arguments.array);
    }

    fn event_acknowledged(&mut self, seq: u64, arguments: Arguments<JsonValue>) {
        self.attach(&arguments).event_acknowledged(seq as f64, &arguments.array);
    }

    fn event_unacknowledged(&mut self, seq: u64, failure: RequestFailure) {
        self.told().event_unacknowledged(seq as f64, failure.into());
    }
}
