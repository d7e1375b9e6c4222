//! Every command of the project: `cargo xtask help` lists them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard streams"
)]

mod bench;
mod build;
mod bundle;
mod cli;
mod codegen;
mod debian;
mod demo;
mod fuzz;
mod job;
mod links;
mod lint;
mod load;
mod mutants;
mod node;
mod panics;
mod paths;
mod processes;
mod progress;
mod python;
mod release;
mod server;
mod sim;
mod size;
mod suites;
mod test;
mod tools;
mod wasm;
mod workflows;

use std::process::ExitCode;

use cli::Command;

fn main() -> ExitCode {
    progress::start();
    processes::stop_all_on_signal();
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let command = match cli::parse(&arguments) {
        Ok(command) => command,
        Err(misuse) => {
            eprintln!("error: {misuse}\n\n{}", cli::help());
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Help => {
            println!("{}", cli::help());
            Ok(())
        }
        Command::Build { dev: false } => build::release(),
        Command::Build { dev: true } => build::dev(),
        Command::Size => size::check(),
        Command::Lint => lint::lint(),
        Command::Fmt => lint::fmt(),
        Command::Demo { port } => demo::run(port),
        Command::Test { suites, quick } => test::run(&suites, quick),
        Command::Bench { name: Some(name) } => bench::run(&name),
        Command::Bench { name: None } => bench::list(),
        Command::Load { quick } => load::run(quick),
        Command::Sim { options } => sim::run(&options),
        Command::SimMutants => mutants::run(),
        Command::Fuzz { seconds, target } => fuzz::run(seconds, target),
        Command::Codegen => codegen::run(),
        Command::ReleaseDryRun => release::dry_run(),
    }
}
