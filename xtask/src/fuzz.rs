//! The fuzz targets of `fuzz/`, each for a bounded time.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::install::Needs;
use crate::job::Job;
use crate::{crates, paths, progress, tools};

/// One program that is fed with what the fuzzer makes up.
pub struct Target {
    pub name: &'static str,
    pub about: &'static str,
    /// Its part of the time: there is more to find in some.
    weight: u32,
    /// The words that its inputs are made of, if they are texts.
    dictionary: Option<&'static str>,
}

pub const TARGETS: &[Target] = &[
    Target { name: "core", about: "the state machine", weight: 4, dictionary: None },
    Target { name: "wire", about: "the decoder and the encoder", weight: 1, dictionary: Some(WORDS) },
    Target { name: "frame", about: "the typed events of the Rust face", weight: 1, dictionary: Some(WORDS) },
    Target { name: "server_frame", about: "the reference server's reader", weight: 1, dictionary: Some(WORDS) },
    Target { name: "socketio", about: "Socket.IO", weight: 1, dictionary: Some(SOCKETIO_WORDS) },
];

pub const NEEDS: Needs = &[&tools::Nightly, &crates::CARGO_FUZZ];

/// Runs one target for so many seconds, or all of them for so many together.
pub fn run(seconds: u32, only: Option<&str>) -> Result<()> {
    let targets = TARGETS.iter().filter(|target| only.is_none_or(|name| name == target.name)).collect::<Vec<_>>();
    let fuzzer = Fuzzer::build()?;
    let all = targets.iter().map(|target| target.weight).sum::<u32>().max(1);
    for target in targets {
        // To libFuzzer, 0 seconds are for ever.
        let share = u64::from(seconds) * u64::from(target.weight) / u64::from(all);
        fuzzer.run(target, share.max(1))?;
    }
    Ok(())
}

struct Fuzzer {
    program: PathBuf,
    sanitizer: &'static str,
}

impl Fuzzer {
    fn build() -> Result<Self> {
        tools::nightly()?;
        let mut fuzzer = Self { program: crates::CARGO_FUZZ.find()?, sanitizer: "address" };
        if fuzzer.job("fuzz · build", "build").attempt()?.is_err() {
            progress::say("the targets do not build with the address sanitizer; trying without");
            fuzzer.sanitizer = "none";
            fuzzer.job("fuzz · build", "build").hint("An old nightly toolchain: `rustup update nightly`.").run()?;
        }
        Ok(fuzzer)
    }

    fn run(&self, target: &Target, seconds: u64) -> Result<()> {
        let Target { name, about, dictionary, .. } = *target;
        // What is new goes here, so that the committed corpus stays what it is.
        let found = paths::target()?.join("fuzz").join(name);
        std::fs::create_dir_all(&found).with_context(|| format!("creating {}", found.display()))?;
        let answer = self
            .job(&format!("fuzz · {name}: {about}, for {seconds} s"), "run")
            .arg(name)
            .arg(&found)
            .arg(paths::root().join("fuzz/corpus").join(name))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .args([format!("-timeout={LONGEST_RUN_S}"), format!("-rss_limit_mb={MOST_MEMORY_MB}")])
            .args(dictionary.map(|words| format!("-dict={}", paths::root().join(words).display())))
            .limit(Duration::from_secs(seconds) + OVERHEAD)
            .attempt()?;
        match answer {
            Ok(log) => {
                progress::say(format!("  nothing found in {}", statistics(&log)));
                Ok(())
            }
            Err(log) => {
                eprintln!("{}", complaint(&log));
                bail!("{}", verdict(name, &log))
            }
        }
    }

    fn job(&self, step: &str, command: &str) -> Job {
        Job::new(step, "rustup")
            .args(["run", NIGHTLY])
            .arg(&self.program)
            .args([command, "--sanitizer", self.sanitizer])
            // The cargo that runs this tool is not the one that the targets need.
            .without_env(["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS"])
    }
}

