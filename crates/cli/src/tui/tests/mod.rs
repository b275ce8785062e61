//! Keys and events in, effects and screens out.

mod bench;
mod conversation;
mod editing;
mod hostile;
mod leaving;
mod replies;
mod rooms;
mod screens;
mod scrolling;
