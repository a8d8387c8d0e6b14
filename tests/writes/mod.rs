//! The four write tools: what is published, how often, and what stops it.

mod both_programs;
mod confirm_tokens;
mod confirmations;
mod contradictions;
mod create_incident;
mod duplicates;
mod idempotency;
mod maintenance_windows;
mod outcomes;
mod previews;
mod published_text;
mod repeated_calls;
mod results;
mod stopped_writes;
mod updates;
mod write_store;
