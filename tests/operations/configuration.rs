//! The simulator's key in the configuration.

use crate::support::simulator::{Settings, Simulator};
use statibeat_mcp::config::deployment_checks::SIMULATOR_KEY;

#[test]
fn the_key_that_public_servers_refuse_is_the_simulator_s() {
    assert_eq!(Simulator::identity_public_key(&Settings::local(0).identity_seed), SIMULATOR_KEY);
}
