//! `PostgreSQL`, with an empty database `everwire`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    place::Place,
    service::{Service, free_port},
};

/// Makes a cluster; nothing runs yet.
pub fn service(place: &Place) -> Result<Service> {
    let programs = programs()?;
    let data = place.join("postgres");
    let initialise = place
        .command(&programs.join("initdb"))
        .arg("-D")
        .arg(&data)
        .args(["-U", USER, "-A", "trust", "--no-sync"])
        .output()
        .context("starting initdb")?;
    ensure!(initialise.status.success(), "initdb: {}", String::from_utf8_lossy(&initialise.stderr));
    let port = free_port()?;
    let mut command = place.command(&programs.join("postgres"));
    command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    // Durability is left as it is by default: an acknowledgement here means what it means in production.
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"] {
        command.args(["-c", setting]);
    }
    let is_ready = move |port: u16| client(&programs, "pg_isready", port).status().is_ok_and(|status| status.success());
    Ok(Service::new("PostgreSQL", port, command, is_ready, place.join("postgres.log")))
}

pub fn create_database(service: &Service) -> Result<()> {
    let created = client(&programs()?, "createdb", service.port).arg(DATABASE).status().context("starting createdb")?;
    ensure!(created.success(), "createdb failed");
    Ok(())
}

pub fn url(service: &Service) -> String {
    format!("postgres://{USER}@127.0.0.1:{}/{DATABASE}", service.port)
}

fn client(programs: &Path, program: &str, port: u16) -> Command {
    let mut command = Command::new(programs.join(program));
    command.args(["-h", "127.0.0.1", "-U", USER, "-p", &port.to_string()]).stdout(Stdio::null());
    command
}

/// Debian keeps them beside the path, a directory for each version.
fn programs() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions = versions.map(|version| version.path().join("bin")).collect::<Vec<_>>();
    versions.sort();
    let places = std::env::split_paths(&path).chain(versions.into_iter().rev());
    let is_whole = |place: &PathBuf| PROGRAMS.iter().all(|program| place.join(program).is_file());
    match places.into_iter().find(is_whole) {
        Some(place) => Ok(place),
        None => bail!("PostgreSQL is not installed (Debian: postgresql)"),
    }
}

const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_isready", "createdb"];
const USER: &str = "everwire";
const DATABASE: &str = "everwire";
