//! The seed of a client's randomness.

use js_sys::Uint32Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill(array: &Uint32Array);
}

/// 64 bits from the browser's generator.
pub(crate) fn seed() -> u64 {
    let words = Uint32Array::new_with_length(2);
    fill(&words);
    u64::from(words.get_index(0)) << 32 | u64::from(words.get_index(1))
}
