//! Test server for the MCP conformance suite: the worker's MCP implementation with the tools, resources and prompts
//! that the suite requires. `conformance-fixtures PORT` listens on 127.0.0.1.

mod media;
mod prompts;
mod resources;
mod stream;
mod surface;
mod tools;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use statibeat_mcp::mcp::headers::TransportHeaders;
use statibeat_mcp::mcp::server::{McpResponse, answer};
use std::convert::Infallible;
use std::process::ExitCode;
use surface::Fixtures;
use tokio::net::TcpListener;

fn main() -> ExitCode {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (Some(port), Ok(runtime)) = (port, runtime) else {
        eprintln!("usage: conformance-fixtures PORT");
        return ExitCode::FAILURE;
    };
    let tasks = tokio::task::LocalSet::new();
    match tasks.block_on(&runtime, serve(port)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance fixtures: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(port: u16) -> std::io::Result<()> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = hyper::server::conn::http1::Builder::new();
        // Errors are ignored: the client closed the connection.
        tokio::task::spawn_local(connection.serve_connection(TokioIo::new(stream), service_fn(respond)));
    }
}

async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Ok(empty_response(StatusCode::BAD_REQUEST));
    };
    if !is_local(&parts.headers) {
        return Ok(empty_response(StatusCode::FORBIDDEN));
    }
    if parts.method != Method::POST {
        let mut response = empty_response(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, http::HeaderValue::from_static("POST"));
        return Ok(response);
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let headers = TransportHeaders {
        protocol_version: header("mcp-protocol-version"),
        method: header("mcp-method"),
        name: header("mcp-name"),
    };
    Ok(match answer(&Fixtures, &headers, &body).await {
        McpResponse::Json { status, body: document, .. } => {
            let request: Value = serde_json::from_slice(&body).unwrap_or_default();
            let mut document: Value = serde_json::from_slice(&document).unwrap_or_default();
            media::add_fixture_content(&request, &mut document);
            if let Some(events) = stream::render_progress_events(&request, &document) {
                response(StatusCode::OK, "text/event-stream", events)
            } else {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                response(status, "application/json", document.to_string())
            }
        }
        McpResponse::Accepted => empty_response(StatusCode::ACCEPTED),
        McpResponse::InsufficientScope { .. }
        | McpResponse::AccessEnded
        | McpResponse::GrantEnded
        | McpResponse::Unavailable { .. } => empty_response(StatusCode::INTERNAL_SERVER_ERROR),
    })
}

/// Returns whether `Host` and `Origin` are loopback. Prevents DNS rebinding: a rebound browser sends the attacker's
/// host name.
fn is_local(headers: &HeaderMap) -> bool {
    let is_loopback = |value: &http::HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        let host = text.split("://").last().unwrap_or_default();
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
    };
    [HOST, ORIGIN].iter().all(|name| headers.get(name).is_none_or(is_loopback))
}

fn empty_response(status: StatusCode) -> Response<Full<Bytes>> {
    response(status, "text/plain", String::new())
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
