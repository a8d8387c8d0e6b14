//! The fixture server of the MCP conformance suite: the engine of the worker, with the tools, resources and prompts
//! that the suite prescribes. Listens on 127.0.0.1 and the port given as the only argument.

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
use statibeat_mcp::mcp::{McpResponse, TransportHeaders, answer};
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
    let local = tokio::task::LocalSet::new();
    match local.block_on(&runtime, serve(port)) {
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
        // An error here is a client that went away.
        tokio::task::spawn_local(connection.serve_connection(TokioIo::new(stream), service_fn(respond)));
    }
}

async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Ok(bare(StatusCode::BAD_REQUEST));
    };
    if !is_local(&parts.headers) {
        return Ok(bare(StatusCode::FORBIDDEN));
    }
    if parts.method != Method::POST {
        let mut refusal = bare(StatusCode::METHOD_NOT_ALLOWED);
        refusal.headers_mut().insert(ALLOW, http::HeaderValue::from_static("POST"));
        return Ok(refusal);
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let headers = TransportHeaders {
        protocol_version: header("mcp-protocol-version"),
        method: header("mcp-method"),
        name: header("mcp-name"),
    };
    Ok(match answer(&Fixtures, &headers, &body).await {
        McpResponse::Json { status, body: answer, .. } => {
            let request: Value = serde_json::from_slice(&body).unwrap_or_default();
            let mut answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            media::complete(&request, &mut answer);
            if let Some(events) = stream::progress_of(&request, &answer) {
                content(StatusCode::OK, "text/event-stream", events)
            } else {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                content(status, "application/json", answer.to_string())
            }
        }
        McpResponse::Accepted => bare(StatusCode::ACCEPTED),
        McpResponse::InsufficientScope { .. }
        | McpResponse::AccessEnded
        | McpResponse::GrantEnded
        | McpResponse::Unavailable { .. } => bare(StatusCode::INTERNAL_SERVER_ERROR),
    })
}

/// Against DNS rebinding: a browser that was lured here names another host.
fn is_local(headers: &HeaderMap) -> bool {
    let local = |value: &http::HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        let host = text.split("://").last().unwrap_or_default();
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
    };
    [HOST, ORIGIN].iter().all(|name| headers.get(name).is_none_or(local))
}

fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    content(status, "text/plain", String::new())
}

fn content(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
