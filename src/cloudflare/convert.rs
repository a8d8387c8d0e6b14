//! Requests and responses: the runtime's objects on one side, the `http` crate with whole bodies on the other.
//!
//! The runtime's own types, not those of the worker crate: that one asks the runtime for more than is needed here, and every
//! question costs.

use crate::ports::{self, RequestBody};
use crate::web;
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use web_sys::{Headers, ReadableStream, ReadableStreamDefaultReader, ResponseInit};
use worker::js_sys::{Array, ArrayBuffer, JSON, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

/// Why a body was not read.
pub enum StreamError {
    /// It is longer than the caller wants.
    TooLarge,
    Broken(JsValue),
}

impl From<JsValue> for StreamError {
    fn from(error: JsValue) -> Self {
        Self::Broken(error)
    }
}

/// A request's body, which stays with the runtime until it is read.
pub struct Body {
    request: web_sys::Request,
    length: Option<usize>,
}

#[async_trait(?Send)]
impl RequestBody for Body {
    async fn read(&self, limit: usize) -> Result<Bytes, ports::BodyError> {
        let whole = || self.request.array_buffer();
        body(self.request.body(), self.length, whole, limit).await.map_err(|error| match error {
            StreamError::TooLarge => ports::BodyError::TooLarge,
            StreamError::Broken(_) => ports::BodyError::Broken,
        })
    }
}

/// A request's head, and its body to be read later. The error is the answer to one that cannot be parsed.
pub fn request(request: web_sys::Request) -> Result<(http::Request<()>, Body), http::Response<Bytes>> {
    let mut head = http::Request::builder()
        .method(&*request.method())
        .uri(request.url())
        .body(())
        .map_err(|_| web::unreadable())?;
    *head.headers_mut() = header_map(&request.headers()).ok_or_else(web::unreadable)?;
    let length = framed_length(head.headers());
    Ok((head, Body { request, length }))
}

/// Hands a response to the runtime.
pub fn response(response: &http::Response<Bytes>) -> worker::Result<web_sys::Response> {
    let init = ResponseInit::new();
    init.set_status(response.status().as_u16());
    let headers = headers(response.headers())?;
    init.set_headers(&headers);
    let bytes = (!response.body().is_empty()).then(|| Uint8Array::from(&response.body()[..]));
    Ok(web_sys::Response::new_with_opt_js_u8_array_and_init(bytes.as_ref(), &init)?)
}

/// Headers for the runtime; a name may stand several times, as `set-cookie` does.
pub fn headers(headers: &HeaderMap) -> worker::Result<Headers> {
    let converted = Headers::new()?;
    for (name, value) in headers {
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| worker::Error::BadEncoding)?;
        converted.append(name.as_str(), value)?;
    }
    Ok(converted)
}

/// Headers from the runtime; nothing if one of them is none. All of them cross over as one text: each question for a single
/// one would cost as much.
pub fn header_map(headers: &Headers) -> Option<HeaderMap> {
    let text: String = JSON::stringify(&Array::from(headers)).ok()?.into();
    let pairs: Vec<(String, String)> = serde_json::from_str(&text).ok()?;
    let mut converted = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        converted.append(http::HeaderName::try_from(name).ok()?, value.try_into().ok()?);
    }
    Some(converted)
}

/// The length of a body, where it is sure to be that. Where a body is compressed, or comes in chunks as well, what its sender
/// announces says nothing.
pub fn framed_length(headers: &HeaderMap) -> Option<usize> {
    let is_framed = !headers.contains_key(CONTENT_ENCODING) && !headers.contains_key(TRANSFER_ENCODING);
    headers.get(CONTENT_LENGTH).filter(|_| is_framed)?.to_str().ok()?.parse().ok()
}

/// Reads a whole body of at most `limit` bytes. `whole` is the runtime's way to read it in one go: only where the length is known,
/// for the runtime has no limit.
pub async fn body(
    stream: Option<ReadableStream>,
    length: Option<usize>,
    whole: impl FnOnce() -> Result<Promise, JsValue>,
    limit: usize,
) -> Result<Bytes, StreamError> {
    let Some(stream) = stream else { return Ok(Bytes::new()) };
    match length {
        Some(length) if length > limit => Err(StreamError::TooLarge),
        Some(_) => {
            let buffer: ArrayBuffer = JsFuture::from(whole()?).await?.unchecked_into();
            let bytes = Uint8Array::new(&buffer);
            if bytes.length() as usize > limit { Err(StreamError::TooLarge) } else { Ok(bytes.to_vec().into()) }
        }
        None => in_pieces(&stream, limit).await,
    }
}

/// Reads piece by piece, but gives up as soon as it is longer than `limit`.
async fn in_pieces(stream: &ReadableStream, limit: usize) -> Result<Bytes, StreamError> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut read = Vec::new();
    loop {
        let piece = JsFuture::from(reader.read()).await?;
        if Reflect::get(&piece, &JsValue::from_str("done"))?.is_truthy() {
            return Ok(read.into());
        }
        let piece: Uint8Array = Reflect::get(&piece, &JsValue::from_str("value"))?.unchecked_into();
        if read.len() + piece.length() as usize > limit {
            // Nobody waits for the end of the rest.
            let _ = reader.cancel();
            return Err(StreamError::TooLarge);
        }
        read.extend_from_slice(&piece.to_vec());
    }
}
