//! The stdio transport: one message per line, without HTTP headers and statuses.
//!
//! One client uses the pipe for the lifetime of the process, so a handshake applies to every later message without its
//! own version. A message with an envelope is checked as over HTTP, except for headers.

use super::error::Failure;
use super::handler::ServerHandler;
use super::handler_error::Error;
use super::message::{self, Id, MalformedMessage, Message, Notification, Request};
use super::protocol_error::ProtocolError;
use super::protocol_version::ProtocolVersion;
use super::server::{self, PendingCall};
use super::version;
use serde_json::Value;
use std::cell::Cell;

/// The client at the other end of the pipe.
#[derive(Debug, Default)]
pub struct Peer {
    negotiated: Cell<Option<ProtocolVersion>>,
}

/// The message that a line contains.
#[derive(Debug)]
pub enum Incoming {
    Request {
        /// Names the request, so that it can be cancelled; what is no request has no name.
        key: Option<String>,
        work: Work,
    },
    /// To stop working on the request of this key. No answer to it may follow.
    Cancel(String),
    Nothing,
}

/// Something that wants an answer.
#[derive(Debug)]
pub struct Work(Result<Message, MalformedMessage>, Option<ProtocolVersion>);

/// One line to send back.
#[derive(Debug)]
pub struct Line {
    pub body: Vec<u8>,
    /// For the log: what went wrong on our side.
    pub fault: Option<String>,
}

impl Peer {
    /// Parses a line. Lines must be parsed in order, because a handshake applies to later ones.
    pub fn read(&self, line: &[u8]) -> Incoming {
        let incoming = message::parse(line);
        let mut key = None;
        match &incoming {
            Ok(Message::Notification(notification)) => return cancelled(notification),
            Ok(Message::Response) => return Incoming::Nothing,
            Ok(Message::Request(request)) => {
                key = Some(request.id.as_value().to_string());
                self.note_handshake(request);
            }
            Err(_) => {}
        }
        Incoming::Request { key, work: Work(incoming, self.negotiated.get()) }
    }

    /// The error for a line that is too long to be read.
    pub fn refuse_long(&self) -> Vec<u8> {
        let error = ProtocolError::NotARequest("the line is longer than is read here");
        Failure::from(error)
            .wire(self.negotiated.get().unwrap_or(ProtocolVersion::LATEST_WITH_HANDSHAKE))
            .body(&Id::NULL)
    }

    fn note_handshake(&self, request: &Request) {
        if request.method == "initialize" && !version::has_envelope(request) {
            let asked = request.params.get("protocolVersion").and_then(Value::as_str);
            let version = asked.map(|name| {
                ProtocolVersion::parse_with_handshake(name).unwrap_or(ProtocolVersion::LATEST_WITH_HANDSHAKE)
            });
            self.negotiated.set(version.or(self.negotiated.get()));
        }
    }
}

/// The answer to a line; `None`: there is none.
pub async fn answer(handler: &dyn ServerHandler, Work(incoming, negotiated): Work) -> Option<Line> {
    match incoming {
        Ok(Message::Request(request)) => Some(answer_request(handler, request, negotiated).await),
        Ok(Message::Notification(_) | Message::Response) => None,
        Err(MalformedMessage { id, error }) => Some(refuse(&id, &error.into(), negotiated)),
    }
}

async fn answer_request(handler: &dyn ServerHandler, request: Request, negotiated: Option<ProtocolVersion>) -> Line {
    let version = match version_of(&request, negotiated) {
        Ok(version) => version,
        Err(error) => return refuse(&request.id, &error.into(), negotiated),
    };
    let call = PendingCall { request, version };
    match call.result(handler).await.0 {
        Ok(body) => Line { body, fault: None },
        Err(failure) => refuse(&call.request.id, &failure, Some(version)),
    }
}

/// An envelope names its version; other requests follow the handshake.
fn version_of(request: &Request, negotiated: Option<ProtocolVersion>) -> Result<ProtocolVersion, ProtocolError> {
    if version::is_meant_to_have_envelope(request) {
        return version::check_envelope(request).and_then(version::served);
    }
    Ok(negotiated.unwrap_or(ProtocolVersion::V2025_03_26))
}

fn refuse(id: &Id, failure: &Failure, version: Option<ProtocolVersion>) -> Line {
    let mut wire = failure.wire(version.unwrap_or(ProtocolVersion::LATEST_WITH_HANDSHAKE));
    // HTTP has a header for this.
    if let Failure::Handler(Error::Unavailable { retry_after: Some(wait), .. }) = failure {
        wire.message = format!("{} (in {} seconds)", wire.message, wait.as_secs());
    }
    Line { body: wire.body(id), fault: server::fault(failure) }
}

