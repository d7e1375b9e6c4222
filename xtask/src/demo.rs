//! The demo page and the server behind it, from nothing to a ready address.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::job::Job;
use crate::nodes::Nodes;
use crate::server::{self, Server};
use crate::{build, node, paths, progress, python};

/// Builds everything, serves it and stays until stopped.
pub fn run(port: u16, socketio: bool, nodes: u8) -> Result<()> {
    ensure_free(port)?;
    build::unmeasured()?;
    let www = build_page()?;
    if nodes > 1 {
        return serve_from_nodes(port, nodes, &www);
    }
    let server = if socketio { colabmatch(port, &www)? } else { reference(port, &www)? };
    progress::say("serving the demo; Ctrl-C stops it");
    println!("{}", server.ready_line);
    server.wait()
}

fn reference(port: u16, www: &Path) -> Result<Server> {
    let executable = server::build()?;
    ensure_free(port)?;
    Server::start(&executable, port, Some(www))
}

/// CoLabMatch's server as it was, with the page that speaks to it.
fn colabmatch(port: u16, www: &Path) -> Result<Server> {
    python::environment()?;
    ensure_free(port)?;
    let mut command = Command::new(python::interpreter_of_environment());
    command.env("PYTHONPATH", paths::root().join("examples/colabmatch-socketio/src"));
    command.args(["-m", "colabmatch", "--dev", "--port", &port.to_string(), "--www"]).arg(www);
    Server::run("colabmatch", command)
}

fn serve_from_nodes(port: u16, count: u8, www: &Path) -> Result<()> {
    let executable = server::build()?;
    ensure_free(port)?;
    let port = if port == 0 { server::free_port(8787)? } else { port };
    let nodes = Nodes::start(&executable, count, port, www)?;
    progress::say("serving the demo from several nodes behind nginx, on PostgreSQL and Redis; Ctrl-C stops it");
    for process in nodes.processes() {
        progress::say(process);
    }
    progress::say("`kill -9` one of them: people go to another, and it is started again");
    println!("ready http://127.0.0.1:{port}/");
    nodes.supervise()
}

/// Builds the page from the already built package and names its directory.
pub fn build_page() -> Result<PathBuf> {
    Job::new("build · demo page", node::npm()).args(["run", "build", "--workspace", "everwire-demo"]).run()?;
    let www = paths::root().join("www/dist");
    ensure!(www.join("index.html").is_file(), "the demo's build wrote no www/dist/index.html");
    Ok(www)
}

fn ensure_free(port: u16) -> Result<()> {
    ensure!(
        port == 0 || server::is_free(port),
        "port {port} is in use; stop what listens there or choose another: `cargo xtask demo --port {}`",
        server::free_port(port.wrapping_add(1).max(1024))?
    );
    Ok(())
}
