//! Takes out of wasm-bindgen's glue what is there for modules other than ours.

use std::path::Path;

use anyhow::{Context, Result};

pub fn trim(script: &Path) -> Result<()> {
    let text = std::fs::read_to_string(script).context("reading the glue of the module")?;
    std::fs::write(script, trimmed(&text)?).context("writing the glue of the module")
}

fn trimmed(glue: &str) -> Result<String> {
    let (before, rest) = glue.split_once(INIT).context(CHANGED)?;
    let (_, after) = rest.split_once(IMPORTS).context(CHANGED)?;
    let glue = format!("{before}{INIT}    ({{module}} = module);\n{IMPORTS}{after}");
    Ok(glue.lines().map(|line| without_check(line) + "\n").collect())
}

/// Whether a function of the host is there, tsc has checked.
fn without_check(line: &str) -> String {
    match line.split_once(": typeof ") {
        Some((name, rest)) => match rest.split_once(" == 'function' ? ") {
            Some((function, _)) => format!("{name}: {function},"),
            None => line.to_owned(),
        },
        None => line.to_owned(),
    }
}

/// What follows, up to the imports, is for callers of earlier versions.
const INIT: &str = "function initSync(module) {\n    if (wasm !== undefined) return wasm;\n";
const IMPORTS: &str = "    const imports = __wbg_get_imports();\n";
const CHANGED: &str = "wasm-bindgen writes `initSync` in another way than xtask/src/glue.rs expects; change it there";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_the_host_is_taken_as_it_is_and_nothing_else_changes() {
        let check = "        f_1: typeof json.f == 'function' ? json.f : notDefined('json.f'),";
        assert_eq!(without_check(check), "        f_1: json.f,");
        for other in ["        g_2: function(arg0) {", "const x = typeof y === 'function' ? y : z;", ""] {
            assert_eq!(without_check(other), other);
        }
    }

    #[test]
    fn only_the_options_of_init_sync_are_read() {
        let glue = format!("a\n{INIT}\n    if (module) console.warn('deprecated');\n\n{IMPORTS}    b\n}}\n");
        assert_eq!(trimmed(&glue).unwrap(), format!("a\n{INIT}    ({{module}} = module);\n{IMPORTS}    b\n}}\n"));
        assert!(trimmed("function initSync() {}").is_err());
    }
}
