//! Requests and responses: the runtime's objects on one side, the `http` crate with whole bodies on the other.

use crate::web;
use bytes::Bytes;
use futures_util::TryStreamExt;
use worker::{ByteStream, Headers, ResponseBuilder};

/// Why a body was not read.
pub enum BodyError {
    /// It is longer than the caller wants.
    TooLarge,
    /// The stream failed.
    Broken(worker::Error),
}

/// Reads a request once. The error is the answer to one that cannot be read.
pub async fn request(mut request: worker::Request) -> Result<http::Request<Bytes>, http::Response<Bytes>> {
    // The runtime's own strings: the worker crate turns a method it does not know into GET.
    let mut builder = http::Request::builder().method(&*request.inner().method()).uri(request.inner().url());
    for (name, value) in request.headers() {
        builder = builder.header(name, value);
    }
    let body = match request.inner().body() {
        None => Bytes::new(),
        Some(_) => match body(request.stream(), web::LARGEST_BODY).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => return Err(web::too_large()),
            Err(BodyError::Broken(_)) => return Err(web::unreadable()),
        },
    };
    builder.body(body).map_err(|_| web::unreadable())
}

/// Hands a response to the runtime.
pub fn response(response: http::Response<Bytes>) -> worker::Result<worker::Response> {
    let (head, body) = response.into_parts();
    let builder = ResponseBuilder::new().with_status(head.status.as_u16()).with_headers(headers(&head.headers)?);
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body.into()) })
}

/// Headers for the runtime; a name may stand several times, as `set-cookie` does.
pub fn headers(headers: &http::HeaderMap) -> worker::Result<Headers> {
    let converted = Headers::new();
    for (name, value) in headers {
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| worker::Error::BadEncoding)?;
        converted.append(name.as_str(), value)?;
    }
    Ok(converted)
}

/// Reads a whole body, but gives up as soon as it is longer than `limit`, whatever its length header said.
pub async fn body(stream: worker::Result<ByteStream>, limit: usize) -> Result<Bytes, BodyError> {
    let mut stream = stream.map_err(BodyError::Broken)?;
    let mut read = Vec::new();
    while let Some(chunk) = stream.try_next().await.map_err(BodyError::Broken)? {
        if read.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.into())
}
