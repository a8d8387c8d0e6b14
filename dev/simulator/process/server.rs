//! The socket: one hyper connection at a time per client, real delays, and dropped connections that really drop.

use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::super::simulator::{Outcome, Simulator};
use super::connector::KeySource;
use super::state_file::StateFile;

/// More than the API takes, so that the API is who refuses.
const READ_LIMIT: usize = 2 * 1024 * 1024;

/// What all connections share.
#[derive(Debug)]
pub struct Shared {
    /// The simulator.
    pub simulator: Simulator,
    /// The connector's keys.
    pub keys: KeySource,
    /// The state file.
    pub state: StateFile,
    /// How often held answers were released, for those that wait.
    pub releases: watch::Sender<u64>,
}

/// Why a connection ends without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a planned fault dropped the connection")
    }
}

impl std::error::Error for Dropped {}

/// Accepts connections until the process ends.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) -> Result<(), String> {
    loop {
        let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
        tokio::spawn(connection(stream, Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    // An error here is a client that went away or a planned drop; neither is news.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The first half of a body whose whole length was announced, and then the end of the connection.
#[derive(Debug)]
struct Cut {
    announced: u64,
    half: Option<Bytes>,
}

impl Cut {
    fn of(whole: &Bytes) -> Self {
        Self { announced: whole.len() as u64, half: Some(whole.slice(..whole.len() / 2)) }
    }
}

impl Body for Cut {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        Poll::Ready(Some(self.half.take().map(Frame::data).ok_or(Dropped)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

type Answer = Response<Either<Full<Bytes>, Cut>>;

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Dropped> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, READ_LIMIT).collect().await {
        Ok(collected) => collected.to_bytes(),
        // Longer than the API takes in any case; the API itself answers 413.
        Err(_) => Bytes::from(vec![b' '; READ_LIMIT]),
    };
    let request = Request::from_parts(parts, body);
    if shared.simulator.needs_connector_keys(&request) {
        learn_keys(&shared).await;
    }
    let outcome = shared.simulator.exchange(&request, now());
    shared.releases.send_replace(shared.simulator.releases());
    if let Err(fault) = shared.state.save(&shared.simulator) {
        eprintln!("StatiBeat simulator: state not saved: {fault}");
    }
    match outcome {
        Outcome::Answered { response, delay, held_at } => {
            tokio::time::sleep(delay).await;
            if let Some(at) = held_at {
                // The sender lives as long as all connections do.
                let _ = shared.releases.subscribe().wait_for(|releases| *releases > at).await;
            }
            Ok(response.map(|body| Either::Left(Full::new(body))))
        }
        Outcome::Dropped { delay, half_of } => {
            tokio::time::sleep(delay).await;
            half_of.map(|response| response.map(|body| Either::Right(Cut::of(&body)))).ok_or(Dropped)
        }
    }
}

async fn learn_keys(shared: &Shared) {
    let fetched = shared.keys.fetch(now()).await;
    let learned = fetched.map(|keys| keys.and_then(|keys| shared.simulator.set_connector_keys(&keys)));
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
