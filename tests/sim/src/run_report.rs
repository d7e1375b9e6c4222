//! Runs in words.

use core::fmt::Write;

use crate::run::run;
use crate::runs::Campaign;
use crate::shrink::shrink;
use crate::socketio;
use crate::verdict::BrokenRule;

/// What a seed of a campaign has broken, how to see it again, and the least that breaks the same.
pub fn explain(campaign: &Campaign, seed: u64, violation: &BrokenRule) -> String {
    let mut text = format!("BROKEN by seed {seed}: {violation}\n\n");
    let trace = campaign.run_seed(seed, true).trace;
    _ = writeln!(text, "The end of its trace; `cargo xtask sim --seed {seed}{}` shows all of it:", campaign.flags());
    quote(&mut text, &trace, TRACE_LINES);
    let outcome = if socketio::is_for(seed) {
        let plan = socketio::plan::plan(seed);
        let smallest = socketio::shrink(&plan, violation.rule);
        let (steps, left) = (plan.steps.len(), smallest.steps.len());
        _ = writeln!(text, "\nShrunk from {steps} steps to {left}:\n{smallest}");
        socketio::run(&smallest, true)
    } else {
        let plan = campaign.plan(seed);
        let smallest = shrink(&plan, violation.rule);
        let (steps, devices) = (plan.steps.len(), plan.setup.devices.len());
        let (left, devices_left) = (smallest.steps.len(), smallest.setup.devices.len());
        _ = writeln!(
            text,
            "\nShrunk from {steps} steps and {devices} devices to {left} and {devices_left}:\n{smallest}"
        );
        run(&smallest, true)
    };
    quote(&mut text, &outcome.trace, SHRUNK_LINES);
    if let Some(violation) = outcome.violation {
        _ = writeln!(text, "\nBROKEN: {violation}");
    }
    text
}

/// The plan of a seed, everything that happens, and whether a rule was broken.
pub fn replay(campaign: &Campaign, seed: u64) -> (String, Option<BrokenRule>) {
    let outcome = campaign.run_seed(seed, true);
    let mut text = match socketio::is_for(seed) {
        true => socketio::plan::plan(seed).to_string(),
        false => campaign.plan(seed).to_string(),
    };
    quote(&mut text, &outcome.trace, usize::MAX);
    _ = write!(text, "\n{}", outcome.tally);
    (text, outcome.violation)
}

fn quote(text: &mut String, lines: &[String], most: usize) {
    for line in lines.iter().skip(lines.len().saturating_sub(most)) {
        let end = line.char_indices().nth(LINE_CHARS).map_or(line.len(), |(end, _)| end);
        let more = if end < line.len() { " …" } else { "" };
        _ = writeln!(text, "  {}{more}", line.get(..end).unwrap_or(line));
    }
}

const TRACE_LINES: usize = 30;
const SHRUNK_LINES: usize = 100;
const LINE_CHARS: usize = 240;

#[cfg(test)]
mod tests {
    use super::{explain, replay};
    use crate::flaw::Flaw;
    use crate::runs::Campaign;

    #[test]
    fn a_seed_replays_exactly() {
        let campaign = Campaign::default();
        assert_eq!(replay(&campaign, 11), replay(&campaign, 11));
        assert_ne!(replay(&campaign, 11), replay(&campaign, 12));
    }

    #[test]
    fn a_broken_server_is_noticed_replayed_and_shrunk() {
        let campaign = Campaign { runs: 3_000, flaw: Some(Flaw::Dedupe), ..Campaign::default() };
        let (seed, violation) = campaign.run(|_, _| ()).broken.unwrap();
        assert_eq!(replay(&campaign, seed).1, Some(violation.clone()));
        let text = explain(&campaign, seed, &violation);
        assert!(text.starts_with(&format!("BROKEN by seed {seed}: ")), "{text}");
        let shrunk = text.split("Shrunk from ").nth(1).unwrap();
        let left: usize = shrunk.split(" to ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        assert!(left <= 8, "{text}");
    }
}
