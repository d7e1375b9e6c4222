//! The documentation as a site: the pages of `docs/`, and the references of the crate and of the npm package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::install::Needs;
use crate::job::Job;
use crate::{build, bundle, links, node, paths, progress};

pub const NEEDS: Needs = build::NEEDS;

/// Builds everything into `target/docs`. A warning of either tool, or a link that leads nowhere, is a failure.
pub fn build() -> Result<()> {
    links::check_pages()?;
    build::unmeasured()?;
    let site = paths::target()?.join("docs");
    let crate_reference = rustdoc()?;
    typedoc()?;
    move_to(&crate_reference, &site.join("rust"))?;
    let index = site.join("index.html");
    fs::write(&index, index_page(&pages()?))?;
    progress::say(format!("the documentation is in {}", index.display()));
    Ok(())
}

/// The pages that people read, in the order of their names.
fn pages() -> Result<Vec<Page>> {
    let mut files = fs::read_dir(paths::root().join("docs"))?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let names = files.iter().map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".md")).map(|name| Page::read(&name)).collect()
}

struct Page {
    /// Without directory and extension.
    name: String,
    title: String,
}

impl Page {
    fn read(file: &str) -> Result<Self> {
        let text = fs::read_to_string(paths::root().join("docs").join(file))?;
        let title = text.lines().find_map(|line| line.strip_prefix("# "));
        let title = title.with_context(|| format!("docs/{file} has no title"))?.to_owned();
        Ok(Self { name: file.trim_end_matches(".md").to_owned(), title })
    }
}

/// The reference of the crate alone; cargo leaves other crates' beside it unless the directory is new.
fn rustdoc() -> Result<PathBuf> {
    let directory = paths::target()?.join("doc");
    remove(&directory)?;
    Job::cargo("docs · rustdoc")
        .args(["doc", "--no-deps", "--package", "everwire"])
        .env("RUSTDOCFLAGS", "--deny warnings")
        .run()?;
    Ok(directory)
}

/// The pages and the reference of the built npm package, by `tests/docs/typedoc.json`.
pub fn typedoc() -> Result<()> {
    let directory = paths::target()?.join("docs/guide");
    Job::new("docs · TypeDoc", node::npm())
        .args(["run", "typedoc", "--workspace", "everwire-tests-docs", "--", "--out"])
        .arg(&directory)
        .args(
            bundle::all_entries()
                .flat_map(|entry| ["--entryPoints".to_owned(), format!("../../pkg/dist/{entry}.d.ts")]),
        )
        .hint("Document what it names in a TSDoc comment, and export the types that public ones refer to.")
        .run()?;
    ensure!(directory.join("index.html").is_file(), "TypeDoc wrote no {}", directory.join("index.html").display());
    Ok(())
}

fn move_to(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    fs::create_dir_all(to.parent().context("a directory below the target directory")?)?;
    fs::rename(from, to).with_context(|| format!("moving {} to {}", from.display(), to.display()))
}

fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("clearing {}", directory.display()))?;
    }
    Ok(())
}

fn index_page(pages: &[Page]) -> String {
    let is_index = |page: &&Page| page.name != "README";
    let links = pages.iter().filter(is_index).map(|Page { name, title, .. }| {
        format!(
            "<li><a href=\"guide/documents/{name}.html\">{}</a></li>\n",
            title.replace('&', "&amp;").replace('<', "&lt;")
        )
    });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Everwire</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <style>body {{ font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }}</style>\n\
         <h1>Everwire</h1>\n<ul>\n\
         <li><a href=\"guide/index.html\">Guide</a></li>\n\
         <li><a href=\"guide/modules.html\">Reference of the npm package</a></li>\n\
         <li><a href=\"rust/everwire/index.html\">Reference of the crate</a></li>\n\
         </ul>\n<h2>Pages</h2>\n<ul>\n{}</ul>\n</html>\n",
        links.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    /// What comes after `cargo xtask` in code, inline or in a fence, up to a comment or the end of the code.
    fn commands(text: &str) -> Vec<String> {
        let rests = text.split("cargo xtask ").skip(1);
        let line = |rest: &str| rest.split(['\n', '`', '#', '|', ';', '&']).next().unwrap_or("").trim().to_owned();
        rests.map(line).collect()
    }

    /// With a value for each placeholder, and without what is optional.
    fn filled(command: &str) -> String {
        let mut words = Vec::new();
        let mut is_optional = false;
        for word in command.split_whitespace() {
            is_optional |= word.starts_with('[');
            if !is_optional && word != "…" {
                words.push(match word.trim_end_matches([',', '.']) {
                    "N" | "S" => "1",
                    "NAME" => "core",
                    "COMMAND" => "size",
                    word => word,
                });
            }
            is_optional &= !word.ends_with(']');
        }
        words.join(" ")
    }

    #[test]
    fn every_command_in_the_pages_exists() {
        let guide = pages().unwrap().into_iter().map(|page| format!("docs/{}.md", page.name));
        let others =
            ["README.md", "CONTRIBUTING.md", "pkg/README.md", "servers/python/README.md", "tests/docs/README.md"];
        let mut count = 0;
        for page in guide.chain(others.map(String::from)) {
            let text = fs::read_to_string(paths::root().join(&page)).unwrap();
            for command in commands(&text) {
                let line = filled(&command);
                let outcome = cli::parse(line.split_whitespace());
                let is_right = outcome.as_ref().is_ok() || outcome.as_ref().is_err_and(|help| !help.use_stderr());
                assert!(is_right, "{page}: `cargo xtask {command}` is no command: {}", outcome.unwrap_err());
                count += 1;
            }
        }
        assert!(count > 20, "only {count} commands were found");
    }

    #[test]
    fn commands_are_found_in_tables_and_fences() {
        let text =
            "| `cargo xtask fuzz [--seconds N] [--target NAME]` | x |\n```sh\ncargo xtask sim --seed S  # again\n```";
        let found = commands(text).iter().map(|command| filled(command)).collect::<Vec<_>>();
        assert_eq!(found, ["fuzz", "sim --seed 1"]);
    }

    #[test]
    fn every_page_is_linked_from_the_index_of_the_site_and_from_that_of_the_directory() {
        let pages = pages().unwrap();
        let site = index_page(&pages);
        let directory = fs::read_to_string(paths::root().join("docs/README.md")).unwrap();
        for Page { name, .. } in pages.iter().filter(|page| page.name != "README") {
            assert!(site.contains(&format!("guide/documents/{name}.html")), "{name}");
            assert!(directory.contains(&format!("]({name}.md)")), "docs/README.md lacks {name}.md");
        }
    }
}
