//! Holds exchanges against `docs/statibeat-api.yaml`: is this request one that the contract knows, and is this response
//! one that it allows?
//!
//! [`suite`] asks a server for everything that the connector needs. Shared by the tests of the simulator and of the connector, and by the check of a real StatiBeat. It knows the part of OpenAPI
//! that the document uses: path templates and servers (`templates`), parameters, JSON and form bodies,
//! headers, statuses with ranges, and JSON Schema 2020-12 for all of them.

mod schemas;
mod signer;
pub mod suite;
mod templates;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::Value;

use schemas::Schemas;
pub use signer::{Signer, hash};
use templates::CapturedPath;
pub use templates::Operation;

const STATIBEAT: &str = include_str!("../../docs/statibeat-api.yaml");

/// The contract, ready to check exchanges.
#[derive(Debug)]
pub struct Contract {
    schemas: Schemas,
    operations: Vec<Operation>,
}

impl Contract {
    /// Reads `docs/statibeat-api.yaml`.
    ///
    /// # Panics
    ///
    /// When the document is not readable YAML or lacks what OpenAPI demands.
    pub fn load() -> Self {
        Self::read(STATIBEAT)
    }

    /// Reads another document of that kind.
    ///
    /// # Panics
    ///
    /// As [`Contract::load`].
    pub fn read(document: &str) -> Self {
        let document: Value = yaml_serde::from_str(document).expect("the document is YAML");
        let operations = templates::operations(&document).expect("the document is an OpenAPI document");
        Self { schemas: Schemas::new(document), operations }
    }

    /// All operations, in the document's order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The document itself, for tests about the document.
    pub fn document(&self) -> &Value {
        self.schemas.document()
    }

    /// The operation that a method and path stand for.
    pub fn find(&self, method: &str, path: &str) -> Result<&Operation, String> {
        templates::find(&self.operations, method, path).map(|capture| capture.operation)
    }

    /// Checks a request and its response. The error says what breaks the contract.
    ///
    /// Only a request that was refused (4xx) may break the request's part.
    pub fn check_exchange(&self, request: &Request<Bytes>, response: &Response<Bytes>) -> Result<(), String> {
        let (method, path) = (request.method().as_str(), request.uri().path());
        let capture = templates::find(&self.operations, method, path)?;
        let name = &capture.operation.id;
        if !response.status().is_client_error() {
            self.check_request(&capture, request).map_err(|fault| format!("request of {name}: {fault}"))?;
        }
        let status = response.status().as_u16();
        self.check_response(&capture, response).map_err(|fault| format!("response {status} of {name}: {fault}"))
    }

    fn check_request(&self, capture: &CapturedPath, request: &Request<Bytes>) -> Result<(), String> {
        for (pointer, value) in &capture.server_values {
            self.schemas.check_text(pointer, value)?;
        }
        self.check_parameters(capture, request)?;
        let secured = self.find_field(&capture.operation.pointer, "security").and_then(Value::as_array);
        if secured.is_some_and(|ways| !ways.is_empty()) && !request.headers().contains_key("authorization") {
            return Err("no Authorization header".to_owned());
        }
        self.check_request_body(capture, request)
    }

