//! WebSocket for Rust: a sans-I/O core of RFC 6455 and a tokio driver with automatic batching

pub mod handshake;
