//! Proof that every rule can fail, and that what looks similar passes.

use super::source::Source;
use super::{absences, circles, imports};

/// The lines of a file at which the import table is broken.
fn import_lines(file: &str, text: &str) -> Vec<usize> {
    imports::check(&Source::parse(file, text)).iter().map(|finding| finding.line).collect()
}

/// The rules of absence that a file breaks, each named by its line.
fn absence_lines(file: &str, text: &str) -> Vec<usize> {
    let paths = ["/mcp".to_owned(), "/mcp/oauth/token".to_owned()];
    absences::check(&Source::parse(file, &format!("fn code() {{ {text}\n}}")), &paths)
        .iter()
        .map(|finding| finding.line)
        .collect()
}

#[test]
fn an_import_outside_the_row_is_found_at_its_line() {
    assert_eq!(import_lines("src/mcp/server.rs", "use crate::catalog;\nuse crate::oauth::grant;"), [2]);
    assert_eq!(import_lines("src/oauth/token.rs", "use crate::catalog::Tool;\nuse crate::model::scope::Scope;"), [1]);
    assert_eq!(import_lines("src/storage/mod.rs", "use crate::web;"), [1]);
    assert_eq!(import_lines("src/cloudflare/mod.rs", "use crate::storage::grants;\nuse crate::storage::purge;"), [1]);
    assert_eq!(import_lines("src/page/mod.rs", "use crate::hosted::bearer;"), [1]);
    assert_eq!(import_lines("src/writes/mod.rs", "use crate::storage::audit;"), [1]);
}

#[test]
fn trees_globs_and_renames_are_followed() {
    assert_eq!(import_lines("src/mcp/version.rs", "use crate::{\n  catalog,\n  oauth::{grant, pkce},\n};"), [3, 3]);
    assert_eq!(import_lines("src/config.rs", "use crate::oauth::{self, client};"), [1]);
    assert_eq!(import_lines("src/mcp/version.rs", "use crate::*;"), [1]);
    assert_eq!(import_lines("src/mcp/version.rs", "use crate::web::*;"), [1]);
    assert_eq!(import_lines("src/mcp/version.rs", "use crate as everything;"), [1]);
    assert_eq!(import_lines("src/mcp/version.rs", "use {crate::catalog, crate::web};"), [1]);
}

#[test]
fn relative_paths_are_resolved() {
    assert_eq!(
        import_lines("src/mcp/version.rs", "use super::message;\nuse super::super::web;\nuse self::inner;"),
        [2]
    );
    assert_eq!(import_lines("src/mcp/mod.rs", "use super::web;"), [1]);
    assert_eq!(import_lines("src/mcp/mod.rs", "mod tests { use super::*; use super::super::web; }"), [1]);
    assert_eq!(import_lines("src/keyring.rs", "mod tests { use super::*; use super::super::ports; }"), [1]);
}

#[test]
fn paths_in_code_macros_and_attributes_count() {
    assert_eq!(import_lines("src/mcp/version.rs", "fn f() {\n  crate::web::handle();\n}"), [2]);
    assert_eq!(import_lines("src/mcp/version.rs", "fn f() { log!(\"{}\", crate::web::X); }"), [1]);
    assert_eq!(import_lines("src/mcp/version.rs", "macro_rules! m { () => { $crate::web::X } }"), [1]);
    assert_eq!(import_lines("src/mcp/version.rs", "#[serde(with = \"crate::web::times\")] struct S;"), [1]);
    assert_eq!(import_lines("src/mcp/version.rs", "fn f(x: Vec<crate::web::X>) {}"), [1]);
}

#[test]
fn import_that_the_row_allows_passes() {
    let text = "//! crate::web in words\npub(crate) fn f(&self) { self.x(); std::mem::take(y); other::web::f(); }\n\
                use crate::catalog::{self, policy};\nuse crate::model::timestamp::Timestamp;\nuse crate::mcp::version;";
    assert_eq!(import_lines("src/mcp/server.rs", text), [] as [usize; 0]);
    assert_eq!(import_lines("src/lib.rs", "pub mod catalog;\npub mod web;"), [] as [usize; 0]);
}

