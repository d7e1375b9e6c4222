//! What the fuzz targets do with their bytes, and what must hold whatever happens.

pub mod core;
pub mod frame;
pub mod server_frame;
