//! How large the built package is, and how large it may be.

use std::ops::Add;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{node, paths};

/// Prints the table and fails over budget.
pub fn check() -> Result<()> {
    let package = paths::root().join("pkg");
    let rows = measure(&package.join("dist"))?;
    let budgets = std::fs::read_to_string(package.join("size-budget.json")).context("reading pkg/size-budget.json")?;
    let budgets: Value = serde_json::from_str(&budgets).context("pkg/size-budget.json is not JSON")?;
    println!("\n{}\n", table(&rows, &budgets));
    let excesses = excesses(&rows, &budgets)?;
    if !excesses.is_empty() {
        bail!("over budget\n  {}", excesses.join("\n  "));
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Bytes {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl Add for Bytes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { raw: self.raw + other.raw, gzip: self.gzip + other.gzip, brotli: self.brotli + other.brotli }
    }
}

struct Row {
    /// The key in the budget file; parts of an entry have none.
    entry: Option<&'static str>,
    label: &'static str,
    bytes: Bytes,
}

fn measure(dist: &Path) -> Result<Vec<Row>> {
    let files = [
        "everwire_bg.wasm",
        "slim.js",
        "index.js",
        "react.js",
        "react-slim.js",
        "durable.js",
        "session.js",
        "validate.js",
        "testing.js",
        "socket.io.js",
    ]
    .map(|file| dist.join(file));
    ensure!(files.iter().all(|file| file.is_file()), "pkg/dist is not complete; run `cargo xtask build` first");
    let [wasm, script, default, react, hooks, durable, session, validate, testing, socket_io] = compress(&files)?;
    let [chat] = compress(&[chat(dist)?])?;
    // Two files travel separately, so they are compressed separately.
    let slim = wasm + script;
    Ok(vec![
        Row { entry: Some("slim"), label: "everwire/slim", bytes: slim },
        Row { entry: None, label: "  everwire_bg.wasm", bytes: wasm },
        Row { entry: None, label: "  slim.js", bytes: script },
        Row { entry: Some("default"), label: "everwire", bytes: default },
        Row { entry: Some("react"), label: "everwire/react", bytes: react + hooks },
        Row { entry: None, label: "  everwire/react/slim", bytes: hooks },
        Row { entry: Some("durable"), label: "everwire/durable", bytes: durable },
        Row { entry: Some("session"), label: "everwire/session", bytes: session },
        Row { entry: Some("chat"), label: "  chat()", bytes: chat },
        Row { entry: Some("validate"), label: "everwire/validate", bytes: validate },
        Row { entry: Some("testing"), label: "everwire/testing", bytes: testing },
        Row { entry: Some("socket.io"), label: "everwire/socket.io", bytes: socket_io },
    ])
}

fn compress<const FILES: usize>(files: &[PathBuf; FILES]) -> Result<[Bytes; FILES]> {
    let script = r"
        import { readFileSync } from 'node:fs';
        import { brotliCompressSync, gzipSync } from 'node:zlib';
        for (const file of process.argv.slice(1)) {
            // Bundlers take out the line that names the source map.
            const text = readFileSync(file, 'latin1').replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '');
            const bytes = Buffer.from(text, 'latin1');
            console.log(bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length);
        }";
    let printed = node::evaluate(script, files)?;
    let mut measured = [Bytes::default(); FILES];
    for (bytes, line) in measured.iter_mut().zip(printed.lines()) {
        let numbers = line.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        if let [raw, gzip, brotli] = numbers[..] {
            *bytes = Bytes { raw, gzip, brotli };
        }
    }
    ensure!(measured.iter().all(|bytes| bytes.brotli > 0), "node measured nothing: {printed}");
    Ok(measured)
}

