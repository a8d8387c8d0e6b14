//! Scopes, page permissions, and what an entry of the catalog requires of both.
//!
//! A person grants scopes to a client; the person's role has page permissions. Effective access is their intersection.
//! The seven scopes and their permissions are set by the product.

use crate::model::serde_as_text;
use std::fmt;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// A scope that a client can be granted. The order here is the order on the consent page and in every list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
pub enum Scope {
    /// Pages, their statuses, stages and hierarchy.
    #[strum(serialize = "mcp.pages.read")]
    PagesRead,
    /// Beats, groups, failures, evidence, pending actions.
    #[strum(serialize = "mcp.beats.read")]
    BeatsRead,
    #[strum(serialize = "mcp.incidents.read")]
    IncidentsRead,
    /// Open an incident; add an update to one.
    #[strum(serialize = "mcp.incidents.write")]
    IncidentsWrite,
    /// Maintenance windows and their updates.
    #[strum(serialize = "mcp.maintenances.read")]
    MaintenancesRead,
    /// Schedule maintenance; add an update to one.
    #[strum(serialize = "mcp.maintenances.write")]
    MaintenancesWrite,
    #[strum(serialize = "mcp.analytics.read")]
    AnalyticsRead,
}

impl Scope {
    /// Every scope, in display order.
    pub const ALL: &[Scope] = <Self as VariantArray>::VARIANTS;

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// The sentence a person reads on the consent page, completing "This app will be able to …".
    pub const fn consent_sentence(self) -> &'static str {
        match self {
            Scope::PagesRead => "See your status pages, their components, statuses and stages",
            Scope::BeatsRead => "See Beats, their groups, failures and evidence, and actions awaiting review",
            Scope::IncidentsRead => "See incidents and their updates",
            Scope::IncidentsWrite => "Publish new incidents and incident updates on your pages",
            Scope::MaintenancesRead => "See maintenance windows and their updates",
            Scope::MaintenancesWrite => "Publish maintenance windows and maintenance updates on your pages",
            Scope::AnalyticsRead => "See page analytics as totals",
        }
    }

    /// The page permission that the scope needs at least. Single entries may need more.
    pub const fn page_permission(self) -> PagePermission {
        match self {
            Scope::PagesRead => PagePermission::PageRead,
            Scope::BeatsRead => PagePermission::SyntheticMonitorsRead,
            Scope::IncidentsRead => PagePermission::IncidentsRead,
            Scope::IncidentsWrite => PagePermission::IncidentsManage,
            Scope::MaintenancesRead => PagePermission::MaintenancesRead,
            Scope::MaintenancesWrite => PagePermission::MaintenancesManage,
            Scope::AnalyticsRead => PagePermission::AnalyticsRead,
        }
    }

    /// Returns whether the scope lets a client post publicly.
    pub const fn is_write(self) -> bool {
        matches!(self, Scope::IncidentsWrite | Scope::MaintenancesWrite)
    }

    /// The scope of that exact name.
    pub fn parse(name: &str) -> Option<Scope> {
        name.parse().ok()
    }
}

/// A set of scopes; written as names separated by single spaces, in display order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ScopeSet(u8);

impl ScopeSet {
    pub const EMPTY: ScopeSet = ScopeSet(0);

    /// The default for a client that requests no scope: every read, no write.
    pub fn baseline() -> Self {
        Scope::ALL.iter().copied().filter(|scope| !scope.is_write()).collect()
    }

    /// One bit for each scope, in display order.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The write scopes in this set.
    pub fn writes(self) -> ScopeSet {
        self.iter().filter(|scope| scope.is_write()).collect()
    }

    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Returns whether the scope is in the set.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Returns whether every scope of `other` is in the set.
    pub fn covers(self, other: ScopeSet) -> bool {
        other.0 & !self.0 == 0
    }

    pub fn union(self, other: ScopeSet) -> ScopeSet {
        ScopeSet(self.0 | other.0)
    }

    pub fn intersection(self, other: ScopeSet) -> ScopeSet {
        ScopeSet(self.0 & other.0)
    }

    /// The scopes in this set that are not in the other.
    pub fn without(self, other: ScopeSet) -> ScopeSet {
        ScopeSet(self.0 & !other.0)
    }

    /// Returns whether there is no scope in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in display order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }

