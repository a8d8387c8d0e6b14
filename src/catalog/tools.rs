//! TOOLS: everything a client can do. A tool is one argument type and what its call means upstream.

// The page server's alone, so the worker does not carry them.
#[cfg(not(target_arch = "wasm32"))]
pub mod beats;
mod definition;
#[cfg(not(target_arch = "wasm32"))]
pub mod incident_actions;
pub mod incidents;
#[cfg(not(target_arch = "wasm32"))]
pub mod maintenance_actions;
pub mod maintenances;
pub mod reading;
mod report;

use super::tool::Tool;

/// Every tool, in the order of lists.
pub static TOOLS: &[Tool] = &[
    incidents::CREATE_INCIDENT,
    incidents::ADD_INCIDENT_UPDATE,
    maintenances::SCHEDULE_MAINTENANCE,
    maintenances::ADD_MAINTENANCE_UPDATE,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::UPDATE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::ACKNOWLEDGE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::RESOLVE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::REOPEN_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::DELETE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::UPDATE_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::COMPLETE_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::CANCEL_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::DELETE_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    beats::RUN_BEAT,
    #[cfg(not(target_arch = "wasm32"))]
    beats::APPROVE_BEAT_ACTION,
    #[cfg(not(target_arch = "wasm32"))]
    beats::REJECT_BEAT_ACTION,
];

/// The tool of that name.
pub fn find_tool(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}