#[test]
fn the_root_only_declares_modules() {
    assert_eq!(import_lines("src/lib.rs", "pub mod web;\npub use web::handle;"), [2]);
    assert_eq!(import_lines("src/lib.rs", "pub use crate::web::handle;"), [1]);
}

#[test]
fn a_binary_sees_the_library_from_outside() {
    let text =
        "mod http;\nuse crate::http::Client;\nuse statibeat_mcp::page;\nuse statibeat_mcp::web;\nuse std::io::stdin;";
    assert_eq!(import_lines("src/bin/statibeat-page-mcp/main.rs", text), [4]);
    assert_eq!(absence_lines("src/bin/statibeat-page-mcp/main.rs", text), [] as [usize; 0]);
}

#[test]
fn an_unknown_module_needs_a_row() {
    assert_eq!(import_lines("src/helpers.rs", "fn f() {}"), [1]);
    assert_eq!(import_lines("src/helpers/deep.rs", "fn f() {}"), [1]);
}

#[test]
fn a_finding_names_place_and_rule() {
    let findings = imports::check(&Source::parse("src/mcp/version.rs", "\nuse crate::web::handle;"));
    let text = findings[0].to_string();
    assert_eq!(text, "src/mcp/version.rs:2: mcp::version imports web::handle; mcp may import only catalog, model");
}

#[test]
fn the_runtime_is_named_at_its_edge_only() {
    assert_eq!(absence_lines("src/web/mod.rs", "use worker::Env;\nfn f() { js_sys::eval() }"), [1, 2]);
    assert_eq!(absence_lines("src/web/mod.rs", "use worker;"), [1]);
    assert_eq!(absence_lines("src/web/mod.rs", "fn f(worker: u8) { worker.x(); a::worker::b(); }"), [] as [usize; 0]);
    assert_eq!(absence_lines("src/cloudflare/d1.rs", "use worker::Env;"), [] as [usize; 0]);
}

#[test]
fn paths_of_ours_stand_in_the_routes_only() {
    assert_eq!(absence_lines("src/oauth/metadata.rs", "f(\"/mcp\");\nf(\"/mcp/oauth/token?x\");"), [1, 2]);
    assert_eq!(
        absence_lines("src/oauth/metadata.rs", "f(\"/mcpx\"); f(\"https://a.example/mcp\"); // \"/mcp\""),
        [] as [usize; 0]
    );
    assert_eq!(absence_lines("src/web/routes.rs", "f(\"/mcp\");"), [] as [usize; 0]);
}

#[test]
fn sql_outside_storage_is_found() {
    assert_eq!(absence_lines("src/web/admin.rs", "f(\"SELECT 1\");\nf(r#\"\n  INSERT INTO t\"#);"), [1, 2]);
    assert_eq!(absence_lines("src/web/admin.rs", "f(\"Select a page\"); f(\"please UPDATE \");"), [] as [usize; 0]);
    assert_eq!(absence_lines("src/storage/audit.rs", "f(\"SELECT 1\");"), [] as [usize; 0]);
}

#[test]
fn html_outside_files_that_render_pages_is_found() {
    assert_eq!(
        absence_lines("src/web/consent.rs", "html! { p { } }\nf(\"<p>hi</p>\");\nf(\"<!DOCTYPE html>\");"),
        [1, 2, 3]
    );
    assert_eq!(absence_lines("src/web/admin/view_model.rs", "use maud::Markup;"), [1]);
    assert_eq!(absence_lines("src/web/consent.rs", "f(\"a < b, c </ d\");"), [] as [usize; 0]);
    for file in ["src/web/consent/page.rs", "src/web/admin/index.rs"] {
        assert_eq!(absence_lines(file, "use maud::Markup; html! { p { } }"), [] as [usize; 0], "{file}");
    }
}

