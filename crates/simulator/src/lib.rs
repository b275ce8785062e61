//! Runs the real engine and the real client state machine on a simulated clock, network and disk
