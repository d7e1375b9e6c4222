//! Whether the links of pages lead somewhere: in the repository, and those of read-mes from the page of a registry.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{paths, shell};

/// Checks read-mes, each with the manifest that it is published with.
pub fn check(pages: &[(&str, &str)]) -> Result<()> {
    let mut broken = Vec::new();
    for (page, manifest) in pages {
        let [text, manifest] = [page, manifest].map(|file| std::fs::read_to_string(paths::root().join(file)));
        let text = text.with_context(|| format!("reading {page}"))?;
        let has_repository =
            manifest?.lines().any(|line| line.trim_start_matches([' ', '"']).starts_with("repository"));
        let directory = page.rsplit_once('/').map_or("", |(directory, _)| directory);
        let exists = |target: &str| paths::root().join(directory).join(target).exists();
        broken.extend(problems(&text, has_repository, exists).iter().map(|problem| format!("{page}: {problem}")));
    }
    ensure!(broken.is_empty(), "links that lead nowhere\n  {}", broken.join("\n  "));
    Ok(())
}

/// Checks what the pages of the repository link to: files, and headings of pages.
pub fn check_pages() -> Result<()> {
    let mut broken = Vec::new();
    for page in pages()? {
        let text = std::fs::read_to_string(&page)?;
        let directory = page.parent().context("a page is in a directory")?;
        let read = |target: &str| {
            let target = directory.join(target);
            let is_page = target.extension().is_some_and(|extension| extension == "md");
            if is_page { std::fs::read_to_string(target).ok() } else { target.exists().then(String::new) }
        };
        let name = page.strip_prefix(paths::root()).unwrap_or(&page).display();
        broken.extend(dead_links(&text, read).iter().map(|problem| format!("{name}: {problem}")));
    }
    ensure!(broken.is_empty(), "links that lead nowhere\n  {}", broken.join("\n  "));
    Ok(())
}

/// Every page that is part of the repository, or about to be.
fn pages() -> Result<Vec<PathBuf>> {
    let shell = shell::at_root()?;
    let list = shell.cmd("git").args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]);
    let files = list.read().context("listing the pages")?;
    Ok(files.lines().map(|file| paths::root().join(file)).filter(|page| page.is_file()).collect())
}

/// The links of a page whose file is not there, or whose heading is not; `read` gives a target's text.
fn dead_links(text: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let problem = |link: &String| {
        let (target, heading) = link.split_once('#').unwrap_or((link, ""));
        if target.contains(':') {
            return None;
        }
        let Some(page) = (if target.is_empty() { Some(text.to_owned()) } else { read(target) }) else {
            return Some(format!("there is no `{target}`"));
        };
        let is_checked = !heading.is_empty() && (target.is_empty() || target.ends_with(".md"));
        let is_there = !is_checked
            || page.contains(&format!("<a id=\"{heading}\">"))
            || page.lines().filter_map(anchor).any(|anchor| anchor == heading);
        (!is_there).then(|| format!("no heading is `{link}`"))
    };
    links(text).iter().filter_map(problem).collect()
}

/// A page resolves relative links against the repository that its manifest names; without one they lead nowhere.
fn problems(text: &str, has_repository: bool, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let anchors = text.lines().filter_map(anchor).collect::<BTreeSet<_>>();
    let problem = |link: &str| match link.split_once('#').unwrap_or((link, "")) {
        ("", anchor) => (!anchors.contains(anchor)).then(|| format!("no heading is `#{anchor}`")),
        (target, _) if target.contains("://") => None,
        (target, _) if !exists(target) => Some(format!("there is no `{target}`")),
        (target, _) if !has_repository => {
            Some(format!("`{target}` is relative, and the manifest names no `repository`"))
        }
        _ => None,
    };
    links(text).iter().filter_map(|link| problem(link)).collect()
}

/// The targets of inline links, code left out.
fn links(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2).collect::<String>();
    prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// What a heading is linked by: its words in lower case, joined by hyphens.
fn anchor(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Page\n\n[a](#two-words) [b](#nowhere) [c](docs/A.md#x)\n\n```ts\nlist[0](#code)\n```\n\n## Two words\n";

    #[test]
    fn a_link_to_no_heading_is_found_and_code_is_not() {
        assert_eq!(problems(TEXT, true, |_| true), ["no heading is `#nowhere`"]);
    }

    #[test]
    fn a_link_to_another_page_needs_its_heading() {
        let text =
            "[a](B.md#there) [a](B.md#here) [b](B.md#not-there) [c](C.md) [d](https://example.com/#x) [e](src/a.rs#L3)";
        let read = |target: &str| (target != "C.md").then(|| "## There\n\n<a id=\"here\"></a>\n".to_owned());
        assert_eq!(dead_links(text, read), ["no heading is `B.md#not-there`", "there is no `C.md`"]);
    }

    #[test]
    fn no_page_has_a_dead_link() {
        check_pages().unwrap();
    }

    #[test]
    fn a_relative_link_needs_a_file_and_a_repository() {
        let last = |has_repository, exists| problems(TEXT, has_repository, |_| exists).pop().unwrap();
        assert_eq!(last(true, false), "there is no `docs/A.md`");
        assert!(last(false, true).contains("names no `repository`"));
    }
}