    /// Parses the scopes among space-separated names and ignores other names (RFC 6749 3.3).
    pub fn parse_known(text: &str) -> ScopeSet {
        text.split(' ').filter_map(Scope::parse).collect()
    }

    /// Says that a connection lacks these scopes, and who can allow them. Both consent boxes of posting are on every consent page, so
    /// a connection without them is one whose person left them unticked.
    pub fn describe_missing(self) -> String {
        let writes: Self = self.iter().filter(|scope| scope.is_write()).collect();
        let named = if writes.is_empty() { self } else { writes };
        let boxes = named.iter().map(|scope| format!("\"{}\" ({})", scope.consent_sentence(), scope.as_str()));
        let boxes = boxes.collect::<Vec<_>>().join(", ");
        if writes.is_empty() {
            return format!(
                "This connection may not read this: the person who connected this app did not allow {boxes}. Only they can: they connect \
                 the app to StatiBeat again (sign out of it in the app first, if the app offers no other way) and tick it on the \
                 consent page."
            );
        }
        format!(
            "This connection may not post this: the person who connected this app left {boxes} unticked. Nothing was published. \
             Only they can allow it: they connect the app to StatiBeat again (sign out of it in the app first, if the app offers no \
             other way) and tick it on the consent page. Until then a call with preview: true still shows what would be published."
        )
    }

    /// Parses space-separated names; `None` if one is not a scope.
    pub fn parse(text: &str) -> Option<ScopeSet> {
        text.split(' ').filter(|name| !name.is_empty()).map(Scope::parse).collect()
    }
}

serde_as_text!(ScopeSet);

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::EMPTY, |set, scope| ScopeSet(set.0 | 1 << scope as u8))
    }
}

impl From<Scope> for ScopeSet {
    fn from(scope: Scope) -> Self {
        Self::from_iter([scope])
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { " " }, scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

/// A permission of a role on one page. The keys are our proposal to StatiBeat; see `docs/statibeat-api.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
pub enum PagePermission {
    #[strum(serialize = "page.read")]
    PageRead,
    #[strum(serialize = "status_definitions.read")]
    StatusDefinitionsRead,
    #[strum(serialize = "lifecycle_stages.read")]
    LifecycleStagesRead,
    #[strum(serialize = "maintenance_lifecycle_stages.read")]
    MaintenanceLifecycleStagesRead,
    #[strum(serialize = "hierarchy.read")]
    HierarchyRead,
    #[strum(serialize = "incidents.read")]
    IncidentsRead,
    #[strum(serialize = "incidents.manage")]
    IncidentsManage,
    #[strum(serialize = "maintenances.read")]
    MaintenancesRead,
    #[strum(serialize = "maintenances.manage")]
    MaintenancesManage,
    #[strum(serialize = "analytics.read")]
    AnalyticsRead,
    #[strum(serialize = "synthetic_monitors.read")]
    SyntheticMonitorsRead,
    #[strum(serialize = "synthetic_monitors.manage")]
    SyntheticMonitorsManage,
}

impl PagePermission {
    /// All of them, in order of declaration.
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// The key upstream lists a user's permissions by.
    pub const fn key(self) -> &'static str {
        self.into_str()
    }
}

/// The requirements of an entry: a scope of the client and, on the page it touches, permissions of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub scope: Scope,
    /// All of them, on the page; empty for entries that touch no page.
    pub permissions: &'static [PagePermission],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
        }
        assert_eq!(ScopeSet::parse(&ScopeSet::all().to_string()), Some(ScopeSet::all()));
        assert_eq!(ScopeSet::parse("mcp.pages.read openid"), None);
        assert_eq!(ScopeSet::parse_known("openid mcp.pages.read  MCP.BEATS.READ"), Scope::PagesRead.into());
    }

    #[test]
    fn the_baseline_reads_everything_and_writes_nothing() {
        assert_eq!(
            ScopeSet::baseline().to_string(),
            "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.maintenances.read mcp.analytics.read"
        );
    }

    #[test]
    fn set_operations_hold() {
        let (read, write) = (ScopeSet::from(Scope::IncidentsRead), ScopeSet::from(Scope::IncidentsWrite));
        assert!(read.union(write).covers(write));
        assert!(!read.covers(write), "a write scope does not follow from its read scope");
        assert!(!write.covers(read), "a read scope does not follow from its write scope");
        assert_eq!(read.union(write).without(read), write);
        assert!(read.intersection(write).is_empty());
    }
}
