//! From the Rust sources to `pkg/wasm`: module, glue and their types.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

use crate::build::Mode;
use crate::job::Job;
use crate::{externrefs, glue, node, panics, paths, progress, tools};

pub const TARGET: &str = "wasm32-unknown-unknown";

/// One form of the module, with glue of its own.
pub struct Flavour {
    /// Inside `pkg`.
    pub directory: &'static str,
    /// Of the crate.
    features: &'static str,
}

/// Speaks to servers of the envelope.
pub const ENVELOPE: Flavour = Flavour { directory: "wasm", features: "npm" };
/// Speaks to Socket.IO servers.
pub const SOCKET_IO: Flavour = Flavour { directory: "wasm-socketio", features: "npm,socketio" };

pub fn build(mode: Mode) -> Result<()> {
    tools::wasm_target()?;
    [ENVELOPE, SOCKET_IO].iter().try_for_each(|flavour| build_flavour(mode, flavour))
}

fn build_flavour(mode: Mode, flavour: &Flavour) -> Result<()> {
    let profile = match mode {
        Mode::Release => "npm",
        Mode::Dev => "dev",
    };
    let compiled = compile(profile, flavour)?;
    let output = paths::root().join("pkg").join(flavour.directory);
    bind(&compiled, &output, mode)?;
    let module = output.join("everwire_bg.wasm");
    if mode == Mode::Release {
        optimise(&module)?;
        glue::trim(&output.join("everwire.js"))?;
        refuse_build_paths(&module)?;
    }
    inline(&module, &output)
}

fn compile(profile: &str, flavour: &Flavour) -> Result<PathBuf> {
    Job::cargo(format!("build · {} ({profile} profile)", flavour.directory))
        // Cargo links with LTO only what is no Rust library as well.
        .args(["rustc", "--lib", "--crate-type", "cdylib", "--package", "everwire", "--target", TARGET])
        .args(["--no-default-features", "--features", flavour.features, "--profile", profile])
        .env("CARGO_ENCODED_RUSTFLAGS", flags()?)
        .run()?;
    let directory = if profile == "dev" { "debug" } else { profile };
    Ok(paths::target()?.join(TARGET).join(directory).join("everwire.wasm"))
}

/// What makes the module smaller than the profile alone.
fn flags() -> Result<OsString> {
    let mut flags = remap_flags()?;
    for option in COMPILER_OPTIONS {
        flags.push("\u{1f}-Cllvm-args=-");
        flags.push(option);
    }
    Ok(flags)
}

/// The profile's opt-level 3 without what makes code longer, which leaves less than "s" or "z" do.
const COMPILER_OPTIONS: [&str; 12] = [
    // Little inlining, and no more of what the standard library marks for it.
    "inline-threshold=30",
    "inlinehint-threshold=0",
    // Copying memory is one instruction here, however much it is.
    "max-store-memcpy=1",
    "max-store-memset=1",
    // No loop gets its condition twice, no load or store is repeated to be out of it, and no pointer runs beside its counter.
    "rotation-max-header-size=0",
    "enable-load-pre=0",
    "disable-licm-promotion",
    "disable-lsr",
    // Nothing is kept only because it is needed again soon; the optimiser knows better what that is worth.
    "disable-machine-cse",
    // No block's instructions are repeated to save a branch.
    "bonus-inst-threshold=0",
    // What depends on a number alone is in a table.
    "switch-to-lookup",
    // Addresses that differ by branch are chosen where the branches meet.
    "addr-sink-new-phis",
];

