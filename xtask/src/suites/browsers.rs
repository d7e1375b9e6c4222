//! The Rust client in each engine.

use std::path::PathBuf;

use anyhow::Result;

use super::{SERVER_PORT, SuiteContext};
use crate::job::Job;
use crate::server::{self, FaultPorts, Server};
use crate::{crates, paths, tools, wasm};

pub(super) fn chrome(context: &mut SuiteContext) -> Result<()> {
    let browser = tools::CHROMIUM.find()?;
    let driver = tools::CHROMEDRIVER.find()?;
    in_browser(context, "chrome", "CHROMEDRIVER", driver, Some(("goog:chromeOptions", browser)))
}

pub(super) fn firefox(context: &mut SuiteContext) -> Result<()> {
    let browser = tools::FIREFOX.find()?;
    let driver = crates::GECKODRIVER.find()?;
    in_browser(context, "firefox", "GECKODRIVER", driver, Some(("moz:firefoxOptions", browser)))
}

pub(super) fn webkit(context: &mut SuiteContext) -> Result<()> {
    let driver = tools::WEBKIT_DRIVER.find()?;
    in_browser(context, "webkit", "SAFARIDRIVER", driver, None)
}

/// Runs the wasm-bindgen tests in one engine against a server of their own behind its fault proxy.
fn in_browser(
    context: &mut SuiteContext,
    engine: &str,
    driver_variable: &'static str,
    driver: PathBuf,
    browser: Option<(&str, PathBuf)>,
) -> Result<()> {
    tools::wasm_target()?;
    let runner = crates::WASM_BINDGEN_TEST_RUNNER.find()?;
    let executable = context.server()?;
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
