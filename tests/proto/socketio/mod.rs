//! Scenarios of Socket.IO servers (docs/SOCKETIO.md).

mod acknowledgements;
mod ending;
mod faults;
mod heartbeat;
mod joining;
mod model_server;
mod recordings;
mod recovery;
mod wire;
mod world;
