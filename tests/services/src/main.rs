//! `PostgreSQL` and Redis from the system's packages, as processes with data of their own.
//!
//! Prints one line when they accept connections: `ready postgres://… redis://…`. Then it reads commands from standard
//! input, one a line, and answers each with a line:
//!
//! | command | answer | what happens |
//! |---|---|---|
//! | `kill NAME` | `killed NAME` | SIGKILL to `postgres` or `redis` |
//! | `start NAME` | `started NAME` | it runs again on the same port; `postgres` with its data, `redis` empty |
//!
//! At the end of standard input, and on SIGTERM, everything is stopped and the data removed.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard streams"
)]

mod place;
mod postgres;
mod redis;
mod service;

use std::{
    io::{BufRead as _, stdin},
    path::PathBuf,
    process::ExitCode,
    sync::mpsc::{Receiver, channel},
};

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;

use place::Place;

/// Runs PostgreSQL and Redis until the end of standard input.
#[derive(clap::Parser)]
#[command(name = "everwire-services", version)]
struct Options {
    /// Where their data goes; emptied first, and removed at the end.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// The program of Redis.
    #[arg(long, value_name = "PROGRAM", default_value = "redis-server")]
    redis: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("everwire-services: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let requests = requests()?;
    let place = Place::prepare(&options.data)?;
    let mut postgres = postgres::service(&place)?;
    postgres.start()?;
    postgres::create_database(&postgres)?;
    let mut redis = redis::service(&place, &options.redis)?;
    redis.start()?;
    println!("ready {} {}", postgres::url(&postgres), redis::url(&redis));
    while let Ok(Request::Command(line)) = requests.recv() {
        let (verb, name) = line.split_once(' ').unwrap_or((&line, ""));
        let service = match name {
            "postgres" => &mut postgres,
            "redis" => &mut redis,
            _ => bail!("`{line}` is no command; `kill` and `start` take `postgres` or `redis`"),
        };
        match verb {
            "kill" => {
                service.kill()?;
                println!("killed {name}");
            }
            "start" => {
                service.start()?;
                println!("started {name}");
            }
            _ => bail!("`{line}` is no command; there are `kill NAME` and `start NAME`"),
        }
    }
    Ok(())
}

enum Request {
    Command(String),
    End,
}

/// What is asked for, until the end of standard input or a signal.
fn requests() -> Result<Receiver<Request>> {
    let (sender, receiver) = channel();
    let on_signal = sender.clone();
    ctrlc::set_handler(move || _ = on_signal.send(Request::End)).context("setting the handler of signals")?;
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if sender.send(Request::Command(line)).is_err() {
                return;
            }
        }
        _ = sender.send(Request::End);
    });
    Ok(receiver)
}
