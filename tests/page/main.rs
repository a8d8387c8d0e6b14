//! The page server natively: lines go in and come out as over the pipe, with the simulator behind every call to StatiBeat.
//! What only the built program can show stands in the tests beside this file, and at the end of `bad_arguments`.

#[path = "../tables/calls.rs"]
mod calls;
#[path = "../support/references.rs"]
mod known_names;
#[path = "../support/rmcp_types.rs"]
mod rmcp_types;
mod support;

mod bad_arguments;
mod references;
mod results;
mod token_permissions;
mod write_store;
