//! What the npm build does without: the default allocator, and the standard library's panic messages. Together they would take
//! more than the whole state machine.

use core::panic::PanicInfo;

/// A browser page has one thread, and a client has little to allocate.
#[global_allocator]
#[allow(unsafe_code, reason = "the npm build has no threads")]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    // SAFETY: a module without shared memory runs on one thread.
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

/// A panic means a bug of ours; JavaScript sees it as a `RuntimeError`.
#[panic_handler]
fn trap(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
