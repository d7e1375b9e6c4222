//! Benches: scripts in `bench/` that measure the built package.

use anyhow::{Result, ensure};

use crate::install::Needs;
use crate::job::Job;
use crate::{build, node, paths, tools};

/// Of running one.
pub const NEEDS: Needs = &[&node::Packages, &tools::WasmTarget, &tools::CHROMIUM];

pub fn run(name: &str) -> Result<()> {
    let known = names()?;
    ensure!(known.iter().any(|known| known == name), "there is no bench `{name}`; {}", sentence(&known));
    build::unmeasured()?;
    let chromium = tools::CHROMIUM.find()?;
    Job::new(format!("bench · {name}"), "node").arg(format!("bench/{name}.mjs")).env("CHROMIUM", chromium).hand_over()
}

pub fn list() -> Result<()> {
    println!("{}", sentence(&names()?));
    Ok(())
}

fn names() -> Result<Vec<String>> {
    let directory = paths::root().join("bench");
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let file = entry?.file_name();
        names.extend(file.to_str().and_then(|file| file.strip_suffix(".mjs")).map(String::from));
    }
    names.sort();
    Ok(names)
}

fn sentence(names: &[String]) -> String {
    if names.is_empty() {
        "bench/ holds no scripts yet".into()
    } else {
        format!("the benches are: {}", names.join(" "))
    }
}
