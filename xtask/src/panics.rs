//! Takes the text of panics out of the module.
//!
//! Without a hook nobody sees that text in a browser: a panic traps either way, and the console shows its stack.

use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// Makes the standard library's ways to panic trap at once; what only they need is then dead code.
pub fn trap(module: &mut Module) {
    let ids = module.funcs.iter_local().map(|(id, _)| id).collect::<Vec<_>>();
    for id in ids {
        if module.funcs.get(id).name.as_deref().is_some_and(panics) {
            trap_in(module, id);
        }
    }
}

fn trap_in(module: &mut Module, id: FunctionId) {
    let ty = module.types.get(module.funcs.get(id).ty());
    let (parameters, results) = (ty.params().to_vec(), ty.results().to_vec());
    let arguments = parameters.iter().map(|&parameter| module.locals.add(parameter)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    builder.func_body().unreachable();
    module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
}

/// Whether a function of this (mangled) name does nothing but panic.
fn panics(name: &str) -> bool {
    PANICKING.iter().any(|part| name.contains(part))
}

const PANICKING: [&str; 17] = [
    "5alloc5alloc18handle_alloc_error",
    "5alloc7raw_vec17capacity_overflow",
    "12wasm_bindgen9throw_str",
    "4core9panicking",
    "3std9panicking13panic_handler",
    "3std9panicking15panic_with_hook",
    "4core3str16slice_error_fail",
    "4core3str19slice_error_fail_rt",
    "4core5slice5index16slice_index_fail",
    "4core6option13unwrap_failed",
    "4core6option13expect_failed",
    "4core6result13unwrap_failed",
    "4core4cell22panic_already_borrowed",
    "4core4cell30panic_already_mutably_borrowed",
    "5alloc7raw_vec12handle_error",
    "___rdl_alloc_error_handler",
    // Nothing but panics formats anything.
    "4core3fmt",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_that_do_nothing_but_panic_are_meant() {
        assert!(panics("_RNvNtCsgXGp5Oqx2Ny_4core9panicking9panic_fmt"));
        assert!(panics("_RNvNtCsgXGp5Oqx2Ny_4core6option13expect_failed"));
        assert!(!panics("_ZN4core6option15Option$LT$T$GT$14unwrap_or_else17h8d28d09cc202c8a2E"));
        assert!(!panics("_ZN8everwire5proto6outbox15Outbox$LT$M$GT$4push17h28d09cc202c8a2d1E"));
    }
}