#[test]
fn wire_error_codes_stand_in_the_error_files_only() {
    assert_eq!(
        absence_lines("src/web/token.rs", "f(\"invalid_grant\");\nf(\"error=\\\"invalid_token\\\"\");\nf(-32601);"),
        [1, 2, 3]
    );
    assert_eq!(absence_lines("src/web/token.rs", "f(\"invalid_grants\"); f(32601); f(-32);"), [] as [usize; 0]);
    assert_eq!(absence_lines("src/oauth/error.rs", "f(\"invalid_grant\");"), [] as [usize; 0]);
    assert_eq!(absence_lines("src/mcp/error.rs", "f(-32_601);"), [] as [usize; 0]);
}

#[test]
fn only_binaries_name_the_process() {
    assert_eq!(
        absence_lines("src/web/mod.rs", "use std::io::stdin;\nuse std::env;\nf(std::env::args());\nprintln!();"),
        [1, 2, 3, 4]
    );
    assert_eq!(
        absence_lines("src/web/mod.rs", "const V: &str = env!(\"CARGO_PKG_VERSION\"); fn f(env: u8) {}"),
        [] as [usize; 0]
    );
}

#[test]
fn tests_and_documentation_are_not_searched_for_absences() {
    let text = "/// f(\"SELECT 1\")\n#[cfg(test)]\nmod tests { fn f() { g(\"SELECT 1\") } }\n#[cfg(test)]\nmod more;\nf(\"SELECT 1\");";
    assert_eq!(absence_lines("src/web/mod.rs", text), [6]);
    assert_eq!(absence_lines("src/config/tests.rs", "f(\"SELECT 1\");"), [] as [usize; 0]);
}

/// The circles among files given as name and text.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    circles::find(&files.iter().map(|(file, text)| Source::parse(file, text)).collect::<Vec<_>>())
}

#[test]
fn circle_of_files_is_found_for_every_form_of_import() {
    let third = ("src/c.rs", "fn f() { crate::a::f() }");
    let expected = [["src/a.rs", "src/b/mod.rs", "src/c.rs"]];
    for (a, b) in [
        ("use crate::b::X;", "use crate::c::f; struct X;"),
        ("fn f() -> crate::b::X {}", "fn g() { crate::c::f() }"),
        ("fn f() { html! { (crate::b::X) } }", "use crate::c::*;"),
        ("use super::b;", "use super::c::{self, f};"),
    ] {
        assert_eq!(circles_of(&[("src/a.rs", a), ("src/b/mod.rs", b), third]), expected, "{a} {b}");
    }
}

#[test]
fn parent_and_child_that_use_each_other_are_a_circle() {
    let child = ("src/a/child.rs", "use super::Shared;");
    assert_eq!(circles_of(&[("src/a/mod.rs", "mod child; struct Shared; fn f() { child::g() }"), child]).len(), 1);
    assert_eq!(circles_of(&[("src/a/mod.rs", "mod child; struct Shared; use child::g;"), child]).len(), 1);
}

#[test]
fn declaration_reexport_and_unit_test_tie_no_circle() {
    let child = ("src/a/child.rs", "use super::Shared; struct Own;");
    assert_eq!(circles_of(&[("src/a/mod.rs", "mod child; pub use child::Own; struct Shared;"), child]), [[""; 0]; 0]);
    let tested = "struct Shared; #[cfg(test)] mod tests { use super::child::Own; fn f() { crate::a::child::f() } }";
    assert_eq!(circles_of(&[("src/a/mod.rs", tested), child]), [[""; 0]; 0]);
}

#[test]
fn reexport_is_followed_to_the_file_that_defines_the_name() {
    let parent = ("src/a/mod.rs", "mod one; mod two; pub use one::One; pub use two::Two;");
    let (one, two) = (("src/a/one.rs", "use super::Two; struct One;"), ("src/a/two.rs", "struct Two;"));
    assert_eq!(circles_of(&[parent, one, two]), [[""; 0]; 0]);
    assert_eq!(circles_of(&[parent, one, ("src/a/two.rs", "use crate::a::One;")]), [["src/a/one.rs", "src/a/two.rs"]]);
}
