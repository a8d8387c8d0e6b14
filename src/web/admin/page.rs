//! The frame of the pages of a signed-in person: who is signed in, and the way out.

use super::super::layout::wide_page;
use super::super::reply::{self, Response};
use super::session::{HOSTED_MCP, account};
use super::view_model::AdminView;
use maud::{Markup, html};

/// A page below the Hosted MCP page, or that page itself where the title is its name.
pub(super) fn admin_page(view: &AdminView, title: &str, body: &Markup) -> Response {
    let body = html! {
        div.head { h1 { (HOSTED_MCP) } (account(&view.session.viewer, &view.form_token)) }
        (body)
    };
    let mut response = wide_page(title, &body);
    reply::name_origin_to_ourselves(&mut response);
    response
}
