//! Breaks the state machine, its decoder and its driver on purpose, one way after the other, and shows that the simulation notices.

mod patch;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use patch::{Mutant, mutants};

use crate::job::Job;
use crate::{paths, progress, sim};

/// What can be wrong around the client, and the name that the simulation has for it.
const FLAWS: &[(&str, &str)] = &[
    ("The server processes duplicates", "dedupe"),
    ("The server's forgotten streams start over", "offsets"),
    ("What was sent to a plain server stays on disk", "outbox"),
];

/// Builds every mutant apart from the shipped code and runs the simulation with each until it notices.
pub fn run() -> Result<()> {
    let workspace = paths::target()?.join("sim-mutants");
    let mutants = mutants()?;
    write_workspace(&workspace, &mutants)?;
    Job::cargo(format!("mutants · building {}", mutants.len()))
        .args(["build", "--release", "--bins"])
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .directory(&workspace)
        .run()?;
    let limit = MOST_RUNS.to_string();
    let mut survivors = Vec::new();
    for (number, mutant) in mutants.iter().enumerate() {
        let program = workspace.join("target/release").join(format!("mutant-{number}{}", std::env::consts::EXE_SUFFIX));
        notice(&mutant.name, program, &["--until-broken", "--runs", &limit], &mut survivors)?;
    }
    sim::build()?;
    for (name, flaw) in FLAWS {
        let options = ["--until-broken", "--break", flaw, "--runs", &limit];
        notice(name, sim::program()?, &options, &mut survivors)?;
    }
    ensure!(survivors.is_empty(), "not noticed in {limit} runs: {}", survivors.join("; "));
    progress::say(format!("each of {} mistakes was noticed", mutants.len() + FLAWS.len()));
    Ok(())
}

fn notice(name: &str, program: PathBuf, options: &[&str], survivors: &mut Vec<String>) -> Result<()> {
    match Job::new(format!("mutant · {name}"), program).args(options).attempt()? {
        Ok(said) => progress::say(format!("  noticed: {}", said.trim())),
        Err(said) => {
            progress::say(format!("  {}", said.trim()));
            survivors.push(name.to_owned());
        }
    }
    Ok(())
}

/// Every mutant is a crate of its own with a simulation of its own, all built at once.
fn write_workspace(workspace: &Path, mutants: &[Mutant]) -> Result<()> {
    let sources = paths::root().join("tests/sim/src");
    let mut members = String::new();
    for (number, mutant) in mutants.iter().enumerate() {
        let core = workspace.join(format!("core-{number}"));
        let changed = mutant.changed_files(&workspace.join("scratch"))?;
        for file in files_in(Path::new("src"))? {
            let mutated = changed.iter().find(|(path, _)| *path == file).map(|(_, text)| text.clone());
            let text = mutated.map_or_else(|| fs::read_to_string(paths::root().join(&file)), Ok)?;
            write(&core.join(&file), &text)?;
        }
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

/// Every file below a directory of the checkout, by its path there.
fn files_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(paths::root().join(directory))? {
        let entry = entry?;
        let path = directory.join(entry.file_name());
        if entry.file_type()?.is_dir() { files.extend(files_in(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

fn core_manifest(number: usize) -> String {
    format!(
        "[package]\nname = \"core-{number}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\nname = \"everwire\"\ndoctest = false\n\n\
         [features]\ndefault = [\"json\", \"socketio\"]\njson = []\nsocketio = []\nweb = []\nnpm = []\n\n\
         [dependencies]\n{FASTRAND}{SERDE_JSON}"
    )
}

fn sim_manifest(number: usize, sources: &Path) -> String {
    let [library, program] = ["lib.rs", "main.rs"].map(|file| sources.join(file).to_string_lossy().replace('\\', "/"));
    format!(
        "[package]\nname = \"sim-{number}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\nname = \"everwire_sim\"\npath = \"{library}\"\n\n\
         [[bin]]\nname = \"mutant-{number}\"\npath = \"{program}\"\n\n\
         [dependencies]\neverwire = {{ path = \"../core-{number}\", package = \"core-{number}\" }}\n{FASTRAND}{SERDE_JSON}"
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

const FASTRAND: &str = "fastrand = \"2\"\n";
const SERDE_JSON: &str = "serde_json = \"1\"\n";
const PROFILE: &str = "[profile.release]\nopt-level = 0\ndebug = false\nincremental = false\n";
/// Within so many runs each has to be noticed.
const MOST_RUNS: u32 = 20_000;
