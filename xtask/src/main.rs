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
mod conformity;
mod crates;
mod debian;
mod demo;
mod docs;
mod example;
mod externrefs;
mod fuzz;
mod glue;
mod install;
mod job;
mod links;
mod lint;
mod load;
mod mutants;
mod node;
mod nodes;
mod panics;
mod paths;
mod processes;
mod progress;
mod python;
mod release;
mod server;
mod services;
mod shell;
mod sim;
mod size;
mod stamp;
mod suites;
mod test;
mod tools;
mod wasm;
mod workflows;

use std::process::ExitCode;

use cli::{Arguments, Command};
use install::Need;

fn main() -> ExitCode {
    progress::start();
    processes::stop_all_on_signal();
    let arguments = match cli::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(help) => {
            _ = help.print();
            return if help.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(Arguments { no_install, command }: Arguments) -> anyhow::Result<()> {
    if no_install {
        install::forbid();
    }
    install::announce(&needs(&command))?;
    match command {
        Command::Demo { port, socketio, nodes } => demo::run(port, socketio, nodes),
        Command::Test { suites, quick } => test::run(&suites, quick),
        Command::Build { dev: false } => build::release(),
        Command::Build { dev: true } => build::dev(),
        Command::Size => size::check(),
        Command::Lint => lint::lint(),
        Command::Fmt => lint::fmt(),
        Command::Bench { name: Some(name) } => bench::run(&name),
        Command::Bench { name: None } => bench::list(),
        Command::Load { options } => load::run(&options),
        Command::Sim { mutants: true, .. } => mutants::run(),
        Command::Sim { mutants: false, options } => sim::run(&options),
        Command::Fuzz { seconds, target } => fuzz::run(seconds, target),
        Command::Docs => docs::build(),
        Command::Codegen => codegen::run(),
        Command::Release { .. } => release::dry_run(),
    }
}

fn needs(command: &Command) -> Vec<&'static dyn Need> {
    match command {
        Command::Demo { nodes: 2.., .. } => nodes::NEEDS.to_vec(),
        Command::Demo { .. } | Command::Build { .. } => build::NEEDS.to_vec(),
        Command::Test { suites, quick } => test::needs(suites, *quick),
        Command::Lint => lint::NEEDS.to_vec(),
        Command::Fmt => lint::NEEDS_OF_FORMAT.to_vec(),
        Command::Bench { name: Some(_) } => bench::NEEDS.to_vec(),
        Command::Fuzz { .. } => fuzz::NEEDS.to_vec(),
        Command::Docs => docs::NEEDS.to_vec(),
        Command::Release { .. } => release::needs(),
        Command::Load { options } => options.needs().to_vec(),
        Command::Size | Command::Bench { name: None } | Command::Sim { .. } | Command::Codegen => Vec::new(),
    }
}
