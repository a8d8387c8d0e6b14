//! `HttpClient` over the runtime's fetch: bounded in time and size, redirects handed back rather than followed.

use super::convert::{self, BodyError};
use super::timer;
use crate::ports::{HttpClient, HttpError};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;
use worker::js_sys::Uint8Array;
use worker::{AbortSignal, Fetch, Method, Request, RequestInit, RequestRedirect};

/// Time for the whole exchange, body included.
const TIMEOUT_MILLISECONDS: u32 = 10_000;

/// The longest answer that is read. The longest regular one is a page's hierarchy, some hundred kilobytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// The runtime's HTTP client.
pub struct Runtime;

#[async_trait(?Send)]
impl HttpClient for Runtime {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let request = outgoing(&request).map_err(|error| failure(&error))?;
        let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MILLISECONDS));
        let mut answer = Fetch::Request(request).send_with_signal(&signal).await.map_err(|error| failure(&error))?;

        let mut builder = http::Response::builder().status(answer.status_code());
        for (name, value) in answer.headers() {
            builder = builder.header(name, value);
        }
        let body = match answer.body() {
            worker::ResponseBody::Empty => Bytes::new(),
            _ => convert::body(answer.stream(), LARGEST_ANSWER).await.map_err(|error| match error {
                BodyError::TooLarge => HttpError::TooLarge,
                // The runtime reports a body cut off by the signal in several ways; the signal itself is sure.
                BodyError::Broken(_) if signal.aborted() => HttpError::Timeout,
                BodyError::Broken(error) => failure(&error),
            })?,
        };
        builder.body(body).map_err(|error| HttpError::Transport(error.to_string()))
    }

    async fn pause(&self, length: Duration) {
        timer::pass(length).await;
    }
}

fn outgoing(request: &http::Request<Bytes>) -> worker::Result<Request> {
    let mut init = RequestInit::new();
    init.with_method(Method::from(request.method().to_string()))
        .with_headers(convert::headers(request.headers())?)
        .with_redirect(RequestRedirect::Manual);
    if !request.body().is_empty() {
        init.with_body(Some(Uint8Array::from(&request.body()[..]).into()));
    }
    Request::new_with_init(&request.uri().to_string(), &init)
}

/// The message only: it names no header and no body.
fn failure(error: &worker::Error) -> HttpError {
    match error {
        worker::Error::UnknownJsError { name: Some(name), .. } if name == "TimeoutError" => HttpError::Timeout,
        worker::Error::UnknownJsError { message, .. } => HttpError::Transport(message.clone()),
        other => HttpError::Transport(other.to_string()),
    }
}
