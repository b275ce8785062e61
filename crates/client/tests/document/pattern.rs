//! Comparing what came with what the document says: `"…"` is any value, `"$NAME"` is the value that had the name
//! before, or names it now.

use std::collections::HashMap;

use serde_json::Value;

#[derive(Debug, Clone, Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The text with each `$NAME` replaced by its value.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut names: Vec<_> = self.0.iter().collect();
        // So that no name is taken for the beginning of a longer one.
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("${name}"), value)
            })
    }

    /// Whether a value is as the pattern says; names within are bound only if it is.
    pub(crate) fn matches(&mut self, pattern: &Value, value: &Value) -> bool {
        let mut names = self.clone();
        let matches = names.compare(pattern, value);
        if matches {
            *self = names;
        }
        matches
    }

    fn compare(&mut self, pattern: &Value, value: &Value) -> bool {
        match (pattern, value) {
            (Value::String(pattern), _) if pattern == "…" => true,
            (Value::String(pattern), Value::String(value)) => match pattern.strip_prefix('$') {
                Some(name) => {
                    self.0
                        .entry(name.to_owned())
                        .or_insert_with(|| value.clone())
                        == value
                }
                None => pattern == value,
            },
            (Value::Object(pattern), Value::Object(value)) => {
                pattern.len() == value.len()
                    && pattern.iter().all(|(key, pattern)| {
                        value
                            .get(key)
                            .is_some_and(|value| self.compare(pattern, value))
                    })
            }
            (Value::Array(pattern), Value::Array(value)) => {
                pattern.len() == value.len()
                    && pattern
                        .iter()
                        .zip(value)
                        .all(|(pattern, value)| self.compare(pattern, value))
            }
            _ => pattern == value,
        }
    }
}
