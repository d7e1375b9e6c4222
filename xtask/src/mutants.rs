//! Breaks the state machine on purpose, one way after the other, and shows that the simulation notices.

mod list;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use list::{FLAWS, MUTANTS, Mutant};

use crate::job::Job;
use crate::{paths, progress, sim};

/// Builds every mutant apart from the shipped code and runs the simulation with each until it notices.
pub fn run() -> Result<()> {
    let workspace = paths::target()?.join("sim-mutants");
    write_workspace(&workspace)?;
    Job::cargo(format!("mutants · building {}", MUTANTS.len()))
        .args(["build", "--release", "--bins"])
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .directory(&workspace)
        .run()?;
    let limit = MOST_RUNS.to_string();
    let mut survivors = Vec::new();
    for (number, mutant) in MUTANTS.iter().enumerate() {
        let program = workspace.join("target/release").join(format!("mutant-{number}{}", std::env::consts::EXE_SUFFIX));
        notice(mutant.name, program, &["--until-broken", "--runs", &limit], &mut survivors)?;
    }
    sim::build()?;
    for (name, flaw) in FLAWS {
        let options = ["--until-broken", "--break", flaw, "--runs", &limit];
        notice(name, sim::program()?, &options, &mut survivors)?;
    }
    ensure!(survivors.is_empty(), "not noticed in {limit} runs: {}", survivors.join("; "));
    progress::say(format!("each of {} mistakes was noticed", MUTANTS.len() + FLAWS.len()));
    Ok(())
}

fn notice(name: &'static str, program: PathBuf, options: &[&str], survivors: &mut Vec<&'static str>) -> Result<()> {
    match Job::new(format!("mutant · {name}"), program).args(options).attempt()? {
        Ok(said) => progress::say(format!("  noticed: {}", said.trim())),
        Err(said) => {
            progress::say(format!("  {}", said.trim()));
            survivors.push(name);
        }
    }
    Ok(())
}

/// Every mutant is a crate of its own with a simulation of its own, all built at once.
fn write_workspace(workspace: &Path) -> Result<()> {
    let sources = paths::root().join("tests/sim/src");
    let mut members = String::new();
    for (number, mutant) in MUTANTS.iter().enumerate() {
        let core = workspace.join(format!("core-{number}"));
        let changed = mutated(mutant)?;
        for entry in fs::read_dir(proto())? {
            let path = entry?.path();
            let Some(name) = path.file_name().filter(|_| path.is_file()) else { continue };
            let text = if name == mutant.file { changed.clone() } else { fs::read_to_string(&path)? };
            write(&core.join("src/proto").join(name), &text)?;
        }
        write(&core.join("src/lib.rs"), "#![allow(warnings)]\nextern crate alloc;\npub mod proto;\n")?;
        write(&core.join("Cargo.toml"), &core_manifest(number))?;
        let sim = workspace.join(format!("sim-{number}"));
        write(&sim.join("Cargo.toml"), &sim_manifest(number, &sources))?;
        members += &format!("\"core-{number}\", \"sim-{number}\", ");
    }
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n{PROFILE}");
    write(&workspace.join("Cargo.toml"), &manifest)?;
    // The same versions as everywhere, and none that has to be fetched.
    write(&workspace.join("Cargo.lock"), &fs::read_to_string(paths::root().join("Cargo.lock"))?)
}

fn mutated(mutant: &Mutant) -> Result<String> {
    let path = proto().join(mutant.file);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    match text.matches(mutant.from).count() {
        1 => Ok(text.replacen(mutant.from, mutant.to, 1)),
        count => bail!(
            "the mutant \"{}\" wants to change a text that {} has {count} times, not once; adapt xtask/src/mutants.rs:\n{}",
            mutant.name,
            mutant.file,
            mutant.from
        ),
    }
}

fn proto() -> PathBuf {
    paths::root().join("src/proto")
}

fn core_manifest(number: usize) -> String {
    format!(
        "[package]\nname = \"core-{number}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\nname = \"everwire\"\ndoctest = false\n\n[dependencies]\nfastrand = \"2\"\n"
    )
}

fn sim_manifest(number: usize, sources: &Path) -> String {
    let [library, program] = ["lib.rs", "main.rs"].map(|file| sources.join(file).to_string_lossy().replace('\\', "/"));
    format!(
        "[package]\nname = \"sim-{number}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\nname = \"everwire_sim\"\npath = \"{library}\"\n\n\
         [[bin]]\nname = \"mutant-{number}\"\npath = \"{program}\"\n\n\
         [dependencies]\neverwire = {{ path = \"../core-{number}\", package = \"core-{number}\" }}\nfastrand = \"2\"\n"
    )
}

/// Writes what differs, so that cargo builds what has changed and no more.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

const PROFILE: &str = "[profile.release]\nopt-level = 1\nincremental = false\n";
/// Within so many runs each has to be noticed.
const MOST_RUNS: u32 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_finds_the_text_that_it_changes() {
        for mutant in MUTANTS {
            let changed = mutated(mutant).unwrap();
            assert!(mutant.to.is_empty() || changed.contains(mutant.to), "{}", mutant.name);
        }
    }
}
