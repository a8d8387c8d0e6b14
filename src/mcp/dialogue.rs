//! Questions to the person during a request ([elicitation](https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation)): what a client can ask them, what we ask, what came
//! back. Modern clients only: a question ends the request, and the client repeats it with the answers.

use super::message::Request;
use super::protocol_version::ProtocolVersion;
use super::version;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a request brings besides its own parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dialogue {
    capabilities: Map<String, Value>,
    answers: Map<String, Value>,
    state: Option<String>,
}

/// Something that only the client can say.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub kind: QuestionKind,
    /// Its parameters, in the words of the protocol.
    pub params: Value,
}

/// Kinds of questions, each a capability that a client may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// A form for the person.
    Form,
    /// A completion by the client's model.
    Sampling,
    Roots,
}

/// What must be answered before a request can have its result. At least one of the two is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Questions {
    /// By a key that the answers repeat.
    pub asked: BTreeMap<&'static str, Question>,
    /// Comes back unchanged, or changed by somebody: see [`super::state`].
    pub state: Option<String>,
}

impl Dialogue {
    /// What a request brings. A legacy client can be asked nothing.
    pub fn of(request: &Request, revision: ProtocolVersion) -> Dialogue {
        if revision.has_handshake() {
            return Dialogue::default();
        }
        let object = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
        let params = &request.params;
        Dialogue {
            capabilities: object(params.get("_meta").and_then(|meta| meta.get(version::CAPABILITIES_KEY))),
            answers: object(params.get("inputResponses")),
            state: params.get("requestState").and_then(Value::as_str).map(str::to_owned),
        }
    }

    /// Whether the client can be asked this.
    pub fn can(&self, kind: QuestionKind) -> bool {
        match (kind, self.capabilities.get(kind.capability())) {
            // Without a mode, a form is meant; with modes, it must be among them.
            (QuestionKind::Form, Some(Value::Object(modes))) => modes.is_empty() || modes.contains_key("form"),
            (QuestionKind::Sampling | QuestionKind::Roots, Some(Value::Object(_))) => true,
            _ => false,
        }
    }

    /// What came back under a key; `None`: nothing, or nothing readable, so that it is asked again.
    pub fn answer(&self, key: &str) -> Option<&Map<String, Value>> {
        self.answers.get(key)?.as_object()
    }

    /// What the person filled into a form; the error says that they declined, cancelled, or sent none.
    pub fn form(&self, key: &str) -> Option<Result<&Map<String, Value>, ElicitationRefusal>> {
        let answer = self.answer(key)?;
        match answer.get("action").and_then(Value::as_str)? {
            "accept" => answer.get("content").and_then(Value::as_object).map(Ok),
            "decline" => Some(Err(ElicitationRefusal::Declined)),
            "cancel" => Some(Err(ElicitationRefusal::Cancelled)),
            _ => None,
        }
    }

    /// The state that came back.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// How a person did not fill in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElicitationRefusal {
    Declined,
    Cancelled,
}

impl Question {
    /// A form with these properties (a flat JSON Schema object).
    pub fn form(message: &str, schema: &Value) -> Question {
        Question { kind: QuestionKind::Form, params: json!({ "message": message, "requestedSchema": schema }) }
    }
}

impl Questions {
    /// The capabilities that the questions need and the client lacks, shaped like a capabilities object.
    pub fn missing(&self, dialogue: &Dialogue) -> Option<Value> {
        let kinds = self.asked.values().map(|question| question.kind).filter(|kind| !dialogue.can(*kind));
        let missing: Map<String, Value> = kinds.map(|kind| (kind.capability().to_owned(), json!({}))).collect();
        (!missing.is_empty()).then_some(Value::Object(missing))
    }

    pub fn into_result(self) -> InputRequiredResult {
        let request = |question: Question| InputRequest { method: question.kind.method(), params: question.params };
        InputRequiredResult {
            input_requests: self.asked.into_iter().map(|(key, question)| (key, request(question))).collect(),
            request_state: self.state,
        }
    }
}

/// The result that asks for input.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputRequiredResult {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    input_requests: BTreeMap<&'static str, InputRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_state: Option<String>,
}

#[derive(Serialize)]
struct InputRequest {
    method: &'static str,
    params: Value,
}

impl QuestionKind {
    const fn capability(self) -> &'static str {
        match self {
            QuestionKind::Form => "elicitation",
            QuestionKind::Sampling => "sampling",
            QuestionKind::Roots => "roots",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            QuestionKind::Form => "elicitation/create",
            QuestionKind::Sampling => "sampling/createMessage",
            QuestionKind::Roots => "roots/list",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best in the call")]
    fn dialogue(params: Value, revision: ProtocolVersion) -> Dialogue {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        match super::super::message::parse(body.as_bytes()) {
            Ok(super::super::message::Message::Request(request)) => Dialogue::of(&request, revision),
            _ => panic!("a request"),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best in the call")]
    fn with(capabilities: Value) -> Dialogue {
        dialogue(json!({ "_meta": { version::CAPABILITIES_KEY: capabilities } }), ProtocolVersion::LATEST)
    }

    #[test]
    fn only_what_a_modern_client_declared_can_be_asked() {
        let can = |capabilities: Value| {
            let dialogue = with(capabilities);
            [QuestionKind::Form, QuestionKind::Sampling, QuestionKind::Roots].map(|kind| dialogue.can(kind))
        };
        assert_eq!(can(json!({})), [false; 3]);
        assert_eq!(can(json!({ "elicitation": {}, "sampling": {}, "roots": {} })), [true; 3]);
        assert_eq!(can(json!({ "elicitation": { "url": {} } })), [false; 3]);
        assert_eq!(can(json!({ "elicitation": { "url": {}, "form": {} } })), [true, false, false]);
        assert_eq!(can(json!({ "elicitation": true, "roots": null })), [false; 3]);
        let params = json!({ "_meta": { version::CAPABILITIES_KEY: { "elicitation": {} } } });
        assert!(!dialogue(params, ProtocolVersion::LATEST_WITH_HANDSHAKE).can(QuestionKind::Form));
    }

    #[test]
    fn what_is_missing_is_named_like_capabilities() {
        let asked =
            [("a", Question::form("?", &json!({}))), ("b", Question { kind: QuestionKind::Roots, params: json!({}) })];
        let questions = Questions { asked: asked.into(), state: None };
        assert_eq!(questions.missing(&with(json!({ "elicitation": {}, "roots": {} }))), None);
        assert_eq!(questions.missing(&with(json!({ "roots": {} }))), Some(json!({ "elicitation": {} })));
    }

    #[test]
    fn a_form_is_filled_in_declined_cancelled_or_not_answered() {
        let form = |answer: Value| {
            let dialogue = dialogue(json!({ "inputResponses": { "confirm": answer } }), ProtocolVersion::LATEST);
            dialogue.form("confirm").map(Result::<&_, _>::cloned)
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
