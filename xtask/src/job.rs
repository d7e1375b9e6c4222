//! One step that runs a program: announced, timed, stopped when it hangs, explained when it fails.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, PipeReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::processes::Running;
use crate::{paths, progress, shell};

pub struct Job {
    name: String,
    // Commands of xshell know no process group, no time limit and no file for their output, so this one is of std.
    command: Command,
    hint: Option<String>,
    limit: Duration,
}

impl Job {
    pub fn new(name: impl Into<String>, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(paths::root()).stdin(Stdio::null());
        Self { name: name.into(), command, hint: None, limit: LIMIT }
    }

    pub fn cargo(name: impl Into<String>) -> Self {
        Self::new(name, paths::cargo())
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without_env(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// How long it may take, where that is not the usual.
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What to do when this step fails.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What a person would type to run this.
    pub fn command_line(&self) -> Result<String> {
        let program = self.command.get_program();
        let program = if program == paths::cargo() { OsStr::new("cargo") } else { program };
        Ok(shell::at_root()?.cmd(program).args(self.command.get_args()).to_string())
    }

    /// Runs with the output kept in a log, shown only on failure.
    pub fn run(self) -> Result<()> {
        let (outcome, log) = self.logged()?;
        outcome.inspect_err(|_| eprintln!("{}", tail(&log)))
    }

    /// Runs like [`Job::run`] but hands the output to the caller, who decides what a failure means.
    pub fn attempt(self) -> Result<Result<String, String>> {
        let (outcome, log) = self.logged()?;
        Ok(if outcome.is_ok() { Ok(log) } else { Err(log) })
    }

    /// Runs with the output on the terminal as it comes, by the program itself.
    pub fn hand_over(mut self) -> Result<()> {
        progress::say(&self.name);
        let status = self.wait(Instant::now(), |_| ())?;
        self.judge(status)
    }

    /// Runs with the output on the terminal as it comes; when it fails, with [`Failed`].
    pub fn stream(mut self) -> Result<()> {
        progress::say(&self.name);
        let (output, end) = std::io::pipe()?;
        self.command.stdout(end.try_clone()?).stderr(end);
        if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            self.command.env("FORCE_COLOR", "1").env("CARGO_TERM_COLOR", "always");
        }
        let last_lines = pass_on(output);
        let outcome = self.wait(Instant::now(), |_| ()).and_then(|status| self.judge(status));
        // The pipe ends when nobody can write into it any more.
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        let last_lines = last_lines.recv_timeout(PIPE_END).unwrap_or_default();
        Ok(outcome.map_err(|error| Failed { message: format!("{error:#}"), last_lines })?)
    }

    fn logged(mut self) -> Result<(Result<()>, String)> {
        progress::say(format!("{} …", self.name));
        let path = paths::scratch()?.join(format!("{}.log", file_name(&self.name)));
        let log = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        self.command.stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let mut reminded = started;
        let name = self.name.clone();
        let status = self.wait(started, |now| {
            if now - reminded >= REMINDER {
                reminded = now;
                progress::say(format!("{name} … still running, {} so far", progress::seconds(now - started)));
            }
        });
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        Ok((status.and_then(|status| self.judge(status)), text))
    }

    fn wait(&mut self, started: Instant, mut remind: impl FnMut(Instant)) -> Result<ExitStatus> {
        let program = self.command.get_program().to_string_lossy().into_owned();
        let mut running = Running::start(&mut self.command)
            .with_context(|| format!("{}: `{program}` could not be started", self.name))?;
        let (name, limit) = (&self.name, self.limit);
        running.wait(|| {
            let now = Instant::now();
            remind(now);
            if now - started > limit {
                bail!("{name}: stopped after {} without an end", progress::seconds(limit));
            }
            Ok(())
        })
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("\n  {hint}"));
        bail!("{} failed ({status}){hint}", self.name)
    }
}

/// A step that failed, with the end of what it had printed.
#[derive(Debug)]
pub struct Failed {
    pub message: String,
    pub last_lines: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failed {}

/// Prints what comes, and tells at its end which lines were the last.
fn pass_on(output: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut lines = VecDeque::with_capacity(TOLD_AGAIN);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            _ = std::io::stdout().write_all(&line);
            if lines.len() == TOLD_AGAIN {
                lines.pop_front();
            }
            lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
        _ = sender.send(Vec::from(lines).join("\n"));
    });
    receiver
}

fn file_name(step: &str) -> String {
    step.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn tail(log: &str) -> String {
    let lines = log.lines().collect::<Vec<_>>();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

const LIMIT: Duration = Duration::from_secs(30 * 60);
const REMINDER: Duration = Duration::from_secs(20);
const TAIL_LINES: usize = 200;
/// Lines of a failed step that are told again at the end of a whole run, whose log is long.
const TOLD_AGAIN: usize = 100;
/// For descendants that keep the pipe open although their parent has ended.
const PIPE_END: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_step_and_the_way_out() {
        let error = Job::new("try · nothing", paths::cargo()).arg("--no-such-option").hint("leave it").run();
        let message = error.unwrap_err().to_string();
        assert!(message.contains("try · nothing failed") && message.contains("leave it"), "{message}");
    }

    #[test]
    fn its_command_can_be_typed_by_a_person() {
        let job = Job::cargo("try").args(["test", "--package", "two words"]).env("HIDDEN", "1");
        assert_eq!(job.command_line().unwrap(), r#"cargo test --package "two words""#);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Job::new("try", "no-such-program-here").stream().unwrap_err();
        assert!(format!("{error:#}").contains("`no-such-program-here`"), "{error:#}");
    }

    #[test]
    fn a_failure_has_the_last_lines_of_both_outputs() {
        let program = "for (let i = 0; i < 300; i++) console.log(`line ${i}`); console.error('why'); process.exit(3)";
        let error = Job::new("try · lines", "node").args(["-e", program]).stream().unwrap_err();
        let last = &error.downcast_ref::<Failed>().unwrap().last_lines;
        assert!(last.starts_with("line 201\n") && last.ends_with("line 299\nwhy"), "{last}");
        assert!(error.to_string().contains("try · lines failed"), "{error:#}");
    }

    #[test]
    fn a_step_that_hangs_is_stopped() {
        let mut job = Job::new("try · hang", "node").args(["-e", "setInterval(() => {}, 1000)"]);
        job.limit = Duration::from_millis(200);
        assert!(job.stream().unwrap_err().to_string().contains("without an end"));
    }
}
