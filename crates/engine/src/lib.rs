//! The chat itself, pure: session, journal, room bookkeeping, permissions. No clock, no socket, no runtime
