//! What can be typed after `cargo xtask sim`.

use std::time::Duration;

use everwire_sim::flaw::Flaw;
use everwire_sim::runs::Campaign;

pub enum Options {
    Help,
    Run(Campaign),
    Replay { seed: u64, campaign: Campaign },
    UntilBroken(Campaign),
    ThunderingHerd { clients: usize },
}

pub const HELP: &str = "\
Usage: cargo xtask sim [OPTIONS]

  --runs N             how many runs (10000)
  --seed S             the seed of the first run; without --runs and --minutes, replays this one with its trace
  --minutes M          for how long, instead of --runs
  --thundering-herd N  N clients lose one server in the same moment
  --until-broken       prints one line about the first violation; a run without any is the failure
  --break FLAW         something around the client is wrong: `dedupe`, the server processes duplicates; `offsets`, its
                       forgotten streams start over; `outbox`, pages leave on disk what they have sent to a plain server
  --mutants            breaks the client on purpose, one way after the other, and shows that each is noticed";

pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut campaign = Campaign::default();
    let (mut has_runs, mut has_seed, mut until_broken) = (false, false, false);
    let mut words = arguments;
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let mut value = || value.clone().or_else(|| words.next()).ok_or(format!("`{name}` needs a value"));
        match name.as_str() {
            "--help" | "-h" => return Ok(Options::Help),
            "--runs" => (campaign.runs, has_runs) = (number(&name, &value()?)?, true),
            "--seed" => (campaign.seed, has_seed) = (number(&name, &value()?)?, true),
            "--minutes" => {
                let minutes: u64 = number(&name, &value()?)?;
                (campaign.runs, has_runs) = (u64::MAX, true);
                campaign.limit = Some(Duration::from_secs(60 * minutes));
            }
            "--thundering-herd" | "--stampede" => {
                return Ok(Options::ThunderingHerd { clients: number(&name, &value()?)? as usize });
            }
            "--until-broken" => until_broken = true,
            "--break" => {
                let wanted = value()?;
                let flaw = Flaw::ALL.iter().find(|(name, _)| *name == wanted);
                campaign.flaw = Some(flaw.ok_or(format!("`{wanted}` is nothing that a server can do wrong"))?.1);
            }
            _ => return Err(format!("`{name}` is no option, or its value none")),
        }
    }
    Ok(match (until_broken, has_seed && !has_runs) {
        (true, _) => Options::UntilBroken(campaign),
        (false, true) => Options::Replay { seed: campaign.seed, campaign },
        (false, false) => Options::Run(campaign),
    })
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("`{name} {value}`: a whole number is wanted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn accepts_every_documented_form() {
        let is_run = |line, from, count| matches!(parse_line(line), Ok(Options::Run(Campaign { seed, runs, .. })) if (seed, runs) == (from, count));
        assert!(is_run("", 0, 10_000));
        assert!(is_run("--runs 5", 0, 5));
        assert!(is_run("--runs=5 --seed=9", 9, 5));
        assert!(is_run("--minutes 1", 0, u64::MAX));
        assert!(matches!(parse_line("--seed 4"), Ok(Options::Replay { seed: 4, .. })));
        for name in ["--thundering-herd", "--stampede"] {
            let options = parse_line(&format!("{name} 10"));
            assert!(matches!(options, Ok(Options::ThunderingHerd { clients: 10 })), "{name}");
        }
        let broken = parse_line("--until-broken --break dedupe --runs 7");
        assert!(matches!(broken, Ok(Options::UntilBroken(Campaign { flaw: Some(Flaw::Dedupe), runs: 7, .. }))));
    }

    #[test]
    fn says_what_is_wrong() {
        for line in ["--runs", "--runs many", "--break glass", "--fast"] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }
}
