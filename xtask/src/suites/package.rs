//! The suites of the npm package and of the pages that are built with it.

use anyhow::Result;

use super::servers::axum_example;
use super::{SuiteContext, vitest};
use crate::{demo, example, node, paths, python, services, tools};

pub(super) fn js(context: &mut SuiteContext) -> Result<()> {
    context.package()?;
    vitest("js", "tests/js").stream()
}

pub(super) fn snippets(context: &mut SuiteContext) -> Result<()> {
    python::environment()?;
    context.package()?;
    vitest("docs", "tests/docs").env("PATH", python::path()?).stream()
}

pub(super) fn first_steps(context: &mut SuiteContext) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    context.package()?;
    vitest("start", "tests/docs/start").env("CHROMIUM", chromium).stream()
}

pub(super) fn e2e(context: &mut SuiteContext) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    context.package()?;
    let www = demo::build_page()?;
    let executable = context.server()?;
    vitest("e2e", "tests/e2e")
        .env("EVERWIRE_SERVER_BIN", executable)
        .env("EVERWIRE_WWW", www)
        .env("CHROMIUM", chromium)
        .stream()
}

pub(super) fn delivery(context: &mut SuiteContext) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    context.package()?;
    let executable = context.server()?;
    python::environment()?;
    let suite = |name: &str| {
        vitest(name, "tests/e2e/delivery")
            .env("EVERWIRE_BRIEF", context.is_brief.to_string())
            .env("EVERWIRE_SERVER_BIN", &executable)
            .env("CHROMIUM", &chromium)
    };
    suite("delivery").stream()?;
    if !context.is_brief {
        suite("delivery at the Python library")
            .env("EVERWIRE_TEST_SERVER_COMMAND", "python ../../../servers/python/tests/reference.py")
            .env("PATH", python::path()?)
            .stream()?;
        suite("delivery at the axum library")
            .env("EVERWIRE_TEST_SERVER_COMMAND", axum_example("examples/reference")?)
            .stream()?;
    }
    vitest("delivery of the FastAPI example", "tests/e2e/fastapi")
        .env("CHROMIUM", &chromium)
        .env("PATH", python::path()?)
        .stream()
}

pub(super) fn socketio(context: &mut SuiteContext) -> Result<()> {
    let [chromium, redis] = [tools::CHROMIUM.find()?, tools::REDIS.find()?];
    python::environment()?;
    services::postgres()?;
    let example = paths::root().join("examples/colabmatch-socketio");
    python::check(&example, "socketio · CoLabMatch's server")?;
    python::check(&paths::root().join("tests/socketio/servers"), "socketio · test server")?;
    python::tool("socketio · CoLabMatch's server, pytest", "pytest").directory(&example).stream()?;
    context.package()?;
    let www = demo::build_page()?;
    let executable = context.server()?;
    let clients = if context.is_brief { "everwire" } else { "" };
    vitest("socketio", "tests/socketio")
        .env("EVERWIRE_ONLY_CLIENT", clients)
        .env("EVERWIRE_SERVER_BIN", executable)
        .env("EVERWIRE_WWW", www)
        .env("EVERWIRE_PYTHON", python::interpreter_of_environment())
        .env("CHROMIUM", chromium)
        .env("REDIS_SERVER", redis)
        .stream()
}

pub(super) fn packaging(context: &mut SuiteContext) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    context.package()?;
    vitest("packaging", "tests/packaging")
        .env("EVERWIRE_PACKAGING", paths::target()?.join("packaging"))
        .env("CHROMIUM", chromium)
        .stream()
}

pub(super) fn leptos(context: &mut SuiteContext) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    node::packages()?;
    example::test_rendering()?;
    let www = example::build_page()?;
    let executable = context.server()?;
    vitest("leptos", "tests/e2e/leptos")
        .env("EVERWIRE_SERVER_BIN", executable)
        .env("EVERWIRE_WWW", www)
        .env("CHROMIUM", chromium)
        .stream()
}
