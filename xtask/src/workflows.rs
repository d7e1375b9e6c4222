//! The workflow files of public forges: whether their commands exist, and whether they run what `.ci/run` runs.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::cli::{self, Command};
use crate::suites::SUITES;
use crate::{paths, progress};

pub fn check() -> Result<()> {
    progress::say("lint · workflows …");
    for file in FILES {
        let text = std::fs::read_to_string(paths::root().join(file)).with_context(|| format!("reading {file}"))?;
        judge(&text).with_context(|| format!("{file} is wrong"))?;
    }
    Ok(())
}

fn judge(text: &str) -> Result<()> {
    let workflow: Value = serde_saphyr::from_str(text)?;
    let jobs = workflow.get("jobs").unwrap_or(&workflow).as_object().context("there are no jobs")?;
    let (mut lints, mut missing) = (false, SUITES.iter().map(|suite| suite.name).collect::<BTreeSet<_>>());
    for (name, job) in jobs {
        for line in scripts(job) {
            for command in expand(line, job).with_context(|| format!("job `{name}`"))? {
                let arguments = cli::parse(command.split_whitespace()).with_context(|| format!("job `{name}`"))?;
                match arguments.command {
                    Command::Lint => lints = true,
                    Command::Test { suites, quick: false } if suites.is_empty() => missing.clear(),
                    Command::Test { suites, quick: false } => missing.retain(|suite| !suites.contains(suite)),
                    _ => {}
                }
            }
        }
    }
    ensure!(lints, "no job runs `cargo xtask lint`");
    ensure!(missing.is_empty(), "no job runs the suites {missing:?}");
    Ok(())
}

/// What comes after `cargo xtask` in the scripts of a job.
fn scripts(job: &Value) -> Vec<&str> {
    match job {
        Value::String(text) => text.lines().filter_map(|line| line.trim().strip_prefix("cargo xtask ")).collect(),
        Value::Array(parts) => parts.iter().flat_map(scripts).collect(),
        Value::Object(parts) => parts.values().flat_map(scripts).collect(),
        _ => Vec::new(),
    }
}

/// A command with each value that the job's matrix has for the variables in it.
fn expand(line: &str, job: &Value) -> Result<Vec<String>> {
    let line = line.replace("${{ matrix.", "$").replace(" }}", "");
    let Some((before, rest)) = line.split_once('$') else { return Ok(vec![line]) };
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (variable, after) = rest.split_at(end);
    let values = values(job, variable);
    if values.is_empty() {
        bail!("the matrix has no `{variable}`");
    }
    let expanded = values.iter().map(|value| expand(&format!("{before}{value}{after}"), job));
    Ok(expanded.collect::<Result<Vec<_>>>()?.concat())
}

/// Every text under this key, at whatever depth of the matrix.
fn values(part: &Value, key: &str) -> Vec<String> {
    match part {
        Value::Object(parts) => {
            let here = parts.get(key).map_or_else(Vec::new, texts);
            here.into_iter().chain(parts.values().flat_map(|part| values(part, key))).collect()
        }
        Value::Array(parts) => parts.iter().flat_map(|part| values(part, key)).collect(),
        _ => Vec::new(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

const FILES: [&str; 2] = [".github/workflows/ci.yml", ".gitlab-ci.yml"];

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lint: &str, test: &str, suites: &str) -> String {
        let text = format!("a:\n  script: [{lint}]\nb:\n  matrix: [{{ S: [{suites}] }}]\n  run: |\n    {test}\n");
        judge(&text).map_or_else(|error| format!("{error:#}"), |()| "right".into())
    }

    #[test]
    fn a_workflow_runs_lint_and_every_suite_with_commands_that_exist() {
        let all = SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>();
        let (lint, test) = ("cargo xtask lint", "cargo xtask test $S");
        assert_eq!(judged(lint, test, &all.join(" ")), "right");
        assert_eq!(judged(lint, "cargo xtask test ${{ matrix.S }}", &all.join(", ")), "right");
        assert_eq!(judged(lint, test, &all[1..].join(", ")), r#"no job runs the suites {"core"}"#);
        assert_eq!(judged("echo", "cargo xtask test", "core"), "no job runs `cargo xtask lint`");
        assert!(judged(lint, test, "cores").contains("invalid value 'cores'"));
        assert!(judged(lint, "cargo xtask test $T", "core").contains("has no `T`"));
        assert!(judged("cargo xtask link", test, "core").contains("unrecognized subcommand 'link'"));
    }

    #[test]
    fn what_is_no_yaml_is_an_error() {
        assert!(judge("a: [").is_err());
    }
}
