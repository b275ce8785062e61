//! The driver against a real server over real sockets: what the machine promises holds for the whole road.

#![allow(clippy::unwrap_used)]

mod account;
mod backpressure;
mod broken_link;
mod restart;
mod support;
mod unreadable;
