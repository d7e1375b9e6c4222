//! The test suites: each is one row of the table and one function.

mod browsers;
mod context;
mod package;
mod servers;

use anyhow::Result;

use crate::install::Needs;
use crate::job::Job;
use crate::{build, crates, fuzz, mutants, node, paths, python, services, sim, tools};

pub use context::SuiteContext;

pub struct Suite {
    pub name: &'static str,
    pub about: &'static str,
    /// Left out by `--quick`.
    pub slow: bool,
    /// What is looked for before it starts.
    pub needs: Needs,
    pub run: fn(&mut SuiteContext) -> Result<()>,
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
        run: servers::reference_server,
    },
    Suite {
        name: "axum",
        about: "the axum server library and its example",
        slow: true,
        needs: PYTHON,
        run: servers::axum_library,
    },
    Suite {
        name: "python",
        about: "the Python server library",
        slow: true,
        needs: PYTHON,
        run: servers::python_library,
    },
    Suite {
        name: "deploy",
        about: "the configurations of docs/deploy, in nginx and Caddy",
        slow: true,
        needs: DEPLOY,
        run: servers::deploy,
    },
    Suite {
        name: "nodes",
        about: "two nodes on PostgreSQL and Redis, of which each is killed",
        slow: true,
        needs: NODES,
        run: servers::nodes,
    },
    Suite {
        name: "load",
        about: "the reference server under a little load",
        slow: true,
        needs: &[],
        run: servers::under_load,
    },
    Suite { name: "chrome", about: "the Rust client in Chromium", slow: false, needs: CHROME, run: browsers::chrome },
    Suite { name: "firefox", about: "the Rust client in Firefox", slow: true, needs: FIREFOX, run: browsers::firefox },
    Suite { name: "webkit", about: "the Rust client in WebKit", slow: true, needs: WEBKIT, run: browsers::webkit },
    Suite {
        name: "js",
        about: "the built npm package and its hooks",
        slow: false,
        needs: build::NEEDS,
        run: package::js,
    },
    Suite {
        name: "docs",
        about: "the code in the documentation",
        slow: false,
        needs: SNIPPETS,
        run: package::snippets,
    },
    Suite {
        name: "start",
        about: "the page docs/start.md, followed word by word",
        slow: true,
        needs: PACKAGE_IN_CHROMIUM,
        run: package::first_steps,
    },
    Suite {
        name: "e2e",
        about: "the demo page in Chromium",
        slow: true,
        needs: PACKAGE_IN_CHROMIUM,
        run: package::e2e,
    },
    Suite {
        name: "delivery",
        about: "the reliable mode in Chromium, behind the fault proxy, at the three servers",
        slow: true,
        needs: DELIVERY,
        run: package::delivery,
    },
    Suite {
        name: "socketio",
        about: "Socket.IO servers, with socket.io-client in the same scenarios",
        slow: true,
        needs: SOCKETIO,
        run: package::socketio,
    },
    Suite {
        name: "packaging",
        about: "the packed package in bundlers, runtimes and test runners",
        slow: true,
        needs: PACKAGE_IN_CHROMIUM,
        run: package::packaging,
    },
    Suite {
        name: "leptos",
        about: "the Leptos example, rendered on a server and in Chromium",
        slow: true,
        needs: PACKAGE_IN_CHROMIUM,
        run: package::leptos,
    },
    Suite { name: "xtask", about: "these commands themselves", slow: false, needs: &[], run: commands },
];

fn core(_: &mut SuiteContext) -> Result<()> {
    Job::cargo("core · cargo test").args(["test", "--package", "everwire"]).stream()
}

fn simulated(context: &mut SuiteContext) -> Result<()> {
    Job::cargo("sim · cargo test").args(["test", "--package", "everwire-sim"]).stream()?;
    sim::run(&["--runs", if context.is_brief { "8000" } else { "20000" }])?;
    sim::run(&["--thundering-herd", "10000"])?;
    if context.is_brief { Ok(()) } else { mutants::run() }
}

fn fuzzed(_: &mut SuiteContext) -> Result<()> {
    fuzz::run(30, None)
}

fn commands(_: &mut SuiteContext) -> Result<()> {
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
