//! Takes out of wasm-bindgen's glue what the package, its only caller, has no use for.

use anyhow::{Result, ensure};

/// The glue without its unused parts. The version of wasm-bindgen is pinned, so a part that is not there is a change to look at.
pub fn trim(glue: &str) -> Result<String> {
    let mut glue = glue.to_owned();
    for (part, replacement) in PARTS {
        ensure!(glue.contains(part), "wasm-bindgen's glue has changed: see xtask/src/glue.rs, which expects\n{part}");
        glue = glue.replace(part, replacement);
    }
    Ok(glue)
}

const PARTS: [(&str, &str); 5] = [
    // For callers of another time.
    (
        "    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }
",
        "",
    ),
    // The package loads modules, and each once.
    (
        "    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

let",
        "    wasm = new WebAssembly.Instance(module, imports).exports;
    return wasm;
}

let",
    ),
    (
        "function initSync(module) {
    if (wasm !== undefined) return wasm;
",
        "function initSync(module) {
",
    ),
    // For the JavaScript values that Rust holds: there are none.
    (
        "        __wbindgen_init_externref_table: function() {
            const table = wasm.__wbindgen_externrefs;
            table.set(0, undefined);
            table.set(1024, undefined);
            table.set(1025, null);
            table.set(1026, true);
            table.set(1027, false);
        },
",
        "",
    ),
    // Names of imports are the module's own.
    ("__proto__: null,", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glue_that_has_changed_is_refused() {
        assert!(trim("function initSync() {}").unwrap_err().to_string().contains("deprecated parameters"));
    }

    #[test]
    fn every_part_is_replaced() {
        let glue = PARTS.map(|(part, _)| part).concat();
        assert_eq!(trim(&glue).unwrap(), PARTS.map(|(_, replacement)| replacement).concat());
    }
}