/// Every version has it. Of all other notifications nothing follows here.
fn cancelled(notification: &Notification) -> Incoming {
    match notification.params.get("requestId") {
        Some(id) if notification.method == "notifications/cancelled" => Incoming::Cancel(id.to_string()),
        _ => Incoming::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::server::tests::fake::Fake;
    use serde_json::json;

    async fn said(peer: &Peer, message: &Value) -> Value {
        match peer.read(message.to_string().as_bytes()) {
            Incoming::Request { work, .. } => answer(&Fake::default(), work)
                .await
                .map_or(Value::Null, |line| serde_json::from_slice(&line.body).expect("JSON")),
            other => panic!("{other:?}"),
        }
    }

    fn request(method: &str, params: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
    }

    fn handshake(version: &str) -> Value {
        request("initialize", &json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": {} }))
    }

    #[tokio::test]
    async fn handshake_sets_the_version_of_later_messages() {
        let call = request("tools/call", &json!({ "name": "create_incident" }));
        for (version, has_links) in [("2025-03-26", false), ("2025-11-25", true)] {
            let peer = Peer::default();
            assert_eq!(said(&peer, &handshake(version)).await["result"]["protocolVersion"], version);
            let content = said(&peer, &call).await["result"]["content"].clone();
            let is_link = |block: &Value| block["type"] == "resource_link";
            assert_eq!(content.as_array().is_some_and(|blocks| blocks.iter().any(is_link)), has_links, "{version}");
        }
    }

    #[tokio::test]
    async fn batch_gets_one_error_in_every_version_and_none_of_it_is_processed() {
        let fake = Fake::default();
        let batch = json!([request("tools/call", &json!({ "name": "a" })), request("ping", &json!({}))]).to_string();
        for version in [None, Some("2025-03-26"), Some("2025-11-25")] {
            let peer = Peer::default();
            if let Some(version) = version {
                said(&peer, &handshake(version)).await;
            }
            let Incoming::Request { key: None, work } = peer.read(batch.as_bytes()) else { panic!("an answer") };
            let line = answer(&fake, work).await.expect("one line").body;
            let line: Value = serde_json::from_slice(&line).expect("JSON");
            assert_eq!((&line["error"]["code"], &line["id"]), (&json!(-32600), &Value::Null), "{line}");
        }
        assert!(fake.calls.borrow().is_empty());
    }

    #[test]
    fn only_a_cancellation_cancels() {
        let notified = |method: &str| {
            let notification = json!({ "jsonrpc": "2.0", "method": method, "params": { "requestId": 7 } });
            Peer::default().read(notification.to_string().as_bytes())
        };
        assert!(matches!(notified("notifications/cancelled"), Incoming::Cancel(id) if id == "7"));
        assert!(matches!(notified("notifications/progress"), Incoming::Nothing));
    }

    #[tokio::test]
    async fn unknown_version_gets_the_latest_with_a_handshake() {
        let peer = Peer::default();
        assert_eq!(said(&peer, &handshake("2031-01-01")).await["result"]["protocolVersion"], "2025-11-25");
    }

    #[tokio::test]
    async fn envelope_needs_no_handshake_and_no_headers() {
        let meta = |version: &str| json!({ "_meta": { version::VERSION_KEY: version, version::CAPABILITIES_KEY: {} } });
        let peer = Peer::default();
        let answer = said(&peer, &request("server/discover", &meta("2026-07-28"))).await;
        assert_eq!(answer["result"]["resultType"], "complete");
        let unserved = said(&peer, &request("server/discover", &meta("2031-01-01"))).await;
        assert_eq!(unserved["error"]["code"], -32022);
        assert_eq!(said(&peer, &handshake("2025-06-18")).await["result"]["protocolVersion"], "2025-06-18");
    }

    #[tokio::test]
    async fn incomplete_envelope_is_rejected_naming_the_missing_keys() {
        let peer = Peer::default();
        let (version, capabilities) =
            (json!({ version::VERSION_KEY: "2026-07-28" }), json!({ version::CAPABILITIES_KEY: {} }));
        let cases = [
            ("server/discover", json!({}), vec![version::VERSION_KEY, version::CAPABILITIES_KEY]),
            ("server/discover", json!({ "_meta": capabilities }), vec![version::VERSION_KEY]),
            ("tools/list", json!({ "_meta": capabilities }), vec![version::VERSION_KEY]),
            ("tools/list", json!({ "_meta": version }), vec![version::CAPABILITIES_KEY]),
        ];
        for (method, params, lacks) in cases {
            let error = said(&peer, &request(method, &params)).await["error"].clone();
            assert_eq!(error["code"], -32602, "{error}");
            assert!(
                lacks.iter().all(|key| error["message"].as_str().is_some_and(|text| text.contains(key))),
                "{error}"
            );
        }
        let hello = json!({ "protocolVersion": "2025-11-25", "_meta": capabilities });
        assert_eq!(said(&peer, &request("initialize", &hello)).await["result"]["protocolVersion"], "2025-11-25");
    }

    #[test]
    fn only_requests_want_answers_and_only_requests_are_cancelled() {
        let peer = Peer::default();
        let read = |text: &str| peer.read(text.as_bytes());
        assert!(matches!(read(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), Incoming::Nothing));
        assert!(matches!(read(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Incoming::Nothing));
        let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"1"}}"#;
        assert!(matches!(read(cancel), Incoming::Cancel(key) if key == "\"1\""));
        let numbered = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        assert!(matches!(read(numbered), Incoming::Request { key: Some(key), .. } if key == "1"));
        assert!(matches!(read("\u{0}"), Incoming::Request { key: None, .. }));
    }
}
