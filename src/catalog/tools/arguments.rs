//! Arguments that tools share: format, source, default and effect of each, in a sentence or two for a model.
//!
//! URIs are written for a server of many pages; [`Roots::localize`](crate::catalog::uri::Roots::localize) turns them into
//! those of a server of one.

use super::super::argument::ArgumentKind::{AffectedItems, IdOrName, Key, Target, Text, Time};
use super::super::argument::{Argument, optional, required};

pub(super) const INCIDENT_TITLE: &str =
    "One line of plain text: what customers notice, e.g. \"Checkout errors in the EU\".";
pub(super) const MAINTENANCE_TITLE: &str = "One line of plain text, e.g. \"Database maintenance\".";
pub(super) const INCIDENT_DESCRIPTION: &str = "Plain text for customers: what fails, since when (with time zone), what is \
    done. No host names, secrets or people's names.";
pub(super) const MAINTENANCE_DESCRIPTION: &str = "Plain text for customers: what is done and what they will notice.";
pub(super) const STARTS_AT: &str = "Date and time with the UTC offset of that day, e.g. 2026-12-05T02:00:00+01:00. Where no \
    zone was named: the page's time_zone.";
pub(super) const ENDS_AT: &str = "Same format; after starts_at and in the future.";
pub(super) const FINAL_MESSAGE: &str =
    "Plain text: the last message that customers read. Default: StatiBeat's standard sentence.";
/// The whole new list, for tools that change an object.
pub(super) const REPLACED_COMPONENTS: &str = "The complete new list, as [{\"id\": 102}]: components not in it are removed. Ids \
    are in statibeat://pages/{page_id}/hierarchy. Default: unchanged.";

pub(super) const INCIDENT_ID: Argument =
    required("incident_id", Target, "Number from statibeat://pages/{page_id}/incidents/active.");
pub(super) const MAINTENANCE_ID: Argument = required(
    "maintenance_id",
    Target,
    "Number from active or upcoming under statibeat://pages/{page_id}/maintenances/.",
);
pub(super) const ACTION_ID: Argument =
    required("action_id", Target, "Number from statibeat://pages/{page_id}/beats/actions/pending.");

pub(super) const STARTING_STATUS: Argument = optional(
    "status",
    Key,
    "Severity of the affected components: a status key from writing, e.g. partial_outage. Default: degraded.",
);
pub(super) const NEW_STATUS: Argument = optional(
    "status",
    Key,
    "New severity: a status key from writing. Default: unchanged. operational turns the components green while the incident stays open.",
);
pub(super) const INCIDENT_COMPONENTS: Argument = optional(
    "affected_items",
    AffectedItems { has_limit_in_schema: false },
    "Components that take this status, as [{\"id\": 102}], from writing: the lowest level that fits. Default: none.",
);
pub(super) const MAINTENANCE_COMPONENTS: Argument = optional(
    "affected_items",
    AffectedItems { has_limit_in_schema: false },
    "Components under maintenance during the window, as [{\"id\": 102}], from writing. Default: none.",
);
pub(super) const ADDED_COMPONENTS: Argument = optional(
    "add_affected_items",
    AffectedItems { has_limit_in_schema: false },
    "Components that join the incident and take its status, as [{\"id\": 102}], from writing. Others stay.",
);
pub(super) const REMOVED_COMPONENTS: Argument = optional(
    "remove_affected_items",
    AffectedItems { has_limit_in_schema: false },
    "Components that leave the incident, as [{\"id\": 102}]; they turn operational unless another incident affects them.",
);
pub(super) const AFFECTED_FREETEXT: Argument = optional(
    "affected_items_freetext",
    Text(2000),
    "What is affected where no component matches, e.g. \"Checkout (EU)\". Changes no component's status.",
);
pub(super) const INCIDENT_IMPACT: Argument =
    optional("impact", Text(2000), "What customers cannot do, in one or two plain sentences.");
pub(super) const MAINTENANCE_IMPACT: Argument =
    optional("impact", Text(2000), "What customers will notice, in one or two plain sentences.");
pub(super) const EXTERNAL_ID: Argument =
    optional("external_id", Key, "Only an id that the person gives from another system; unique on the page.");
pub(super) const INCIDENT_MESSAGE: Argument = required(
    "message",
    Text(20_000),
    "Plain text for customers: what changed, what happens next. Do not say \"resolved\": this tool leaves the incident open.",
);
pub(super) const MAINTENANCE_MESSAGE: Argument = required(
    "message",
    Text(20_000),
    "Plain text for customers. For a delay: the new times with time zone; a person changes the window.",
);
pub(super) const INCIDENT_STAGE: Argument = optional(
    "lifecycle_stage_id",
    IdOrName,
    "Number of the stage to move to, from writing; the last (resolved) is refused. Default: unchanged.",
);
pub(super) const MAINTENANCE_STAGE: Argument = optional(
    "lifecycle_stage_id",
    IdOrName,
    "Number of the stage to move to, from writing; completed and cancelled are refused. In Progress starts the window at \
     once. Default: unchanged.",
);
pub(super) const WINDOW_START: Argument = required("starts_at", Time, STARTS_AT);
pub(super) const WINDOW_END: Argument = required("ends_at", Time, ENDS_AT);
