// Generated from the schema by build.rs; each item's text is the comment that stands there.
#![allow(clippy::all, rustdoc::all)]

include!(concat!(env!("OUT_DIR"), "/suda.v1.rs"));
include!(concat!(env!("OUT_DIR"), "/suda.v1.serde.rs"));

impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = if self.token.is_empty() { "" } else { "…" };
        f.debug_struct("Connect")
            .field("token", &token)
            .field("device", &self.device)
            .field("client", &self.client)
            .finish()
    }
}
