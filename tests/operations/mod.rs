//! Operations: log, health, audit, purge, migrations, emergencies.

mod audit;
mod circuit_breaker;
mod configuration;
mod emergency;
mod erasure;
mod health;
mod listing;
mod migrations;
mod monitoring;
mod public_files;
mod purge;
mod refused_clients;
mod request_log;
mod round_trips;
mod sequential_trips;
mod storage_trace;
mod upstream_outages;
