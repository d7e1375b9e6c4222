//! What the fuzz targets do with their bytes, and what must hold whatever happens.

mod broken;
pub mod core;
pub mod frame;
pub mod server_frame;
pub mod socketio;
mod socketio_page;
pub mod wire_text;

// The server's own files: the rest of the server would take longer to build than these are fuzzed.
#[allow(dead_code, reason = "the server uses more of it")]
#[path = "../../servers/axum/src/reliable/sequence.rs"]
mod reliable;
#[allow(dead_code, clippy::new_without_default, reason = "the server uses more of it")]
#[path = "../../servers/axum/src/scan.rs"]
mod scan;
