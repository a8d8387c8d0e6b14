//! The simulator keeps the contract: every exchange of these tests is held against `docs/statibeat-api.yaml`.

mod assertions;
mod beats;
mod document;
mod dry_run;
mod faults;
mod incident_reads;
mod incidents;
mod limits;
mod maintenances;
mod pages;
mod permissions;
mod sign_in;
mod state;
mod story;
mod suite;
mod tour;
