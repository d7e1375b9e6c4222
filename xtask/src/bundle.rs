//! From `pkg/src` and `pkg/wasm` to `pkg/dist`.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::build::Mode;
use crate::{node, paths, wasm};

pub fn build(mode: Mode) -> Result<()> {
    let package = paths::root().join("pkg");
    let dist = package.join("dist");
    for entry in ENTRIES {
        let source = package.join(format!("src/{entry}.ts"));
        ensure!(source.is_file(), "pkg/src/{entry}.ts is missing: it is an entry of the package, restore it");
    }
    if dist.exists() {
        std::fs::remove_dir_all(&dist).with_context(|| format!("clearing {}", dist.display()))?;
    }
    scripts(&package, mode)?;
    std::fs::copy(package.join("wasm/everwire_bg.wasm"), dist.join("everwire_bg.wasm"))
        .context("copying the wasm module into pkg/dist")?;
    types(&dist)
}

fn scripts(package: &Path, mode: Mode) -> Result<()> {
    let mut job = node::tool("build · esbuild", "esbuild")
        .directory(package)
        .args(ENTRIES.map(|entry| format!("src/{entry}.ts")))
        .args(["--bundle", "--format=esm", "--platform=neutral", "--target=es2022", "--outdir=dist"])
        // The hooks use the client class of the application's own import, so it exists once.
        .args(["--external:react", "--external:everwire", "--log-level=warning"]);
    if mode == Mode::Release {
        let names = package.join("wasm").join(wasm::NAMES);
        // The rest is terser's work, which needs the annotations that go with white space.
        job = job
            .args(["--minify-syntax", "--minify-identifiers", "--legal-comments=none", "--mangle-quoted"])
            .arg(format!("--mangle-props={EXCHANGED}"))
            .arg(format!("--mangle-cache={}", names.display()));
    }
    job.run()?;
    if mode == Mode::Release {
        for entry in ENTRIES {
            minify(&package.join("dist"), entry)?;
        }
    }
    let slim = std::fs::read_to_string(package.join("dist/slim.js"))?;
    ensure!(
        slim.contains("everwire_bg.wasm") && slim.contains("import.meta.url"),
        "dist/slim.js must contain `new URL(\"./everwire_bg.wasm\", import.meta.url)`, which bundlers look for"
    );
    Ok(())
}

/// The names that the module and its glue exchange, and nothing else: what wasm-opt has renamed is in the mangle cache.
const EXCHANGED: &str = r"^(__wbg_.*|__wbindgen_.*|__externref_.*|__abort_handler|__instance_terminated|core_.*|memory|\./everwire_bg\.js)$";

/// Takes out what esbuild leaves. Functions stay where they are: moved to their only
/// call, they would be made anew for every frame.
fn minify(dist: &Path, entry: &str) -> Result<()> {
    let script = dist.join(format!("{entry}.js"));
    let mut job = node::tool("build · terser", "terser").arg(&script).args([
        "--module",
        "--ecma",
        "2022",
        "--mangle",
        "--compress",
        "passes=3,keep_fargs=false,pure_getters=true,reduce_funcs=false,inline=1,hoist_funs=true",
    ]);
    // Who imports nothing but a constant from the default entry must not load the client with it. Slim has the client and nothing else.
    if entry == "index" {
        job = job.args(["--format", "preserve_annotations=true"]);
    }
    job.arg("--output").arg(script).run()
}

fn types(dist: &Path) -> Result<()> {
    node::tool("build · types", "tsc").args(["-p", "pkg/tsconfig.json"]).run()?;
    for entry in ENTRIES {
        ensure!(
            dist.join(format!("{entry}.d.ts")).is_file(),
            "tsc wrote no pkg/dist/{entry}.d.ts; pkg/tsconfig.json must emit declarations from `src` to `dist`"
        );
    }
    Ok(())
}

const ENTRIES: [&str; 5] = ["index", "slim", "react", "durable", "session"];
