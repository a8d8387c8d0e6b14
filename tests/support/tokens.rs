//! Tokens that a text costs a model: counted with the published `o200k_base` vocabulary, which the crate brings along.

use serde_json::Value;

pub fn count(text: &str) -> usize {
    tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
}

/// Tokens of a value as compact JSON.
pub fn count_json(value: &Value) -> usize {
    count(&value.to_string())
}
