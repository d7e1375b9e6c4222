//! From the sources to `pkg/dist`.

use std::fs::File;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::install::Needs;
use crate::{bundle, node, paths, progress, size, tools, wasm};

pub const NEEDS: Needs = &[&node::Packages, &tools::WasmTarget];

/// What is left out to build faster.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    Release,
    Dev,
}

/// The package as it is published, within its size budgets.
pub fn release() -> Result<()> {
    package(Mode::Release)?;
    size::check()
}

/// The package as it is published, to run it: its size is no reason not to.
pub fn unmeasured() -> Result<()> {
    package(Mode::Release)
}

/// The package for trying things: not optimised, not measured.
pub fn dev() -> Result<()> {
    package(Mode::Dev)
}

fn package(mode: Mode) -> Result<()> {
    let _alone = lock()?;
    refuse_clobbered_manifest()?;
    node::packages()?;
    wasm::build(mode)?;
    bundle::build(mode)?;
    progress::say("pkg/dist is ready");
    Ok(())
}

/// Two builds at once would read each other's half-written files.
fn lock() -> Result<File> {
    let file = File::create(paths::scratch()?.join("build.lock"))?;
    if file.try_lock().is_err() {
        progress::say("waiting for another build of this checkout …");
        file.lock()?;
    }
    Ok(file)
}

fn refuse_clobbered_manifest() -> Result<()> {
    let path = paths::root().join("pkg/package.json");
    let text = std::fs::read_to_string(&path)
        .context("pkg/package.json is missing; restore it with `git checkout pkg/package.json`")?;
    ensure!(
        is_our_manifest(&text),
        "pkg/package.json is not the package's own: a plain `wasm-pack build` overwrites it.\n  \
         Restore it with `git checkout pkg/package.json`; the form that leaves it alone is\n  \
         `wasm-pack build --target web --out-dir pkg/wasm --no-pack --no-gitignore`."
    );
    Ok(())
}

fn is_our_manifest(text: &str) -> bool {
    let manifest: Value = serde_json::from_str(text).unwrap_or_default();
    bundle::exports().all(|entry| manifest["exports"].get(entry).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_that_wasm_pack_writes_is_refused() {
        let clobbered = r#"{"name": "everwire", "main": "everwire.js", "files": ["everwire_bg.wasm"]}"#;
        assert!(!is_our_manifest(clobbered));
        assert!(!is_our_manifest("not JSON"));
    }

    #[test]
    fn the_committed_manifest_is_accepted() {
        let text = std::fs::read_to_string(paths::root().join("pkg/package.json")).unwrap();
        assert!(is_our_manifest(&text));
    }
}
