//! The suites of the servers.

use std::path::PathBuf;

use anyhow::Result;

use super::{SERVER_PORT, SuiteContext, vitest};
use crate::job::Job;
use crate::server;
use crate::services::{self, Services};
use crate::{conformity, load, paths, python, tools};

pub(super) fn reference_server(_: &mut SuiteContext) -> Result<()> {
    let packages = ["--package", "everwire-server", "--package", "everwire-faults"];
    Job::cargo("server · cargo test").arg("test").args(packages).stream()
}

pub(super) fn python_library(context: &mut SuiteContext) -> Result<()> {
    python::environment()?;
    services::postgres()?;
    let redis = tools::REDIS.find()?;
    python::check(&python::library(), "python")?;
    python::tool("python · pytest", "pytest").args(["-n", "2"]).env("REDIS_SERVER", redis).stream()?;
    // How fast a core is, is the machine's affair, and not the same on every one: it decides only where somebody asks.
    let checked = if context.is_brief { "memory" } else { "all" };
    for kind in ["note", "publish"] {
        let step = format!("python · throughput: {kind}");
        python::tool(step, "python").args(["bench/throughput.py", kind, "--check", checked]).stream()?;
    }
    let player = |step: &str, port: u16| {
        let url = format!("http://127.0.0.1:{port}");
        python::tool(step, "python").args(["-m", "everwire.vectors", &url, "--command"])
    };
    let port = server::free_port(SERVER_PORT)?;
    player("python · vectors at the FastAPI example", port)
        .args(["python examples/fastapi/main.py", "--ignore", "emotion_update"])
        .env("PATH", python::path()?)
        .env("PORT", port.to_string())
        .env("EVERWIRE_DEV", "1")
        .env("EVERWIRE_DATABASE", fresh_database("python-vectors")?)
        .stream()?;
    let database = fresh_database("python-vectors-reference")?;
    let executable = context.server()?;
    let flags = format!("--dev --secret vectors --port {port} --database '{}'", database.display());
    player("python · vectors at the reference server", port)
        .arg(format!("'{}' {flags}", executable.display()))
        .stream()?;
    if context.is_brief {
        return Ok(());
    }
    conformity::python()?.run("python", "python ../../servers/python/tests/reference.py", &python::path()?)
}

pub(super) fn axum_library(_: &mut SuiteContext) -> Result<()> {
    python::environment()?;
    let packages = ["--package", "everwire-axum", "--package", "everwire-axum-example"];
    Job::cargo("axum · cargo test").arg("test").args(packages).stream()?;
    let port = server::free_port(SERVER_PORT)?;
    python::tool("axum · vectors at the example", "python")
        .args(["-m", "everwire.vectors", &format!("http://127.0.0.1:{port}")])
        .arg("--command")
        .arg(axum_example("everwire-axum-example")?)
        .env("PORT", port.to_string())
        .env("EVERWIRE_DEV", "1")
        .env("EVERWIRE_DATABASE", fresh_database("axum-vectors")?)
        .stream()?;
    let command = axum_example("examples/reference")?.display().to_string();
    let path = std::env::var_os("PATH").unwrap_or_default();
    conformity::axum()?.run("axum", &command, &path)
}

/// A program of the axum example, built: the example itself, or the one with the flags of the reference server.
pub(super) fn axum_example(name: &str) -> Result<PathBuf> {
    let build = ["build", "--package", "everwire-axum-example", "--bins", "--examples"];
    Job::cargo("axum · build the example").args(build).run()?;
    Ok(paths::target()?.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// The path of an SQLite file that is not there.
fn fresh_database(name: &str) -> Result<PathBuf> {
    let path = paths::scratch()?.join(format!("{name}.db"));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    Ok(path)
}

pub(super) fn deploy(context: &mut SuiteContext) -> Result<()> {
    let programs =
        [(&tools::NGINX, "NGINX"), (&tools::CADDY, "CADDY"), (&tools::OPENSSL, "OPENSSL"), (&tools::SQLITE, "SQLITE")];
    context.package()?;
    let mut job = vitest("deploy", "tests/e2e/deploy").env("EVERWIRE_SERVER_BIN", context.server()?);
    for (program, variable) in programs {
        job = job.env(variable, program.find()?);
    }
    job.stream()
}

pub(super) fn nodes(context: &mut SuiteContext) -> Result<()> {
    let services = services::build()?;
    Job::cargo("nodes · cargo test").args(["test", "--package", "everwire-services"]).stream()?;
    let running = Services::start("nodes-tests")?;
    Job::cargo("nodes · cargo test, reference server")
        .args(["test", "--package", "everwire-server", "--test", "nodes", "--test", "outages", "--test", "statements"])
        .args(["--", "--ignored"])
        .env("EVERWIRE_POSTGRES", &running.postgres)
        .env("EVERWIRE_REDIS", &running.redis)
        .stream()?;
    drop(running);
    context.package()?;
    python::environment()?;
    let (server, redis) = (context.server()?, tools::REDIS.find()?);
    let (nginx, openssl) = (tools::NGINX.find()?, tools::OPENSSL.find()?);
    let suite = |name: &str| {
        vitest(name, "tests/e2e/nodes")
            .env("EVERWIRE_SERVER_BIN", &server)
            .env("EVERWIRE_SERVICES_BIN", &services)
            .env("REDIS_SERVER", &redis)
            .env("NGINX", &nginx)
            .env("OPENSSL", &openssl)
    };
    suite("nodes").stream()?;
    if context.is_brief {
        return Ok(());
    }
    suite("nodes of the Python library")
        .env("EVERWIRE_TEST_SERVER_COMMAND", "python ../../../servers/python/tests/reference.py")
        .env("PATH", python::path()?)
        .stream()
}

pub(super) fn under_load(context: &mut SuiteContext) -> Result<()> {
    Job::cargo("load · cargo test").args(["test", "--package", "everwire-load"]).stream()?;
    load::run(&load::Options { quick: true, unoptimized: context.is_brief, ..load::Options::default() })?;
    if context.is_brief {
        return Ok(());
    }
    load::run(&load::Options { quick: true, store: Some(load::Store::Sqlite), nodes: 2, unoptimized: false })
}
