//! Everwire's state machine, a model server, and a hostile network, in virtual time and from one seed.
//!
//! A seed becomes a plan, the plan becomes a run, and a reference model says whether every promise was kept.

mod actions;
mod application;
mod backpressure;
mod byzantine;
mod byzantine_frames;
mod client_frame;
mod connection;
mod device_state;
mod disk;
mod envelope;
mod event_queue;
pub mod flaw;
mod generate;
mod membership;
mod message_model;
mod model_server;
mod network;
mod page;
mod page_events;
mod page_host;
mod pipe;
mod plan;
mod poison;
pub mod report;
mod restart;
mod retention;
mod run;
pub mod runs;
mod server_frame;
mod server_memory;
mod shrink;
mod simulation;
mod streams;
pub mod tally;
pub mod thundering_herd;
pub mod verdict;
