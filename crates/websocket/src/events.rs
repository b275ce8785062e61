//! What is told to `tracing`, with the feature of that name. Without it nothing is left of a call, its arguments included.

/// Tells an event at the level that is named first: `event!(debug, code = 1000, "connection closed")`.
macro_rules! event {
    ($level:ident, $($what:tt)+) => {{
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "suda_websocket", $($what)+);
    }};
}

pub(crate) use event;
