//! Takes out of wasm-bindgen's glue what is there for modules other than ours.

use std::path::Path;

use anyhow::{Context, Result, ensure};

pub fn trim(script: &Path) -> Result<()> {
    let text = std::fs::read_to_string(script).context("reading the glue of the module")?;
    std::fs::write(script, trimmed(&text)?).context("writing the glue of the module")
}

fn trimmed(glue: &str) -> Result<String> {
    let mut glue = glue.to_owned();
    for (found, replacement) in REPLACED {
        ensure!(glue.contains(found), "wasm-bindgen no longer writes this; look at xtask/src/glue.rs:\n{found}");
        glue = glue.replace(found, replacement);
    }
    let is_kept = |line: &&str| !line.starts_with(DISPOSAL) && !line.trim_start().starts_with(CLASS_CHECK);
    Ok(glue.lines().filter(is_kept).map(|line| without_check(line) + "\n").collect())
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

/// The host frees what it has to itself.
const DISPOSAL: &str = "if (Symbol.dispose) ";

/// Of which class an argument is, tsc has checked too.
const CLASS_CHECK: &str = "_assertClass(";

const REPLACED: [(&str, &str); 3] = [
    // For callers of earlier versions of wasm-bindgen.
    (
        "    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
",
        "    ({module} = module);
    const imports = __wbg_get_imports();
",
    ),
    // The package compiles the module itself.
    (
        "    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance",
        "    const instance",
    ),
    // The package needs a registry of its own, and so every place has the class. Who uses nothing of the core must not get it.
    (
        "(typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry",
        "/* @__PURE__ */ new FinalizationRegistry",
    ),
];

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
    fn what_is_replaced_must_be_there() {
        let parts = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
            REPLACED.iter().map(pick).collect::<Vec<_>>().join("\n") + "\n"
        };
        let glue = parts(|(found, _)| found);
        assert_eq!(trimmed(&glue).unwrap(), parts(|(_, replacement)| replacement));
        assert!(trimmed("function initSync() {}").is_err());
        let disposal = "if (Symbol.dispose) Core.prototype[Symbol.dispose] = Core.prototype.free;\n";
        let class_check = "        _assertClass(carrier, Carrier);\n";
        assert_eq!(trimmed(&(glue.clone() + disposal + class_check)).unwrap(), trimmed(&glue).unwrap());
    }
}
