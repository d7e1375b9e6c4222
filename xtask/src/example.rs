//! The example for Rust front ends. It is a workspace of its own, so that its dependencies are not those of the client.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::job::Job;
use crate::{paths, progress, tools, wasm};

pub const MANIFEST: &str = "examples/leptos/Cargo.toml";

/// Builds the page and names its directory.
pub fn build_page() -> Result<PathBuf> {
    tools::wasm_target()?;
    let target = target_directory()?;
    Job::cargo("build · Leptos example")
        .args(["build", "--manifest-path", MANIFEST, "--target", wasm::TARGET, "--target-dir"])
        .arg(&target)
        .run()?;
    progress::say("build · wasm-bindgen");
    let page = target.join("page");
    fs::create_dir_all(&page)?;
    Bindgen::new()
        .input_path(target.join(wasm::TARGET).join("debug").join(format!("{PROGRAM}.wasm")))
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .generate(&page)
        .context(
            "wasm-bindgen failed; examples/leptos/Cargo.lock and xtask/Cargo.toml must name the same version of it",
        )?;
    fs::copy(paths::root().join("examples/leptos/index.html"), page.join("index.html"))?;
    Ok(page)
}

/// Renders its components where there is no JavaScript.
pub fn test_rendering() -> Result<()> {
    Job::cargo("leptos · cargo test, rendered on a server")
        .args(["test", "--manifest-path", MANIFEST, "--no-default-features", "--features", "ssr", "--target-dir"])
        .arg(target_directory()?)
        .stream()
}

/// Where cargo puts what it compiles for the example.
pub fn target_directory() -> Result<PathBuf> {
    Ok(paths::target()?.join("leptos"))
}

const PROGRAM: &str = "everwire-leptos-example";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_has_the_wasm_bindgen_that_this_tool_has() {
        let wasm_bindgen = |lock_file| {
            let text = fs::read_to_string(paths::root().join(lock_file)).unwrap();
            let lines = text.lines().skip_while(|line| *line != "name = \"wasm-bindgen\"");
            lines.take(2).map(String::from).collect::<Vec<_>>()
        };
        let version = wasm_bindgen("Cargo.lock");
        assert_eq!(version.len(), 2);
        assert_eq!(wasm_bindgen("examples/leptos/Cargo.lock"), version);
    }
}
