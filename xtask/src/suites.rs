//! The test suites: each is one row of the table and one function.

use std::path::PathBuf;

use anyhow::Result;

use crate::install::Needs;
use crate::job::Job;
use crate::server::{self, FaultPorts, Server};
use crate::services::Services;
use crate::{
    build, conformity, crates, demo, example, fuzz, load, mutants, node, paths, python, services, sim, tools, wasm,
};

pub struct Suite {
    pub name: &'static str,
    pub about: &'static str,
    /// Left out by `--quick`.
    pub slow: bool,
    /// What is looked for before it starts.
    pub needs: Needs,
    pub run: fn(&mut Workshop) -> Result<()>,
}

pub const SUITES: &[Suite] = &[
    Suite {
        name: "core",
        about: "the state machine, natively and in virtual time",
        slow: false,
        needs: &[],
        run: core,
    },
    Suite {
        name: "sim",
        about: "the state machine against a model server and a hostile network",
        slow: false,
        needs: &[],
        run: simulated,
    },
    Suite {
        name: "fuzz",
        about: "state machine and readers of frames under arbitrary input",
        slow: true,
        needs: fuzz::NEEDS,
        run: fuzzed,
    },
    Suite {
        name: "server",
        about: "the reference server and the fault proxy",
        slow: false,
        needs: &[],
        run: reference_server,
    },
    Suite {
        name: "axum",
        about: "the axum server library and its example",
        slow: true,
        needs: PYTHON,
        run: axum_library,
    },
    Suite { name: "python", about: "the Python server library", slow: true, needs: PYTHON, run: python_library },
    Suite {
        name: "deploy",
        about: "the configurations of docs/deploy, in nginx and Caddy",
        slow: true,
        needs: DEPLOY,
        run: deploy,
    },
    Suite {
        name: "nodes",
        about: "two nodes on PostgreSQL and Redis, of which each is killed",
        slow: true,
        needs: NODES,
        run: nodes,
    },
    Suite { name: "load", about: "the reference server under a little load", slow: true, needs: &[], run: under_load },
    Suite { name: "chrome", about: "the Rust client in Chromium", slow: false, needs: CHROME, run: chrome },
    Suite { name: "firefox", about: "the Rust client in Firefox", slow: true, needs: FIREFOX, run: firefox },
    Suite { name: "webkit", about: "the Rust client in WebKit", slow: true, needs: WEBKIT, run: webkit },
    Suite { name: "js", about: "the built npm package and its hooks", slow: false, needs: build::NEEDS, run: js },
    Suite { name: "docs", about: "the code in the documentation", slow: false, needs: SNIPPETS, run: snippets },
    Suite {
        name: "start",
        about: "the page docs/start.md, followed word by word",
        slow: true,
        needs: PACKAGE_IN_CHROMIUM,
        run: first_steps,
    },
    Suite { name: "e2e", about: "the demo page in Chromium", slow: true, needs: PACKAGE_IN_CHROMIUM, run: e2e },
    Suite {
        name: "delivery",
        about: "the reliable mode in Chromium, behind the fault proxy, at the three servers",
        slow: true,
        needs: DELIVERY,
        run: delivery,
    },
    Suite {
        name: "socketio",
        about: "Socket.IO servers, with socket.io-client in the same scenarios",
        slow: true,
        needs: SOCKETIO,
        run: socketio,
    },
    Suite {
        name: "packaging",
        about: "the packed package in bundlers, runtimes and test runners",
        slow: true,
        needs: PACKAGE_IN_CHROMIUM,
        run: packaging,
    },
    Suite {
        name: "leptos",
        about: "the Leptos example, rendered on a server and in Chromium",
        slow: true,
        needs: PACKAGE_IN_CHROMIUM,
        run: leptos,
    },
    Suite { name: "xtask", about: "these commands themselves", slow: false, needs: &[], run: commands },
];

/// What several suites need, made once per run.
pub struct Workshop {
    /// Whether suites leave out what only repeats, because all of them are run.
    is_brief: bool,
    package_built: bool,
    server: Option<PathBuf>,
}

impl Workshop {
    pub const fn new(is_brief: bool) -> Self {
        Self { is_brief, package_built: false, server: None }
    }

    fn package(&mut self) -> Result<()> {
        if !self.package_built {
            build::unmeasured()?;
            self.package_built = true;
        }
        Ok(())
    }

    fn server(&mut self) -> Result<PathBuf> {
        match &self.server {
            Some(executable) => Ok(executable.clone()),
            None => Ok(self.server.insert(server::build()?).clone()),
        }
    }
}

