//! The three ports, counting every call in the request log. Also adds trace headers to requests to StatiBeat and limits
//! the number of concurrent ones.

use super::trace::{TRACEPARENT, TRACESTATE, hex};
use super::{PortUsage, RequestLog, RequestRecord, SPANS_MAX, UpstreamSpan};
use crate::model::timestamp::Timestamp;
use crate::ports::{
    Database, DatabaseError, Decision, HttpClient, HttpError, LimiterError, RateLimit, RateLimiter, Row, Statement,
};
use async_lock::Semaphore;
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderValue;
use std::time::Duration;

/// Workers opens six connections per request and queues further ones. One is left to the database and the limiter, so
/// that they don't wait behind six slow reads.
pub const AT_ONCE: usize = 5;

impl RequestLog<'_> {
    /// Waits for one call of a port and counts it.
    async fn timed<T>(
        &self,
        port: fn(&mut RequestRecord) -> &mut PortUsage,
        call: impl Future<Output = T>,
        has_failed: impl FnOnce(&T) -> bool,
    ) -> T {
        let began = (self.clock)();
        let answer = call.await;
        let milliseconds = (self.clock)().saturating_sub(began);
        let mut record = self.record.borrow_mut();
        let usage = port(&mut record);
        usage.count += 1;
        usage.failed += u32::from(has_failed(&answer));
        usage.milliseconds += milliseconds;
        usage.slowest_milliseconds = usage.slowest_milliseconds.max(milliseconds);
        answer
    }
}

pub struct CountedDatabase<'a> {
    pub inner: &'a dyn Database,
    pub log: &'a RequestLog<'a>,
}

#[async_trait(?Send)]
impl Database for CountedDatabase<'_> {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        self.log.timed(|record| &mut record.database, self.inner.batch(statements), Result::is_err).await
    }
}

pub struct CountedLimiter<'a> {
    pub inner: &'a dyn RateLimiter,
    pub log: &'a RequestLog<'a>,
}

#[async_trait(?Send)]
impl RateLimiter for CountedLimiter<'_> {
    async fn take(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<Decision, LimiterError> {
        let take = self.inner.take(key, limit, now);
        let decision = self.log.timed(|record| &mut record.objects, take, Result::is_err).await;
        if let Ok(Decision::Limited { .. }) = decision {
            self.log.record.borrow_mut().limit = Some(limit.name);
        }
        decision
    }

    async fn remaining(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<u32, LimiterError> {
        self.log.timed(|record| &mut record.objects, self.inner.remaining(key, limit, now), Result::is_err).await
    }
}

pub struct CountedClient<'a> {
    inner: &'a dyn HttpClient,
    log: &'a RequestLog<'a>,
    random: &'a dyn Fn(&mut [u8]),
    free: Semaphore,
}

impl<'a> CountedClient<'a> {
    pub fn new(inner: &'a dyn HttpClient, log: &'a RequestLog<'a>, random: &'a dyn Fn(&mut [u8])) -> Self {
        Self { inner, log, random, free: Semaphore::new(AT_ONCE) }
    }

    /// Every request upstream is a span of its own (W3C Trace Context 3.4). Returns its id.
    fn place_in_trace(&self, request: &mut http::Request<Bytes>) -> String {
        let mut span = [0; 8];
        (self.random)(&mut span);
        let trace = self.log.trace();
        let mut set = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                request.headers_mut().insert(name, value);
            }
        };
        set(TRACEPARENT, &trace.header_for(span));
        if let Some(state) = trace.state() {
            set(TRACESTATE, state);
        }
        hex(&span)
    }
}

