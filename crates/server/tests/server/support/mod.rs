//! What the tests share: a server with its data folder, and clients that know nothing of its inside.

mod chat;
mod http;
mod running;
mod temp_dir;

pub(crate) use chat::{Chat, beginning, post, post_as};
pub(crate) use http::{Answer, request};
pub(crate) use running::{PASSWORD, Running};
pub(crate) use temp_dir::TempDir;