    fn check_parameters(&self, capture: &CapturedPath, request: &Request<Bytes>) -> Result<(), String> {
        let mut unknown: Vec<(String, String)> =
            form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()).into_owned().collect();
        for pointer in self.parameters(capture.operation) {
            let text = |field: &str| self.find_field(&pointer, field).and_then(Value::as_str).unwrap_or("");
            let (name, place) = (text("name"), text("in"));
            let found = match place {
                "path" => capture.path_values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
                "header" => request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned),
                _ => {
                    let index = unknown.iter().position(|(known, _)| known == name);
                    index.map(|index| unknown.remove(index).1)
                }
            };
            match found {
                Some(value) => self
                    .schemas
                    .check_text(&format!("{pointer}/schema"), &value)
                    .map_err(|fault| format!("{place} parameter {name}: {fault}"))?,
                None if self.find_field(&pointer, "required") == Some(&Value::Bool(true)) => {
                    return Err(format!("{place} parameter {name} is missing"));
                }
                None => {}
            }
        }
        unknown.first().map_or(Ok(()), |(name, _)| Err(format!("query parameter {name} is unknown or there twice")))
    }

    /// Pointers to the parameters of an operation and of its path.
    fn parameters(&self, operation: &Operation) -> Vec<String> {
        let lists = [format!("{}/parameters", operation.path_pointer), format!("{}/parameters", operation.pointer)];
        let entries = lists.iter().flat_map(|list| {
            let length = self.schemas.get(list).and_then(Value::as_array).map_or(0, Vec::len);
            (0..length).map(move |index| format!("{list}/{index}"))
        });
        entries.map(|pointer| self.schemas.follow(&pointer)).collect()
    }

    fn check_request_body(&self, capture: &CapturedPath, request: &Request<Bytes>) -> Result<(), String> {
        let body = format!("{}/requestBody", capture.operation.pointer);
        if self.schemas.get(&body).is_none() {
            return if request.body().is_empty() { Ok(()) } else { Err("a body, where none belongs".to_owned()) };
        }
        if request.body().is_empty() {
            let required = self.find_field(&body, "required") == Some(&Value::Bool(true));
            return if required { Err("no body".to_owned()) } else { Ok(()) };
        }
        self.check_content(&body, request.headers(), request.body())
    }

    fn check_response(&self, capture: &CapturedPath, response: &Response<Bytes>) -> Result<(), String> {
        let declared = self.declared_response(capture.operation, response.status());
        let declared = declared.ok_or("the status is not declared")?;
        self.check_headers(&declared, response.headers())?;
        if self.find_field(&declared, "content").is_some() {
            return self.check_content(&declared, response.headers(), response.body());
        }
        if response.body().is_empty() { Ok(()) } else { Err("a body, where none belongs".to_owned()) }
    }

    fn declared_response(&self, operation: &Operation, status: StatusCode) -> Option<String> {
        let exact = status.as_str().to_owned();
        let range = format!("{}XX", &exact[..1]);
        let pointers = [exact, range].map(|key| format!("{}/responses/{key}", operation.pointer));
        pointers.iter().find(|pointer| self.schemas.get(pointer).is_some()).map(|pointer| self.schemas.follow(pointer))
    }

    fn check_headers(&self, declared: &str, headers: &HeaderMap) -> Result<(), String> {
        let names = self.find_field(declared, "headers").and_then(Value::as_object).into_iter().flatten();
        for (name, _) in names {
            let pointer = self.schemas.follow(&format!("{declared}/headers/{name}"));
            match headers.get(name).and_then(|value| value.to_str().ok()) {
                Some(value) => self
                    .schemas
                    .check_text(&format!("{pointer}/schema"), value)
                    .map_err(|fault| format!("header {name}: {fault}"))?,
                None if self.find_field(&pointer, "required") == Some(&Value::Bool(true)) => {
                    return Err(format!("header {name} is missing"));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Checks a body against the media types declared at a pointer.
    fn check_content(&self, declared: &str, headers: &HeaderMap, body: &Bytes) -> Result<(), String> {
        let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let schema = format!("{declared}/content/{}/schema", essence.replace('/', "~1"));
        if self.schemas.get(&schema).is_none() {
            return Err(format!("content type \"{content_type}\" is not declared"));
        }
        let value = match essence.as_str() {
            "application/json" => serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?,
            "application/x-www-form-urlencoded" => {
                form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), Value::from(&*value))).collect()
            }
            _ => Value::String(String::from_utf8_lossy(body).into_owned()),
        };
        self.schemas.check(&schema, &value)
    }

    fn find_field(&self, pointer: &str, field: &str) -> Option<&Value> {
        self.schemas.get(&format!("{pointer}/{field}"))
    }
}
