//! The server under test: the reference server within the test, or the program that `EVERWIRE_TEST_SERVER_COMMAND` names, which takes
//! the same flags and has the same control endpoints.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
};

use everwire_server::{Options, Server};

const COMMAND: &str = "EVERWIRE_TEST_SERVER_COMMAND";

/// The program that takes the reference server's place, if there is one, with the arguments that come before the flags.
pub fn command() -> Option<Command> {
    let line = std::env::var(COMMAND).ok()?;
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words);
    Some(command)
}

pub enum Subject {
    Reference(Server),
    Program(Program),
}

impl Subject {
    pub async fn start(flags: &[&str]) -> Self {
        let flags = ["--dev", "--port", "0"].iter().chain(flags);
        match command() {
            None => Self::Reference(Server::start(Options::from_flags(flags).unwrap()).await.unwrap()),
            Some(mut command) => Self::Program(Program::start(command.args(flags))),
        }
    }

    /// Whether it is the reference server, whose metrics, logs and matches others do not have.
    pub fn is_reference(&self) -> bool {
        matches!(self, Self::Reference(_))
    }

    pub fn addr(&self) -> SocketAddr {
        match self {
            Self::Reference(server) => server.addr(),
            Self::Program(program) => program.addr,
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Reference(server) => server.url(),
            Self::Program(program) => format!("http://{}/", program.addr),
        }
    }

    pub fn connections(&self) -> usize {
        match self {
            Self::Reference(server) => server.connections(),
            Self::Program(program) => program.connections(),
        }
    }

    /// Ends it in the way that a deployment does.
    pub async fn drain(self) -> bool {
        match self {
            Self::Reference(server) => server.drain().await,
            Self::Program(program) => program.terminate(),
        }
    }
}

/// Killed when it is dropped.
pub struct Program {
    process: Child,
    addr: SocketAddr,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect(COMMAND);
        let url = ready(&mut process);
        let addr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        Self { process, addr }
    }

    fn connections(&self) -> usize {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.write_all(b"GET /dev/connections HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["open"].as_u64().unwrap() as usize
    }

    fn terminate(mut self) -> bool {
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        self.process.wait().unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits for the line `ready URL`, and returns the URL.
pub fn ready(process: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.trim_end().strip_prefix("ready ").expect("no ready line").to_owned()
}
