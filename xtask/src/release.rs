//! What a release would publish, checked without publishing: see RELEASING.md.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::install::Need;
use crate::job::Job;
use crate::{build, crates, links, node, paths, progress, shell, tools, wasm};

/// Interfaces are compared only where there is an earlier release.
pub fn needs() -> Vec<&'static dyn Need> {
    let is_first = latest_release().is_ok_and(|tag| tag.is_none());
    let comparison: Option<&dyn Need> = (!is_first).then_some(&crates::CARGO_SEMVER_CHECKS);
    build::NEEDS.iter().copied().chain(comparison).collect()
}

pub fn dry_run() -> Result<()> {
    let version = versions()?;
    changelog(&version)?;
    links::check(&[("docs/CRATE.md", "Cargo.toml"), ("pkg/README.md", "pkg/package.json")])?;
    crate_files()?;
    crate_publishes()?;
    crate_interface(&version)?;
    package_publishes()?;
    progress::say(format!("{version} could be released; nothing was published"));
    Ok(())
}

/// The one version of everything, if it is one.
fn versions() -> Result<String> {
    let output = Job::cargo("release · versions").args(["metadata", "--no-deps", "--format-version", "1"]).attempt()?;
    let log = output.map_err(anyhow::Error::msg)?;
    // Cargo may warn before it answers.
    let answer = log.lines().find(|line| line.starts_with('{')).context("`cargo metadata` answered nothing")?;
    let metadata: Value = serde_json::from_str(answer)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` names no packages")?;
    let version = packages.iter().find(|package| package["name"] == "everwire").map(|package| &package["version"]);
    let version = version.and_then(Value::as_str).context("the workspace has no crate `everwire`")?;
    for (file, pointer) in VERSIONED {
        let manifest = read(file)?;
        let manifest: Value = serde_json::from_str(&manifest).with_context(|| format!("{file} is not JSON"))?;
        let other = manifest.pointer(pointer).and_then(Value::as_str).unwrap_or("no version");
        ensure!(other == version, "{file} has {other} at {pointer}, but Cargo.toml has {version}");
    }
    Ok(version.to_owned())
}

fn changelog(version: &str) -> Result<()> {
    ensure!(
        has_lines_for(&read("CHANGELOG.md")?, version),
        "the newest section of CHANGELOG.md must be `## Unreleased` or `## {version} - YYYY-MM-DD`, with a line for each visible change"
    );
    Ok(())
}

/// Whether the newest section that has lines is of this version, or of none yet.
fn has_lines_for(changelog: &str, version: &str) -> bool {
    let mut sections = changelog.split("\n## ").skip(1);
    let newest = sections.find(|section| section.contains("\n- "));
    let heading = newest.and_then(|section| section.lines().next()).unwrap_or("");
    heading == "Unreleased" || heading.strip_prefix(version).is_some_and(|rest| rest.starts_with(" - "))
}

fn crate_files() -> Result<()> {
    let list = Job::cargo("release · files of the crate").args(["package", "--package", "everwire", "--list"]);
    let log = list.hint(COMMIT_FIRST).attempt()?.map_err(anyhow::Error::msg)?;
    let strays = log.lines().filter(|file| is_stray(file)).collect::<Vec<_>>();
    ensure!(strays.is_empty(), "the crate would ship what nobody needs there: {}", strays.join(", "));
    let missing = CRATE_FILES.iter().filter(|file| !log.lines().any(|line| line == **file)).collect::<Vec<_>>();
    ensure!(missing.is_empty(), "the crate lacks {missing:?}");
    Ok(())
}

/// Whether a line of the list names a file that is neither a source nor expected; warnings of cargo name none.
fn is_stray(line: &str) -> bool {
    let is_file = !line.contains(' ') && !line.is_empty();
    let is_generated = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"].contains(&line);
    is_file && !is_generated && !line.starts_with("src/") && !CRATE_FILES.contains(&line)
}

/// Natively there is only the core; the faces are compiled for wasm32.
fn crate_publishes() -> Result<()> {
    tools::wasm_target()?;
    for (step, target) in [
        ("release · cargo publish --dry-run, native", &[][..]),
        ("release · cargo publish --dry-run, wasm", &["--target", wasm::TARGET]),
    ] {
        let job = Job::cargo(step).args(["publish", "--dry-run", "--locked", "--package", "everwire"]).args(target);
        job.hint(COMMIT_FIRST).run()?;
    }
    Ok(())
}

