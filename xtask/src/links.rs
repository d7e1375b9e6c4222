//! Whether the links of a read-me lead somewhere from the page of a registry.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use crate::paths;

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
    fn a_relative_link_needs_a_file_and_a_repository() {
        let last = |has_repository, exists| problems(TEXT, has_repository, |_| exists).pop().unwrap();
        assert_eq!(last(true, false), "there is no `docs/A.md`");
        assert!(last(false, true).contains("names no `repository`"));
    }
}
