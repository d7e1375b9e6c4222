//! What the npm build does without: the default allocator, and the standard library's panic messages. Together they would take
//! more than the whole state machine.

use core::panic::PanicInfo;

/// A browser page has one thread, and a client has little to allocate.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// A panic means a bug of ours; JavaScript sees it as a `RuntimeError`.
#[panic_handler]
fn trap(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
