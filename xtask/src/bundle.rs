//! From `pkg/src` and `pkg/wasm` to `pkg/dist`.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::build::Mode;
use crate::wasm::Flavour;
use crate::{node, paths, wasm};

pub fn build(mode: Mode) -> Result<()> {
    let package = paths::root().join("pkg");
    let dist = package.join("dist");
    for entry in all_entries() {
        let source = package.join(format!("src/{entry}.ts"));
        ensure!(source.is_file(), "pkg/src/{entry}.ts is missing: it is an entry of the package, restore it");
    }
    if dist.exists() {
        std::fs::remove_dir_all(&dist).with_context(|| format!("clearing {}", dist.display()))?;
    }
    for variant in [PRODUCTION, DEVELOPMENT, COMMON_JS] {
        scripts(&package, mode, &variant, &ENTRIES, &wasm::ENVELOPE)?;
        // Each module has names of its own for what it exchanges with its glue.
        scripts(&package, mode, &variant, &[SOCKET_IO], &wasm::SOCKET_IO)?;
    }
    check_module_url(&dist)?;
    std::fs::copy(package.join("wasm/everwire_bg.wasm"), dist.join("everwire_bg.wasm"))
        .context("copying the wasm module into pkg/dist")?;
    std::fs::copy(paths::root().join("docs/PROTOCOL.md"), package.join("PROTOCOL.md"))
        .context("copying docs/PROTOCOL.md into pkg")?;
    types(&package, &dist)
}

/// The keys of `exports` in the package's manifest that this makes files for.
pub fn exports() -> impl Iterator<Item = String> {
    let name = |entry: &str| if entry == "index" { ".".to_owned() } else { format!("./{}", entry.replace('-', "/")) };
    all_entries().map(name).chain(["./wasm".to_owned()])
}

/// One form of every entry.
struct Variant {
    /// Inside `pkg/dist`.
    directory: &'static str,
    format: &'static str,
    extension: &'static str,
    /// The value of the constant `DEVELOPMENT`: whether mistakes in the use of the package are looked for and named.
    development: bool,
    minified: bool,
    source_maps: bool,
}

const PRODUCTION: Variant =
    Variant { directory: "", format: "esm", extension: ".js", development: false, minified: true, source_maps: true };

const DEVELOPMENT: Variant = Variant { directory: "development", development: true, minified: false, ..PRODUCTION };

const COMMON_JS: Variant = Variant {
    directory: "cjs",
    format: "cjs",
    extension: ".cjs",
    development: false,
    minified: false,
    source_maps: false,
};

impl Variant {
    fn of<'a>(&self, entries: &'a [&'static str]) -> impl Iterator<Item = &'static str> + 'a {
        let has_slim = self.format == "esm";
        entries.iter().copied().filter(move |entry| has_slim || *entry != SLIM)
    }
}

