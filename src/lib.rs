//! Everwire.
