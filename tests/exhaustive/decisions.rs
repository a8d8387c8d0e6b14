//! Decisions of people: revocations, pauses, blocks and narrowings as the admin page stores them, and answers to the consent page.

use crate::publication::Stop;
use crate::support::TestApp;
use crate::support::browser::{Browser, Shown, parameter};
use crate::support::flow::{CLIENT, authorize_url, tokens, user};
use statibeat_mcp::model::ids::{GrantId, PageId, RequestId, UserId};
use statibeat_mcp::model::scope::ScopeSet;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::oauth::access_limits::AccessLimits;
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::oauth::grant::PageChoice;
use statibeat_mcp::ports::{Database, DatabaseError};
use statibeat_mcp::storage::audit::{AuditId, AuditKind, Change, ChangeTarget, Entry, Outcome};
use statibeat_mcp::storage::connections::{WriteSetting, change_writes};
use statibeat_mcp::storage::{blocks, grants, narrowing};
use std::collections::BTreeSet;

/// The scopes that every client of the models requests.
pub const SCOPE: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";

/// Stops the connections of the person and client.
pub async fn stop(db: &dyn Database, stop: Stop, now: i64) -> Result<(), DatabaseError> {
    let now = Timestamp::from_seconds(now);
    let (user_id, request_id) =
        (UserId::parse(user::MARA_ADMIN).expect("an id"), RequestId::parse("stop").expect("an id"));
    let client_id = ClientId::parse(CLIENT).expect("an id");
    let kind = match stop {
        Stop::Revoke => {
            return grants::revoke_connections(db, &user_id, &[&client_id], &request_id, now).await.map(drop);
        }
        Stop::Pause => AuditKind::Pause,
        Stop::Block => AuditKind::PageBlock,
    };
    let target = ChangeTarget {
        user_id: user_id.clone(),
        user_name: "Mara".into(),
        client_id: CLIENT.into(),
        client_name: CLIENT.into(),
        page_id: (stop == Stop::Block).then(|| PageId::new(42).expect("an id")),
    };
    let change = Change {
        id: AuditId::new([7; 16]),
        created_at: now,
        kind,
        actor: &user_id,
        actor_name: "Mara",
        targets: &[target],
        request_id: &request_id,
    };
    match stop {
        Stop::Block => blocks::block(db, &change).await,
        Stop::Revoke | Stop::Pause => change_writes(db, &change, WriteSetting::Paused(true)).await,
    }
}

/// The answer to a consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnsweredConsent {
    /// The boxes as they stand.
    AsProposed,
    /// Every scope and page, with the earlier approvals as they are.
    Wide,
    /// One read on one page for a day, instead of the earlier approvals.
    NarrowReplacing,
}

impl AnsweredConsent {
    /// Connects a client as this person; its access token.
    pub fn answer(self, app: &TestApp) -> String {
        let browser = Browser::new(app);
        let consent = browser.sign_in(&authorize_url(&[("scope", SCOPE)]), user::MARA_ADMIN);
        let mut fields = vec![("answer".to_owned(), "approve".to_owned())];
        let fixed: &[(&str, &str)] = match self {
            Self::AsProposed => &[],
            Self::Wide => &[("pages", "all"), ("lifetime", "until-revoked"), ("earlier", "keep")],
            Self::NarrowReplacing => &[
                ("pages", "these"),
                ("page", "42"),
                ("lifetime", "1d"),
                ("earlier", "replace"),
                ("scope", "mcp.pages.read"),
            ],
        };
        fields.extend(fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        match self {
            Self::AsProposed => fields.extend(find_checked(&consent)),
            Self::Wide => fields.extend(SCOPE.split(' ').map(|scope| ("scope".to_owned(), scope.to_owned()))),
            Self::NarrowReplacing => {}
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let code = parameter(&browser.answer_fields(&consent, &fields).leaves_for(), "code").expect("a code");
        tokens(&app.redeem(&code, &[])).access
    }
}

/// Names and values of the boxes and radio buttons that a page shows as checked.
fn find_checked(page: &Shown) -> Vec<(String, String)> {
    let tags = page.body.split("<input").skip(1).filter_map(|input| input.split('>').next());
    let value = |tag: &str, name: &str| {
        let mark = format!("{name}=\"");
        tag.split(&mark).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
    };
    let checked = tags.filter(|tag| tag.contains(" checked"));
    checked.filter_map(|tag| Some((value(tag, " name")?, value(tag, " value")?))).collect()
}

/// Scopes, pages (none for all) and seconds until the end that a person narrows a grant to.
pub const NARROWINGS: [(&str, &[i64], Option<i64>); 3] = [
    ("mcp.pages.read", &[], None),
    ("mcp.pages.read mcp.incidents.read mcp.incidents.write", &[42], None),
    ("mcp.pages.read mcp.incidents.read mcp.incidents.write", &[42, 43], Some(7 * 86_400)),
];

/// Narrows the grant of this id as its person, who names one of [`NARROWINGS`].
pub async fn narrow(db: &dyn Database, grant_id: &GrantId, limits: usize, now: i64) -> Result<(), DatabaseError> {
    let (scopes, pages, seconds) = NARROWINGS[limits];
    let now = Timestamp::from_seconds(now);
    let pages = pages.iter().filter_map(|page| PageId::new(*page)).collect::<BTreeSet<_>>();
    let pages = if pages.is_empty() { PageChoice::All } else { PageChoice::These(pages) };
    let expires_at = seconds.map(|seconds| Timestamp::from_seconds(now.as_seconds() + seconds));
    let limits = AccessLimits { scopes: ScopeSet::parse(scopes).expect("scopes"), pages, expires_at };
    let user_id = UserId::parse(user::MARA_ADMIN).expect("an id");
    let entry = Entry {
        id: AuditId::new([8; 16]),
        created_at: now,
        kind: AuditKind::Narrow,
        outcome: Outcome::Done,
        user_id: Some(&user_id),
        client_id: &ClientId::parse(CLIENT).expect("an id"),
        client_name: CLIENT,
        grant_id: Some(grant_id),
        request_id: &RequestId::parse("narrow").expect("an id"),
        target: None,
        detail: None,
    };
    narrowing::narrow(db, &user_id, &limits, &entry).await.map(drop)
}
