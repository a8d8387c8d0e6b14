//! The admin API of one page, on whosever account it is reached.

use super::circuit_breaker::Subject;
#[cfg(not(target_arch = "wasm32"))]
use super::token::TokenAccess;
use super::{Api, ApiError, Call, pause, rooted};
use crate::catalog::{Write, WriteMethod};
use crate::model::ids::{OrganizationId, PageId};
use crate::model::scope::Scope;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::Value;

/// The admin API of one page.
#[derive(Clone, Copy)]
pub struct PageApi<'a> {
    pub(super) way: Way<'a>,
}

/// On whose account a page is reached.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// In one person's name, for one scope.
    OnBehalf { api: Api<'a>, scope: Scope, organization_id: OrganizationId, page_id: PageId },
    /// With the page's own token.
    #[cfg(not(target_arch = "wasm32"))]
    Token(&'a TokenAccess<'a>),
}

/// A page before StatiBeat has said that the person may see it. What is read from it must be thrown away unless it does. Its
/// calls count nowhere: permission is not known yet.
pub struct EarlyPage<'a> {
    /// The owner in the address of these reads.
    pub organization_id: OrganizationId,
    pub(super) page: PageApi<'a>,
}

impl EarlyPage<'_> {
    /// Reads all of them in parallel; answers in order.
    pub async fn get_all(&self, relatives: &[String]) -> Vec<Result<Value, ApiError>> {
        join_all(relatives.iter().map(|relative| Box::pin(self.page.try_twice(relative)))).await
    }
}

/// What a write was answered with.
#[derive(Debug)]
pub struct WriteAnswer {
    pub document: Value,
    /// Whether it was made just now (201). If not (200), StatiBeat knew the same `external_id` and content already.
    pub is_new: bool,
}

impl PageApi<'_> {
    /// Reads below the page's admin root, as in `incidents?status=active`.
    pub async fn get(&self, relative: &str) -> Result<Value, ApiError> {
        self.guarded(Box::pin(self.try_twice(relative))).await
    }

    async fn try_twice(&self, relative: &str) -> Result<Value, ApiError> {
        match self.send(Method::GET, relative, None).await {
            Err(error) if error.may_pass() => {
                match self.way {
                    Way::OnBehalf { api, .. } => pause(api.connector.http, api.connector.random).await,
                    #[cfg(not(target_arch = "wasm32"))]
                    Way::Token(access) => pause(access.http, access.random).await,
                }
                Ok(self.send(Method::GET, relative, None).await?.1)
            }
            answer => Ok(answer?.1),
        }
    }

    /// Reads all of them in parallel; answers in order.
    pub async fn get_all(&self, relatives: &[String]) -> Vec<Result<Value, ApiError>> {
        join_all(relatives.iter().map(|relative| self.get(relative))).await
    }

    /// Sends a write once. Where no answer says that nothing was done, the error is [`ApiError::OutcomeUnknown`].
    pub async fn write(&self, write: &Write) -> Result<WriteAnswer, ApiError> {
        let (method, has_body) = match write.method {
            WriteMethod::Post => (Method::POST, true),
            WriteMethod::Patch => (Method::PATCH, true),
            WriteMethod::Delete => (Method::DELETE, false),
        };
        let body = has_body.then(|| Bytes::from(write.body.to_string()));
        let (status, document) =
            self.guarded(Box::pin(self.send(method, &write.path, body))).await.map_err(ApiError::after_write)?;
        Ok(WriteAnswer { document, is_new: status == StatusCode::CREATED })
    }

    /// Makes a call unless the page's circuit is open.
    async fn guarded<T>(&self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        match self.way {
            Way::OnBehalf { api, page_id, .. } => {
                let subject = Subject { person: api.principal.user_id, page: Some(page_id) };
                api.connector.guarded(&subject, call).await
            }
            #[cfg(not(target_arch = "wasm32"))]
            Way::Token(_) => call.await,
        }
    }

    async fn send(&self, method: Method, relative: &str, body: Option<Bytes>) -> Result<(StatusCode, Value), ApiError> {
        match self.way {
            Way::OnBehalf { api, scope, organization_id, page_id } => {
                let root = format!("/orgs/{organization_id}/pages/{page_id}/admin");
                let path = rooted(&root, relative)?;
                api.call(&Call { method, path, scope, page_id: Some(page_id), body }).await
            }
            #[cfg(not(target_arch = "wasm32"))]
            Way::Token(access) => access.send(method, relative, body).await,
        }
    }
}
