//! `HttpClient` over the runtime's fetch: bounded in time and size, redirects handed back rather than followed.

use super::convert::{self, StreamError};
use super::timer;
use crate::ports::{HttpClient, HttpError};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;
use web_sys::{AbortSignal, RequestInit, RequestRedirect, WorkerGlobalScope};
use worker::js_sys::{Error, Uint8Array, global};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

/// Time for the whole exchange, body included.
const TIMEOUT_MILLISECONDS: u32 = 10_000;

/// The longest answer that is read. The longest regular one is a page's hierarchy, some hundred kilobytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

pub struct Runtime;

#[async_trait(?Send)]
impl HttpClient for Runtime {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let signal = AbortSignal::timeout_with_u32(TIMEOUT_MILLISECONDS);
        let init = outgoing(&request).map_err(|error| HttpError::Transport(error.to_string()))?;
        init.set_signal(Some(&signal));
        let scope: WorkerGlobalScope = global().unchecked_into();
        let answer = JsFuture::from(scope.fetch_with_str_and_init(&request.uri().to_string(), &init)).await;
        let answer: web_sys::Response = answer.map_err(|error| failure(&error))?.unchecked_into();

        let mut received = http::Response::new(Bytes::new());
        *received.status_mut() =
            http::StatusCode::from_u16(answer.status()).map_err(|error| HttpError::Transport(error.to_string()))?;
        let headers = convert::header_map(&answer.headers());
        *received.headers_mut() =
            headers.ok_or_else(|| HttpError::Transport("an answer with broken headers".to_owned()))?;
        let whole = || answer.array_buffer();
        let length = convert::framed_length(received.headers());
        let body = convert::body(answer.body(), length, whole, LARGEST_ANSWER).await;
        *received.body_mut() = body.map_err(|error| match error {
            StreamError::TooLarge => HttpError::TooLarge,
            // The runtime reports a body cut off by the signal in several ways; the signal itself is sure.
            StreamError::Broken(_) if signal.aborted() => HttpError::Timeout,
            StreamError::Broken(error) => failure(&error),
        })?;
        Ok(received)
    }

    async fn sleep(&self, duration: Duration) {
        timer::sleep(duration).await;
    }
}

fn outgoing(request: &http::Request<Bytes>) -> worker::Result<RequestInit> {
    let init = RequestInit::new();
    init.set_method(request.method().as_str());
    let headers = convert::headers(request.headers())?;
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    if !request.body().is_empty() {
        init.set_body(&Uint8Array::from(&request.body()[..]));
    }
    Ok(init)
}

/// The message only: it names no header and no body.
fn failure(error: &JsValue) -> HttpError {
    match error.dyn_ref::<Error>() {
        Some(error) if error.name() == "TimeoutError" => HttpError::Timeout,
        Some(error) => HttpError::Transport(error.message().into()),
        None => HttpError::Transport("fetch failed".to_owned()),
    }
}
