//! Actions on connections with their words, and the buttons and links that ask for them.

use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::session::token_field;
use crate::model::ids::PageId;
use crate::oauth::parameters::Parameters;
use crate::oauth::secret;
use crate::storage::connections::ConnectionKey;
use http::StatusCode;
use maud::{Markup, html};
use strum::{EnumString, IntoStaticStr};

/// Named in forms and addresses in kebab case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub(super) enum Action {
    /// End connections of one's own.
    Revoke,
    /// End every connection of one's own.
    RevokeAll,
    /// Pause the writes of one's own connection.
    Pause,
    Resume,
    /// Be asked about each of them.
    ConfirmAlways,
    /// Be asked about them as the environment says.
    ConfirmAsUsual,
    /// Block other people's clients on pages that one administers.
    Block,
    Unblock,
}

/// Field of the button that Enter presses.
const IDLE: &str = "entered";
/// Field of a form that a confirmation page sends; without it, such an action changes nothing.
pub(super) const CONFIRMED: &str = "confirmed";

impl Action {
    /// Three dots announce a confirmation page.
    const fn button_label(self) -> &'static str {
        match self {
            Self::Revoke => "End connection…",
            Self::RevokeAll => "End all your connections…",
            Self::Pause => "Pause writes",
            Self::Resume => "Resume writes",
            Self::ConfirmAlways => "Confirm every write",
            Self::ConfirmAsUsual => "Confirm writes as usual",
            Self::Block => "Block…",
            Self::Unblock => "Unblock…",
        }
    }

    /// The label of the button for ticked rows.
    const fn selection_label(self) -> &'static str {
        match self {
            Self::Revoke => "End the ticked ones of yours…",
            Self::Block => "Block the ticked ones…",
            Self::Unblock => "Unblock the ticked ones…",
            other => other.button_label(),
        }
    }

    /// Says why nothing was done to the ticked rows.
    pub const fn nothing_selected(self) -> &'static str {
        match self {
            Self::Revoke => "Nothing was changed: tick at least one app of your own, then end it.",
            Self::Unblock => "Nothing was changed: tick at least one app that is blocked on a page you administer.",
            _ => "Nothing was changed: tick at least one app of another person that isn't blocked yet.",
        }
    }

    pub const fn takes_access(self) -> bool {
        matches!(self, Self::Revoke | Self::RevokeAll | Self::Block)
    }

    /// Says that it is done, of which app and on which pages.
    pub fn done(self, app: &str, pages: &str) -> String {
        match self {
            Self::Revoke => format!("Access of {app} is ended. Tokens stopped working at once."),
            Self::RevokeAll => "All your connections are ended. Their tokens stopped working at once.".to_owned(),
            Self::Pause => format!("Writes of {app} are paused. It can still read."),
            Self::Resume => format!("{app} may post again, where your role allows it."),
            Self::ConfirmAlways => format!("Every write of {app} must be confirmed from now on."),
            Self::ConfirmAsUsual => format!("Writes of {app} follow the usual confirmation rules again."),
            Self::Block => format!("Blocked on {pages}: {app}. To undo it, open “Blocked apps”."),
            Self::Unblock => {
                format!("Unblocked on {pages}: {app}. Access is back, as far as the user's role allows.")
            }
        }
    }
}

/// An action as a form or an address carries it.
pub(super) struct ActionLink<'a> {
    pub action: Action,
    pub connections: &'a [ConnectionKey],
    pub page: Option<PageId>,
    /// Where the person is, to come back to.
    pub back: Option<&'a str>,
}

impl ActionLink<'_> {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("action", <&str>::from(self.action).to_owned())];
        pairs.extend(self.connections.iter().map(|key| ("connection", write_key(key))));
        pairs.extend(self.page.map(|page| ("page", page.to_string())));
        pairs.extend(self.back.map(|back| ("back", back.to_owned())));
        pairs
    }
}

/// A connection as one form field.
pub(super) fn write_key(key: &ConnectionKey) -> String {
    format!("{} {}", key.user_id, key.client_id)
}

pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A button that acts at once. `about` is read by screen readers only.
pub(super) fn button(form_token: &str, link: &ActionLink<'_>, about: &str) -> Markup {
    html! {
        form method="post" action=(Route::AdminAction.path()) {
            (token_field(form_token))
            @for (name, value) in link.pairs() { (hidden(name, &value)) }
            button.small type="submit" { (link.action.button_label().trim_end_matches('…')) span.unseen { " " (about) } }
        }
    }
}

/// A link to the confirmation page. `about` is read by screen readers only.
pub(super) fn link(link: &ActionLink<'_>, about: &str) -> Markup {
    html! {
        a.button.small.ends[link.action.takes_access()] href=(Route::AdminAction.address(link.pairs())) {
            (link.action.button_label()) @if !about.is_empty() { span.unseen { " " (about) } }
        }
    }
}

/// The address of the page of a connection.
pub(super) fn address(key: &ConnectionKey) -> String {
    Route::AdminConnection.address([("user", key.user_id.as_str()), ("client", key.client_id.as_str())])
}

/// Id of a connection's row, which actions return to.
pub(super) fn row_id(key: &ConnectionKey) -> String {
    let hash = secret::hash(&write_key(key));
    format!("c-{}", &hash.as_str()[..12])
}

/// Says which connections a block covers.
pub(super) fn coverage(client: &str, person: &str, is_loopback: bool) -> String {
    if is_loopback {
        format!(
            "{client} runs on {person}'s computer, where any app can give itself any name. A block therefore covers every app on {person}'s computer, under any client ID. Their web apps are not affected."
        )
    } else {
        format!("A block covers {client} of {person} only. No other app can pass for it.")
    }
}

/// The button that Enter in a field presses, because it is the form's first. It does nothing: see [`stay_after_enter`].
pub(super) fn idle_button() -> Markup {
    html! { button.unseen type="submit" name=(IDLE) value="1" tabindex="-1" aria-hidden="true" { "Not yet" } }
}

/// The answer to a form that Enter has sent; `None` where a button sent it. 204 leaves the browser on its page, with all that was
/// ticked and typed ([navigation](https://html.spec.whatwg.org/multipage/browsing-the-web.html#loading-a-document)).
pub(super) fn stay_after_enter(form: &Parameters) -> Option<Response> {
    form.names(IDLE).then(|| reply::empty(StatusCode::NO_CONTENT))
}

/// Buttons for the ticked rows of a list, in the form around it. Each leads to a confirmation page.
pub(super) fn selection_buttons(form_token: &str, actions: &[Action], page: Option<PageId>, back: &str) -> Markup {
    html! {
        (token_field(form_token))
        (hidden("selected", "1"))
        (hidden("back", back))
        @if let Some(page) = page { (hidden("page", &page.to_string())) }
        div.actions role="group" aria-label="Actions for the ticked rows" {
            @for action in actions { button.small.ends[action.takes_access()] type="submit" name="action" value=(<&str>::from(*action)) { (action.selection_label()) } }
        }
    }
}