/// Compares with the latest release in this repository, so no registry is asked.
fn crate_interface(version: &str) -> Result<()> {
    let Some(tag) = latest_release()? else {
        progress::say(format!(
            "note: there is no tag `v*` yet, so the interface of {version} is not compared with any"
        ));
        return Ok(());
    };
    Job::new(format!("release · cargo semver-checks since {tag}"), crates::CARGO_SEMVER_CHECKS.find()?)
        .args(["semver-checks", "--package", "everwire", "--baseline-rev", &tag, "--target", wasm::TARGET])
        .hint("Raise the version, or take the breaking change back.")
        .run()
}

fn latest_release() -> Result<Option<String>> {
    let tags = ["tag", "--list", "v[0-9]*", "--sort=-version:refname", "--merged", "HEAD"];
    let printed = shell::at_root()?.cmd("git").args(tags).read()?;
    Ok(printed.lines().next().map(String::from))
}

fn package_publishes() -> Result<()> {
    build::release()?;
    let package = paths::root().join("pkg");
    let log = Job::new("release · npm publish --dry-run", node::npm())
        .args(["publish", "--dry-run", "--access", "public"])
        .directory(&package)
        .attempt()?
        .map_err(anyhow::Error::msg)?;
    // npm repairs a manifest silently and publishes another than the one in the repository.
    if log.contains("auto-corrected") || log.contains("errors corrected") {
        bail!("npm would change pkg/package.json; run `npm pkg fix` in pkg\n{log}");
    }
    let manifest: Value = serde_json::from_str(&read("pkg/package.json")?)?;
    for file in exported(&manifest["exports"]) {
        ensure!(package.join(&file).is_file(), "pkg/package.json exports {file}, which is not there");
        // npm lists each file of the package with its size.
        ensure!(log.lines().any(|line| line.ends_with(&format!(" {file}"))), "npm would leave out {file}");
    }
    Ok(())
}

/// Every file that a map of entries leads to.
fn exported(entries: &Value) -> Vec<String> {
    match entries {
        Value::String(file) => vec![file.trim_start_matches("./").to_owned()],
        Value::Object(entries) => entries.values().flat_map(exported).collect(),
        _ => Vec::new(),
    }
}

fn read(file: impl AsRef<Path>) -> Result<String> {
    let file = file.as_ref();
    std::fs::read_to_string(paths::root().join(file)).with_context(|| format!("reading {}", file.display()))
}

const VERSIONED: [(&str, &str); 5] = [
    ("pkg/package.json", "/version"),
    ("www/package.json", "/dependencies/everwire"),
    ("tests/js/package.json", "/dependencies/everwire"),
    ("tests/e2e/package.json", "/dependencies/everwire"),
    ("tests/docs/package.json", "/dependencies/everwire"),
];
const CRATE_FILES: [&str; 4] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "docs/CRATE.md"];
const COMMIT_FIRST: &str = "Commit first: what is published is what the repository has.";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_changelog_needs_lines_for_this_version_or_the_next() {
        assert!(has_lines_for("# C\n\n## Unreleased\n\n### Added\n\n- a\n\n## 1.0.0 - 2020-01-01\n\n- b\n", "1.0.0"));
        assert!(has_lines_for("# C\n\n## Unreleased\n\n## 1.0.1 - 2020-01-01\n\n- b\n", "1.0.1"));
        assert!(!has_lines_for("# C\n\n## Unreleased\n\n## 1.0.0 - 2020-01-01\n\n- b\n", "1.0.1"));
        assert!(!has_lines_for("# C\n\n## 1.0.10 - 2020-01-01\n\n- b\n", "1.0.1"));
        assert!(!has_lines_for("# C\n\n## Unreleased\n", "1.0.0"));
    }

    #[test]
    fn only_sources_and_what_belongs_to_them_are_shipped() {
        for file in ["src/lib.rs", "src/js/host.js", "Cargo.lock", "docs/CRATE.md", "warning: no documentation"] {
            assert!(!is_stray(file), "{file}");
        }
        for file in ["tests/proto/main.rs", "docs/PROTOCOL.md", "package.json", ".ci/run"] {
            assert!(is_stray(file), "{file}");
        }
    }

    #[test]
    fn every_entry_of_the_package_leads_to_its_files() {
        let entries = json!({".": {"types": "./dist/a.d.ts", "default": "./dist/a.js"}, "./wasm": "./dist/a.wasm"});
        let mut files = exported(&entries);
        files.sort();
        assert_eq!(files, ["dist/a.d.ts", "dist/a.js", "dist/a.wasm"]);
    }

    #[test]
    fn every_manifest_has_the_same_version() {
        versions().unwrap();
    }
}
