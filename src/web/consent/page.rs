//! The consent page, and the pages that lead from it to the client or back to sign-in.

use super::super::layout::{destination, first_of, lifetime_label, page_with_head, trust_label, wide_card};
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::super::time::ZonedClock;
use super::choice::{Choice, KEEP_EARLIER, MissingChoice, lifetime_as_before};
use crate::model::scope::{Scope, ScopeSet};
use crate::oauth::client::redirect::RedirectKind;
use crate::oauth::client::{ClientTrust, ResolvedClient};
use crate::oauth::grant::{GrantLifetime, PageChoice};
use crate::storage::authorization_requests::SignedIn;
use crate::storage::grants::EarlierGrant;
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use maud::{Markup, html};
use url::Url;

pub(super) struct ConsentPage<'a> {
    pub client: &'a ResolvedClient,
    pub person: &'a SignedIn,
    pub pages: &'a [AccessiblePage],
    pub requested: ScopeSet,
    pub earlier: Option<&'a EarlierGrant>,
    pub choice: &'a Choice,
    pub offers_resource_tools: bool,
    pub clock: ZonedClock,
    pub consent_token: &'a str,
}

/// Value of `answer` where Enter sent the form.
pub const NO_ANSWER: &str = "none";

impl ConsentPage<'_> {
    pub fn show(&self) -> Response {
        self.response(StatusCode::OK, &html! {})
    }

    /// Shows the form again, with the choices made so far and what is missing.
    pub fn show_missing(&self, missing: MissingChoice) -> Response {
        let mut steps = Vec::new();
        if missing.has_no_scope {
            steps.push("tick at least one thing that the app may do");
        }
        if missing.has_no_page {
            steps.push("choose at least one page, or all pages");
        }
        let note = html! { p.note role="alert" { "Nothing is connected yet: " (steps.join(", and ")) "." } };
        self.response(StatusCode::UNPROCESSABLE_ENTITY, &note)
    }

    /// The form with the choices made so far, after Enter in a field.
    pub fn ask_for_answer(&self) -> Response {
        let note = html! { p.note role="status" { "Nothing is connected yet: press Allow or Don't allow below." } };
        self.response(StatusCode::OK, &note)
    }

    fn response(&self, status: StatusCode, note: &Markup) -> Response {
        let title = format!("Connect {} to StatiBeat?", self.client.name);
        let body = html! {
            h1 { (title) }
            (note)
            @if let Some(earlier) = self.earlier { (self.before(earlier)) }
            form method="post" action=(Route::Consent.path()) {
                (default_button())
                (self.hidden_fields())
                div.columns {
                    div { (self.account()) (warnings(self.client)) (self.reads()) }
                    div { (self.writes()) (self.page_choice()) (self.lifetimes()) (self.replacement()) }
                }
                div.answer {
                    p.soft {
                        "It can never do more than your own role on a page allows. It can't delete anything, resolve incidents or change settings. "
                        "You can end this connection at any time on the " a href=(Route::AdminPage.path()) { "Hosted MCP page" } ". Signing out of the app or removing it doesn't end it."
                    }
                    div.actions {
                        button.main type="submit" name="answer" value="approve" { "Allow" }
                        button type="submit" name="answer" value="deny" { "Don't allow" }
                    }
                }
            }
            form #switch method="post" action=(Route::Consent.path()) { (self.hidden_fields()) }
        };
        let mut response = wide_card(status, &title, &body);
        reply::name_origin_to_ourselves(&mut response);
        response
    }

    /// The earlier approval, whose choices are filled in.
    fn before(&self, earlier: &EarlierGrant) -> Markup {
        let on = self.clock.day(earlier.created_at);
        let pages = match &earlier.pages {
            PageChoice::All => "all pages".to_owned(),
            PageChoice::These(chosen) => {
                let names = self.pages.iter().filter(|page| chosen.contains(&page.id)).map(|page| page.name.as_str());
                first_of(&names.collect::<Vec<_>>())
            }
        };
        let sentences: Vec<&str> = earlier.scopes.iter().map(Scope::consent_sentence).collect();
        html! {
            @if earlier.is_live {
                p.note { "This app is already connected since " (on) ", on " (pages) ", with: " (sentences.join("; ")) ". Your earlier choices are filled in; you can change any of them." }
            } @else {
                p.note { "You connected this app before, on " (on) ". That connection has ended. Your choices from then are filled in, without posting; you can change any of them." }
            }
        }
    }

    /// The number of people whom a post notifies, where StatiBeat gives it, on the pages where the person may post.
    fn subscribers(&self) -> Option<String> {
        let may_post =
            |page: &&AccessiblePage| ScopeSet::all().writes().iter().any(|scope| page.allows(scope.page_permission()));
        let counts = self.pages.iter().filter(may_post).filter_map(|page| Some((page, page.subscriber_count()?)));
        let counts: Vec<String> = counts
            .map(|(page, count)| format!("{count} {} on {}", if count == 1 { "person" } else { "people" }, page.name))
            .collect();
        let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
        (!counts.is_empty()).then(|| first_of(&counts))
    }

    /// The choice of what becomes of the earlier approval that still counts.
    fn replacement(&self) -> Markup {
        let replaces = self.choice.replaces_earlier;
        html! {
            @if self.earlier.is_some_and(|earlier| earlier.is_live) {
                fieldset {
                    legend { "What it was allowed before" }
                    label.choice { input type="radio" name="earlier" value="replace" checked[replaces]; span { "Replace it: nothing beyond these choices stays allowed, on any computer" } }
                    label.choice { input type="radio" name="earlier" value=(KEEP_EARLIER) checked[!replaces]; span { "Keep it as it is, and add this" } }
                }
            }
        }
    }

    fn hidden_fields(&self) -> Markup {
        html! {
            input type="hidden" name="request" value=(self.consent_token);
            input type="hidden" name="person" value=(self.person.user_id);
        }
    }

    /// The button to switch accounts belongs to another form, which has no choices to send.
    fn account(&self) -> Markup {
        let client = self.client;
        html! {
            dl.details {
                dt { "App" }
                dd {
                    (client.name) " "
                    span.tag.(if client.trust.is_verified() { "good" } else { "warn" }) { (trust_label(client.trust)) }
                    @if let Some(site) = client.site() { " " a href=(site) target="_blank" rel="noopener noreferrer" { "Website" span.unseen { " of " (client.name) ", in a new tab" } } }
                    @if client.id.as_str().starts_with("https://") { br; span.soft { (client.id.as_str()) } }
                }
                dt { "Access goes to" } dd { (destination(&client.redirect_uri.host())) }
                dt { "Your account" }
                dd {
                    (self.person.name) br; span.soft { (self.person.email) }
                    br; button.link type="submit" form="switch" name="answer" value="switch" { "Use another account" }
                }
            }
        }
    }

    /// Check boxes of the requested read scopes.
    fn reads(&self) -> Markup {
        let reads: Vec<Scope> = self.requested.iter().filter(|scope| !scope.is_write()).collect();
        html! {
            @if !reads.is_empty() {
                fieldset {
                    legend { "It may read" }
                    @for scope in reads { (self.scope_choice(scope)) }
                    (self.resource_tools())
                }
            }
        }
    }

    /// The resource tools check box; for a tool-only client without it, a note that the client won't be able to read.
    fn resource_tools(&self) -> Markup {
        let (name, is_tool_only) = (&self.client.name, self.client.is_tool_only());
        html! {
            @if self.offers_resource_tools {
                label.choice {
                    input type="checkbox" name="resource_tools" value="on" checked[self.choice.has_resource_tools];
                    span {
                        "Read all of this through tools as well, for apps that only support tools. This allows nothing more."
                        @if is_tool_only { span.limit { (name) " only supports tools: without this it can post, but not read." } }
                    }
                }
            } @else if is_tool_only {
                p.note { (name) " only supports tools, and reading through tools is switched off on this server: it can post, but not read." }
            }
        }
    }

    /// All write scopes; the ones that were not requested are unticked.
    fn writes(&self) -> Markup {
        html! {
            fieldset {
                legend { "It may post publicly, in your name" }
                p.soft.hint { "Posts appear publicly at once and notify subscribers" @if let Some(counts) = self.subscribers() { " (" (counts) ")" } ". Leave these unticked if it should only read." }
                @for scope in Scope::ALL.iter().copied().filter(|scope| scope.is_write()) { (self.scope_choice(scope)) }
            }
        }
    }

    fn scope_choice(&self, scope: Scope) -> Markup {
        html! {
            label.choice {
                input type="checkbox" name="scope" value=(scope.as_str()) checked[self.choice.scopes.contains(scope)];
                span {
                    (scope.consent_sentence())
                    code { (scope.as_str()) }
                    @if self.is_left_from_last_time(scope) { span.limit { "You allowed this last time." } }
                    @if let Some(limit) = role_limit(self.pages, scope) { span.limit { (limit) } }
                }
            }
        }
    }

    /// The style sheet hides the list of pages while "all" is chosen.
    fn page_choice(&self) -> Markup {
        let is_all = self.choice.pages == PageChoice::All;
        let names: Vec<&str> = self.pages.iter().map(|page| page.name.as_str()).collect();
        let is_ticked = |page: &AccessiblePage| !is_all && self.choice.pages.contains(page.id);
        html! {
            fieldset.pages {
                legend { "On which pages" }
                label.choice {
                    input type="radio" name="pages" value="all" checked[is_all];
                    span { "All pages I can see, now and later" span.soft.under { "Now: " (first_of(&names)) } }
                }
                label.choice { input.these type="radio" name="pages" value="these" checked[!is_all]; span { "Only these pages" } }
                div.list role="group" aria-label="Pages" {
                    @for page in self.pages {
                        label.choice { input type="checkbox" name="page" value=(page.id) checked[is_ticked(page)]; span { (page.name) } }
                    }
                }
            }
        }
    }

    /// Returns whether a scope was granted before and is not ticked now.
    fn is_left_from_last_time(&self, scope: Scope) -> bool {
        let was_granted = self.earlier.is_some_and(|earlier| earlier.is_live && earlier.scopes.contains(scope));
        was_granted && scope.is_write() && !self.choice.scopes.contains(scope)
    }

    fn lifetimes(&self) -> Markup {
        let label = |lifetime| match lifetime {
            GrantLifetime::Until(end) => html! { "As before, until " (self.clock.moment(end)) },
            lifetime => html! { (lifetime_label(lifetime)) },
        };
        let as_before = self.earlier.and_then(lifetime_as_before);
        html! {
            fieldset {
                legend { "For how long" }
                div.row {
                    @for lifetime in as_before.into_iter().chain(GrantLifetime::CHOICES) {
                        label.choice { input type="radio" name="lifetime" value=(lifetime) checked[lifetime == self.choice.lifetime]; span { (label(lifetime)) } }
                    }
                }
            }
        }
    }
}

