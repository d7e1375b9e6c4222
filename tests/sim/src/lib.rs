//! Everwire's state machine, a model server, and a hostile network, in virtual time and from one seed.
//!
//! A seed becomes a plan, the plan becomes a run, and a reference model says whether every promise was kept.

mod actions;
mod application;
mod backpressure;
mod byzantine;
mod byzantine_frames;
mod client_frame;
mod conversation_relay;
mod conversations;
mod device_state;
mod disk;
mod downward_frame;
mod event_queue;
pub mod flaw;
mod generate;
mod network;
mod page_host;
mod pipe;
mod poison_messages;
mod reported_events;
mod restart;
mod room_membership;
mod run;
mod run_plan;
pub mod run_report;
pub mod run_tally;
pub mod runs;
mod sent_message;
mod server_envelope;
mod server_hello;
mod server_process;
mod server_retention;
mod server_store;
mod shrink;
mod simulated_connection;
mod simulated_page;
mod simulation;
mod socketio;
mod stream_model;
pub mod thundering_herd;
pub mod verdict;