fn scripts(package: &Path, mode: Mode, variant: &Variant, entries: &[&'static str], module: &Flavour) -> Result<()> {
    let Variant { directory, format, extension, development, .. } = variant;
    let output = package.join("dist").join(directory);
    let mut job = node::tool("build · esbuild", "esbuild")
        .directory(package)
        .args(variant.of(entries).map(|entry| format!("src/{entry}.ts")))
        .args(["--bundle", "--platform=neutral", "--target=es2022", "--log-level=warning"])
        .args([format!("--format={format}"), format!("--define:DEVELOPMENT={development}")])
        .args([format!("--out-extension:.js={extension}"), format!("--outdir={}", output.display())])
        // The hooks use the client class of the application's own import, so it exists once.
        .args(["--external:react", "--external:everwire"])
        // The virtual clock is made of a library for Node, and works where Node's modules are missing.
        .args(["--main-fields=module,main", "--alias:util=./src/testing/noUtil.ts"])
        .args(["timers", "timers/promises", "perf_hooks"].map(|module| format!("--external:{module}")));
    if variant.source_maps {
        job = job.arg("--sourcemap");
    }
    if mode == Mode::Release {
        let names = package.join(module.directory).join(wasm::NAMES);
        job = job
            .arg("--mangle-quoted")
            .arg(format!("--mangle-props={EXCHANGED}"))
            .arg(format!("--mangle-cache={}", names.display()));
        if variant.minified {
            // The rest is terser's work, which needs the annotations that go with white space.
            job = job.args(["--minify-syntax", "--minify-identifiers", "--legal-comments=none"]);
        }
    }
    job.run()?;
    if variant.development && entries.contains(&SLIM) {
        let slim = output.join("slim.js");
        let text = std::fs::read_to_string(&slim)?.replace("\"./everwire_bg.wasm\"", "\"../everwire_bg.wasm\"");
        std::fs::write(&slim, text)?;
    }
    for entry in variant.of(entries) {
        if variant.source_maps {
            shorten_module(&output.join(format!("{entry}{extension}.map")))?;
        }
        if mode == Mode::Release && variant.minified {
            minify(&output, entry)?;
        }
    }
    Ok(())
}

fn check_module_url(dist: &Path) -> Result<()> {
    let slim = std::fs::read_to_string(dist.join("slim.js"))?;
    ensure!(
        slim.contains("everwire_bg.wasm") && slim.contains("import.meta.url"),
        "dist/slim.js must contain `new URL(\"./everwire_bg.wasm\", import.meta.url)`, which bundlers look for"
    );
    Ok(())
}

/// Takes the module's text out of a source map: nobody reads it, and the script has it already.
fn shorten_module(map: &Path) -> Result<()> {
    let text = std::fs::read_to_string(map).with_context(|| format!("reading {}", map.display()))?;
    let mut parsed: Value = serde_json::from_str(&text)?;
    let sources = parsed["sources"].as_array().context("a source map without sources")?;
    let is_module =
        |source: &Value| source.as_str().is_some_and(|path| path.ends_with("/inline.js") && path.contains("/wasm"));
    let Some(module) = sources.iter().position(is_module) else { return Ok(()) };
    parsed["sourcesContent"][module] = "export const wasmText = \"…\";\n".into();
    std::fs::write(map, parsed.to_string())?;
    Ok(())
}

/// The names that the module and its glue exchange, and nothing else: what wasm-opt has renamed is in the mangle cache.
const EXCHANGED: &str = r"^(__wbg_.*|__wbindgen_.*|__externref_.*|__abort_handler|__instance_terminated|core_.*|carrier_.*|memory|\./everwire_bg\.js)$";

/// How terser takes out what esbuild leaves. Functions stay where they are: moved to their only
/// call, they would be made anew for every frame. Directives are kept for the sake of "use client".
const COMPRESS: &str =
    "passes=3,keep_fargs=false,pure_getters=true,reduce_funcs=false,inline=1,hoist_funs=true,directives=false";

fn minify(dist: &Path, entry: &str) -> Result<()> {
    let script = dist.join(format!("{entry}.js"));
    // The functions of the glue are no constructors, as some are in the library that the virtual clock is made of.
    let arrows = if entry == TESTING { "" } else { ",unsafe_arrows=true" };
    let mut job = node::tool("build · terser", "terser")
        .arg(&script)
        .args(["--module", "--ecma", "2022", "--mangle", "--compress"])
        .arg(format!("{COMPRESS}{arrows}"))
        .arg("--source-map");
    let map = format!("{entry}.js.map");
    job = job.arg(format!("content='{}',url='{map}',includeSources", dist.join(&map).display()));
    // Who imports nothing but a constant from the default entry must not load the client with it. Slim has the client and nothing else.
    if entry == "index" {
        job = job.args(["--format", "preserve_annotations=true"]);
    }
    job.arg("--output").arg(script).run()
}

fn types(package: &Path, dist: &Path) -> Result<()> {
    node::tool("build · types", "tsc").args(["-p", "pkg/tsconfig.json"]).run()?;
    for entry in all_entries() {
        ensure!(
            dist.join(format!("{entry}.d.ts")).is_file(),
            "tsc wrote no pkg/dist/{entry}.d.ts; pkg/tsconfig.json must emit declarations from `src` to `dist`"
        );
    }
    std::fs::copy(package.join("src/wasm.d.ts"), dist.join("wasm.d.ts"))
        .context("copying the types of `everwire/wasm`")?;
    common_js_types(dist, &dist.join(COMMON_JS.directory))
}

/// Declarations say of what kind a module is, so those of CommonJS are files of their own.
fn common_js_types(from: &Path, to: &Path) -> Result<()> {
    for item in std::fs::read_dir(from)? {
        let path = item?.path();
        let name = path.file_name().and_then(OsStr::to_str).context("a file name that is not Unicode")?;
        if path.is_dir() && !NOT_PUBLISHED_OR_COPIES.contains(&name) {
            std::fs::create_dir_all(to.join(name))?;
            common_js_types(&path, &to.join(name))?;
        } else if let Some(module) = name.strip_suffix(".d.ts")
            && !ESM_ONLY.contains(&module)
        {
            std::fs::write(to.join(format!("{module}.d.cts")), of_common_js(&std::fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}

/// Declarations whose imports of each other name the files of CommonJS.
fn of_common_js(declarations: &str) -> String {
    let parts = declarations.split('"').map(|part| match part.strip_suffix(".js") {
        Some(module) if module.starts_with("./") || module.starts_with("../") => format!("{module}.cjs"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("\"")
}

/// The entries, apart from [`SOCKET_IO`].
const ENTRIES: [&str; 8] = ["index", SLIM, "react", "react-slim", "durable", "session", TESTING, "validate"];
/// Has a module of its own.
const SOCKET_IO: &str = "socket.io";

pub fn all_entries() -> impl Iterator<Item = &'static str> {
    ENTRIES.into_iter().chain([SOCKET_IO])
}

/// Has a library inside.
const TESTING: &str = "testing";

/// Its module is a file beside it, which only an ES module can name.
const SLIM: &str = "slim";
const ESM_ONLY: [&str; 2] = [SLIM, "wasm"];
const NOT_PUBLISHED_OR_COPIES: [&str; 3] = ["host", DEVELOPMENT.directory, COMMON_JS.directory];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_of_common_js_refer_to_each_other_and_to_nothing_else() {
        let given =
            "import type { A } from \"./a.js\";\nexport * from \"../b/c.js\";\nimport { D } from \"everwire\";\n";
        let wanted =
            "import type { A } from \"./a.cjs\";\nexport * from \"../b/c.cjs\";\nimport { D } from \"everwire\";\n";
        assert_eq!(of_common_js(given), wanted);
        assert_eq!(of_common_js("type T = \"x.js\";"), "type T = \"x.js\";");
    }
}
