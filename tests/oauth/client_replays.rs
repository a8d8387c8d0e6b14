//! Thirteen real clients connect, each the way it was seen to: the order in which it looks around, what it registers, where it
//! wants its answer, where it takes its scopes from, which parameters it leaves out or adds, and how it refreshes.
//!
//! `tests/clients.json` says what each sends; `tests/worker/real_clients.test.mjs` plays the same table over HTTP.

mod replay;
mod table;

use replay::replay;

/// X9
#[test]
fn claude_on_the_web_connects_steps_up_and_refreshes_early() {
    replay("Claude web");
}

/// X9
#[test]
fn claude_code_connects_without_a_handshake_and_all_its_processes_refresh_at_once() {
    replay("Claude Code");
}

/// X9
#[test]
fn chatgpt_connects_with_its_stable_id_and_steps_up_once() {
    replay("ChatGPT");
}

/// X9
#[test]
fn codex_connects_with_every_scope_at_its_callback_or_below_it() {
    replay("Codex");
}

/// X9
#[test]
fn cursor_registers_three_redirect_uris_and_connects_by_the_one_that_can_work() {
    replay("Cursor");
}

/// X9
#[test]
fn vs_code_connects_on_its_port_or_another_and_steps_up() {
    replay("VS Code");
}

/// X9
#[test]
fn zed_connects_on_any_free_port() {
    replay("Zed");
}

/// X9
#[test]
fn goose_connects_on_both_loopback_addresses_of_its_document() {
    replay("Goose");
}

/// X9
#[test]
fn gemini_cli_registers_with_an_empty_scope_and_connects_with_every_scope() {
    replay("Gemini CLI");
}

/// X9
#[test]
fn opencode_registers_the_address_at_which_it_listens() {
    replay("OpenCode");
}

/// X9
#[test]
fn copilot_cli_connects_as_a_known_app_on_any_port() {
    replay("GitHub Copilot CLI");
}

/// X9
#[test]
fn cline_connects_on_each_of_its_ports() {
    replay("Cline");
}

/// X9
#[test]
fn mcporter_registers_and_connects() {
    replay("mcporter");
}
