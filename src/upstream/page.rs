//! The admin API of one page, on behalf of a person or with an API token.

use super::error::ApiError;
use super::exchange::{self, Circuit, join_path};
use crate::catalog::Write;
use crate::model::ids::{OrganizationId, PageId};
use crate::ports::HttpClient;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use serde_json::Value;

/// Access to a page's admin API: URL, credential and circuit breaker.
pub trait PageTransport {
    /// The page's admin root, below StatiBeat's origin.
    fn root(&self) -> String;

    /// A request with the credential.
    fn request(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Request<Bytes>, ApiError>;

    fn http(&self) -> &dyn HttpClient;

    /// Fills a buffer with unpredictable bytes.
    fn random(&self) -> &dyn Fn(&mut [u8]);

    /// `None`: nothing counts its failures.
    fn circuit(&self) -> Option<Circuit<'_>>;
}

/// The admin root of a page that is named by number.
pub(super) fn admin_root(organization_id: OrganizationId, page_id: PageId) -> String {
    format!("{}/orgs/{organization_id}/pages/{page_id}/admin", exchange::API_ROOT)
}

/// The admin API of one page.
pub struct PageClient<'a>(Box<dyn PageTransport + 'a>);

/// StatiBeat's answer to a write.
#[derive(Debug)]
pub struct WriteAnswer {
    pub document: Value,
    /// True if it was created now (201). If not (200), StatiBeat already had the same `external_id` and content.
    pub is_new: bool,
}

impl<'a> PageClient<'a> {
    pub fn new(transport: impl PageTransport + 'a) -> Self {
        Self(Box::new(transport))
    }

    /// Reads below the page's admin root, as in `incidents?status=active`.
    pub async fn get(&self, relative: &str) -> Result<Value, ApiError> {
        let path = self.path(relative)?;
        self.guard(Box::pin(self.read(&path))).await
    }

    /// Reads all of them in parallel; answers in order.
    pub async fn get_all(&self, relatives: &[String]) -> Vec<Result<Value, ApiError>> {
        join_all(relatives.iter().map(|relative| self.get(relative))).await
    }

    /// Sends a write once. Unless the response says that nothing was done, the error is
    /// [`ApiErrorKind::OutcomeUnknown`](super::ApiErrorKind).
    pub async fn write(&self, write: &Write) -> Result<WriteAnswer, ApiError> {
        let path = self.path(&write.operation.path())?;
        let request = || self.0.request(write.operation.method(), &path, body_of(write));
        let send = Box::pin(async { exchange::send_once(self.0.http(), request()?).await });
        let (status, document) = self.guard(send).await.map_err(ApiError::after_write)?;
        Ok(WriteAnswer { document, is_new: status == StatusCode::CREATED })
    }

    /// Requests a dry run: the effect of a write, or its error. It changes nothing, so it is retried like a read, and
    /// its errors are those of reads.
    pub async fn dry_run(&self, write: &Write) -> Result<Value, ApiError> {
        let path = self.path(&format!("{}?dry_run=true", write.operation.path()))?;
        let request = || self.0.request(write.operation.method(), &path, body_of(write));
        self.guard(Box::pin(exchange::get_with_retry(self.0.http(), self.0.random(), request))).await
    }

    async fn read(&self, path: &str) -> Result<Value, ApiError> {
        exchange::get_with_retry(self.0.http(), self.0.random(), || self.0.request(Method::GET, path, None)).await
    }

    fn path(&self, relative: &str) -> Result<String, ApiError> {
        join_path(&self.0.root(), relative)
    }

    /// Makes a call unless the page's circuit is open.
    async fn guard<T>(&self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        match self.0.circuit() {
            Some(circuit) => circuit.guard(call).await,
            None => call.await,
        }
    }
}

/// The body to send; none for a deletion.
fn body_of(write: &Write) -> Option<Bytes> {
    (write.operation.method() != Method::DELETE).then(|| Bytes::from(write.body.to_string()))
}
