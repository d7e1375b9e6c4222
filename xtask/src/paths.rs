//! Where things are.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell;

/// The checkout.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR");
        let xtask = manifest.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf)
    });
    &ROOT
}

/// Cargo's target directory, wherever the environment or a configuration file puts it.
pub fn target() -> Result<&'static Path> {
    static TARGET: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    if TARGET.get().is_none() {
        let shell = shell::at_root()?;
        let printed = shell.cmd(cargo()).args(["metadata", "--no-deps", "--format-version", "1"]).read()?;
        let metadata: Value = serde_json::from_str(&printed)?;
        let target = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
        _ = TARGET.set(PathBuf::from(target));
    }
    TARGET.get().map(PathBuf::as_path).context("no target directory")
}

/// This tool's own directory for logs, stamps and generated configuration.
pub fn scratch() -> Result<PathBuf> {
    let directory = target()?.join("xtask");
    std::fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    Ok(directory)
}

/// The cargo that runs this tool, so that the pinned toolchain is used throughout.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Where cargo keeps the sources of dependencies and the programs that it installed.
pub fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = std::env::home_dir().context("no home directory; set CARGO_HOME")?;
    Ok(home.join(".cargo"))
}

/// Finds a program as a shell would.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|directory| directory.join(&file)).find(|candidate| candidate.is_file())
}
