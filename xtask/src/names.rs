//! Short names for what the module and its glue exchange; the generated ones are long and hashed, and hashes do not
//! compress.

use std::collections::HashMap;

use walrus::Module;

/// The new names of one module.
#[derive(Default)]
pub struct Names {
    imports: HashMap<String, String>,
    scripts: Vec<Script>,
}

/// A function that the module took straight from a script of the crate.
struct Script {
    path: String,
    function: String,
    name: String,
}

/// Renames every import of `module`, has all of them come from one place, and takes away the exports that the package does not use.
pub fn shorten(module: &mut Module) -> Names {
    // The memory stays for whoever wants to know how large it is.
    let is_used = |name: &str| name.starts_with("everwire_") || name == "memory";
    let unused = module.exports.iter().filter(|export| !is_used(&export.name)).map(|export| export.id());
    for export in unused.collect::<Vec<_>>() {
        module.exports.delete(export);
    }
    // An import of the glue that only an export handed on is then gone too.
    walrus::passes::gc::run(module);
    let mut names = Names::default();
    for (index, import) in module.imports.iter_mut().enumerate() {
        let name = short(index);
        let path = std::mem::replace(&mut import.module, SHORT_GLUE.into());
        let function = std::mem::replace(&mut import.name, name.clone());
        if path == GLUE {
            names.imports.insert(function, name);
        } else {
            names.scripts.push(Script { path, function, name });
        }
    }
    names
}

const GLUE: &str = "./everwire_bg.js";
const SHORT_GLUE: &str = "g";

impl Names {
    /// The glue with the names of the module it belongs to.
    pub fn apply(&self, glue: &str) -> String {
        let glue = self.import_scripts(glue).replace(&format!("\"{GLUE}\""), SHORT_GLUE);
        let mut renamed = String::with_capacity(glue.len());
        let mut rest = glue.as_str();
        while let Some(start) = rest.find(is_word) {
            let (before, from) = rest.split_at(start);
            let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
            renamed.push_str(before);
            renamed.push_str(self.imports.get(word).map_or(word, String::as_str));
            rest = after;
        }
        renamed.push_str(rest);
        renamed
    }

    /// Imports functions one by one, where the glue hands over whole scripts, which no bundler can take apart.
    fn import_scripts(&self, glue: &str) -> String {
        let mut lines = Vec::new();
        for Script { path, function, name } in &self.scripts {
            lines.push(format!("import {{ {function} as script_{name} }} from \"{path}\";"));
        }
        for line in glue.lines() {
            let text = line.trim_start();
            let whole_script = self.scripts.iter().any(|script| {
                text.starts_with(&format!("\"{}\": import", script.path))
                    || text.starts_with("import * as import") && text.contains(&script.path)
            });
            if !whole_script {
                lines.push(line.to_owned());
            }
            if text == IMPORT_OBJECT {
                lines.extend(self.scripts.iter().map(|Script { name, .. }| format!("        {name}: script_{name},")));
            }
        }
        lines.join("\n") + "\n"
    }
}

const IMPORT_OBJECT: &str = "const import0 = {";

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
    fn only_the_memory_and_the_exports_that_the_package_calls_are_left() {
        let mut module = Module::default();
        let memory = module.memories.add_local(false, false, 1, None, None);
        for name in ["memory", "everwire_send", "__wbindgen_start"] {
            module.exports.add(name, memory);
        }
        shorten(&mut module);
        assert_eq!(module.exports.iter().map(|export| &export.name).collect::<Vec<_>>(), ["memory", "everwire_send"]);
    }

    #[test]
    fn short_names_do_not_repeat() {
        let names = (0..5000).map(short).collect::<std::collections::HashSet<_>>();
        assert_eq!(names.len(), 5000);
        assert_eq!((short(0), short(51), short(52), short(104)), ("a".into(), "Z".into(), "aa".into(), "ab".into()));
    }

    #[test]
    fn imports_of_the_glue_are_renamed_and_nothing_else() {
        let names = Names { imports: map(&[("__wbg_new_12", "a")]), scripts: Vec::new() };
        let glue = "x = { __wbg_new_12: f, \"./everwire_bg.js\": 1 }; wasm.client_new(client_new);\n";
        assert_eq!(names.apply(glue), "x = { a: f, g: 1 }; wasm.client_new(client_new);\n");
    }

    #[test]
    fn functions_of_scripts_join_the_import_object_one_by_one() {
        let script = Script { path: "./host.js".into(), function: "href".into(), name: "d".into() };
        let names = Names { scripts: vec![script], ..Names::default() };
        let glue = "import { other } from './host.js';\nimport * as import1 from \"./host.js\"\n    const import0 = {\n    };\n    return {\n        \"./host.js\": import1,\n    };\n";
        let expected = "import { href as script_d } from \"./host.js\";\nimport { other } from './host.js';\n    const import0 = {\n        d: script_d,\n    };\n    return {\n    };\n";
        assert_eq!(names.apply(glue), expected);
    }
}