/// The last line of libFuzzer's table: `#1024 DONE cov: 512 ft: 900 corp: 80/9Kb lim: 4096 exec/s: 512 rss: 60Mb`.
fn statistics(log: &str) -> String {
    let Some(line) = log.lines().rev().find(|line| line.contains("\tDONE ")) else {
        return "runs that were not counted".into();
    };
    let words = line.split_whitespace().collect::<Vec<_>>();
    let value = |key| words.iter().position(|word| *word == key).and_then(|at| words.get(at + 1)).unwrap_or(&"?");
    let runs = words.first().map_or("?", |word| word.trim_start_matches('#'));
    format!("{runs} runs, {} a second; {} edges covered by {} inputs", value("exec/s:"), value("cov:"), value("corp:"))
}

/// What went wrong, without what went well before.
fn complaint(log: &str) -> String {
    let lines = log.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
    let signs = ["panicked at", "ERROR: ", "error: "];
    let start = lines.iter().position(|line| signs.iter().any(|sign| line.contains(sign))).unwrap_or(0);
    lines.iter().skip(start).take(MOST_LINES).copied().collect::<Vec<_>>().join("\n")
}

fn verdict(target: &str, log: &str) -> String {
    let written = log.lines().find_map(|line| line.split_once("Test unit written to "));
    match written.map(|(_, path)| path.trim()) {
        Some(path) => {
            let path = path.strip_prefix(&format!("{}/", paths::root().display())).unwrap_or(path);
            format!(
                "fuzz target {target}: found {path}\n  replay: cargo +{NIGHTLY} fuzz run {target} {path}\n  \
                 shorten: cargo +{NIGHTLY} fuzz tmin {target} {path}"
            )
        }
        None => format!("fuzz target {target} failed without a finding; see above"),
    }
}

pub const NIGHTLY: &str = "nightly";
const WORDS: &str = "fuzz/frame.dict";
const SOCKETIO_WORDS: &str = "fuzz/socketio.dict";
/// An input that takes longer is a finding.
const LONGEST_RUN_S: u32 = 10;
const MOST_MEMORY_MB: u32 = 2_048;
/// For reading the corpus, and for the last input.
const OVERHEAD: Duration = Duration::from_secs(5 * 60);
const MOST_LINES: usize = 150;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_named_with_the_way_to_replay_it() {
        let path = paths::root().join("fuzz/artifacts/core/crash-1");
        let log = format!(
            "#7\tNEW cov: 1\nthread panicked at x.rs:1:1:\nartifact_prefix='a'; Test unit written to {}\n",
            path.display()
        );
        assert!(
            verdict("core", &log).contains("cargo +nightly fuzz run core fuzz/artifacts/core/crash-1"),
            "{}",
            verdict("core", &log)
        );
        assert!(complaint(&log).starts_with("thread panicked"));
        assert!(verdict("core", "error: no C++ compiler").contains("without a finding"));
    }

    #[test]
    fn the_last_line_of_the_table_is_put_into_words() {
        let log = "#2\tINITED cov: 3\n#1024\tDONE   cov: 512 ft: 900 corp: 80/9Kb lim: 4096 exec/s: 511 rss: 60Mb\nDone 1024 runs\n";
        assert_eq!(statistics(log), "1024 runs, 511 a second; 512 edges covered by 80/9Kb inputs");
    }

    #[test]
    fn every_target_has_a_program_and_a_corpus() {
        for Target { name, dictionary, .. } in TARGETS {
            let fuzz = paths::root().join("fuzz");
            assert!(fuzz.join("fuzz_targets").join(name).with_extension("rs").is_file(), "{name}");
            assert!(fuzz.join("corpus").join(name).is_dir(), "{name}");
            assert!(dictionary.is_none_or(|words| paths::root().join(words).is_file()), "{name}");
        }
    }
}
