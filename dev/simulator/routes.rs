//! Which address means what. Written out by hand, on purpose: see `mod.rs`.

use super::wire::reply::Refusal;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The signed-in user.
    Me,
    /// The pages of the signed-in user.
    MyPages,
    /// Sign-in page of the connector hand-over.
    SignIn,
    /// Code for identity, server to server.
    SignInExchange,
    /// Anonymous page data.
    PublicSettings,
    /// Anonymous incident history.
    PublicIncidents,
    /// Anonymous maintenance history.
    PublicMaintenances,
    /// Something of a page, for a caller with a credential.
    Page(Address, Endpoint),
}

/// How a request names its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// By organization and page number in the path.
    Numbers {
        /// Organization.
        organization: u64,
        /// Page.
        page: u64,
    },
    /// By the host it was sent to.
    Host,
}

/// What of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is the path it stands for")]
pub enum Endpoint {
    Context,
    Summary,
    StatusDefinitions,
    LifecycleStages,
    MaintenanceLifecycleStages,
    HierarchyLevels,
    HierarchyItems,
    AuditSettings,
    SubscribersSummary,
    AnalyticsSummary,
    Incidents,
    Incident(Reference),
    IncidentUpdates(Reference),
    IncidentUpdate(Reference, String),
    IncidentAction(Reference, &'static str),
    Maintenances,
    Maintenance(u64),
    MaintenanceUpdates(u64),
    MaintenanceByExternalId(String),
    MaintenanceUpdate(u64, String),
    MaintenanceAction(u64, &'static str),
    Beats,
    Beat(u64),
    BeatRun(u64),
    BeatEvents(u64),
    BeatRuns(u64),
    BeatFailures,
    BeatActions,
    BeatDecision(u64, &'static str),
    BeatGroups,
}

/// How a path names an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By StatiBeat's id.
    Id(u64),
    /// By the id the creator gave.
    External(String),
}

/// Reads a path.
pub fn parse(path: &str) -> Result<Route, Refusal> {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    match segments[..] {
        ["connector", "sign-in"] => Ok(Route::SignIn),
        ["api", "v1", ref rest @ ..] => parse_api(rest),
        _ => Err(Refusal::not_found("route")),
    }
}

fn parse_api(segments: &[&str]) -> Result<Route, Refusal> {
    match segments {
        ["me"] => Ok(Route::Me),
        ["me", "pages"] => Ok(Route::MyPages),
        ["connector", "sign-in", "exchange"] => Ok(Route::SignInExchange),
        ["settings"] => Ok(Route::PublicSettings),
        ["incidents"] => Ok(Route::PublicIncidents),
        ["maintenances"] => Ok(Route::PublicMaintenances),
        ["context"] => Ok(Route::Page(Address::Host, Endpoint::Context)),
        ["admin", rest @ ..] => Ok(Route::Page(Address::Host, endpoint(rest)?)),
        ["orgs", organization, "pages", page, "admin", rest @ ..] => {
            let address = Address::Numbers { organization: id(organization)?, page: id(page)? };
            Ok(Route::Page(address, endpoint(rest)?))
        }
        _ => Err(Refusal::not_found("route")),
    }
}

fn endpoint(segments: &[&str]) -> Result<Endpoint, Refusal> {
    Ok(match segments {
        ["summary"] => Endpoint::Summary,
        ["status-definitions"] => Endpoint::StatusDefinitions,
        ["lifecycle-stages"] => Endpoint::LifecycleStages,
        ["maintenance-lifecycle-stages"] => Endpoint::MaintenanceLifecycleStages,
        ["hierarchy", "levels"] => Endpoint::HierarchyLevels,
        ["hierarchy", "items"] => Endpoint::HierarchyItems,
        ["audit-settings"] => Endpoint::AuditSettings,
        ["subscribers", "summary"] => Endpoint::SubscribersSummary,
        ["analytics", "summary"] => Endpoint::AnalyticsSummary,
        ["incidents"] => Endpoint::Incidents,
        ["incidents", "external", external, rest @ ..] => incident(Reference::External(external_id(external)?), rest)?,
        ["incidents", number, rest @ ..] => incident(Reference::Id(id(number)?), rest)?,
        ["maintenances"] => Endpoint::Maintenances,
        ["maintenances", "external", external] => Endpoint::MaintenanceByExternalId(external_id(external)?),
        ["maintenances", number] => Endpoint::Maintenance(id(number)?),
        ["maintenances", number, "updates"] => Endpoint::MaintenanceUpdates(id(number)?),
        ["maintenances", number, "updates", "external", external] => {
            Endpoint::MaintenanceUpdate(id(number)?, external_id(external)?)
        }
        ["maintenances", number, "complete"] => Endpoint::MaintenanceAction(id(number)?, "complete"),
        ["maintenances", number, "cancel"] => Endpoint::MaintenanceAction(id(number)?, "cancel"),
        ["beat-groups"] => Endpoint::BeatGroups,
        ["beats", rest @ ..] => beats(rest)?,
        _ => return Err(Refusal::not_found("route")),
    })
}

fn incident(reference: Reference, rest: &[&str]) -> Result<Endpoint, Refusal> {
    Ok(match rest {
        [] => Endpoint::Incident(reference),
        ["updates"] => Endpoint::IncidentUpdates(reference),
        ["updates", "external", external] => Endpoint::IncidentUpdate(reference, external_id(external)?),
        ["acknowledge"] => Endpoint::IncidentAction(reference, "acknowledge"),
        ["resolve"] => Endpoint::IncidentAction(reference, "resolve"),
        ["reopen"] => Endpoint::IncidentAction(reference, "reopen"),
        _ => return Err(Refusal::not_found("route")),
    })
}

fn beats(rest: &[&str]) -> Result<Endpoint, Refusal> {
    Ok(match rest {
        [] => Endpoint::Beats,
        ["failures"] => Endpoint::BeatFailures,
        ["actions"] => Endpoint::BeatActions,
        ["actions", number, "approve"] => Endpoint::BeatDecision(id(number)?, "approve"),
        ["actions", number, "reject"] => Endpoint::BeatDecision(id(number)?, "reject"),
        [number] => Endpoint::Beat(id(number)?),
        [number, "run"] => Endpoint::BeatRun(id(number)?),
        [number, "events"] => Endpoint::BeatEvents(id(number)?),
        [number, "runs"] => Endpoint::BeatRuns(id(number)?),
        _ => return Err(Refusal::not_found("route")),
    })
}

/// A positive number without sign or leading zero.
fn id(segment: &str) -> Result<u64, Refusal> {
    let plain = !segment.starts_with('0') && segment.bytes().all(|byte| byte.is_ascii_digit());
    // JSON readers in JavaScript lose whole numbers above 2^53.
    let number = segment.parse().ok().filter(|number: &u64| plain && *number < 1 << 53);
    number.ok_or_else(|| Refusal::invalid("invalid ID parameter"))
}

/// External ids need no percent-encoding; a path that uses it names nothing.
fn external_id(segment: &str) -> Result<String, Refusal> {
    let wrong = || Refusal::invalid("invalid ID parameter");
    if super::domain::affected::is_external_id(segment) { Ok(segment.to_owned()) } else { Err(wrong()) }
}
