//! Requests and responses: the runtime's objects on one side, the `http` crate with whole bodies on the other.

use super::clock;
use super::crossing::{self, CrossingError};
use crate::model::ids::RequestId;
use crate::ports::{BodyError, RequestBody};
use crate::web;
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = statibeat, js_name = readHead)]
    fn read_head(request: &JsValue, env: &JsValue) -> String;

    #[wasm_bindgen(js_namespace = statibeat, js_name = readBody)]
    fn start_body(request: &JsValue, limit: u32) -> u32;

    #[wasm_bindgen(js_namespace = statibeat, js_name = respond, catch)]
    fn respond(status: u16, headers: &str, body: &[u8]) -> Result<web_sys::Response, JsValue>;
}

/// Names and values; a name may stand several times, as `set-cookie` does.
pub type HeaderPairs = Vec<(String, String)>;

/// A request's head as it crosses over.
#[derive(Deserialize)]
struct CrossedHead {
    /// Given by `entry.mjs`, so that a request can still be reported if the instance dies while handling it.
    request_id: String,
    now: f64,
    method: String,
    url: String,
    headers: HeaderPairs,
}

/// A request's body, which stays with the runtime until it is read.
pub struct Body(web_sys::Request);

#[async_trait(?Send)]
impl RequestBody for Body {
    async fn read(&self, limit: usize) -> Result<Bytes, BodyError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        match crossing::answer::<()>(start_body(&self.0, limit)).await {
            Ok(((), bytes)) => Ok(bytes.into()),
            Err(CrossingError::TooLarge) => Err(BodyError::TooLarge),
            Err(CrossingError::Timeout | CrossingError::Failed(_)) => Err(BodyError::Broken),
        }
    }
}

/// A request's id and head, and its body to be read later. The error is the answer to one that cannot be parsed.
pub fn request(
    request: web_sys::Request,
    env: &Env,
) -> Result<(RequestId, http::Request<()>, Body), http::Response<Bytes>> {
    let crossed: CrossedHead = serde_json::from_str(&read_head(&request, env)).map_err(|_| web::unreadable())?;
    clock::set(crossed.now);
    let id = RequestId::parse(crossed.request_id).expect("entry.mjs gives every request an id");
    let head = http::Request::builder().method(crossed.method.as_str()).uri(crossed.url).body(());
    let mut head = head.map_err(|_| web::unreadable())?;
    *head.headers_mut() = header_map(crossed.headers).ok_or_else(web::unreadable)?;
    Ok((id, head, Body(request)))
}

/// Hands a response to the runtime.
pub fn response(response: &http::Response<Bytes>) -> worker::Result<web_sys::Response> {
    let headers = header_pairs(response.headers()).ok_or(worker::Error::BadEncoding)?;
    Ok(respond(response.status().as_u16(), &serde_json::to_string(&headers)?, response.body())?)
}

/// Headers for the runtime; `None` if one of them is no text.
pub fn header_pairs(headers: &HeaderMap) -> Option<Vec<(&str, &str)>> {
    headers.iter().map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))).collect()
}

/// Headers from the runtime; `None` if one of them is none.
pub fn header_map(pairs: HeaderPairs) -> Option<HeaderMap> {
    let mut converted = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        converted.append(http::HeaderName::try_from(name).ok()?, value.try_into().ok()?);
    }
    Some(converted)
}
