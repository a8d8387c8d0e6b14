//! PROMPTS: ready-made conversation starts, each naming the resources it needs.
//!
//! A task says what the result contains and what to compare. How to publish it, and what only a person can do, comes from the
//! [`NextStep`], in the same words for every prompt.

use super::prompt::PromptArgumentKind::{Choice, Components, Id, Page, Stage, Status, Text};
use super::prompt::{NextStep, Prompt, PromptArgument, PromptArgumentKind};
use super::tool::page_only;

/// Every prompt, in the order of lists: those that the product's documentation names, then the additions.
pub static PROMPTS: &[Prompt] = &[
    Prompt {
        name: "draft_customer_incident",
        title: "Draft a customer incident",
        description: "Drafts an incident from symptoms, or an update of an open one.",
        used_when: "something is broken or slow and customers should hear of it",
        arguments: &[PAGE, AFFECTED, STATUS, required("symptoms", Text, "What is going wrong, and since when.")],
        resources: &["incidents_active", "writing"],
        extras: &[],
        task: |_| {
            "Draft an incident for customers: a title of one line, a description (what fails, since when with time zone, what is \
             being done), the impact, the key of a status, and the affected components by id, the lowest level that fits; where \
             none fits, affected_items_freetext names what is affected. An open incident may cover the problem already: if one \
             does, name it (id, started_at) and draft an update to it instead."
                .to_owned()
        },
        next_step: incident_step(&["create_incident", "add_incident_update"]),
    },
    Prompt {
        name: "draft_incident_update",
        title: "Draft an incident update",
        description: "Drafts the next update of an incident from its history and what is new.",
        used_when: "there is news on an open incident, or its last update is old",
        arguments: &[PAGE, INCIDENT, optional("stage", Stage, "Stage, by number or name."), NEWS],
        resources: &["incident", "lifecycle_stages", "status_definitions"],
        extras: &[],
        task: |_| {
            "Draft the next update of this incident for customers: what changed since the last one, what is being done, and when \
             the next update comes if that is known. Say whether stage, status or affected components change, by id and key, and \
             which components are affected with which current_status now."
                .to_owned()
        },
        next_step: incident_step(&["add_incident_update"]),
    },
    Prompt {
        name: "plan_maintenance_window",
        title: "Plan a maintenance window",
        description: "Plans a maintenance window that collides with no other, and its announcement.",
        used_when: "planned work will be noticed by customers",
        arguments: &[
            PAGE,
            AFFECTED,
            required("change_summary", Text, "What is done, when (with time zone), what customers notice."),
        ],
        resources: &["maintenances_upcoming", "maintenances_active", "writing"],
        extras: &[],
        task: |_| {
            "Plan a maintenance window: start and end in RFC 3339 with the UTC offset of that day, the affected components by id, \
             and the announcement (title, description, impact). as_of is now: \"next Saturday\" counts from it, in the page's \
             time zone unless another is given. Name every window that it overlaps with (id, starts_at, ends_at) and every open \
             incident on the same components, and propose another time if there is one."
                .to_owned()
        },
        next_step: maintenance_step(&["schedule_maintenance"]),
    },
    Prompt {
        name: "review_existing_incident_state",
        title: "Review an incident",
        description: "Reviews whether an incident is still accurate, and what information customers lack.",
        used_when: "somebody asks whether an incident is still described correctly",
        arguments: &[PAGE, INCIDENT],
        resources: &["incident", "lifecycle_stages"],
        extras: &["maintenances_active"],
        task: |_| {
            "Review this incident as a customer reads it now: is its stage plausible, does its status match the current_status of \
             its components and the stages of the Beats on them, how old is the last update, may maintenance explain it, what is \
             missing or contradictory? End with the single most useful next step."
                .to_owned()
        },
        next_step: incident_step(&["add_incident_update"]),
    },
    Prompt {
        name: "summarize_current_beat_health",
        title: "Summarize Beat health",
        description: "Summarizes which Beats are in trouble, since when, and what their automation does.",
        used_when: "somebody asks how the monitored systems are doing now",
        arguments: &[PAGE],
        resources: &["beats", "beat_groups", "beat_failures"],
        extras: &["beat_actions_pending"],
        task: |_| {
            "Summarize the health of the Beats of this page: first those in stage critical, then warning, then disabled or unknown \
             ones; healthy ones as a number. For each in trouble: since when (stage_since), the evidence, its group, what its \
             public_post_mode means, and which pending action waits for a person, with its review_url."
                .to_owned()
        },
        next_step: BEATS,
    },
    Prompt {
        name: "investigate_beat_failure",
        title: "Investigate a Beat failure",
        description: "Investigates one Beat: evidence, recoveries, what else failed then.",
        used_when: "a Beat is in stage warning or critical and somebody asks why",
        arguments: &[PAGE, required("beat_id", Id, "")],
        resources: &["beat", "beat_events"],
        extras: &["maintenances_active"],
        task: |_| {
            "Investigate why this Beat fails: order its evidence and its changes of stage in time, separate what was measured from \
             what is guessed, compare with the Beats that failed within the same minutes and with open incidents and maintenance \
             on its components, and name the likeliest cause and how to check it."
                .to_owned()
        },
        next_step: BEATS,
    },
    Prompt {
        name: "review_pending_beat_action",
        title: "Review a pending Beat action",
        description: "Reviews what a Beat would post against its evidence, for the person who decides.",
        used_when: "a Beat has proposed a post and a person has to approve or reject it",
        arguments: &[PAGE, required("action_id", Id, "")],
        resources: &["beat_action"],
        extras: &["status_definitions"],
        task: |_| {
            "Review this pending Beat action for the person who decides on it: does the evidence of its Beat support what would be \
             posted, are status and affected components right, does the text suit customers? Compare it with incident_to_update and \
             with open_incidents_on_same_components: it may repeat one. Recommend to approve or to reject, with reasons, and give \
             the review_url where that is done."
                .to_owned()
        },
        next_step: BEATS,
    },
    Prompt {
        name: "draft_maintenance_update",
        title: "Draft a maintenance update",
        description: "Drafts an update of a maintenance that started, is delayed or takes longer.",
        used_when: "planned work has started, is delayed or takes longer than announced",
        arguments: &[
            PAGE,
            required("maintenance_id", Id, ""),
            optional("change", Choice(CHANGES), "started, delayed or extended."),
            optional("new_information", Text, "What is new; for a delay the new times."),
        ],
        resources: &["maintenance", "maintenance_lifecycle_stages"],
        extras: &[],
        task: |given| {
            let change = match given.get("change").map(String::as_str) {
                Some("started") => {
                    "The work has started. Name the stage to move to by its number (the one after the first means that work is \
                     going on); before starts_at it makes the window active at once, so compare as_of with starts_at."
                }
                Some("delayed") => WINDOW_STAYS[0],
                Some("extended") => WINDOW_STAYS[1],
                _ => {
                    "Say first whether it started, is delayed or takes longer, as far as the resources and the given facts tell. \
                     For a delay or an extension the message gives the new times with their time zone. An update does not move the \
                     window on the page: name the new starts_at and ends_at and the admin_url of the maintenance, where they are \
                     entered."
                }
            };
            format!(
                "Draft the next update of this maintenance for customers: what has changed, what they notice, when it ends. {change}"
            )
        },
        next_step: maintenance_step(&["add_maintenance_update"]),
    },
    Prompt {
        name: "prepare_resolution",
        title: "Prepare a resolution",
        description: "Checks that an incident is over and drafts its last message, for the person who resolves it.",
        used_when: "an incident seems to be over",
        arguments: &[PAGE, INCIDENT, NEWS],
        resources: &["incident", "lifecycle_stages"],
        extras: &["maintenances_active"],
        task: |_| {
            "Check whether this incident can be resolved, and draft its last message. Evidence: its stage, the age of its last \
             update, the current_status of its components, the Beats on them (current_stage, stage_since) and what is given. List \
             what speaks for and what against, and what nobody has checked; conclude \"ready\" or \"not yet\". The last message \
             says what was wrong, from when to when with time zone, and what customers still have to do. Give the admin_url of \
             the incident, where a person resolves it and enters that message; a status that is still set is set back there too."
                .to_owned()
        },
        next_step: incident_step(&["add_incident_update"]),
    },
];

