//! The SDK: connect, resume, outbox; a pure state machine and a thin driver
