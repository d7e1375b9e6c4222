//! Formatting, lints, documentation, dependencies and types.

use anyhow::{Result, bail, ensure};

use crate::install::Needs;
use crate::job::Job;
use crate::{build, crates, docs, example, links, node, paths, progress, tools, wasm, workflows};

pub const NEEDS: Needs = &[&node::Packages, &tools::WasmTarget, &crates::CARGO_DENY];
/// Of formatting alone.
pub const NEEDS_OF_FORMAT: Needs = &[&node::Packages];

/// Runs every check, also after one has failed, and names those that failed.
pub fn lint() -> Result<()> {
    node::packages()?;
    tools::wasm_target()?;
    let mut failures = Vec::new();
    for check in CHECKS {
        if let Err(error) = check() {
            progress::say(format!("FAILED: {error:#}"));
            failures.extend(error.to_string().lines().next().map(String::from));
        }
    }
    if failures.is_empty() {
        progress::say("no lint has anything to say");
        return Ok(());
    }
    let s = if failures.len() == 1 { "" } else { "s" };
    bail!("{} check{s} failed\n  {}", failures.len(), failures.join("\n  "))
}

/// Formats everything that `lint` checks the format of.
pub fn fmt() -> Result<()> {
    node::packages()?;
    Job::cargo("fmt · cargo fmt").args(["fmt", "--all"]).run()?;
    Job::cargo("fmt · cargo fmt, fuzz targets").args(["fmt", "--manifest-path", FUZZ]).run()?;
    Job::cargo("fmt · cargo fmt, Leptos example").args(["fmt", "--manifest-path", example::MANIFEST]).run()?;
    node::tool("fmt · biome", "biome").args(["check", "--colors=off", "--write", "."]).run()
}

const CHECKS: &[fn() -> Result<()>] = &[
    workflows::check,
    links::check_pages,
    rust_format,
    fuzz_format,
    example_format,
    clippy_native,
    clippy_wasm,
    clippy_npm,
    bare_crate,
    clippy_fuzz,
    clippy_example,
    rustdoc,
    rust_dependencies,
    rust_advisories,
    npm_advisories,
    typescript_style,
    typescript_types,
    // After the types, for which the package was built.
    docs::typedoc,
];

fn rust_format() -> Result<()> {
    Job::cargo("lint · cargo fmt").args(["fmt", "--all", "--check"]).hint("Run `cargo xtask fmt`.").run()
}

/// The fuzz targets are a workspace of their own.
fn fuzz_format() -> Result<()> {
    Job::cargo("lint · cargo fmt, fuzz targets")
        .args(["fmt", "--check", "--manifest-path", FUZZ])
        .hint("Run `cargo xtask fmt`.")
        .run()
}

fn example_format() -> Result<()> {
    Job::cargo("lint · cargo fmt, Leptos example")
        .args(["fmt", "--check", "--manifest-path", example::MANIFEST])
        .hint("Run `cargo xtask fmt`.")
        .run()
}

fn clippy_native() -> Result<()> {
    clippy("lint · clippy, native", &["--workspace", "--all-targets"])
}

fn clippy_wasm() -> Result<()> {
    let arguments = ["--package", "everwire", "--features", "json", "--target", wasm::TARGET, "--all-targets"];
    clippy("lint · clippy, wasm", &arguments)
}

/// Only the library: tests need the standard library, which these features leave out.
fn clippy_npm() -> Result<()> {
    for features in ["npm", "npm,socketio"] {
        let features = ["--no-default-features", "--features", features];
        let arguments = [&["--package", "everwire", "--lib", "--target", wasm::TARGET][..], &features].concat();
        clippy("lint · clippy, npm features", &arguments)?;
    }
    Ok(())
}

/// As a dependent on another target builds it: with the `cdylib`, and for the machine alone.
fn bare_crate() -> Result<()> {
    Job::cargo("lint · the crate without features")
        .args(["build", "--package", "everwire", "--lib", "--no-default-features"])
        .run()
}

fn clippy_fuzz() -> Result<()> {
    clippy("lint · clippy, fuzz targets", &["--manifest-path", FUZZ, "--all-targets"])
}