/// Subjects of a maintenance update.
const CHANGES: &[&str] = &["started", "delayed", "extended"];

/// The parts of a task about a window whose times are no longer true.
const WINDOW_STAYS: [&str; 2] = [
    "The work starts later. The message gives the new times with their time zone. An update does not move the window on the page: \
     name the new starts_at and ends_at and the admin_url of the maintenance, where they are entered.",
    "The work takes longer. The message gives the new end with its time zone. An update does not move the window on the page: name \
     the new ends_at and the admin_url of the maintenance, where it is entered.",
];

/// Beats are changed by no tool that both programs have.
const BEATS: NextStep = NextStep {
    tools: &[],
    by_person: "Running or changing a Beat, and approving or rejecting what it proposes, is done by a person in StatiBeat, where \
                review_url leads.",
    page_tools: page_only(&["run_beat", "approve_beat_action", "reject_beat_action"]),
};

const fn incident_step(tools: &'static [&'static str]) -> NextStep {
    NextStep {
        tools,
        by_person: "Resolving, reopening, editing or deleting an incident is done by a person at its admin_url.",
        page_tools: page_only(&["resolve_incident", "reopen_incident", "update_incident", "delete_incident"]),
    }
}

const fn maintenance_step(tools: &'static [&'static str]) -> NextStep {
    NextStep {
        tools,
        by_person: "Moving, completing, cancelling or deleting a maintenance is done by a person at its admin_url.",
        page_tools: page_only(&[
            "update_maintenance",
            "complete_maintenance",
            "cancel_maintenance",
            "delete_maintenance",
        ]),
    }
}

const PAGE: PromptArgument = optional("page_id", Page, "Page; optional where there is one.");
const INCIDENT: PromptArgument = required("incident_id", Id, "");
const STATUS: PromptArgument = optional("status", Status, "Status, by key or name.");
const AFFECTED: PromptArgument = optional("affected_services", Components, "Components, by number or in words.");
const NEWS: PromptArgument = optional("new_information", Text, "What is new.");

const fn required(name: &'static str, kind: PromptArgumentKind, description: &'static str) -> PromptArgument {
    PromptArgument { name, kind, description, required: true }
}

const fn optional(name: &'static str, kind: PromptArgumentKind, description: &'static str) -> PromptArgument {
    PromptArgument { name, kind, description, required: false }
}

/// The prompt of that name.
pub fn find_prompt(name: &str) -> Option<&'static Prompt> {
    PROMPTS.iter().find(|prompt| prompt.name == name)
}
