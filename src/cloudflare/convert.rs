//! Requests and responses: the runtime's objects on one side, the `http` crate with whole bodies on the other.

use super::clock;
use super::crossing::{self, CrossingError};
use crate::model::ids::RequestId;
use crate::ports::{BodyError, RequestBody};
use crate::web;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = statibeat, js_name = readBody)]
    fn start_body(request: &JsValue, limit: u32) -> u32;

    #[wasm_bindgen(js_namespace = statibeat, js_name = finish)]
    fn hand_over(number: u32, status: u16, headers: &str, body: &[u8]);
}

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
    *head.headers_mut() = header_map(lines).ok_or_else(web::unreadable)?;
    Ok((id, head))
}

/// Hands the response to the request of that number to the runtime.
pub fn finish(number: u32, response: &web::Response) {
    let headers = serde_json::to_string(&PrintedHeaders(response.headers())).expect("headers of ours are text");
    hand_over(number, response.status().as_u16(), &headers, response.body());
}

/// Headers as the runtime takes them: an object, which costs it less, or pairs if a name stands several times, as `set-cookie` does.
/// The error of a header that is no text names none.
pub struct PrintedHeaders<'a>(pub &'a HeaderMap);

impl<'a> Serialize for PrintedHeaders<'a> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(headers) = self;
        let text = |(name, value): (&'a HeaderName, &'a HeaderValue)| {
            Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
        };
        let pairs: Option<Vec<_>> = headers.iter().map(text).collect();
        let pairs = pairs.ok_or_else(|| S::Error::custom("a header that is no text"))?;
        if headers.keys_len() == headers.len() { serializer.collect_map(pairs) } else { serializer.collect_seq(pairs) }
    }
}

/// The headers of a request's lines, a name and a value each; `None` if one of them is none.
fn header_map<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<HeaderMap> {
    // More than the requests of clients have.
    let mut converted = HeaderMap::with_capacity(24);
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        converted.append(HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    Some(converted)
}
