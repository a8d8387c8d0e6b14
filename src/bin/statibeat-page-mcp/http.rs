//! `HttpClient` over a blocking client: each request has a thread for as long as it takes. Bounded in time and size;
//! redirects are handed back rather than followed, so the token never leaves its host.

use async_trait::async_trait;
use bytes::Bytes;
use futures_channel::oneshot;
use http::{Request, Response};
use statibeat_mcp::page::settings::Settings;
use statibeat_mcp::ports::{HttpClient, HttpError};
use std::io::Read as _;
use std::thread;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// The longest answer that is read. The longest regular one is a page's hierarchy, some hundred kilobytes.
const LARGEST_ANSWER: u64 = 1024 * 1024;
/// A request's thread needs little more than the TLS records in flight.
const STACK: usize = 512 * 1024;

/// The client of this process; connections are kept for the next request.
pub struct Native {
    agent: Agent,
}

impl Native {
    /// A client that trusts what this machine trusts.
    pub fn new(settings: &Settings) -> Self {
        // Two may be asked for by different parts of one program; the first stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_global(Some(settings.timeout))
            .user_agent(concat!("statibeat-page-mcp/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self { agent: config.into() }
    }
}

#[async_trait(?Send)]
impl HttpClient for Native {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (answer, answered) = oneshot::channel();
        let agent = self.agent.clone();
        let thread = thread::Builder::new().name("http".to_owned()).stack_size(STACK);
        // Whoever asked may be gone by then: the call was cancelled.
        let begun = thread.spawn(move || drop(answer.send(exchange(&agent, request))));
        begun.map_err(|error| HttpError::Transport(error.to_string()))?;
        answered.await.unwrap_or_else(|_| Err(HttpError::Transport("the request's thread ended".to_owned())))
    }

    async fn sleep(&self, duration: Duration) {
        let (over, waited) = oneshot::channel();
        thread::spawn(move || {
            thread::sleep(duration);
            let _ = over.send(());
        });
        let _ = waited.await;
    }
}

fn exchange(agent: &Agent, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = request.into_parts();
    let answer = if body.is_empty() {
        agent.run(Request::from_parts(parts, ()))
    } else {
        agent.run(Request::from_parts(parts, body.to_vec()))
    };
    let (parts, body) = answer.map_err(|error| failure(&error))?.into_parts();
    let mut read = Vec::new();
    let count = body.into_reader().take(LARGEST_ANSWER + 1).read_to_end(&mut read);
    count.map_err(|error| failure(&ureq::Error::from(error)))?;
    if read.len() as u64 > LARGEST_ANSWER {
        return Err(HttpError::TooLarge);
    }
    Ok(Response::from_parts(parts, Bytes::from(read)))
}

/// Reason of the failure; it names no header and no body.
fn failure(error: &ureq::Error) -> HttpError {
    match error {
        ureq::Error::Timeout(_) => HttpError::Timeout,
        other => HttpError::Transport(other.to_string()),
    }
}
