//! Makes a plan that breaks a rule as small as it gets.

use everwire::proto::time::FOREVER;

use crate::run::run;
use crate::run_plan::{Act, DeviceSetup, Plan, ServerSetup};
use crate::verdict::Rule;

/// A smaller plan that breaks the same rule.
pub fn shrink(plan: &Plan, rule: Rule) -> Plan {
    shrink_by(plan, |plan| run(plan, false).violation.is_some_and(|violation| violation.rule == rule))
}

/// A smaller plan that still fails, found by leaving out ever smaller parts (Zeller and Hildebrandt, "Simplifying and isolating
/// failure-inducing input", 2002).
pub fn shrink_by(plan: &Plan, fails: impl Fn(&Plan) -> bool) -> Plan {
    let mut smallest = plan.clone();
    loop {
        let before = smallest.clone();
        without_steps(&mut smallest, |plan| &mut plan.steps, &fails);
        without_devices(&mut smallest, &fails);
        simpler(&mut smallest, &fails);
        if smallest == before {
            return smallest;
        }
    }
}

/// Leaves out ever smaller chunks of a plan's steps.
pub fn without_steps<P: Clone, S>(plan: &mut P, steps: fn(&mut P) -> &mut Vec<S>, fails: &impl Fn(&P) -> bool) {
    let mut chunk = steps(plan).len().div_ceil(2);
    while chunk > 0 {
        let mut from = 0;
        while from < steps(plan).len() {
            let mut smaller = plan.clone();
            let left = steps(&mut smaller);
            left.drain(from..(from + chunk).min(left.len()));
            if fails(&smaller) { *plan = smaller } else { from += chunk }
        }
        chunk /= 2;
    }
}

fn without_devices(plan: &mut Plan, fails: &impl Fn(&Plan) -> bool) {
    let mut device = 0;
    while device < plan.setup.devices.len() && plan.setup.devices.len() > 1 {
        let mut smaller = plan.clone();
        smaller.setup.devices.remove(device);
        smaller.steps.retain(|step| step.act.device() != Some(device));
        for act in smaller.steps.iter_mut().filter_map(|step| step.act.device_mut()) {
            *act -= usize::from(*act > device);
        }
        if fails(&smaller) { *plan = smaller } else { device += 1 }
    }
}

fn simpler(plan: &mut Plan, fails: &impl Fn(&Plan) -> bool) {
    for simplify in SERVER {
        attempt(plan, fails, |plan| simplify(&mut plan.setup.server));
    }
    for device in 0..plan.setup.devices.len() {
        for simplify in DEVICE {
            attempt(plan, fails, |plan| simplify(&mut plan.setup.devices[device]));
        }
    }
    for step in 0..plan.steps.len() {
        attempt(plan, fails, |plan| {
            if let Act::Burst { device, note, .. } = plan.steps[step].act {
                plan.steps[step].act = Act::Send { device, note };
            }
        });
        attempt(plan, fails, |plan| {
            if let Act::Send { note, .. } | Act::Burst { note, .. } = &mut plan.steps[step].act {
                (note.key, note.ttl_ms, note.to_room, note.poison) = (None, None, false, None);
            }
        });
    }
    attempt(plan, fails, |plan| plan.setup.chat = None);
    attempt(plan, fails, |plan| {
        if let Some(chat) = &mut plan.setup.chat {
            (chat.can_load_missed, chat.names_members) = (false, false);
        }
    });
    attempt(plan, fails, |plan| plan.setup.calm_is_announced = true);
    let last = plan.steps.last().map_or(0, |step| step.at);
    attempt(plan, fails, |plan| plan.setup.calm_at = plan.setup.calm_at.min(last + 1));
}

fn attempt(plan: &mut Plan, fails: &impl Fn(&Plan) -> bool, change: impl FnOnce(&mut Plan)) {
    let mut simpler = plan.clone();
    change(&mut simpler);
    if simpler != *plan && fails(&simpler) {
        *plan = simpler;
    }
}

const SERVER: &[fn(&mut ServerSetup)] = &[
    |server| server.is_plain = false,
    |server| server.is_silent = false,
    |server| server.byzantine_every = 0,
    |server| server.window = 128,
    |server| server.history = 1_000,
    |server| server.ack_delay_ms = 0,
    |server| server.reply_delay_ms = 0,
    |server| server.stores_replies = true,
    |server| server.skips_offsets = false,
    |server| server.acks_first = false,
    |server| server.refuses_every = 0,
    |server| server.supersedes_late = false,
    |server| server.limits.max_bytes = FOREVER,
    |server| server.limits.remember_ms = FOREVER,
    |server| (server.leaves_out, server.reads_ahead) = (false, false),
    |server| server.is_frail = false,
];

const DEVICE: &[fn(&mut DeviceSetup)] = &[
    |device| (device.latency_ms, device.jitter_ms) = (20, 0),
    |device| device.jitter_ms = 0,
    |device| device.bandwidth = None,
    |device| device.buffer = (256 << 10, 64 << 10),
    |device| (device.queue, device.ttl_ms) = ((1_000, 1 << 20), None),
    |device| device.max_attempts = 5,
    |device| device.stable_after_ms = 5_000,
    |device| device.interval_ms = if device.interval_ms == FOREVER { FOREVER } else { 30_000 },
    |device| device.timeout_ms = 10_000,
    |device| device.connect_timeout_ms = 10_000,
    |device| device.storage_ms = 0,
];

#[cfg(test)]
mod tests {
    use super::shrink_by;
    use crate::generate;
    use crate::run_plan::Act;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let plan = generate::plan(3);
        let joins = |plan: &crate::run_plan::Plan| {
            plan.steps.iter().filter(|step| matches!(step.act, Act::Join { device: 1, .. })).count()
        };
        assert!(plan.setup.devices.len() > 1 && joins(&plan) >= 2, "{plan}");
        let shrunk = shrink_by(&plan, |plan| joins(plan) >= 2);
        assert_eq!((shrunk.steps.len(), joins(&shrunk), shrunk.setup.devices.len()), (2, 2, 2));
        assert_eq!((shrunk.setup.server.window, shrunk.setup.devices[0].bandwidth), (128, None));
    }

    #[test]
    fn devices_keep_their_steps_when_others_go() {
        let plan = generate::plan(3);
        let last = plan.setup.devices.len() - 1;
        let of_last = |plan: &crate::run_plan::Plan, device| {
            plan.steps.iter().filter(|step| step.act.device() == Some(device)).count()
        };
        let wanted = of_last(&plan, last);
        let shrunk = shrink_by(&plan, |plan| (0..=last).any(|device| of_last(plan, device) == wanted));
        assert_eq!((shrunk.setup.devices.len(), shrunk.steps.len()), (1, wanted));
    }
}
