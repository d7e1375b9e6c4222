//! Public types either leave room for what later versions add, or say why they do not.

use std::fs;
use std::path::{Path, PathBuf};

/// The source files whose types are part of the public interface: public modules of the core, the driver, and the Rust face.
fn public_files() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = fs::read_to_string(source.join("proto/mod.rs")).expect("the core has a root module");
    let core = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let places = core.map(|module| format!("proto/{module}")).chain(["driver".into(), "client".into()]);
    let files = places.flat_map(|place| {
        let file = source.join(&place).with_extension("rs");
        if file.is_file() { vec![file] } else { files_in(&source.join(place)) }
    });
    let read = |path: &Path| (path.display().to_string(), fs::read_to_string(path).expect("the file can be read"));
    files.map(|path| read(&path)).collect()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    let files = entries.map(|entry| entry.expect("the directory can be read").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The lines of a file; what `coded!` declares stands where other types do.
fn lines_of(text: &str) -> Vec<&str> {
    let mut is_coded = false;
    let dedent = |line| {
        is_coded = line == "coded! {" || is_coded && line != "}";
        if is_coded { str::strip_prefix(line, "    ").unwrap_or(line) } else { line }
    };
    text.lines().map(dedent).collect()
}

/// The attributes and documentation above a line.
fn above<'a>(lines: &[&'a str], line: usize) -> Vec<&'a str> {
    let is_heading = |line: &&&str| line.starts_with("///") || line.starts_with("#[");
    lines[..line].iter().rev().take_while(is_heading).copied().collect()
}

/// Whether other crates could write down every variant or field of the type that starts here.
fn is_open_to_all(lines: &[&str], line: usize) -> bool {
    if lines[line].starts_with("pub enum ") {
        return true;
    }
    let mut body = lines[line + 1..].iter().take_while(|line| **line != "}").map(|line| line.trim_start());
    let is_field = |line: &&str| !line.starts_with("//") && !line.starts_with("#[");
    lines[line].starts_with("pub struct ")
        && lines[line].ends_with('{')
        && body.by_ref().filter(is_field).all(|field| field.starts_with("pub "))
}

#[test]
fn every_public_type_can_grow_or_says_why_it_must_not() {
    let mut judged = 0;
    for (path, text) in public_files() {
        let lines = lines_of(&text);
        for line in (0..lines.len()).filter(|&line| is_open_to_all(&lines, line)) {
            let heading = above(&lines, line);
            let grows = heading.contains(&"#[non_exhaustive]");
            let explains = heading.iter().any(|line| line.contains("Exhaustive"));
            assert!(grows != explains, "{path}: `{}` needs `#[non_exhaustive]` or the reason against it", lines[line]);
            judged += 1;
        }
    }
    assert!(judged > 30, "only {judged} types were found");
}
