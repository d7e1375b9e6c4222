//! The options object, read once at construction.

use alloc::boxed::Box;

use super::host::JsHost;
use crate::proto::numeric_options::{COUNT_OF_NUMERIC_OPTIONS, put};
use crate::proto::{Config, ValidatedConfig};

/// Reads options that `pkg/src/host/options.ts` has approved of, against ranges that are generated from those of the core.
pub(super) fn read(host: &JsHost) -> ValidatedConfig {
    let mut config = Box::<Config>::default();
    for index in 0..COUNT_OF_NUMERIC_OPTIONS {
        let value = host.numeric_option(index as u32);
        if !value.is_nan() {
            put(&mut config, index, value);
        }
    }
    config.queue.overflow = host.overflow().into();
    config.reliable = host.is_reliable();
    config.assume_valid()
}
