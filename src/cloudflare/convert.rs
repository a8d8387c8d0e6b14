//! Requests and responses: the runtime's objects on one side, the `http` crate with whole bodies on the other.

use super::clock;
use super::crossing::{self, CrossingError};
use crate::model::ids::RequestId;
use crate::ports::{BodyError, RequestBody};
use crate::web;
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use std::collections::BTreeMap;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = statibeat, js_name = readBody)]
    fn start_body(request: &JsValue, limit: u32) -> u32;

    #[wasm_bindgen(js_namespace = statibeat, js_name = finish)]
    fn hand_over(number: u32, status: u16, headers: &str, body: &[u8]);
}

/// Names and values; a name may stand several times, as `set-cookie` does.
pub type HeaderPairs = Vec<(String, String)>;

/// A request's body, which stays with the runtime until it is read.
pub struct Body(JsValue);

impl Body {
    pub fn new(request: JsValue) -> Self {
        Self(request)
    }
}

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

/// A request's id and head, from lines: its id, the time, its method, its URL, then the name and the value of each header. None of them
/// holds a line break. The error is the response to a request that cannot be parsed.
pub fn request(crossed: &str) -> Result<(RequestId, http::Request<()>), web::Response> {
    let mut lines = crossed.split('\n');
    let mut next = || lines.next().expect("entry.mjs gives every line");
    let id = RequestId::parse(next()).expect("entry.mjs gives every request an id");
    clock::set(next().parse().expect("entry.mjs gives the time"));
    let head = http::Request::builder().method(next()).uri(next()).body(());
    let mut head = head.map_err(|_| web::unreadable())?;
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        pairs.push((name, value));
    }
    *head.headers_mut() = header_map(&pairs).ok_or_else(web::unreadable)?;
    Ok((id, head))
}

/// Hands the response to the request of that number to the runtime.
pub fn finish(number: u32, response: &web::Response) {
    let headers = header_pairs(response.headers()).expect("headers of ours are text");
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    // The runtime takes both; an object, which has a name once, costs it less.
    let text = if names.len() == headers.len() {
        serde_json::to_string(&headers.into_iter().collect::<BTreeMap<_, _>>())
    } else {
        serde_json::to_string(&headers)
    };
    hand_over(number, response.status().as_u16(), &text.expect("texts can be printed"), response.body());
}

/// Headers for the runtime; `None` if one of them is no text.
pub fn header_pairs(headers: &HeaderMap) -> Option<Vec<(&str, &str)>> {
    headers.iter().map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))).collect()
}

/// Headers from the runtime; `None` if one of them is none.
pub fn header_map(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> Option<HeaderMap> {
    let mut converted = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        converted.append(
            http::HeaderName::try_from(name.as_ref()).ok()?,
            http::HeaderValue::from_bytes(value.as_ref().as_bytes()).ok()?,
        );
    }
    Some(converted)
}