fn core(_: &mut Workshop) -> Result<()> {
    Job::cargo("core · cargo test").args(["test", "--package", "everwire"]).stream()
}

fn simulated(workshop: &mut Workshop) -> Result<()> {
    Job::cargo("sim · cargo test").args(["test", "--package", "everwire-sim"]).stream()?;
    sim::run(&["--runs", if workshop.is_brief { "8000" } else { "20000" }])?;
    sim::run(&["--thundering-herd", "10000"])?;
    if workshop.is_brief { Ok(()) } else { mutants::run() }
}

fn fuzzed(_: &mut Workshop) -> Result<()> {
    fuzz::run(30, None)
}

fn reference_server(_: &mut Workshop) -> Result<()> {
    let packages = ["--package", "everwire-server", "--package", "everwire-faults"];
    Job::cargo("server · cargo test").arg("test").args(packages).stream()
}

fn python_library(workshop: &mut Workshop) -> Result<()> {
    python::environment()?;
    services::postgres()?;
    let redis = tools::REDIS.find()?;
    python::check(&python::library(), "python")?;
    python::tool("python · pytest", "pytest").args(["-n", "2"]).env("REDIS_SERVER", redis).stream()?;
    // How fast a core is, is the machine's affair, and not the same on every one: it decides only where somebody asks.
    let checked = if workshop.is_brief { "memory" } else { "all" };
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
    let executable = workshop.server()?;
    let flags = format!("--dev --secret vectors --port {port} --database '{}'", database.display());
    player("python · vectors at the reference server", port)
        .arg(format!("'{}' {flags}", executable.display()))
        .stream()?;
    if workshop.is_brief {
        return Ok(());
    }
    conformity::python()?.run("python", "python ../../servers/python/tests/reference.py", &python::path()?)
}

