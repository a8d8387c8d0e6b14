//! JSON Schema over the document: a schema is named by its JSON pointer, compiled at its first use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// The document and the validators compiled from it so far.
#[derive(Debug)]
pub struct Schemas {
    document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Schemas {
    pub fn new(document: Value) -> Self {
        Self { document, validators: Mutex::new(HashMap::new()) }
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The value that a JSON pointer names.
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.document.pointer(pointer)
    }

    /// The pointer's final target, where it points at a `$ref`.
    pub fn follow(&self, pointer: &str) -> String {
        let target = self.get(pointer).and_then(|value| value.get("$ref")).and_then(Value::as_str);
        match target.and_then(|target| target.strip_prefix('#')) {
            Some(target) => self.follow(target),
            None => pointer.to_owned(),
        }
    }

    /// Checks a value against a schema. The error names the first few faults and where they are.
    pub fn check(&self, pointer: &str, value: &Value) -> Result<(), String> {
        let validator = self.validator(pointer)?;
        let faults = validator.iter_errors(value).take(3);
        let faults: Vec<String> = faults.map(|fault| format!("{fault} at \"{}\"", fault.instance_path())).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }

    /// Checks a text from a path, query or header, read as the type that the schema wants.
    pub fn check_text(&self, pointer: &str, text: &str) -> Result<(), String> {
        let wanted = self.get(&format!("{}/type", self.follow(pointer))).and_then(Value::as_str);
        let number = || text.parse::<i64>().ok().filter(|number| number.to_string() == text);
        let value = match wanted {
            Some("integer") => number().map_or_else(|| Value::from(text), Value::from),
            Some("boolean") => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
            _ => Value::from(text),
        };
        self.check(pointer, &value)
    }

    fn validator(&self, pointer: &str) -> Result<Arc<Validator>, String> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = validators.get(pointer) {
            return Ok(Arc::clone(known));
        }
        // The whole document is the schema's root, so that its references find their targets.
        let mut root = self.document.clone();
        root["$ref"] = json!(format!("#{}", pointer.replace('{', "%7B").replace('}', "%7D")));
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let validator = options.build(&root).map_err(|error| format!("schema {pointer}: {error}"))?;
        let validator = Arc::new(validator);
        validators.insert(pointer.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}
