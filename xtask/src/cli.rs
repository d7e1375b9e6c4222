//! What can be typed after `cargo xtask`.

use std::ffi::OsString;

use clap::builder::{FalseyValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};

use crate::fuzz::TARGETS;
use crate::suites::SUITES;

/// Every command of the project
#[derive(Debug, PartialEq, Parser)]
#[command(bin_name = "cargo xtask", after_help = notes())]
pub struct Arguments {
    /// Install nothing: name what is missing, with the command that installs it, and fail
    #[arg(long, global = true, env = "EVERWIRE_NO_INSTALL", value_parser = FalseyValueParser::new())]
    pub no_install: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Build everything and serve the demo page
    Demo {
        #[arg(long, value_name = "N", default_value_t = 8787)]
        port: u16,
        /// With CoLabMatch's server as it was, on Socket.IO, behind its half of the page
        #[arg(long, conflicts_with = "nodes")]
        socketio: bool,
        /// How many servers, behind nginx, on PostgreSQL and Redis
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
        nodes: u8,
    },
    /// Run the test suites, all of them by default
    Test {
        #[arg(value_name = "SUITE", value_parser = suite())]
        suites: Vec<&'static str>,
        /// Leave out the slow suites, marked (*)
        #[arg(long)]
        quick: bool,
    },
    /// Build the npm package into pkg/dist
    Build {
        /// Skip the optimiser and the size budgets
        #[arg(long)]
        dev: bool,
    },
    /// Show the size of the built package against pkg/size-budget.json
    Size,
    /// Check formatting, lints, documentation, dependencies and types
    Lint,
    /// Format Rust and TypeScript
    Fmt,
    /// Run bench/NAME.mjs against the built package; without a name, list what exists
    Bench { name: Option<String> },
    /// Put the reference server under load: connections, fan-out, restarts
    Load {
        #[command(flatten)]
        options: crate::load::Options,
    },
    /// Simulate clients, server and network in virtual time
    #[command(override_usage = SIM_USAGE, after_help = SIM_OPTIONS)]
    Sim {
        /// Break the client on purpose, one way after the other, and show that each is noticed
        #[arg(long, conflicts_with = "options")]
        mutants: bool,
        // The simulation reads its options itself, and knows best what is wrong with them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        options: Vec<String>,
    },
    /// Feed arbitrary input to the state machine and the readers of frames
    Fuzz {
        /// How long, for all targets together
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
        /// The only target
        #[arg(long, value_name = "NAME", value_parser = target())]
        target: Option<&'static str>,
    },
    /// Build the pages of docs/ and the references of crate and package into target/docs
    Docs,
    /// Rewrite pkg/src/events.ts from the Rust event types
    Codegen,
    /// Check everything that a release would publish; publishing is done by hand, as RELEASING.md says
    Release {
        /// Publish nothing
        #[arg(long, required = true)]
        dry_run: bool,
    },
}

/// Reads the arguments; the error is the help that was asked for, or says what would have been right.
pub fn parse(words: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Arguments, clap::Error> {
    let program = OsString::from("cargo xtask");
    Arguments::try_parse_from(std::iter::once(program).chain(words.into_iter().map(Into::into)))
}

fn suite() -> impl TypedValueParser<Value = &'static str> {
    one_of(SUITES.iter().map(|suite| (suite.name, format!("{}{}", suite.about, mark(suite.slow)))))
}

fn target() -> impl TypedValueParser<Value = &'static str> {
    one_of(TARGETS.iter().map(|target| (target.name, target.about.to_owned())))
}

