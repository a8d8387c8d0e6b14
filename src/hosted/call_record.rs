//! The record of one tool call: its audit rows, and its usage report.

use super::handler::CallContext;
use super::rate_limit::{RECORD_LIMIT, record_key};
use crate::catalog::Tool;
use crate::mcp::CallDetails;
use crate::model::ids::PageId;
use crate::model::missing_access::MissingAccess;
use crate::model::outcome::{Outcome, Reason};
use crate::model::write::KeptPreview;
use crate::ports::{DatabaseError, Decision};
use crate::storage::audit::{self, AuditId, AuditKind, Entry, Target, TargetLinks};
use crate::storage::previews;
use crate::writes::store::PreviewNotKept;
use serde_json::{Map, Value};
use std::cell::{Cell, OnceCell};

pub struct CallRecord<'a> {
    context: &'a CallContext<'a>,
    tool: &'static str,
    asked_page_id: Option<PageId>,
    title: OnceCell<String>,
    /// True once the caller's access to the page was confirmed. Before that, the row has no page and no title, because
    /// the page's admins must not see text of strangers.
    is_reached: Cell<bool>,
    details: Cell<CallDetails>,
}

impl<'a> CallRecord<'a> {
    /// Creates the record before the arguments are checked.
    pub fn new(context: &'a CallContext<'a>, tool: &'static Tool, arguments: &Map<String, Value>) -> Self {
        let asked_page_id = arguments.get("page_id").and_then(Value::as_i64).and_then(PageId::new);
        let (is_reached, details, title) = (Cell::default(), Cell::default(), OnceCell::new());
        let record = Self { context, tool: tool.name, asked_page_id, title, is_reached, details };
        record.set_title(arguments);
        record
    }

    /// Takes the title from a call's arguments; the first that has one.
    pub fn set_title(&self, arguments: &Map<String, Value>) {
        if let Some(title) = arguments.get("title").and_then(Value::as_str) {
            self.title.get_or_init(|| title.to_owned());
        }
    }

    /// The facts for the call's report.
    pub fn details(&self) -> CallDetails {
        self.details.get()
    }

    /// Records that the caller has the tool's permissions on the page.
    pub fn set_page(&self, page_id: PageId) {
        self.is_reached.set(true);
        self.details.set(CallDetails { page: Some(page_id), ..self.details.get() });
    }

    /// Records that the caller can see the page but lacks the tool's permissions.
    pub fn set_reached(&self) {
        self.is_reached.set(true);
    }

    pub fn set_missing(&self, missing: MissingAccess) {
        self.details.set(CallDetails { missing: Some(missing), ..self.details.get() });
    }

    pub fn set_end(&self, outcome: Outcome, reason: Option<Reason>) {
        self.details.set(CallDetails { outcome: Some(outcome), reason, ..self.details.get() });
    }

    pub async fn refuse(&self, reason: Reason) {
        self.append(Outcome::Refused, reason).await;
    }

    /// Appends the row of a call that ended without a lease. The call doesn't depend on it, because nothing was sent.
    /// While the limiter is down, such calls are only counted.
    pub async fn append(&self, outcome: Outcome, reason: Reason) {
        self.set_end(outcome, Some(reason));
        if let Some(entry) = self.take_entry(outcome, reason).await
            && let Err(error) = audit::append(self.context.db, &entry).await
        {
            self.note_missing_row(&error, outcome, reason);
        }
    }

    /// Stores a preview together with the row of its call. The preview is stored even if such calls are over the limit
    /// for rows: a grant has a bounded number of previews.
    pub async fn keep_preview(&self, preview: &KeptPreview) -> Result<Option<AuditId>, PreviewNotKept> {
        let (outcome, reason) = (Outcome::Previewed, Reason::Requested);
        self.set_end(outcome, Some(reason));
        let entry = self.take_entry(outcome, reason).await;
        let CallContext { db, caller, now, .. } = *self.context;
        match previews::keep(db, &caller.grant_id, preview, (now, entry.as_ref())).await {
            Ok(()) => Ok(entry.map(|entry| entry.id)),
            Err(error) => {
                self.set_end(Outcome::Failed, Some(Reason::StorageUnavailable));
                self.note_missing_row(&error, outcome, reason);
                Err(PreviewNotKept)
            }
        }
    }

    /// The row of a call without a lease; `None` over the limit for such rows, or while the limiter is down.
    async fn take_entry(&self, outcome: Outcome, reason: Reason) -> Option<Entry<'_>> {
        let CallContext { limiter, caller, now, .. } = *self.context;
        let taken = limiter.take(&record_key(&caller.grant_id), RECORD_LIMIT, now).await;
        if !matches!(taken, Ok(Decision::Allowed { .. })) {
            self.details.set(CallDetails { is_unrecorded: true, ..self.details.get() });
            return None;
        }
        Some(Entry { outcome, detail: Some(reason.as_str()), ..self.entry(self.new_id()) })
    }

    fn note_missing_row(&self, error: &DatabaseError, outcome: Outcome, reason: Reason) {
        let (outcome, detail, request) = (outcome.as_str(), reason.as_str(), self.context.request_id);
        let note = format!("{error}; a call that was {outcome} ({detail}) has no audit row, request {request}");
        (self.context.log)(&note);
    }

    pub fn new_id(&self) -> AuditId {
        let mut random = [0; 16];
        (self.context.random)(&mut random);
        AuditId::new(random)
    }

    /// The row of the call, before its end is known.
    pub fn entry(&self, id: AuditId) -> Entry<'_> {
        let CallContext { caller, request_id, now, .. } = *self.context;
        let is_reached = self.is_reached.get();
        let target = Target {
            page_id: self.asked_page_id.filter(|_| is_reached),
            asked_page_id: self.asked_page_id,
            tool: self.tool,
            id: None,
            links: TargetLinks::default(),
            title: self.title.get().map(String::as_str).filter(|_| is_reached),
        };
        Entry {
            id,
            created_at: now,
            kind: AuditKind::Write,
            outcome: Outcome::Unknown,
            user_id: Some(&caller.user_id),
            client_id: &caller.client_id,
            client_name: &caller.client_name,
            grant_id: Some(&caller.grant_id),
            request_id,
            target: Some(target),
            detail: None,
        }
    }
}
