//! Everwire's state machine, a model server, and a hostile network, in virtual time and from one seed.
//!
//! A seed becomes a plan, the plan becomes a run, and a reference model says whether every promise was kept.

mod acts;
mod agenda;
mod device;
mod disk;
mod driver;
mod events;
pub mod flaw;
mod forget;
mod frame;
mod generate;
mod held;
mod ledger;
mod lies;
mod memory;
mod network;
mod page;
mod pipe;
mod plan;
mod poison;
pub mod report;
mod restart;
mod rooms;
mod run;
pub mod runs;
mod server;
mod shrink;
pub mod stampede;
mod streams;
pub mod tally;
pub mod verdict;
mod wire;
mod world;
