//! Runs the simulation: `cargo xtask sim --help`.
#![allow(clippy::print_stdout, reason = "a command line tool speaks through its standard streams")]

mod sim_options;

use std::process::ExitCode;
use std::time::Duration;

use everwire_sim::run_report;
use everwire_sim::runs::Campaign;
use everwire_sim::thundering_herd;
use sim_options::Options;

fn main() -> ExitCode {
    let options = match sim_options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(misuse) => {
            println!("{misuse}\n\n{}", sim_options::HELP);
            return ExitCode::from(2);
        }
    };
    // What panics in a run is a violation, and reported as one.
    std::panic::set_hook(Box::new(|_| {}));
    let is_fine = match options {
        Options::Help => {
            println!("{}", sim_options::HELP);
            true
        }
        Options::Replay { seed, campaign } => replay(&campaign, seed),
        Options::ThunderingHerd { clients } => thundering_herd(clients),
        Options::UntilBroken(campaign) => until_broken(&campaign),
        Options::Run(campaign) => run_all(&campaign),
    };
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_all(campaign: &Campaign) -> bool {
    let wanted = campaign.runs;
    let results = campaign.run(|runs, elapsed| {
        let rate = runs as f64 / elapsed.as_secs_f64();
        let of = if wanted == u64::MAX { String::new() } else { format!(" of {wanted}") };
        println!("{runs:>9}{of} runs, {rate:.0} runs/s");
    });
    println!("\n{}", results.tally);
    let mean = Duration::from_millis(results.virtual_ms / results.runs.max(1));
    println!(
        "{} runs in {:.1} s, {:.0} runs/s, {:.0} s of virtual time each",
        results.runs,
        results.took.as_secs_f64(),
        results.runs_per_second(),
        mean.as_secs_f64()
    );
    if let Some((seed, violation)) = &results.broken {
        println!("{}", run_report::explain(campaign, *seed, violation));
        return false;
    }
    let missing = results.tally.missing();
    if results.runs >= ENOUGH_RUNS && !missing.is_empty() {
        println!("BROKEN: the runs do not exercise any more: {}", missing.join(", "));
        return false;
    }
    println!("no rule was broken");
    true
}

fn replay(campaign: &Campaign, seed: u64) -> bool {
    let (text, violation) = run_report::replay(campaign, seed);
    println!("{text}");
    match &violation {
        Some(violation) => println!("BROKEN by seed {seed}: {violation}"),
        None => println!("no rule was broken"),
    }
    violation.is_none()
}

/// For whoever wants to know whether a broken client or server is noticed: one line, and success if it was.
fn until_broken(campaign: &Campaign) -> bool {
    let results = campaign.run(|_, _| ());
    match results.broken {
        Some((seed, violation)) => {
            println!("{:?} at seed {seed}, after {} runs", violation.rule, seed - campaign.seed + 1)
        }
        None => {
            println!("not noticed in {} runs", results.runs);
            return false;
        }
    }
    true
}

fn thundering_herd(clients: usize) -> bool {
    let thundering_herd = thundering_herd::thundering_herd(clients);
    for (attempt, share) in thundering_herd.busiest_percent.iter().enumerate() {
        println!("attempt {}: {share:>5.2} % of {clients} clients within the busiest 100 ms", attempt + 1);
    }
    for (attempt, share, bound) in thundering_herd.excess() {
        println!("BROKEN: {share:.2} % at attempt {attempt}, allowed are {bound} %");
    }
    thundering_herd.excess().is_empty()
}

/// From how many runs on everything has to happen.
const ENOUGH_RUNS: u64 = 2_000;
