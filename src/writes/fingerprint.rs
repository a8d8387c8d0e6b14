//! Write fingerprints: canonical arguments, digests and the key, by which two calls are compared.
//!
//! Arguments are compared after they were read, so that spelling (order, nulls) makes no difference.

use crate::catalog::Write;
use crate::model::ids::PageId;
use crate::model::write::{FieldDigests, WriteFingerprint};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Longest idempotency key, in characters.
pub const KEY_LIMIT: usize = 128;
/// Longest external id, as StatiBeat takes it.
const EXTERNAL_ID_LIMIT: usize = 128;

/// The fingerprint of a write, under the client's idempotency key or one that follows from the arguments.
pub fn fingerprint(tool: &str, page_id: PageId, write: &Write, key: Option<&str>) -> WriteFingerprint {
    let fields = fields(tool, page_id, write);
    let digest = digest("arguments", fields.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
    let key_hash = match key {
        Some(key) => self::digest("given key", [key]),
        None => self::digest("derived key", [digest.as_str()]),
    };
    WriteFingerprint { key_hash, has_own_key: key.is_some(), digest, fields }
}

/// A digest for each argument, under the name a model knows it by.
fn fields(tool: &str, page_id: PageId, write: &Write) -> FieldDigests {
    let body = write.body.as_object().into_iter().flatten();
    let body = body.map(|(name, value)| (name.clone(), canonical(value)));
    let operation = write.operation;
    // What adds something new has no target; its path stands for the kind of thing.
    let target = operation.target_id().map_or("path", |_| operation.target_kind().id_argument());
    let fixed = [("tool", tool.to_owned()), ("page_id", page_id.to_string()), (target, write.operation.path())];
    let fixed = fixed.into_iter().map(|(name, value)| (name.to_owned(), value));
    fixed.chain(body).map(|(name, value)| (name, digest("argument", [value.as_str()])[..16].to_owned())).collect()
}

/// JSON with the names of every object in order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let entries =
                names.into_iter().map(|name| format!("{}:{}", Value::from(name.as_str()), canonical(&fields[name])));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

/// SHA-256 over the use and the parts, each with its length in front.
fn digest<'a>(usage: &'a str, parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(usage).chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// The client's own name for a write also stands in paths, so it must be one that StatiBeat would take.
pub fn check_external_id(write: Write) -> Result<Write, String> {
    match write.external_id() {
        Some(name) if !is_external_id(name) => {
            Err("`external_id` must have 1 to 128 letters, digits, dots, underscores, colons or hyphens".to_owned())
        }
        _ => Ok(write),
    }
}

/// Returns whether StatiBeat takes a text as an external id; also keeps it one segment of a path.
fn is_external_id(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=EXTERNAL_ID_LIMIT).contains(&text.len())
        && text.bytes().all(is_allowed)
        && !text.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operation::Operation;
    use serde_json::json;

    fn fingerprint_of(body: Value, key: Option<&str>) -> WriteFingerprint {
        fingerprint(
            "create_incident",
            PageId::new(7).expect("an id"),
            &Write::new(Operation::CreateIncident, body),
            key,
        )
    }

    #[test]
    fn order_makes_no_difference_and_values_do() {
        let one: Value = serde_json::from_str(r#"{"title":"a","affected_items":[{"id":1,"x":2}]}"#).expect("JSON");
        let other: Value = serde_json::from_str(r#"{"affected_items":[{"x":2,"id":1}],"title":"a"}"#).expect("JSON");
        assert_eq!(fingerprint_of(one.clone(), None), fingerprint_of(other, None));
        for body in [
            json!({"title": "b"}),
            json!({"title": "a"}),
            json!({}),
            json!({"title": "a", "affected_items": [{"id": "1"}]}),
        ] {
            assert_ne!(fingerprint_of(one.clone(), None).digest, fingerprint_of(body, None).digest);
        }
    }

    #[test]
    fn tool_page_and_target_are_arguments_too() {
        let write = |incident_id| Write::new(Operation::AddIncidentUpdate { incident_id }, json!({ "message": "m" }));
        let base = fingerprint("a", PageId::new(7).expect("an id"), &write(1), Some("k"));
        let all = [
            (fingerprint("b", PageId::new(7).expect("an id"), &write(1), Some("k")), "tool"),
            (fingerprint("a", PageId::new(8).expect("an id"), &write(1), Some("k")), "page_id"),
            (fingerprint("a", PageId::new(7).expect("an id"), &write(2), Some("k")), "incident_id"),
        ];
        for (other, field) in all {
            assert_eq!(base.key_hash, other.key_hash);
            assert_ne!(base.digest, other.digest);
            assert_ne!(base.fields[field], other.fields[field]);
        }
    }

    #[test]
    fn a_given_key_is_never_taken_for_a_derived_one() {
        let derived = fingerprint_of(json!({}), None);
        assert_ne!(fingerprint_of(json!({}), Some(&derived.digest)).key_hash, derived.key_hash);
        assert_eq!(
            fingerprint_of(json!({}), Some("k")).key_hash,
            fingerprint_of(json!({"title": "t"}), Some("k")).key_hash
        );
    }

    #[test]
    fn an_external_id_is_one_plain_segment() {
        assert!(is_external_id("mcp-aB_9.x:1"));
        for bad in ["", "a/b", "a b", "ä", "..", "a%2f", "a?b", &"x".repeat(129)] {
            assert!(!is_external_id(bad), "{bad}");
        }
    }
}
