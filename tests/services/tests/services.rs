//! The program from outside: what is killed is gone, and what is started again is what it should be.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

struct Services {
    process: Child,
    commands: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    postgres: String,
    redis: String,
}

impl Services {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_everwire-services"))
            .arg("--data")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = answers.next().expect("it ended before it was ready").unwrap();
        let [_, postgres, redis] = ready.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let [postgres, redis] = [postgres, redis].map(str::to_owned);
        Self { process, commands, answers, postgres, redis }
    }

    fn ask(&mut self, command: &str) -> String {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        self.answers.next().unwrap().unwrap()
    }

    fn sql(&self, statement: &str) -> Result<String, String> {
        run(Command::new("psql").args([&self.postgres, "-Atqc", statement]))
    }

    fn redis(&self, command: &[&str]) -> Result<String, String> {
        run(Command::new("redis-cli").args(["-u", &self.redis]).args(command))
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

#[test]
fn postgres_keeps_its_data_when_it_is_killed_and_redis_forgets() {
    let mut services = Services::start(&data("kill"));
    services.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").unwrap();
    services.redis(&["SET", "gone", "7"]).unwrap();
    for name in ["postgres", "redis"] {
        assert_eq!(services.ask(&format!("kill {name}")), format!("killed {name}"));
    }
    assert!(services.sql("SELECT 1").is_err());
    assert!(services.redis(&["PING"]).is_err());
    for name in ["postgres", "redis"] {
        assert_eq!(services.ask(&format!("start {name}")), format!("started {name}"));
    }
    assert_eq!(services.sql("SELECT n FROM kept"), Ok("7".to_owned()));
    assert_eq!(services.redis(&["EXISTS", "gone"]), Ok("0".to_owned()));
}

#[test]
fn nothing_is_left_when_standard_input_ends() {
    let data = data("end");
    let mut services = Services::start(&data);
    drop(services.commands.take());
    assert!(services.process.wait().unwrap().success());
    assert!(!data.exists(), "the data is still there");
    for url in [&services.postgres, &services.redis] {
        let address = url.rsplit_once('@').map_or(url.as_str(), |(_, rest)| rest).trim_start_matches("redis://");
        let address = address.split_once('/').unwrap().0;
        assert!(TcpStream::connect(address).is_err(), "{address} still answers");
    }
}

#[test]
fn what_is_no_command_ends_it_with_the_commands_that_there_are() {
    let mut services = Services::start(&data("misuse"));
    writeln!(services.commands.as_mut().unwrap(), "kill mongodb").unwrap();
    assert!(!services.process.wait().unwrap().success());
}

impl Drop for Services {
    fn drop(&mut self) {
        drop(self.commands.take());
        _ = self.process.wait();
    }
}
