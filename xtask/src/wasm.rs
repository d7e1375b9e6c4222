//! From the Rust sources to `pkg/wasm`: module, glue and their types.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

use crate::build::Mode;
use crate::job::Job;
use crate::{glue, names, node, panics, paths, progress, tools};

pub const TARGET: &str = "wasm32-unknown-unknown";

pub fn build(mode: Mode) -> Result<()> {
    tools::wasm_target()?;
    let profile = match mode {
        Mode::Release => "npm",
        Mode::Dev => "dev",
    };
    let compiled = compile(profile)?;
    let output = paths::root().join("pkg/wasm");
    bind(&compiled, &output, mode)?;
    let module = output.join("everwire_bg.wasm");
    if mode == Mode::Release {
        optimise(&module)?;
        refuse_build_paths(&module)?;
    }
    check_module(&module)?;
    inline(&module, &output)
}

fn compile(profile: &str) -> Result<PathBuf> {
    Job::cargo(format!("build · wasm ({profile} profile)"))
        .args(["build", "--lib", "--package", "everwire", "--target", TARGET])
        .args(["--no-default-features", "--features", "npm", "--profile", profile])
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
const COMPILER_OPTIONS: [&str; 8] = [
    // Little inlining, and a little more of what the standard library marks for it.
    "inline-threshold=30",
    "inlinehint-threshold=60",
    // Copying memory is one instruction here, however much it is.
    "max-store-memcpy=1",
    "max-store-memset=1",
    // No loop gets its condition twice, no load or store is repeated to be out of it, and no pointer runs beside its counter.
    "rotation-max-header-size=0",
    "enable-load-pre=0",
    "disable-licm-promotion",
    "disable-lsr",
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
    if release {
        panics::trap(&mut module);
    }
    let mut bound = Bindgen::new()
        .input_module("everwire", module)
        .out_name("everwire")
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .demangle(false)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate_output()
        .context("wasm-bindgen failed; the crate and this tool must use the same version of it")?;
    if release {
        panics::blank(bound.wasm_mut());
    }
    let names = names::shorten(bound.wasm_mut());
    bound.emit(output)?;
    let script = output.join("everwire.js");
    let text = std::fs::read_to_string(&script)?;
    std::fs::write(&script, names.apply(&glue::trim(&text)?))?;
    share_errors(output)
}

/// The scripts' error classes at a path that does not change with the build, for the package to export.
fn share_errors(output: &Path) -> Result<()> {
    let mut crates = std::fs::read_dir(output.join("snippets"))?;
    let scripts = crates.next().context("wasm-bindgen wrote no scripts")??.file_name();
    let scripts = format!("./snippets/{}/src", scripts.to_string_lossy());
    let exports = format!("export * from \"{scripts}/browser/host.js\";\nexport * from \"{scripts}/js/host.js\";\n");
    std::fs::write(output.join("host.js"), exports)?;
    std::fs::write(output.join("host.d.ts"), HOST_TYPES)?;
    Ok(())
}

const HOST_TYPES: &str = "\
import type * as errors from \"../src/errors.js\";
import type { Message } from \"../src/message.js\";
import type { Outbox } from \"../src/outbox.js\";
import type { Options, Snapshot } from \"../src/types.js\";
export declare const EverwireError: typeof errors.EverwireError;
export declare const ConfigError: typeof errors.ConfigError;
export declare function error(code: errors.ErrorCode, message: string, cause?: unknown): errors.EverwireError;
export interface Store {
  readonly listeners: Set<() => void>;
  readonly snapshot: Snapshot;
  readonly clientId: string;
  endpoint?: string;
  signal?: (now: number, fact: number, a: number, b: number, c: number) => number;
  readonly refusal: errors.EverwireError;
  readonly senders: (string | undefined)[];
  readonly drafts: Map<number, unknown>;
  readonly joins: Map<number, string>;
  readonly messages: Map<number, Message>;
  readonly requests: Map<number, [(reply: unknown) => void, (error: unknown) => void]>;
  outbox?: Outbox | undefined;
}
export declare function newStore(options: Options, token: Options[\"token\"]): Store;
export declare function within<T>(store: Store, act: () => T): T;
export declare function draft(store: Store, text: string, purpose: number, key: string | undefined): [number, number];
export declare function end(store: Store, cause: errors.EverwireError): void;
export declare function tellError(store: Store, error: unknown): void;
export declare function callAll(listeners: Set<() => void>): void;
export declare function listen(listeners: Set<() => void>, listener: () => void): () => void;
export declare function coalesceKey(store: Store, type: string, data: unknown): string | undefined;
export declare function setError(store: Store, error: unknown): void;
export declare function checkOptions(options: Options): void;
export declare function endpoint(url: string | undefined, path: string | undefined): string;
export declare function encode(type: string, data: unknown, isRequest: boolean, isReliable: boolean): string;
export declare function byteLength(text: string): number;
export declare function purpose(type: string, data: unknown): number;
export declare function session(type: string, data: unknown): string | undefined;
export declare function addHandler(store: Store, name: string, handler: unknown): number;
export declare function removeHandler(store: Store, name: string, id: number | undefined, handler?: unknown): void;
";

fn optimise(module: &Path) -> Result<()> {
    node::tool("build · wasm-opt", "wasm-opt").args(OPTIMISER_FLAGS).arg(module).arg("-o").arg(module).run()
}

const OPTIMISER_FLAGS: [&str; 19] = [
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
    // The features that the target enables and every supported browser has: with more the module would not load.
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

/// Loads the module with its glue, so that a name or a feature that does not fit is noticed here.
fn check_module(module: &Path) -> Result<()> {
    let script = "
        import { readFileSync } from 'node:fs';
        import { pathToFileURL } from 'node:url';
        const [, glue, file] = process.argv;
        const { initSync } = await import(pathToFileURL(glue));
        initSync(new WebAssembly.Module(readFileSync(file)));";
    node::evaluate(script, &[module.with_file_name("everwire.js"), module.to_path_buf()])
        .context("the built module does not load with its glue; see whether a script lacks a function or an optimiser flag is too much")?;
    Ok(())
}

/// The module as a string, for the entry that needs no second file. Hexadecimal, because its digits come in the bytes' own rhythm, and
/// so compress better than base64.
fn inline(module: &Path, output: &Path) -> Result<()> {
    let script = "import { readFileSync } from 'node:fs'; process.stdout.write(readFileSync(process.argv[1], 'hex'));";
    let hex = node::evaluate(script, &[module.to_path_buf()])?;
    ensure!(!hex.is_empty(), "the built module is empty");
    std::fs::write(output.join("inline.js"), format!("export const wasmHex = \"{hex}\";\n"))?;
    std::fs::write(output.join("inline.d.ts"), "export declare const wasmHex: string;\n")?;
    Ok(())
}

fn rust_sources() -> Result<PathBuf> {
    Ok(tools::sysroot()?.join("lib/rustlib/src/rust"))
}
