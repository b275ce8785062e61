//! The shell around the engine: store, workers, accounts, HTTP
