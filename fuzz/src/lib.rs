//! What the fuzz targets do with their bytes, and what must hold whatever happens.

mod broken;
pub mod core;
pub mod frame;
pub mod server_frame;