/// Panic messages carry file names; these flags keep them free of the builder's directories.
fn remap_flags() -> Result<OsString> {
    let mut flags = OsString::new();
    for (from, to) in [(paths::cargo_home()?, "cargo"), (rust_sources()?, "rust"), (paths::root().to_path_buf(), ".")] {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    Ok(flags)
}

fn bind(compiled: &Path, output: &Path, mode: Mode) -> Result<()> {
    progress::say("build · wasm-bindgen");
    if output.exists() {
        std::fs::remove_dir_all(output).with_context(|| format!("clearing {}", output.display()))?;
    }
    let release = mode == Mode::Release;
    let mut module = Module::from_file(compiled)?;
    externrefs::empty_one_by_one(&mut module)?;
    if release {
        panics::trap(&mut module)?;
    }
    Bindgen::new()
        .input_module("everwire", module)
        .out_name("everwire")
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .demangle(false)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate(output)
        .context("wasm-bindgen failed; Cargo.lock and xtask/Cargo.toml must name the same version of it")
}

fn optimise(module: &Path) -> Result<()> {
    node::tool("build · wasm-opt", "wasm-opt").args(OPTIMISER_FLAGS).arg(module).arg("-o").arg(module).run()?;
    shorten_names(module)
}

/// Shortens the names that module and glue exchange, which are long and hashed, and hashes do not compress. wasm-opt renames them in the
/// module, and esbuild in the glue from what wasm-opt says, in the form of its mangle cache.
fn shorten_names(module: &Path) -> Result<()> {
    let output = node::tool("build · short names", "wasm-opt")
        .args(FEATURES)
        .arg("--minify-imports-and-exports-and-modules")
        .arg(module)
        .arg("-o")
        .arg(module)
        .attempt()?
        .map_err(|output| anyhow!("wasm-opt failed\n{output}"))?;
    let renamed: Value = serde_json::from_str(&output).context("wasm-opt did not say what it has renamed")?;
    let mut cache = serde_json::Map::new();
    for import in renamed["imports"].as_array().into_iter().flatten() {
        cache.insert(import[1].as_str().unwrap_or_default().to_owned(), import[2].clone());
    }
    for export in renamed["exports"].as_array().into_iter().flatten() {
        cache.insert(export[0].as_str().unwrap_or_default().to_owned(), export[1].clone());
    }
    // All imports come from the one module that is the glue.
    cache.insert("./everwire_bg.js".to_owned(), "a".into());
    std::fs::write(module.with_file_name(NAMES), serde_json::to_string_pretty(&cache)?)?;
    Ok(())
}

/// The short names of the module beside it, as esbuild's `--mangle-cache`.
pub const NAMES: &str = "names.json";

const OPTIMISER_FLAGS: [&str; 20] = [
    // Before other passes make them less so.
    "--merge-similar-functions",
    // Code that is once taken apart completely is put together smaller.
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--converge",
    // Memory starts with zeros, so those of the data need not be there.
    "--zero-filled-memory",
    // Rust keeps its stack there and its data behind it, so no pointer is that low.
    "--low-memory-unused",
    // Functions of one type or module are alike, and compress better next to each other.
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    FEATURES[0],
    FEATURES[1],
    FEATURES[2],
    FEATURES[3],
    FEATURES[4],
    FEATURES[5],
    FEATURES[6],
];

/// The features that the target enables and every supported browser has: with more the module would not load.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

fn refuse_build_paths(module: &Path) -> Result<()> {
    let bytes = std::fs::read(module)?;
    for directory in [paths::root().to_path_buf(), paths::cargo_home()?, rust_sources()?] {
        let needle = directory.to_string_lossy();
        if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
            bail!("the module names the build directory {needle}; see `remap_flags` in xtask/src/wasm.rs");
        }
    }
    Ok(())
}

/// The module as a string, for the entries that need no second file.
fn inline(module: &Path, output: &Path) -> Result<()> {
    let bytes = std::fs::read(module).context("reading the built module")?;
    let text = serde_json::to_string(&printable(&bytes))?;
    std::fs::write(output.join("inline.js"), format!("export const wasmText = {text};\n"))?;
    std::fs::write(output.join("inline.d.ts"), "export declare const wasmText: string;\n")?;
    Ok(())
}

/// Bytes as printable ASCII, one character for most of them: it compresses better than what does not keep their rhythm, such as base64, or is
/// twice as long, as hexadecimal is. `pkg/src/wasmText.ts` reads it.
fn printable(bytes: &[u8]) -> String {
    let digits = u8::try_from(('#'..='~').count()).unwrap_or(u8::MAX);
    let characters = bytes.iter().flat_map(|byte| {
        let mark = ["", " ", "!"][usize::from(byte / digits)];
        mark.chars().chain([char::from(b'#' + byte % digits)])
    });
    characters.collect()
}

fn rust_sources() -> Result<PathBuf> {
    Ok(tools::sysroot()?.join("lib/rustlib/src/rust"))
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn every_byte_has_printable_characters_of_its_own() {
        assert_eq!(printable(b"\0asm\x01"), "# ( : 4$");
        let all = (0..=u8::MAX).map(|byte| printable(&[byte])).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(all.len(), 256);
        assert!(all.iter().flat_map(|text| text.chars()).all(|character| (' '..='~').contains(&character)));
    }
}
