//! Everwire in virtual time.
//!
//! A [`TestHarness`] holds one client with its driver, the browser and the network around it, and a model server. The browser is a
//! [`Host`](everwire::driver::Host) of the shipped driver; the server reads the text of frames as JSON and answers in JSON, which goes through
//! the shipped decoder. After every input the harness asserts what always holds, and a [`MessageModel`] follows every message from its
//! acceptance to its end. Scenarios, properties and the fuzzer use the same harness.

mod arrivals;
mod event_checks;
mod invariants;
mod message_model;
mod model_server;
mod observations;
mod offers;
mod passing_time;
mod server_frames;
mod server_memory;
mod solo_link;
mod test_harness;
mod test_messages;
mod test_socket;
mod virtual_browser;

pub use arrivals::Arrival;
pub use message_model::MessageModel;
pub use model_server::{ServerBehaviour, SocketOutcome};
pub use server_frames::{ack, event, event_after, position, receipt, refusal, reply, stored, welcome};
pub use server_memory::ServerMemory;
pub use solo_link::{SoloLink, SoloOutput};
pub use test_harness::{Act, CLIENT_ID, Json, Reaction, TestHarness, secs};
pub use test_messages::{label, message, note, note_of, request};
pub use test_socket::{SentMessage, Stage, TestSocket};
pub use virtual_browser::VirtualBrowser;
