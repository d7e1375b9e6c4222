//! Runs the simulation: `cargo xtask sim`.
#![allow(clippy::print_stdout, reason = "a command line tool")]

use everwire_sim::{generate, run, tally::Tally};

fn main() {
    let mut args = std::env::args().skip(1);
    let from: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(0);
    let count: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(1000);
    let mut tally = Tally::default();
    std::panic::set_hook(Box::new(|_| {}));
    let started = std::time::Instant::now();
    let mut rules = std::collections::BTreeMap::new();
    let mut ms = 0;
    for seed in from..from + count {
        let plan = generate::plan(seed);
        let outcome = run::run(&plan, count == 1);
        tally.merge(&outcome.tally);
        ms += outcome.took_ms;
        if count == 1 {
            for l in &outcome.trace {
                println!("{l}");
            }
        }
        if let Some(v) = outcome.violation {
            let e = rules.entry(v.rule).or_insert((0, seed, v.clone(), plan.steps.len()));
            e.0 += 1;
            if plan.steps.len() < e.3 {
                *e = (e.0, seed, v, plan.steps.len());
            }
        }
    }
    println!("{tally}");
    println!("{:.0} runs/s, {} ms virtual mean", count as f64 / started.elapsed().as_secs_f64(), ms / count);
    println!("missing {:?}", tally.missing());
    for (rule, (n, seed, v, _)) in rules {
        println!("{n:>6} {rule:?} seed {seed}: {v}");
    }
}
