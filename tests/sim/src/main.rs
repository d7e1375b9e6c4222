//! Runs the simulation: `cargo xtask sim`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use everwire_sim::{generate, run, tally::Tally};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(Wish { runs, seed }) = wish(&arguments) else {
        eprintln!("usage: cargo xtask sim [--runs N] [--seed S]; without --runs, a seed is replayed with its trace");
        return ExitCode::from(2);
    };
    match runs {
        Some(runs) => many(seed.unwrap_or(0), runs),
        None => one(seed.unwrap_or(0)),
    }
}

struct Wish {
    runs: Option<u64>,
    seed: Option<u64>,
}

fn wish(arguments: &[String]) -> Option<Wish> {
    let mut wish = Wish { runs: None, seed: None };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        let value = value.parse().ok()?;
        match name.as_str() {
            "--runs" if value > 0 => wish.runs = Some(value),
            "--seed" => wish.seed = Some(value),
            _ => return None,
        }
    }
    if wish.seed.is_none() {
        wish.runs = wish.runs.or(Some(1_000));
    }
    Some(wish)
}

/// Replays one run and shows all of it.
fn one(seed: u64) -> ExitCode {
    let outcome = run::run(&generate::plan(seed), true);
    for line in &outcome.trace {
        println!("{line}");
    }
    match outcome.violation {
        Some(violation) => {
            println!("{violation}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

fn many(from: u64, runs: u64) -> ExitCode {
    // A panic of the client is a violation like any other, told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let mut told = started;
    let mut tally = Tally::default();
    let mut broken = BTreeMap::new();
    for seed in from..from.saturating_add(runs) {
        let outcome = run::run(&generate::plan(seed), false);
        tally.merge(&outcome.tally);
        if let Some(violation) = outcome.violation {
            let (count, ..) = broken.entry(violation.rule).or_insert((0_u64, seed, violation));
            *count += 1;
        }
        if told.elapsed() >= Duration::from_secs(2) {
            told = Instant::now();
            let done = seed - from + 1;
            println!("{done} of {runs} runs, {:.0} a second", done as f64 / started.elapsed().as_secs_f64());
        }
    }
    println!("{tally}\n\n{runs} runs, {:.0} a second", runs as f64 / started.elapsed().as_secs_f64());
    for (rule, (count, seed, violation)) in &broken {
        println!("{count} runs broke {rule:?}, such as seed {seed}: {violation}");
        println!("  replay it with: cargo xtask sim --seed {seed}");
    }
    let missing = tally.missing();
    // Few runs cannot have seen everything.
    let is_blind = runs >= 10_000 && !missing.is_empty();
    if is_blind {
        println!("never exercised: {missing:?}");
    }
    if broken.is_empty() && !is_blind { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
