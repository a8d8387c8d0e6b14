//! Input requests ([multi round-trip
//! requests](https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr)): what a server asks of a client before it can answer, above all
//! [elicitation](https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation). Versions without a
//! handshake only: the request ends with the input requests, and the client sends
//! it again with the responses.

use super::message::Request;
use super::protocol_version::ProtocolVersion;
use super::version;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use strum::IntoStaticStr;

/// The members of a request that concern input requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputContext {
    capabilities: Map<String, Value>,
    responses: Map<String, Value>,
    request_state: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputRequest {
    #[serde(rename = "method")]
    pub kind: InputRequestKind,
    pub params: Value,
}

/// Serialized as the method, converted to text as the capability that a client needs for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum InputRequestKind {
    /// A form for the person.
    #[serde(rename = "elicitation/create")]
    Elicitation,
    /// A completion by the client's model.
    #[serde(rename = "sampling/createMessage")]
    Sampling,
    #[serde(rename = "roots/list")]
    Roots,
}

/// The result of a request that needs input first. At least one of the two members is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputRequiredResult {
    /// By a key that the responses repeat.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub input_requests: BTreeMap<&'static str, InputRequest>,
    /// Comes back unchanged, or changed by somebody: see [`super::request_state`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_state: Option<String>,
}

/// The ways to leave a form without filling it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElicitationRefusal {
    Declined,
    Cancelled,
}

impl InputContext {
    /// Empty for versions with a handshake: their clients can be asked nothing.
    pub fn new(request: &Request, version: ProtocolVersion) -> Self {
        if version.has_handshake() {
            return Self::default();
        }
        let object = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
        let params = &request.params;
        Self {
            capabilities: object(params.get("_meta").and_then(|meta| meta.get(version::CAPABILITIES_KEY))),
            responses: object(params.get("inputResponses")),
            request_state: params.get("requestState").and_then(Value::as_str).map(str::to_owned),
        }
    }

    pub fn supports(&self, kind: InputRequestKind) -> bool {
        match (kind, self.capabilities.get(kind.into())) {
            // Without a mode, a form is meant; with modes, it must be among them.
            (InputRequestKind::Elicitation, Some(Value::Object(modes))) => {
                modes.is_empty() || modes.contains_key("form")
            }
            (InputRequestKind::Sampling | InputRequestKind::Roots, Some(Value::Object(_))) => true,
            _ => false,
        }
    }

    /// The response under a key; `None` if there is none, or none that can be read, so that it is asked for again.
    pub fn response(&self, key: &str) -> Option<&Map<String, Value>> {
        self.responses.get(key)?.as_object()
    }

    /// The content of a form, or the reason why the person sent none.
    pub fn elicited(&self, key: &str) -> Option<Result<&Map<String, Value>, ElicitationRefusal>> {
        let response = self.response(key)?;
        match response.get("action").and_then(Value::as_str)? {
            "accept" => response.get("content").and_then(Value::as_object).map(Ok),
            "decline" => Some(Err(ElicitationRefusal::Declined)),
            "cancel" => Some(Err(ElicitationRefusal::Cancelled)),
            _ => None,
        }
    }

    pub fn request_state(&self) -> Option<&str> {
        self.request_state.as_deref()
    }
}

impl InputRequest {
    /// A form with these properties (a flat JSON Schema object).
    pub fn form(message: &str, schema: &Value) -> Self {
        Self { kind: InputRequestKind::Elicitation, params: json!({ "message": message, "requestedSchema": schema }) }
    }
}

impl InputRequiredResult {
    /// The capabilities that the input requests need and the client lacks, shaped like a capabilities object.
    pub fn missing_capabilities(&self, input: &InputContext) -> Option<Value> {
        let kinds = self.input_requests.values().map(|request| request.kind).filter(|kind| !input.supports(*kind));
        let missing: Map<String, Value> = kinds.map(|kind| (<&str>::from(kind).to_owned(), json!({}))).collect();
        (!missing.is_empty()).then_some(Value::Object(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best in the call")]
    fn context(params: Value, version: ProtocolVersion) -> InputContext {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        match super::super::message::parse(body.as_bytes()) {
            Ok(super::super::message::Message::Request(request)) => InputContext::new(&request, version),
            _ => panic!("a request"),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best in the call")]
    fn with(capabilities: Value) -> InputContext {
        context(json!({ "_meta": { version::CAPABILITIES_KEY: capabilities } }), ProtocolVersion::LATEST)
    }

    #[test]
    fn only_declared_capabilities_are_supported() {
        let can = |capabilities: Value| {
            let input = with(capabilities);
            [InputRequestKind::Elicitation, InputRequestKind::Sampling, InputRequestKind::Roots]
                .map(|kind| input.supports(kind))
        };
        assert_eq!(can(json!({})), [false; 3]);
        assert_eq!(can(json!({ "elicitation": {}, "sampling": {}, "roots": {} })), [true; 3]);
        assert_eq!(can(json!({ "elicitation": { "url": {} } })), [false; 3]);
        assert_eq!(can(json!({ "elicitation": { "url": {}, "form": {} } })), [true, false, false]);
        assert_eq!(can(json!({ "elicitation": true, "roots": null })), [false; 3]);
        let params = json!({ "_meta": { version::CAPABILITIES_KEY: { "elicitation": {} } } });
        assert!(!context(params, ProtocolVersion::LATEST_WITH_HANDSHAKE).supports(InputRequestKind::Elicitation));
    }

    #[test]
    fn missing_capabilities_are_shaped_like_capabilities() {
        let asked = [
            ("a", InputRequest::form("?", &json!({}))),
            ("b", InputRequest { kind: InputRequestKind::Roots, params: json!({}) }),
        ];
        let result = InputRequiredResult { input_requests: asked.into(), request_state: None };
        assert_eq!(result.missing_capabilities(&with(json!({ "elicitation": {}, "roots": {} }))), None);
        assert_eq!(result.missing_capabilities(&with(json!({ "roots": {} }))), Some(json!({ "elicitation": {} })));
    }

    #[test]
    fn form_is_accepted_declined_cancelled_or_unreadable() {
        let form = |answer: Value| {
            let input = context(json!({ "inputResponses": { "confirm": answer } }), ProtocolVersion::LATEST);
            input.elicited("confirm").map(Result::<&_, _>::cloned)
        };
        let filled = json!({ "publish": true });
        assert_eq!(
            form(json!({ "action": "accept", "content": filled })),
            Some(Ok(filled.as_object().expect("fields").clone()))
        );
        assert_eq!(form(json!({ "action": "decline" })), Some(Err(ElicitationRefusal::Declined)));
        assert_eq!(form(json!({ "action": "cancel" })), Some(Err(ElicitationRefusal::Cancelled)));
        for unreadable in
            [json!(12345), json!(null), json!({}), json!({ "action": "accept" }), json!({ "action": "x" })]
        {
            assert_eq!(form(unreadable.clone()), None, "{unreadable}");
        }
    }
}