fn axum_library(_: &mut Workshop) -> Result<()> {
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
fn axum_example(name: &str) -> Result<PathBuf> {
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

fn deploy(workshop: &mut Workshop) -> Result<()> {
    let programs =
        [(&tools::NGINX, "NGINX"), (&tools::CADDY, "CADDY"), (&tools::OPENSSL, "OPENSSL"), (&tools::SQLITE, "SQLITE")];
    workshop.package()?;
    let mut job = vitest("deploy", "tests/e2e/deploy").env("EVERWIRE_SERVER_BIN", workshop.server()?);
    for (program, variable) in programs {
        job = job.env(variable, program.find()?);
    }
    job.stream()
}

fn nodes(workshop: &mut Workshop) -> Result<()> {
    let services = services::build()?;
    Job::cargo("nodes · cargo test").args(["test", "--package", "everwire-services"]).stream()?;
    let running = Services::start("nodes-tests")?;
    Job::cargo("nodes · cargo test, reference server")
        .args(["test", "--package", "everwire-server", "--test", "nodes", "--", "--ignored"])
        .env("EVERWIRE_POSTGRES", &running.postgres)
        .env("EVERWIRE_REDIS", &running.redis)
        .stream()?;
    drop(running);
    workshop.package()?;
    python::environment()?;
    let (server, redis) = (workshop.server()?, tools::REDIS.find()?);
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
    if workshop.is_brief {
        return Ok(());
    }
    suite("nodes of the Python library")
        .env("EVERWIRE_TEST_SERVER_COMMAND", "python ../../../servers/python/tests/reference.py")
        .env("PATH", python::path()?)
        .stream()
}

fn under_load(workshop: &mut Workshop) -> Result<()> {
    Job::cargo("load · cargo test").args(["test", "--package", "everwire-load"]).stream()?;
    load::run(&load::Options { quick: true, unoptimized: workshop.is_brief, ..load::Options::default() })?;
    if workshop.is_brief {
        return Ok(());
    }
    load::run(&load::Options { quick: true, store: Some(load::Store::Sqlite), nodes: 2, unoptimized: false })
}

fn chrome(workshop: &mut Workshop) -> Result<()> {
    let browser = tools::CHROMIUM.find()?;
    let driver = tools::CHROMEDRIVER.find()?;
    in_browser(workshop, "chrome", "CHROMEDRIVER", driver, Some(("goog:chromeOptions", browser)))
}

fn firefox(workshop: &mut Workshop) -> Result<()> {
    let browser = tools::FIREFOX.find()?;
    let driver = crates::GECKODRIVER.find()?;
    in_browser(workshop, "firefox", "GECKODRIVER", driver, Some(("moz:firefoxOptions", browser)))
}

fn webkit(workshop: &mut Workshop) -> Result<()> {
    let driver = tools::WEBKIT_DRIVER.find()?;
    in_browser(workshop, "webkit", "SAFARIDRIVER", driver, None)
}

/// Runs the wasm-bindgen tests in one engine against a server of their own behind its fault proxy.
fn in_browser(
    workshop: &mut Workshop,
    engine: &str,
    driver_variable: &'static str,
    driver: PathBuf,
    browser: Option<(&str, PathBuf)>,
) -> Result<()> {
    tools::wasm_target()?;
    let runner = crates::WASM_BINDGEN_TEST_RUNNER.find()?;
    let executable = workshop.server()?;
    let port = server::free_port(SERVER_PORT)?;
    let _server = Server::start(&executable, port, None)?;
    let faults = FaultPorts { listen: server::free_port(PROXY_PORT)?, control: server::free_port(CONTROL_PORT)? };
    let _proxy = Server::start_faults(&executable, faults, port)?;
    let name = format!("{engine} · wasm-bindgen tests");
    // WebKit has no headless mode; it draws on a virtual screen instead.
    let mut job = if engine == "webkit" && cfg!(target_os = "linux") {
        Job::new(name, tools::XVFB_RUN.find()?).arg("-a").arg(paths::cargo())
    } else {
        Job::cargo(name)
    };
    // The tests read the addresses when they are compiled, and know the usual ones.
    for (variable, port, usual) in [
        ("EVERWIRE_TEST_SERVER", port, SERVER_PORT),
        ("EVERWIRE_TEST_PROXY", faults.listen, PROXY_PORT),
        ("EVERWIRE_TEST_FAULTS", faults.control, CONTROL_PORT),
    ] {
        if port != usual {
            job = job.env(variable, format!("http://127.0.0.1:{port}"));
        }
    }
    job.args(["test", "--package", "everwire", "--features", "json", "--target", wasm::TARGET])
        .args(["--test", "browser", "--test", "worker"])
        .without_env(DRIVER_VARIABLES)
        .env(driver_variable, driver)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60")
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities(engine, browser)?)
        .stream()
}

/// The capabilities of `webdriver.json` for one engine, with the browser that was found.
fn capabilities(engine: &str, browser: Option<(&str, PathBuf)>) -> Result<PathBuf> {
    let text = std::fs::read_to_string(paths::root().join("webdriver.json"))?;
    let all: serde_json::Value = serde_json::from_str(&text)?;
    let mut chosen = serde_json::Map::new();
    if let Some((key, executable)) = browser {
        let mut options = all[key].clone();
        options["binary"] = executable.to_string_lossy().into();
        chosen.insert(key.to_owned(), options);
    }
    let path = paths::scratch()?.join(format!("webdriver-{engine}.json"));
    std::fs::write(&path, serde_json::to_vec_pretty(&chosen)?)?;
    Ok(path)
}

fn js(workshop: &mut Workshop) -> Result<()> {
    workshop.package()?;
    vitest("js", "tests/js").stream()
}

fn snippets(workshop: &mut Workshop) -> Result<()> {
    python::environment()?;
    workshop.package()?;
    vitest("docs", "tests/docs").env("PATH", python::path()?).stream()
}

fn first_steps(workshop: &mut Workshop) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    workshop.package()?;
    vitest("start", "tests/docs/start").env("CHROMIUM", chromium).stream()
}

fn e2e(workshop: &mut Workshop) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    workshop.package()?;
    let www = demo::build_page()?;
    let executable = workshop.server()?;
    vitest("e2e", "tests/e2e")
        .env("EVERWIRE_SERVER_BIN", executable)
        .env("EVERWIRE_WWW", www)
        .env("CHROMIUM", chromium)
        .stream()
}

