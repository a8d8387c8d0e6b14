//! The frame of the pages of a signed-in person: who is signed in, and the way out. And the links to status pages that they name.

use super::super::layout::wide_page;
use super::super::reply::{self, Response};
use super::session::{HOSTED_MCP, account};
use super::view_model::AdminView;
use crate::model::ids::PageId;
use crate::upstream::identity::AccessiblePage;
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

/// The name of a status page, as a link to it if the person can see it.
pub(super) fn page_link(view: &AdminView, id: PageId) -> Markup {
    let url = view.accessible.iter().find(|page| page.id == id).and_then(AccessiblePage::public_url);
    html! { @if let Some(url) = url { a href=(url) rel="noreferrer" { (view.page_name(id)) } } @else { (view.page_name(id)) } }
}

/// The same for several, as a list in a sentence.
pub(super) fn page_links<'a>(view: &AdminView, ids: impl IntoIterator<Item = &'a PageId>) -> Markup {
    html! { @for (place, id) in ids.into_iter().enumerate() { @if place > 0 { ", " } (page_link(view, *id)) } }
}
