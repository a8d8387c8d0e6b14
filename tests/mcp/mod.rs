//! The MCP endpoint: protocol, lists, reads, prompts.

mod access_matrix;
mod alternatives;
pub mod bad_arguments;
mod client_serialization;
mod completion;
mod contents;
mod contract_fields;
mod error_hints;
mod message_limit;
mod prompts;
mod protocol;
mod references;
mod remembered_pages;
mod request_bytes;
mod resource_tools;
mod resources;
mod schema;
mod skills;
mod snapshots;
mod token_budget;
mod tool_list;
