//! Deliberate mistakes as patch files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::paths;

/// One mistake: `xtask/mutants/*.patch`.
#[derive(Debug)]
pub struct Mutant {
    /// What is broken: the first line of the file.
    pub name: String,
    patch: PathBuf,
}

/// All of them, in the order of their file names.
pub fn mutants() -> Result<Vec<Mutant>> {
    let directory = paths::root().join("xtask/mutants");
    let mut patches = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("patch")) {
            patches.push(path);
        }
    }
    patches.sort();
    patches.into_iter().map(Mutant::read).collect()
}

impl Mutant {
    fn read(patch: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(&patch)?;
        let name = text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
        ensure!(
            !name.is_empty() && !name.starts_with("---"),
            "{}: the first line says what is broken",
            patch.display()
        );
        Ok(Self { name, patch })
    }

    /// The files that it changes, by their paths in the checkout, as they become. `scratch` is emptied first.
    pub fn changed_files(&self, scratch: &Path) -> Result<Vec<(PathBuf, String)>> {
        if scratch.exists() {
            fs::remove_dir_all(scratch)?;
        }
        fs::create_dir_all(scratch)?;
        let text = fs::read_to_string(&self.patch)?;
        let files: Vec<PathBuf> =
            text.lines().filter_map(|line| line.strip_prefix("+++ b/")).map(PathBuf::from).collect();
        ensure!(!files.is_empty(), "{} changes no file", self.patch.display());
        for file in &files {
            let (from, to) = (paths::root().join(file), scratch.join(file));
            to.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::copy(&from, &to).with_context(|| format!("{} changes {}", self.patch.display(), file.display()))?;
        }
        self.apply(scratch)?;
        let read = |file: PathBuf| Ok((file.clone(), fs::read_to_string(scratch.join(file))?));
        files.into_iter().map(read).collect()
    }

    /// `git apply` in a directory that it must not take for a part of the checkout.
    fn apply(&self, directory: &Path) -> Result<()> {
        let ceiling = directory.parent().unwrap_or(directory);
        let output = Command::new("git")
            .args(["apply", "--whitespace=nowarn"])
            .arg(&self.patch)
            .current_dir(directory)
            .env("GIT_CEILING_DIRECTORIES", ceiling)
            .env_remove("GIT_DIR")
            .output()
            .context("`git` could not be started")?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} does not apply; write it anew: {words}", self.patch.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::mutants;
    use crate::paths;

    #[test]
    fn every_patch_applies_and_changes_the_client_only() {
        let scratch = paths::target().unwrap().join("mutant-patches");
        let mutants = mutants().unwrap();
        assert!(mutants.len() > 50, "{}", mutants.len());
        for mutant in &mutants {
            for (file, text) in mutant.changed_files(&scratch).unwrap() {
                assert!(
                    ["src/proto", "src/driver", "src/session"].iter().any(|part| file.starts_with(part)),
                    "{}",
                    mutant.name
                );
                assert_ne!(fs::read_to_string(paths::root().join(file)).unwrap(), text, "{}", mutant.name);
            }
        }
    }
}