fn warnings(client: &ResolvedClient) -> Markup {
    let is_local = client.redirect_uri.kind() == RedirectKind::Loopback;
    html! {
        @if is_local || !client.trust.is_verified() {
            div.note {
                @if client.trust == ClientTrust::Registered { p { "The app chose its name itself. Nobody has checked it." } }
                @if client.trust == ClientTrust::Unverified { p { "Nothing is known about this app. Nobody has checked it." } }
                @if is_local { p { "It runs on this computer. Continue only if you've just started connecting it yourself: any program here could use the same name." } }
            }
        }
    }
}

/// Warns where the person's role does not allow a scope.
fn role_limit(pages: &[AccessiblePage], scope: Scope) -> Option<String> {
    let refusing: Vec<&str> =
        pages.iter().filter(|page| !page.allows(scope.page_permission())).map(|page| page.name.as_str()).collect();
    match refusing.len() {
        0 => None,
        count if count == pages.len() => {
            Some("No effect for now: your role doesn't allow it on any of your pages.".to_owned())
        }
        _ => Some(format!("Not on {}: your role there doesn't allow it.", first_of(&refusing))),
    }
}

/// Sends the browser to the client. A page, because `form-action` applies to every redirect after a form post.
pub(super) fn redirect_to_client(location: &Url, client: &ResolvedClient, granted: Option<ScopeSet>) -> Response {
    let name = &client.name;
    let may_not_post = granted.is_some_and(|granted| !granted.iter().any(Scope::is_write));
    let (title, happened, advice) = if granted.is_some() {
        (
            "Connected",
            format!("{name} is connected. You're being sent back to it."),
            "When the app says that it's connected, you can close this tab.",
        )
    } else {
        (
            "Not connected",
            format!("{name} was not connected. You're being sent back to it."),
            "Nothing was shared. You can close this tab.",
        )
    };
    let body = html! {
        h1 { (title) }
        p { (happened) }
        @if may_not_post {
            p { "It can read, but not post. To allow posting later, connect it again and tick what it may post." }
        }
        p.actions { a.button.main href=(location) { "Continue to " (name) } }
        p.soft { (advice) }
    };
    page_with_head(StatusCode::OK, title, &refresh(location), &body)
}

/// Sends the browser to StatiBeat's sign-in after a form post; a page for the same reason as [`redirect_to_client`].
pub(super) fn redirect_to_sign_in(location: &Url) -> Response {
    let title = "Choose an account";
    let body = html! {
        h1 { (title) }
        p { "You're being sent to StatiBeat's sign-in." }
        p.actions { a.button.main href=(location) { "Continue to sign-in" } }
    };
    page_with_head(StatusCode::OK, title, &refresh(location), &body)
}

fn refresh(location: &Url) -> Markup {
    html! { meta http-equiv="refresh" content={ "0;url=" (location) }; }
}

/// The button that Enter in a field presses, because it is the form's first
/// ([implicit submission](https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#implicit-submission)). It answers
/// nothing. A disabled one would not do: Chromium passes it over for the next, which is "Allow".
fn default_button() -> Markup {
    html! { button.unseen type="submit" name="answer" value=(NO_ANSWER) tabindex="-1" aria-hidden="true" { "Not yet" } }
}
