//! JSON lines, as scripts read and write them.

use serde::Serialize;

use crate::exit::Failure;
use crate::visible;

/// One value as one line, its line break included, harmless on a terminal.
pub(crate) fn line(value: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_string(value)
        .map_err(|error| Failure::failed(format!("cannot write as JSON: {error}")))?;
    Ok(visible::json(&json) + "\n")
}
