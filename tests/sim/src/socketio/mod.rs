//! Clients of a Socket.IO server, run by the shipped driver, with a model of such a server and the network between them (docs/SOCKETIO.md).

mod application;
mod byzantine;
mod client_host;
mod client_packet;
mod connection;
mod end;
mod frames;
mod judge;
mod network;
mod page;
pub mod plan;
mod server;
mod sessions;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::run::{Outcome, panicked};
use crate::shrink::without_steps;
use crate::verdict::Rule;
use plan::Plan;
use world::World;

/// One seed in so many stands for a run of this kind.
const SHARE: u64 = 5;

/// Whether a seed stands for a run of this kind.
pub const fn is_for(seed: u64) -> bool {
    seed % SHARE == SHARE - 1
}

/// Runs a plan; the same plan always gives the same outcome.
pub fn run(plan: &Plan, is_traced: bool) -> Outcome {
    let mut world = World::new(plan, is_traced);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| world.complete())) {
        let (rule, words) = panicked(&*panic);
        world.violation = None;
        world.break_rule(rule, words);
    }
    let World { violation, tally, trace, now, .. } = world;
    Outcome { violation, tally, trace: trace.unwrap_or_default(), took_ms: now }
}

/// A plan with fewer steps that breaks the same rule.
pub fn shrink(plan: &Plan, rule: Rule) -> Plan {
    let fails = |plan: &Plan| run(plan, false).violation.is_some_and(|violation| violation.rule == rule);
    let mut smallest = plan.clone();
    without_steps(&mut smallest, |plan| &mut plan.steps, &fails);
    smallest
}
