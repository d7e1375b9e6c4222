//! Runs test suites and sums up.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::install::Need;
use crate::job::Failed;
use crate::progress;
use crate::suites::{SUITES, Suite, SuiteContext};

/// Runs the named suites in full, or all of them once; one that fails does not keep the others from running.
pub fn run(names: &[&str], quick: bool) -> Result<()> {
    let mut context = SuiteContext::new(names.is_empty());
    let mut results = Vec::new();
    for suite in chosen(names) {
        results.push(Outcome { name: suite.name, result: run_one(suite, quick, &mut context) });
    }
    if results.len() > 1 {
        print!("{}", told_again(&results));
    }
    println!("\n{}\n{}", summary(&results), closing_line(&results));
    if count(&results, "failed") > 0 {
        bail!("run a failed suite alone with `cargo xtask test {}`", failed_names(&results));
    }
    Ok(())
}

/// What the suites need that will be run.
pub fn needs(names: &[&str], quick: bool) -> Vec<&'static dyn Need> {
    let run = chosen(names).filter(|suite| !(quick && suite.slow));
    run.flat_map(|suite| suite.needs).copied().collect()
}

fn chosen(names: &[&str]) -> impl Iterator<Item = &'static Suite> {
    SUITES.iter().filter(|suite| names.is_empty() || names.contains(&suite.name))
}

struct Outcome {
    name: &'static str,
    result: SuiteResult,
}

enum SuiteResult {
    Passed(Duration),
    Failed(Duration, anyhow::Error),
    Skipped,
}

fn run_one(suite: &Suite, quick: bool, context: &mut SuiteContext) -> SuiteResult {
    if quick && suite.slow {
        return SuiteResult::Skipped;
    }
    println!();
    progress::say(format!("suite {}: {}", suite.name, suite.about));
    let started = Instant::now();
    let outcome = (suite.run)(context);
    let took = started.elapsed();
    match outcome {
        Ok(()) => {
            progress::say(format!("suite {} passed in {}", suite.name, progress::seconds(took)));
            SuiteResult::Passed(took)
        }
        Err(error) => {
            progress::say(format!("suite {} FAILED after {}: {error:#}", suite.name, progress::seconds(took)));
            SuiteResult::Failed(took, error)
        }
    }
}

fn summary(outcomes: &[Outcome]) -> String {
    let line = |outcome: &Outcome| {
        let (took, why) = match &outcome.result {
            SuiteResult::Passed(took) => (progress::seconds(*took), String::new()),
            SuiteResult::Failed(took, error) => (progress::seconds(*took), first_line(error)),
            SuiteResult::Skipped => (String::new(), "left out by --quick".into()),
        };
        let line = format!("{:<10}{:<9}{took:>9}  {why}", outcome.name, outcome.result.word());
        line.trim_end().to_owned()
    };
    outcomes.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn first_line(error: &anyhow::Error) -> String {
    format!("{error:#}").lines().next().unwrap_or("").to_owned()
}

/// The ends of the failed suites' outputs, for who has only the end of the log.
fn told_again(outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter_map(|Outcome { name, result }| match result {
        SuiteResult::Failed(_, error) => Some((name, error.downcast_ref::<Failed>()?)),
        _ => None,
    });
    failed.map(|(name, failed)| format!("\nsuite {name} failed; it had ended with:\n{}\n", failed.last_lines)).collect()
}

/// The line that continuous integration reads.
fn closing_line(outcomes: &[Outcome]) -> String {
    let [passed, failed, skipped] = ["passed", "failed", "skipped"].map(|word| count(outcomes, word));
    if skipped == 0 {
        format!("{passed} passed, {failed} failed")
    } else {
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl SuiteResult {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(..) => "failed",
            Self::Skipped => "skipped",
        }
    }
}

fn count(outcomes: &[Outcome], word: &str) -> usize {
    outcomes.iter().filter(|outcome| outcome.result.word() == word).count()
}

fn failed_names(outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|outcome| outcome.result.word() == "failed");
    failed.map(|outcome| outcome.name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Vec<Outcome> {
        let second = Duration::from_secs(1);
        let failed =
            Failed { message: "vitest failed\nsee above".into(), last_lines: "FAIL a.test.ts\n1 failed".into() };
        vec![
            Outcome { name: "core", result: SuiteResult::Passed(second) },
            Outcome { name: "js", result: SuiteResult::Failed(second, failed.into()) },
        ]
    }

    #[test]
    fn the_closing_line_counts_suites() {
        let mut outcomes = outcomes();
        assert_eq!(closing_line(&outcomes), "1 passed, 1 failed");
        outcomes.push(Outcome { name: "e2e", result: SuiteResult::Skipped });
        assert_eq!(closing_line(&outcomes), "1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn the_end_of_what_a_failed_suite_printed_is_told_again() {
        let again = told_again(&outcomes());
        assert_eq!(again, "\nsuite js failed; it had ended with:\nFAIL a.test.ts\n1 failed\n");
    }

    #[test]
    fn the_summary_gives_each_suite_one_line_with_its_reason() {
        let summary = summary(&outcomes());
        let lines = summary.lines().collect::<Vec<_>>();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["core", "passed", "1.0s"]);
        assert!(lines[1].ends_with("vitest failed") && lines.len() == 2);
    }
}
