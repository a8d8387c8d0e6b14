//! One HTTP exchange with a server: nothing followed, nothing repeated, bounded in time and size.

use bytes::Bytes;
use http::{Request, Response};
use std::time::Duration;

/// The longest time for one exchange.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer that is read.
const LARGEST_ANSWER: u64 = 4 * 1024 * 1024;

/// Sends a request to the server under check; tests answer it themselves.
pub type Ask<'a> = dyn Fn(Request<Bytes>) -> Result<Response<Bytes>, String> + 'a;

/// Sends a request with an absolute address.
pub fn ask(request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .build();
    let (head, body) = request.into_parts();
    let address = head.uri.clone();
    let answer = ureq::Agent::from(config).run(Request::from_parts(head, body.to_vec()));
    let (head, mut body) = answer.map_err(|error| format!("{address}: {error}"))?.into_parts();
    let read = body.with_config().limit(LARGEST_ANSWER).read_to_vec();
    Ok(Response::from_parts(head, Bytes::from(read.map_err(|error| format!("{address}: {error}"))?)))
}
