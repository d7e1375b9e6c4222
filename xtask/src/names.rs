//! Short names for what the module and its glue exchange; the generated ones are long and hashed, and hashes do not
//! compress.

use std::collections::HashMap;

use walrus::Module;

/// The new names of one module.
pub struct Names {
    imports: HashMap<String, String>,
    exports: HashMap<String, String>,
}

/// The one module that all imports come from is the glue itself.
const GLUE: &str = "./everwire_bg.js";
const SHORT_GLUE: &str = "g";

/// Renames every import and export of `module`, except its memory.
pub fn shorten(module: &mut Module) -> Names {
    let mut imports = HashMap::new();
    for import in module.imports.iter_mut().filter(|import| import.module == GLUE) {
        SHORT_GLUE.clone_into(&mut import.module);
        let name = short(imports.len());
        imports.insert(std::mem::replace(&mut import.name, name.clone()), name);
    }
    let mut exports = HashMap::new();
    for export in module.exports.iter_mut().filter(|export| export.name != "memory") {
        let name = short(exports.len());
        exports.insert(std::mem::replace(&mut export.name, name.clone()), name);
    }
    Names { imports, exports }
}

impl Names {
    /// The glue with the names of the module it belongs to.
    pub fn apply(&self, glue: &str) -> String {
        let mut renamed = String::with_capacity(glue.len());
        let glue = glue.replace(&format!("\"{GLUE}\""), SHORT_GLUE);
        let mut rest = glue.as_str();
        while let Some(start) = rest.find(is_word) {
            let (before, from) = rest.split_at(start);
            let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
            renamed.push_str(before);
            let names = if renamed.ends_with("wasm.") { &self.exports } else { &self.imports };
            renamed.push_str(names.get(word).map_or(word, String::as_str));
            rest = after;
        }
        renamed.push_str(rest);
        renamed
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// a, b, … z, A, … Z, aa, ba, …
fn short(index: usize) -> String {
    const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let letter = char::from(LETTERS[index % LETTERS.len()]);
    match index / LETTERS.len() {
        0 => letter.to_string(),
        more => format!("{letter}{}", short(more - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|&(from, to)| (from.to_owned(), to.to_owned())).collect()
    }

    #[test]
    fn short_names_do_not_repeat() {
        let names = (0..5000).map(short).collect::<std::collections::HashSet<_>>();
        assert_eq!(names.len(), 5000);
        assert_eq!((short(0), short(51), short(52), short(104)), ("a".into(), "Z".into(), "aa".into(), "ab".into()));
    }

    #[test]
    fn imports_and_exports_of_the_glue_are_renamed_and_nothing_else() {
        let names = Names {
            imports: map(&[("__wbg_new_12", "a")]),
            exports: map(&[("client_new", "b"), ("__wbg_new_12", "c")]),
        };
        let glue = "const import0 = { __wbg_new_12: f, \"./everwire_bg.js\": 1 }; wasm.client_new(client_new); wasm.__wbg_new_12;";
        let expected = "const import0 = { a: f, g: 1 }; wasm.b(client_new); wasm.c;";
        assert_eq!(names.apply(glue), expected);
    }
}
