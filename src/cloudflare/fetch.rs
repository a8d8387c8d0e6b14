//! `HttpClient` over the runtime's fetch: bounded in time and size, redirects handed back rather than followed.

use super::convert::PrintedHeaders;
use super::crossing::{self, CrossingError};
use crate::ports::{BearerSigningKey, HttpClient, HttpError};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderValue;
use http::header::RETRY_AFTER;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;

/// Time for the whole exchange, body included.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read. The longest regular one is a page's hierarchy, some hundred kilobytes.
const LARGEST_ANSWER: u32 = 1024 * 1024;

#[wasm_bindgen]
extern "C" {
    /// With a `seed`, signs the bearer token first.
    #[wasm_bindgen(js_namespace = statibeat, js_name = send)]
    fn start_exchange(head: &str, body: &[u8], seed: &[u8], milliseconds: u32, limit: u32) -> u32;

    #[wasm_bindgen(js_namespace = statibeat, js_name = verifySignature)]
    fn start_verification(key: &[u8], signature: &[u8], message: &[u8]) -> u32;

    #[wasm_bindgen(js_namespace = statibeat, js_name = derivePublicKey)]
    fn start_derivation(seed: &[u8]) -> u32;
}

pub struct Runtime;

#[async_trait(?Send)]
impl HttpClient for Runtime {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let transport = |message: &str| HttpError::Transport(message.to_owned());
        let head = (request.method().as_str(), request.uri().to_string(), PrintedHeaders(request.headers()));
        let head = serde_json::to_string(&head).map_err(|error| transport(&error.to_string()))?;
        let seed = request.extensions().get().map_or(&[][..], |BearerSigningKey(seed)| seed);
        let asked = start_exchange(&head, request.body(), seed, crossing::milliseconds(TIMEOUT), LARGEST_ANSWER);
        let ((status, retry_after), body): ((u16, Option<String>), _) = crossing::answer(asked).await?;
        let mut received = http::Response::new(body.into());
        *received.status_mut() = http::StatusCode::from_u16(status).map_err(|error| transport(&error.to_string()))?;
        if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(&text).ok()) {
            received.headers_mut().insert(RETRY_AFTER, value);
        }
        Ok(received)
    }

    async fn sleep(&self, duration: Duration) {
        crossing::sleep(duration).await;
    }

    async fn verify_signature(&self, key: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
        // Without an answer of the runtime, the signature counts as invalid.
        crossing::answer(start_verification(key, signature, message)).await.is_ok_and(|(holds, _)| holds)
    }

    async fn public_key(&self, seed: &[u8; 32]) -> Option<[u8; 32]> {
        let ((), key) = crossing::answer(start_derivation(seed)).await.ok()?;
        key.try_into().ok()
    }
}

impl From<CrossingError> for HttpError {
    /// The message only: it names no header and no body.
    fn from(error: CrossingError) -> Self {
        match error {
            CrossingError::Timeout => Self::Timeout,
            CrossingError::TooLarge => Self::TooLarge,
            CrossingError::Failed(message) => Self::Transport(message),
        }
    }
}
