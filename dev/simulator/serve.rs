//! What a socket adds to the router: the time, the connector's keys, the state file, and the fate of each response: real
//! delays, and connections that really drop.

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

/// What all connections share.
pub struct Process {
    pub simulator: Simulator,
    pub keys: KeySource,
    pub state: StateFile,
    /// How often held responses were released, for those that wait.
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
        Some(cut) => cut_off(response, cut).await,
    }
}

/// A response whose body fails: hyper then closes the connection. Nothing is sent where it fails at once; otherwise the
/// first half of the body goes out after the length of the whole was announced.
async fn cut_off(response: Response, cut: Cut) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = (cut == Cut::InResponse).then(|| Ok(whole.slice(..whole.len() / 2)));
    let failure = async {
        // What stands before it is on its way by then.
        tokio::task::yield_now().await;
        Err(io::Error::other("a planned fault dropped the connection"))
    };
    let failure: stream::Once<_> = stream::once(failure);
    match half {
        Some(half) => Response::from_parts(parts, Body::from_stream(stream::iter([half]).chain(failure))),
        None => {
            Response::from_parts(parts, Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::other("dropped"))])))
        }
    }
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