#[async_trait(?Send)]
impl HttpClient for CountedClient<'_> {
    async fn send(&self, mut request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let _turn = self.free.acquire().await;
        let (id, call) = (self.place_in_trace(&mut request), describe_call(&request));
        let began = (self.log.clock)();
        let answer = self.log.timed(|record| &mut record.upstream, self.inner.send(request), has_failed).await;
        let span = UpstreamSpan {
            id,
            call,
            status: answer.as_ref().ok().map(|response| response.status().as_u16()),
            start_milliseconds: began.saturating_sub(self.log.began),
            milliseconds: (self.log.clock)().saturating_sub(began),
        };
        let mut record = self.log.record.borrow_mut();
        if record.spans.len() < SPANS_MAX {
            record.spans.push(span);
        }
        answer
    }

    async fn sleep(&self, duration: Duration) {
        self.inner.sleep(duration).await;
    }

    async fn verify_signature(&self, key: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
        self.inner.verify_signature(key, signature, message).await
    }

    async fn public_key(&self, seed: &[u8; 32]) -> Option<[u8; 32]> {
        self.inner.public_key(seed).await
    }
}

/// Method and path of a request without its query. Only words of StatiBeat's API stay: what holds anything but small letters, `-` and `_`, or
/// follows `external`, may be an id or a text that a client chose.
fn describe_call(request: &http::Request<Bytes>) -> String {
    let is_word = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'));
    let mut before = "";
    let segments = request.uri().path().split('/').map(|segment| {
        let is_kept = before != "external" && (is_word(segment) || is_api_version(segment));
        before = segment;
        if is_kept { segment } else { "{}" }
    });
    format!("{} {}", request.method(), segments.collect::<Vec<_>>().join("/"))
}

fn is_api_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn has_failed(answer: &Result<http::Response<Bytes>, HttpError>) -> bool {
    answer.as_ref().map_or(true, |response| response.status().is_server_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::RequestId;
    use crate::telemetry::trace::Trace;
    use futures_util::future::join_all;
    use std::cell::{Cell, RefCell};

    /// Answers a request the second time it is looked at, and remembers how many were on their way at once.
    #[derive(Default)]
    struct Slow {
        on_their_way: Cell<usize>,
        most: Cell<usize>,
        parents: RefCell<Vec<String>>,
    }

    #[async_trait(?Send)]
    impl HttpClient for Slow {
        async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
            let parent = request.headers()[TRACEPARENT].to_str().expect("text").to_owned();
            self.parents.borrow_mut().push(parent);
            self.on_their_way.set(self.on_their_way.get() + 1);
            self.most.set(self.most.get().max(self.on_their_way.get()));
            tokio::task::yield_now().await;
            self.on_their_way.set(self.on_their_way.get() - 1);
            Ok(http::Response::new(Bytes::new()))
        }
    }

    #[tokio::test]
    async fn so_many_requests_are_on_their_way_at_once_and_the_others_follow() {
        let (slow, drawn) = (Slow::default(), Cell::new(0));
        let random = |bytes: &mut [u8]| bytes.fill(drawn.replace(drawn.get() + 1) + 1);
        let log =
            RequestLog::open(&|| 0, Trace::new(&random), RequestId::parse("r").expect("an id"), &http::Method::POST);
        let client = CountedClient::new(&slow, &log, &random);
        let answers = join_all((0..12).map(|_| client.send(http::Request::new(Bytes::new())))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!((slow.most.get(), log.record.borrow().upstream.count), (AT_ONCE, 12));
        let mut parents = slow.parents.take();
        parents.sort_unstable();
        parents.dedup();
        assert_eq!(parents.len(), 12, "each is a span of its own");
        let mut ids: Vec<String> = log.record.borrow().spans.iter().map(|span| span.id.clone()).collect();
        ids.sort_unstable();
        assert!(parents.iter().zip(&ids).all(|(parent, id)| parent.ends_with(&format!("-{id}-01"))), "{ids:?}");
    }

    #[test]
    fn call_of_a_span_names_no_id_query_or_text() {
        let call = |uri: &str| describe_call(&http::Request::get(uri).body(Bytes::new()).expect("a request"));
        assert_eq!(
            call("https://a.example/api/v1/pages/42/incidents/1001?q=secret"),
            "GET /api/v1/pages/{}/incidents/{}"
        );
        assert_eq!(
            call("https://a.example/api/v1/pages/42/incidents/external/my-text"),
            "GET /api/v1/pages/{}/incidents/external/{}"
        );
        assert_eq!(call("https://a.example/api/Secret/%41/a.b"), "GET /api/{}/{}/{}");
    }
}