fn table(rows: &[Row], budgets: &Value) -> String {
    let mut lines = vec![format!("{:<20}{:>10}{:>10}{:>10}{:>14}", "", "raw", "gzip", "brotli", "brotli budget")];
    for Row { entry, label, bytes } in rows {
        let budget = entry.and_then(|entry| budgets[entry]["brotli"].as_u64()).map_or_else(String::new, kilobytes);
        let Bytes { raw, gzip, brotli } = *bytes;
        let line =
            format!("{label:<20}{:>10}{:>10}{:>10}{budget:>14}", kilobytes(raw), kilobytes(gzip), kilobytes(brotli));
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

fn excesses(rows: &[Row], budgets: &Value) -> Result<Vec<String>> {
    let mut excesses = Vec::new();
    for (entry, limits) in budgets.as_object().context("pkg/size-budget.json must be an object")? {
        let row = rows.iter().find(|row| row.entry == Some(entry));
        let bytes = row.with_context(|| format!("pkg/size-budget.json names an unknown entry `{entry}`"))?.bytes;
        for (form, limit) in limits.as_object().with_context(|| format!("the budget of `{entry}` must be an object"))? {
            let actual = match form.as_str() {
                "raw" => bytes.raw,
                "gzip" => bytes.gzip,
                "brotli" => bytes.brotli,
                _ => bail!("the budget of `{entry}` names `{form}`; known are raw, gzip and brotli"),
            };
            let limit = limit.as_u64().with_context(|| format!("the {form} budget of `{entry}` must be bytes"))?;
            if actual > limit {
                excesses.push(format!("{entry}: {actual} bytes {form}, {} more than {limit}", actual - limit));
            }
        }
    }
    Ok(excesses)
}

/// What a bundler leaves of `everwire/session` for who imports nothing but `chat`.
fn chat(dist: &Path) -> Result<PathBuf> {
    let directory = paths::root().join("target/size");
    std::fs::create_dir_all(&directory).context("making target/size")?;
    let (source, output) = (directory.join("source.js"), directory.join("chat.js"));
    std::fs::write(&source, format!("export {{ chat }} from {:?};", dist.join("session.js")))
        .context("writing target/size/source.js")?;
    let job = node::tool("build · size of chat()", "esbuild").arg(&source);
    job.args(["--bundle", "--minify", "--format=esm", "--log-level=warning"])
        .arg(format!("--outfile={}", output.display()))
        .run()?;
    Ok(output)
}

fn kilobytes(bytes: u64) -> String {
    let hundredths = (bytes * 100 + 512) / 1024;
    format!("{}.{:02} KB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows() -> Vec<Row> {
        let bytes = Bytes { raw: 4000, gzip: 2048, brotli: 1536 };
        vec![Row { entry: Some("slim"), label: "everwire/slim", bytes }]
    }

    #[test]
    fn exactly_the_budget_is_within_it() {
        assert!(excesses(&rows(), &json!({"slim": {"brotli": 1536, "gzip": 2048}})).unwrap().is_empty());
    }

    #[test]
    fn one_byte_over_is_said_with_the_excess() {
        let excesses = excesses(&rows(), &json!({"slim": {"brotli": 1535}})).unwrap();
        assert_eq!(excesses, ["slim: 1536 bytes brotli, 1 more than 1535"]);
    }

    #[test]
    fn a_budget_that_measures_nothing_is_an_error() {
        assert!(excesses(&rows(), &json!({"slimm": {"brotli": 1}})).is_err());
        assert!(excesses(&rows(), &json!({"slim": {"brottli": 1}})).is_err());
        assert!(excesses(&rows(), &json!({"slim": {"brotli": "1 KB"}})).is_err());
    }

    #[test]
    fn the_table_shows_kilobytes_of_1024_bytes() {
        let table = table(&rows(), &json!({"slim": {"brotli": 2048}}));
        let line = table.lines().last().unwrap();
        let cells = line.split_whitespace().collect::<Vec<_>>();
        assert_eq!(cells, ["everwire/slim", "3.91", "KB", "2.00", "KB", "1.50", "KB", "2.00", "KB"]);
    }
}
