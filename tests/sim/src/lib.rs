//! Everwire's state machine, a model server, and a hostile network, in virtual time and from one seed.
//!
//! A seed becomes a [`plan`](plan::Plan), the plan becomes a [run](run::run), and a reference model says whether every promise was kept.

mod acts;
mod agenda;
mod device;
mod events;
mod frame;
pub mod generate;
mod ledger;
mod lies;
mod memory;
mod network;
mod page;
mod pipe;
pub mod plan;
pub mod run;
mod server;
pub mod tally;
pub mod verdict;
mod wire;
mod world;
