//! Takes wasm-bindgen's way to throw errors out of the module.
//!
//! It throws where a module has a bug or its class is misused, which the package does not let happen. A trap says as much, and the
//! glue then needs no decoder of text. The panics of Rust itself are traps already: the module has a panic handler of its own, and what
//! only their text needs is dead code to LTO.

use anyhow::{Context, Result};
use walrus::{FunctionBuilder, FunctionKind, Module};

pub fn trap(module: &mut Module) -> Result<()> {
    let throw = module.funcs.iter_local().map(|(id, _)| id).find(|&id| throws(module.funcs.get(id).name.as_deref()));
    let throw = throw.context("wasm-bindgen throws by another function; look at xtask/src/panics.rs")?;
    let ty = module.types.get(module.funcs.get(throw).ty());
    let (parameters, results) = (ty.params().to_vec(), ty.results().to_vec());
    let arguments = parameters.iter().map(|&parameter| module.locals.add(parameter)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    builder.func_body().unreachable();
    module.funcs.get_mut(throw).kind = FunctionKind::Local(builder.local_func(arguments));
    Ok(())
}

/// Whether this is the (mangled) name of the function that throws, without the hashes around it.
fn throws(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.contains("12wasm_bindgen9throw_str"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_function_throws() {
        assert!(throws(Some("_ZN12wasm_bindgen9throw_str17hf2cb5e6a0cfa7d49E")));
        assert!(!throws(Some("_ZN12wasm_bindgen4__rt10throw_null17h91044cf6adf41cb5E")));
        assert!(!throws(None));
    }
}
