//! The rows of the code tables, generated from the schema by build.rs. [`crate::error`] and [`crate::close`] read them.

use crate::v1;

#[derive(Debug)]
pub(crate) struct ErrorRow {
    pub(crate) code: v1::ErrorCode,
    pub(crate) name: &'static str,
    pub(crate) message: &'static str,
    pub(crate) retryable: bool,
    pub(crate) http_status: u16,
}

#[derive(Debug)]
pub(crate) struct CloseRow {
    pub(crate) code: v1::CloseCode,
    pub(crate) name: &'static str,
    pub(crate) message: &'static str,
    pub(crate) come_back: bool,
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
