//! The reference server as a program.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// A process that ends with the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program with its standard output and error to be read.
pub fn server() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everwire-server"));
    command.env_remove("EVERWIRE_JWT_SECRET").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits until it listens, and says where.
pub fn ready_url(running: &mut Running) -> String {
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("ready ").unwrap_or_else(|| panic!("{line:?}"));
    url.to_owned()
}
