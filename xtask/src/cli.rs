//! What can be typed after `cargo xtask`.

use crate::fuzz::TARGETS;
use crate::suites::SUITES;

#[derive(Debug, PartialEq)]
pub enum Command {
    Help,
    Build { dev: bool },
    Size,
    Lint,
    Fmt,
    Demo { port: u16 },
    Test { suites: Vec<&'static str>, quick: bool },
    Bench { name: Option<String> },
    Load { quick: bool },
    Sim { options: Vec<String> },
    SimMutants,
    Fuzz { seconds: u32, target: Option<&'static str> },
    Codegen,
    ReleaseDryRun,
}

/// Reads the arguments; the error is the sentence to show above the help.
pub fn parse(arguments: &[String]) -> Result<Command, String> {
    let mut words = arguments.iter().map(String::as_str);
    let Some(name) = words.next() else {
        return Err("which command?".into());
    };
    let rest = words.collect::<Vec<_>>();
    match name {
        "help" | "--help" | "-h" => Ok(Command::Help),
        _ if rest.contains(&"--help") || rest.contains(&"-h") => Ok(Command::Help),
        "build" => match rest[..] {
            [] => Ok(Command::Build { dev: false }),
            ["--dev"] => Ok(Command::Build { dev: true }),
            _ => Err(unexpected(name, &rest, "--dev")),
        },
        "demo" => parse_demo(&rest),
        "test" => parse_test(&rest),
        "bench" => match rest[..] {
            [] => Ok(Command::Bench { name: None }),
            [bench] if !bench.starts_with('-') => Ok(Command::Bench { name: Some(bench.into()) }),
            _ => Err(unexpected(name, &rest, "the name of one bench")),
        },
        "load" => match rest[..] {
            [] => Ok(Command::Load { quick: false }),
            ["--quick"] => Ok(Command::Load { quick: true }),
            _ => Err(unexpected(name, &rest, "--quick")),
        },
        "sim" => match rest[..] {
            ["--mutants"] => Ok(Command::SimMutants),
            // The simulation reads its options itself, and knows best what is wrong with them.
            _ => Ok(Command::Sim { options: rest.into_iter().map(String::from).collect() }),
        },
        "fuzz" => parse_fuzz(&rest),
        "size" => alone(name, &rest, Command::Size),
        "lint" => alone(name, &rest, Command::Lint),
        "fmt" => alone(name, &rest, Command::Fmt),
        "release" => match rest[..] {
            ["--dry-run"] => Ok(Command::ReleaseDryRun),
            _ => Err("`release` needs `--dry-run`; publishing is done by hand, as RELEASING.md says".into()),
        },
        "codegen" => alone(name, &rest, Command::Codegen),
        _ => Err(format!("there is no command `{name}`")),
    }
}

pub fn help() -> String {
    let suites = SUITES.iter().map(|suite| {
        let mark = if suite.slow { " (*)" } else { "" };
        format!("  {:<9} {}{mark}", suite.name, suite.about)
    });
    let targets = names_of_targets();
    format!(
        "\
Usage: cargo xtask COMMAND

  demo [--port N]         build everything and serve the demo page (port {DEMO_PORT})
  test [SUITE…] [--quick] run the test suites, all of them by default; --quick leaves out the slow ones (*)
  build [--dev]           build the npm package into pkg/dist; --dev skips the optimiser and the size budgets
  size                    show the size of the built package against pkg/size-budget.json
  lint                    check formatting, lints, documentation, dependencies and types
  fmt                     format Rust and TypeScript
  bench [NAME]            run bench/NAME.mjs against the built package; without a name, list what exists
  load [--quick]          put the reference server under load: connections, fan-out, restarts; --quick judges no figures
  sim [--runs N] [--seed S] [--minutes M] [--stampede N] [--mutants]
                          simulate clients, server and network in virtual time; --seed alone replays one run, --mutants
                          breaks the client on purpose and shows that it is noticed
  fuzz [--seconds N] [--target NAME]
                          feed arbitrary input to the targets {targets}; N seconds in all ({FUZZ_SECONDS})
  codegen                 rewrite pkg/src/events.ts from the Rust event types
  release --dry-run       check everything that a release would publish; publishes nothing
  help                    show this text

Suites, in the order in which they run:
{}

Environment: CHROMIUM, CHROMEDRIVER, FIREFOX, GECKODRIVER and WEBKITDRIVER name the programs to use.",
        suites.collect::<Vec<_>>().join("\n")
    )
}

const DEMO_PORT: u16 = 8787;
const FUZZ_SECONDS: u32 = 60;

fn parse_demo(rest: &[&str]) -> Result<Command, String> {
    let port = match rest {
        [] => return Ok(Command::Demo { port: DEMO_PORT }),
        ["--port", port] => port,
        [option] => option.strip_prefix("--port=").ok_or_else(|| unexpected("demo", rest, "--port N"))?,
        _ => return Err(unexpected("demo", rest, "--port N")),
    };
    let port = port.parse().map_err(|_| format!("`--port {port}`: a port is a number from 0 to 65535"))?;
    Ok(Command::Demo { port })
}

fn parse_test(rest: &[&str]) -> Result<Command, String> {
    let mut quick = false;
    let mut suites = Vec::new();
    for &word in rest {
        if word == "--quick" {
            quick = true;
        } else if let Some(suite) = SUITES.iter().find(|suite| suite.name == word) {
            suites.push(suite.name);
        } else {
            let known = SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>().join(" ");
            return Err(format!("`test` has no suite or option `{word}`; the suites are: {known}"));
        }
    }
    Ok(Command::Test { suites, quick })
}

fn parse_fuzz(rest: &[&str]) -> Result<Command, String> {
    let (mut seconds, mut target) = (FUZZ_SECONDS, None);
    let mut words = rest.iter().flat_map(|word| word.split('='));
    while let Some(option) = words.next() {
        let value = words.next().unwrap_or_default();
        match option {
            "--seconds" => match value.parse() {
                Ok(number) if number > 0 => seconds = number,
                _ => return Err(format!("`--seconds {value}`: a whole number from 1")),
            },
            "--target" => match TARGETS.iter().find(|target| target.name == value) {
                Some(known) => target = Some(known.name),
                None => return Err(format!("`--target {value}`: the targets are {}", names_of_targets())),
            },
            _ => return Err(unexpected("fuzz", rest, "--seconds N and --target NAME")),
        }
    }
    Ok(Command::Fuzz { seconds, target })
}

fn names_of_targets() -> String {
    TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ")
}

fn alone(name: &str, rest: &[&str], command: Command) -> Result<Command, String> {
    if rest.is_empty() { Ok(command) } else { Err(unexpected(name, rest, "nothing else")) }
}

fn unexpected(name: &str, rest: &[&str], accepted: &str) -> String {
    format!("`{name}` accepts {accepted}, not `{}`", rest.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Command, String> {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn accepts_every_documented_form() {
        assert_eq!(parse_line("build"), Ok(Command::Build { dev: false }));
        assert_eq!(parse_line("build --dev"), Ok(Command::Build { dev: true }));
        assert_eq!(parse_line("demo"), Ok(Command::Demo { port: 8787 }));
        assert_eq!(parse_line("demo --port 0"), Ok(Command::Demo { port: 0 }));
        assert_eq!(parse_line("demo --port=9000"), Ok(Command::Demo { port: 9000 }));
        assert_eq!(parse_line("test"), Ok(Command::Test { suites: vec![], quick: false }));
        assert_eq!(parse_line("test js --quick core"), Ok(Command::Test { suites: vec!["js", "core"], quick: true }));
        assert_eq!(parse_line("bench dispatch"), Ok(Command::Bench { name: Some("dispatch".into()) }));
        assert_eq!(parse_line("load"), Ok(Command::Load { quick: false }));
        assert_eq!(parse_line("load --quick"), Ok(Command::Load { quick: true }));
        assert_eq!(parse_line("sim"), Ok(Command::Sim { options: vec![] }));
        assert_eq!(parse_line("sim --runs 5"), Ok(Command::Sim { options: vec!["--runs".into(), "5".into()] }));
        assert_eq!(parse_line("sim --mutants"), Ok(Command::SimMutants));
        assert_eq!(parse_line("fuzz"), Ok(Command::Fuzz { seconds: 60, target: None }));
        let one = Command::Fuzz { seconds: 5, target: Some("core") };
        assert_eq!(parse_line("fuzz --seconds 5 --target core"), Ok(one));
        assert_eq!(parse_line("fuzz --seconds=9"), Ok(Command::Fuzz { seconds: 9, target: None }));
        assert_eq!(parse_line("release --dry-run"), Ok(Command::ReleaseDryRun));
        assert_eq!(parse_line("lint --help"), Ok(Command::Help));
    }

    #[test]
    fn says_what_a_wrong_argument_should_have_been() {
        for (line, part) in [
            ("", "which command"),
            ("biuld", "no command `biuld`"),
            ("build --prod", "--dev"),
            ("demo --port", "--port N"),
            ("demo --port 70000", "0 to 65535"),
            ("test chrom", "chrome firefox webkit"),
            ("size now", "nothing else"),
            ("load --fast", "--quick"),
            ("bench --all", "the name of one bench"),
            ("fuzz --seconds", "from 1"),
            ("fuzz --seconds 0", "from 1"),
            ("fuzz --target cor", "core, frame, server_frame"),
            ("fuzz core", "--target NAME"),
            ("release", "--dry-run"),
        ] {
            let message = parse_line(line).unwrap_err();
            assert!(message.contains(part), "`{line}` gave: {message}");
        }
    }

    #[test]
    fn help_lists_every_command_and_suite() {
        let help = help();
        for word in [
            "demo", "test", "build", "size", "lint", "fmt", "bench", "load", "sim", "fuzz", "codegen", "release",
            "help",
        ] {
            assert!(help.contains(&format!("\n  {word} ")), "{word} is missing");
        }
        assert!(SUITES.iter().all(|suite| help.contains(suite.about)));
    }
}
