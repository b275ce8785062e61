//! What the tests share: a server with its data folder, and clients that know nothing of its inside.

mod http;
mod running;
mod temp_dir;

pub use http::{Answer, request};
pub use running::{PASSWORD, Running};
pub use temp_dir::TempDir;