fn delivery(workshop: &mut Workshop) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    workshop.package()?;
    let executable = workshop.server()?;
    python::environment()?;
    let suite = |name: &str| {
        vitest(name, "tests/e2e/delivery")
            .env("EVERWIRE_BRIEF", workshop.is_brief.to_string())
            .env("EVERWIRE_SERVER_BIN", &executable)
            .env("CHROMIUM", &chromium)
    };
    suite("delivery").stream()?;
    if !workshop.is_brief {
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

fn socketio(workshop: &mut Workshop) -> Result<()> {
    let [chromium, redis] = [tools::CHROMIUM.find()?, tools::REDIS.find()?];
    python::environment()?;
    services::postgres()?;
    let example = paths::root().join("examples/colabmatch-socketio");
    python::check(&example, "socketio · CoLabMatch's server")?;
    python::check(&paths::root().join("tests/socketio/servers"), "socketio · test server")?;
    python::tool("socketio · CoLabMatch's server, pytest", "pytest").directory(&example).stream()?;
    workshop.package()?;
    let www = demo::build_page()?;
    let executable = workshop.server()?;
    let clients = if workshop.is_brief { "everwire" } else { "" };
    vitest("socketio", "tests/socketio")
        .env("EVERWIRE_ONLY_CLIENT", clients)
        .env("EVERWIRE_SERVER_BIN", executable)
        .env("EVERWIRE_WWW", www)
        .env("EVERWIRE_PYTHON", python::interpreter_of_environment())
        .env("CHROMIUM", chromium)
        .env("REDIS_SERVER", redis)
        .stream()
}

fn packaging(workshop: &mut Workshop) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    workshop.package()?;
    vitest("packaging", "tests/packaging")
        .env("EVERWIRE_PACKAGING", paths::target()?.join("packaging"))
        .env("CHROMIUM", chromium)
        .stream()
}

fn leptos(workshop: &mut Workshop) -> Result<()> {
    let chromium = tools::CHROMIUM.find()?;
    node::packages()?;
    example::test_rendering()?;
    let www = example::build_page()?;
    let executable = workshop.server()?;
    vitest("leptos", "tests/e2e/leptos")
        .env("EVERWIRE_SERVER_BIN", executable)
        .env("EVERWIRE_WWW", www)
        .env("CHROMIUM", chromium)
        .stream()
}

fn commands(_: &mut Workshop) -> Result<()> {
    Job::cargo("xtask · cargo test").args(["test", "--package", "xtask"]).stream()
}

fn vitest(suite: &str, directory: &str) -> Job {
    node::tool(format!("{suite} · vitest"), "vitest").arg("run").directory(paths::root().join(directory))
}

const DEPLOY: Needs =
    &[&node::Packages, &tools::WasmTarget, &tools::NGINX, &tools::CADDY, &tools::OPENSSL, &tools::SQLITE];
const NODES: Needs = &[
    &services::Postgres,
    &tools::REDIS,
    &tools::NGINX,
    &tools::OPENSSL,
    &node::Packages,
    &tools::WasmTarget,
    &python::Environment,
];
const PYTHON: Needs = &[&python::Environment, &services::Postgres, &tools::REDIS];
const SOCKETIO: Needs =
    &[&tools::CHROMIUM, &node::Packages, &tools::WasmTarget, &python::Environment, &tools::REDIS, &services::Postgres];
const SNIPPETS: Needs = &[&node::Packages, &tools::WasmTarget, &python::Environment];
const CHROME: Needs = &[&tools::CHROMIUM, &tools::CHROMEDRIVER, &tools::WasmTarget, &crates::WASM_BINDGEN_TEST_RUNNER];
const FIREFOX: Needs = &[&tools::FIREFOX, &crates::GECKODRIVER, &tools::WasmTarget, &crates::WASM_BINDGEN_TEST_RUNNER];
const WEBKIT: Needs = if cfg!(target_os = "linux") {
    &[&tools::WEBKIT_DRIVER, &tools::XVFB_RUN, &tools::WasmTarget, &crates::WASM_BINDGEN_TEST_RUNNER]
} else {
    &[&tools::WEBKIT_DRIVER, &tools::WasmTarget, &crates::WASM_BINDGEN_TEST_RUNNER]
};
const DELIVERY: Needs = &[&tools::CHROMIUM, &node::Packages, &tools::WasmTarget, &python::Environment];
const PACKAGE_IN_CHROMIUM: Needs = &[&tools::CHROMIUM, &node::Packages, &tools::WasmTarget];

const SERVER_PORT: u16 = 8790;
const PROXY_PORT: u16 = 8791;
const CONTROL_PORT: u16 = 8792;

/// The test runner takes the first driver that it finds here, so only one may be set.
const DRIVER_VARIABLES: [&str; 8] = [
    "CHROMEDRIVER",
    "CHROMEDRIVER_REMOTE",
    "GECKODRIVER",
    "GECKODRIVER_REMOTE",
    "SAFARIDRIVER",
    "SAFARIDRIVER_REMOTE",
    "MSEDGEDRIVER",
    "MSEDGEDRIVER_REMOTE",
];
