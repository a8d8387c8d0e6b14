//! Serves the router on a socket, with a clock, the connector's keys, the state file, and real delays and dropped
//! connections.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderValue, header};
use statibeat_simulator::{Cut, Fate, Now, Simulator};
use tokio::sync::watch;

use crate::connector_keys::KeySource;
use crate::state_file::StateFile;

pub struct Process {
    pub simulator: Simulator,
    pub keys: KeySource,
    pub state: StateFile,
    /// The number of releases so far, for responses that wait for one.
    pub releases: watch::Sender<u64>,
}

pub fn router(process: Arc<Process>) -> Router {
    process.simulator.router().layer(from_fn_with_state(process, answer))
}

async fn answer(State(process): State<Arc<Process>>, mut request: Request, next: Next) -> Response {
    if process.simulator.needs_connector_keys(&request) {
        learn_keys(&process).await;
    }
    request.extensions_mut().insert(Now(now()));
    let mut response = next.run(request).await;
    process.releases.send_replace(process.simulator.releases());
    if let Err(fault) = process.state.save(&process.simulator) {
        eprintln!("StatiBeat simulator: state not saved: {fault}");
    }
    let Fate { delay, held_at, cut } = response.extensions_mut().remove().unwrap_or_default();
    tokio::time::sleep(delay).await;
    if let Some(at) = held_at {
        // The sender lives as long as all connections do.
        let _ = process.releases.subscribe().wait_for(|releases| *releases > at).await;
    }
    match cut {
        None => response,
        Some(cut) => drop_connection(response, cut).await,
    }
}

/// A response whose body fails, for which hyper closes the connection: at once, or after sending the length of the
/// whole body and its first half.
async fn drop_connection(response: Response, cut: Cut) -> Response {
    let dropped = || io::Error::other("a planned fault dropped the connection");
    if cut == Cut::InsteadOfResponse {
        return Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(dropped())])));
    }
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let failure = async move {
        // The first half has been sent by then.
        tokio::task::yield_now().await;
        Err(dropped())
    };
    let half = Ok(whole.slice(..whole.len() / 2));
    Response::from_parts(parts, Body::from_stream(stream::iter([half]).chain(stream::once(failure))))
}

async fn learn_keys(process: &Process) {
    let fetched = process.keys.fetch(now()).await;
    let learned = fetched.map(|keys| keys.and_then(|keys| process.simulator.set_connector_keys(&keys)));
    if let Some(Err(fault)) = learned {
        eprintln!("StatiBeat simulator: no connector keys: {fault}");
    }
}

/// The time, in unix seconds.
#[expect(clippy::disallowed_methods, reason = "the process is the simulator's edge")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A seed that another program on this machine cannot guess, from the standard library's own random keys.
pub fn unpredictable_seed() -> String {
    let part = || RandomState::new().hash_one(now());
    format!("{:016x}{:016x}{:016x}{:016x}", part(), part(), part(), part())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};
    use std::sync::Arc;

    use statibeat_simulator::{Fault, FaultKind, Settings, Simulator};
    use tokio::net::TcpListener;

    use super::{Process, now, router};
    use crate::connector_keys::KeySource;
    use crate::state_file::StateFile;

    /// The bytes that come back over a real connection before it closes.
    fn exchange(address: SocketAddr) -> String {
        let mut connection = TcpStream::connect(address).expect("a connection");
        let request = format!("GET /api/v1/settings HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).expect("sent");
        let mut received = Vec::new();
        connection.read_to_end(&mut received).expect("an end");
        String::from_utf8(received).expect("text")
    }

    fn with_fault(kind: Option<FaultKind>) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let simulator = Simulator::new(Settings::local(now()));
            if let Some(kind) = kind {
                simulator.inject(Fault::once("GET", "/api/v1/settings", kind));
            }
            let state = StateFile::open(None, &simulator).expect("no file");
            let (keys, releases) = (KeySource::new("http://localhost:1"), tokio::sync::watch::Sender::new(0));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
            let address = listener.local_addr().expect("an address");
            let process = Arc::new(Process { simulator, keys, state, releases });
            let server = tokio::spawn(async { axum::serve(listener, router(process)).await });
            let received = tokio::task::spawn_blocking(move || exchange(address)).await.expect("an exchange");
            server.abort();
            received
        })
    }

    #[test]
    fn dropped_connection_closes_without_a_byte() {
        assert!(with_fault(None).starts_with("HTTP/1.1 200 OK\r\n"));
        assert_eq!(with_fault(Some(FaultKind::DropBefore)), "");
        assert_eq!(with_fault(Some(FaultKind::DropAfter)), "");
    }

    #[test]
    fn cut_body_is_half_of_the_announced_length() {
        let received = with_fault(Some(FaultKind::CutBody));
        let (head, body) = received.split_once("\r\n\r\n").expect("a head");
        let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        assert_eq!(body.len(), announced.parse::<usize>().expect("a number") / 2);
    }
}