fn clippy_example() -> Result<()> {
    let directory = example::target_directory()?;
    let directory = directory.to_string_lossy();
    let arguments = ["--manifest-path", example::MANIFEST, "--target", wasm::TARGET, "--target-dir", &directory];
    clippy("lint · clippy, Leptos example", &arguments)
}

fn clippy(step: &str, arguments: &[&str]) -> Result<()> {
    Job::cargo(step).arg("clippy").args(arguments).args(["--", "--deny", "warnings"]).run()
}

fn rustdoc() -> Result<()> {
    for (step, target) in [
        ("lint · rustdoc, native", &["--workspace"][..]),
        ("lint · rustdoc, without features", &["--package", "everwire", "--no-default-features"]),
        ("lint · rustdoc, wasm", &["--package", "everwire", "--target", wasm::TARGET]),
    ] {
        Job::cargo(step).args(["doc", "--no-deps"]).args(target).env("RUSTDOCFLAGS", "--deny warnings").run()?;
    }
    Ok(())
}

fn rust_dependencies() -> Result<()> {
    for (step, manifest) in [
        ("lint · cargo deny", "Cargo.toml"),
        ("lint · cargo deny, fuzz targets", FUZZ),
        ("lint · cargo deny, Leptos example", example::MANIFEST),
    ] {
        deny(step, manifest)?.args(["bans", "licenses", "sources"]).run()?;
    }
    Ok(())
}

fn rust_advisories() -> Result<()> {
    let answer = deny("lint · cargo deny, advisories", "Cargo.toml")?.arg("advisories").attempt()?;
    judge_advisories("the Rust advisory database", answer, &["failed to fetch advisory database"])
}

fn deny(step: &str, manifest: &str) -> Result<Job> {
    Ok(Job::new(step, crates::CARGO_DENY.find()?).args([
        "--manifest-path",
        manifest,
        "--workspace",
        "--log-level",
        "error",
        "check",
        "--hide-inclusion-graph",
    ]))
}

fn npm_advisories() -> Result<()> {
    let answer = Job::new("lint · npm audit", node::npm()).args(["audit", "--omit=optional"]).attempt()?;
    judge_advisories(
        "the npm audit service",
        answer,
        &["audit endpoint returned an error", "ENOTFOUND", "ECONNREFUSED"],
    )
}

/// A service that cannot be reached says nothing about the dependencies, so it fails nothing.
fn judge_advisories(service: &str, answer: Result<String, String>, unreachable: &[&str]) -> Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(log) if unreachable.iter().any(|sign| log.contains(sign)) => {
            progress::say(format!("note: {service} could not be asked from here, so nothing is known from it"));
            Ok(())
        }
        Err(log) => {
            eprintln!("{log}");
            bail!("{service} knows of a problem with a dependency; update it or state an exception with its reason")
        }
    }
}

fn typescript_style() -> Result<()> {
    node::tool("lint · biome", "biome")
        .args(["ci", "--colors=off", "--error-on-warnings", "."])
        .hint("`cargo xtask fmt` repairs what can be repaired by itself.")
        .run()
}

/// The package is built first: everything else is checked against its declarations.
fn typescript_types() -> Result<()> {
    build::release()?;
    let failures = PROJECTS.iter().filter_map(|project| types_of(project).err()).collect::<Vec<_>>();
    ensure!(failures.is_empty(), "{}", failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "));
    Ok(())
}

fn types_of(project: &str) -> Result<()> {
    ensure!(
        paths::root().join(project).join("tsconfig.json").is_file(),
        "{project}/tsconfig.json is missing, so its types cannot be checked"
    );
    node::tool(format!("lint · types of {project}"), "tsc").args(["--noEmit", "-p", project]).run()
}

const FUZZ: &str = "fuzz/Cargo.toml";
const PROJECTS: [&str; 8] =
    ["pkg", "www", "tests/js", "tests/e2e", "tests/docs", "tests/packaging", "tests/socketio", "servers/socketio"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_service_fails_nothing_but_a_finding_does() {
        assert!(judge_advisories("it", Ok("fine".into()), &["down"]).is_ok());
        assert!(judge_advisories("it", Err("it is down".into()), &["down"]).is_ok());
        assert!(judge_advisories("it", Err("1 high severity".into()), &["down"]).is_err());
    }
}