fn one_of(choices: impl Iterator<Item = (&'static str, String)>) -> impl TypedValueParser<Value = &'static str> {
    let (names, values): (Vec<_>, Vec<_>) =
        choices.map(|(name, about)| (name, PossibleValue::new(name).help(about))).unzip();
    let known = move |chosen: String| names.iter().copied().find(|name| *name == chosen).ok_or("not in the list");
    PossibleValuesParser::new(values).try_map(known)
}

fn notes() -> String {
    let suites = SUITES.iter().map(|suite| format!("  {:<9} {}{}\n", suite.name, suite.about, mark(suite.slow)));
    format!(
        "Suites, in the order in which they run; `test --quick` leaves out the slow ones (*):\n{}\n\
         Environment: CHROMIUM, CHROMEDRIVER, FIREFOX, GECKODRIVER and WEBKITDRIVER name the programs to use.",
        suites.collect::<String>()
    )
}

fn mark(slow: bool) -> &'static str {
    if slow { " (*)" } else { "" }
}

const SIM_USAGE: &str = "\
cargo xtask sim [--runs N] [--seed S] [--minutes M] [--thundering-herd N]
       cargo xtask sim --mutants";
const SIM_OPTIONS: &str = "\
Options of the simulation:
  --runs N             how many runs, each from a seed
  --seed S             the seed of the first run; alone, it replays this run with its trace
  --minutes M          for how long, instead of --runs
  --thundering-herd N  N clients lose one server in the same moment";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;
    use crate::load::{Options, Store};

    fn parse_line(line: &str) -> Result<Command, clap::Error> {
        parse(line.split_whitespace()).map(|arguments| arguments.command)
    }

    fn accepted(line: &str) -> Command {
        parse_line(line).unwrap_or_else(|misuse| panic!("`{line}` gave: {misuse}"))
    }

    #[test]
    fn the_definition_of_the_commands_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn accepts_every_documented_form() {
        assert_eq!(accepted("build"), Command::Build { dev: false });
        assert_eq!(accepted("build --dev"), Command::Build { dev: true });
        let demo = |port, socketio, nodes| Command::Demo { port, socketio, nodes };
        assert_eq!(accepted("demo"), demo(8787, false, 1));
        assert_eq!(accepted("demo --port 0"), demo(0, false, 1));
        assert_eq!(accepted("demo --port=9000 --socketio"), demo(9000, true, 1));
        assert_eq!(accepted("demo --port=9000 --nodes 2"), demo(9000, false, 2));
        assert_eq!(accepted("test"), Command::Test { suites: vec![], quick: false });
        assert_eq!(accepted("test js --quick core"), Command::Test { suites: vec!["js", "core"], quick: true });
        assert_eq!(accepted("size"), Command::Size);
        assert_eq!(accepted("lint"), Command::Lint);
        assert_eq!(accepted("fmt"), Command::Fmt);
        assert_eq!(accepted("bench"), Command::Bench { name: None });
        assert_eq!(accepted("bench dispatch"), Command::Bench { name: Some("dispatch".into()) });
        let load = |quick, store, nodes| Command::Load { options: Options { quick, store, nodes, unoptimized: false } };
        assert_eq!(accepted("load"), load(false, None, 1));
        assert_eq!(accepted("load --quick"), load(true, None, 1));
        assert_eq!(accepted("load --store sqlite"), load(false, Some(Store::Sqlite), 1));
        assert_eq!(accepted("load --store postgres --nodes 2"), load(false, Some(Store::Postgres), 2));
        assert_eq!(accepted("fuzz"), Command::Fuzz { seconds: 60, target: None });
        let one = Command::Fuzz { seconds: 5, target: Some("core") };
        assert_eq!(accepted("fuzz --seconds 5 --target core"), one);
        assert_eq!(accepted("fuzz --seconds=9"), Command::Fuzz { seconds: 9, target: None });
        assert_eq!(accepted("docs"), Command::Docs);
        assert_eq!(accepted("codegen"), Command::Codegen);
        assert_eq!(accepted("release --dry-run"), Command::Release { dry_run: true });
    }

    #[test]
    fn every_suite_and_target_can_be_named() {
        for suite in SUITES {
            assert_eq!(
                accepted(&format!("test {}", suite.name)),
                Command::Test { suites: vec![suite.name], quick: false }
            );
        }
        for target in TARGETS {
            let line = format!("fuzz --target {}", target.name);
            assert_eq!(accepted(&line), Command::Fuzz { seconds: 60, target: Some(target.name) });
        }
    }

    #[test]
    fn the_options_of_the_simulation_reach_it_unread() {
        let options = |words: &[&str]| Command::Sim {
            mutants: false,
            options: words.iter().copied().map(String::from).collect(),
        };
        assert_eq!(accepted("sim"), options(&[]));
        assert_eq!(accepted("sim --runs 5 --seed=7"), options(&["--runs", "5", "--seed=7"]));
        assert_eq!(accepted("sim --nonsense"), options(&["--nonsense"]));
        assert_eq!(accepted("sim --runs 5 --mutants"), options(&["--runs", "5", "--mutants"]));
        assert_eq!(accepted("sim --mutants"), Command::Sim { mutants: true, options: vec![] });
    }

    #[test]
    fn installing_is_refused_before_or_after_the_command() {
        for line in ["--no-install build --dev", "build --no-install --dev", "build --dev --no-install"] {
            let arguments = parse(line.split_whitespace()).unwrap();
            assert_eq!(arguments, Arguments { no_install: true, command: Command::Build { dev: true } }, "{line}");
        }
        let mutants = Command::Sim { mutants: true, options: vec![] };
        assert_eq!(parse(["--no-install", "sim", "--mutants"]).unwrap().command, mutants);
    }

    #[test]
    fn says_what_a_wrong_argument_should_have_been() {
        let suites = SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ");
        for (line, part) in [
            ("", "Usage: cargo xtask"),
            ("biuld", "'build'"),
            ("build --prod", "Usage: cargo xtask build [OPTIONS]"),
            ("build --deb", "'--dev'"),
            ("demo --port", "'--port <N>'"),
            ("demo --port 70000", "0..=65535"),
            ("demo --nodes 9", "1..=8"),
            ("test chrom", &suites),
            ("size now", "Usage: cargo xtask size"),
            ("load --fast", "Usage: cargo xtask load [OPTIONS]"),
            ("load --nodes 2", "--store <STORE>"),
            ("load --store mongodb", "sqlite, postgres"),
            ("bench --all", "[NAME]"),
            ("fuzz --seconds", "'--seconds <N>'"),
            ("fuzz --seconds 0", "1.."),
            ("fuzz --target cor", "core, wire, frame, server_frame, socketio"),
            ("fuzz core", "Usage: cargo xtask fuzz [OPTIONS]"),
            ("sim --mutants --runs 5", "'--mutants' cannot be used with"),
            ("release", "--dry-run"),
        ] {
            let misuse = parse_line(line).unwrap_err();
            assert_eq!(misuse.exit_code(), 2, "`{line}`");
            let message = misuse.to_string();
            assert!(message.contains(part), "`{line}` gave: {message}");
        }
    }

    #[test]
    fn help_can_be_asked_for_in_every_way_and_is_no_failure() {
        for line in ["help", "--help", "-h", "help test", "lint --help", "test -h", "sim --help"] {
            let help = parse_line(line).unwrap_err();
            assert_eq!((help.kind(), help.exit_code()), (ErrorKind::DisplayHelp, 0), "`{line}`");
        }
    }

    #[test]
    fn help_lists_every_command_and_suite() {
        let help = parse_line("help").unwrap_err().to_string();
        for word in [
            "demo", "test", "build", "size", "lint", "fmt", "bench", "load", "sim", "fuzz", "docs", "codegen",
            "release", "help",
        ] {
            assert!(help.contains(&format!("\n  {word} ")), "{word} is missing");
        }
        assert!(SUITES.iter().all(|suite| help.contains(suite.about)));
        assert!(help.contains("--no-install") && help.contains("EVERWIRE_NO_INSTALL"), "{help}");
        let help = parse_line("fuzz --help").unwrap_err().to_string();
        assert!(TARGETS.iter().all(|target| help.contains(target.about)), "{help}");
        let help = parse_line("test --help").unwrap_err().to_string();
        assert!(SUITES.iter().all(|suite| help.contains(suite.about)), "{help}");
    }
}
