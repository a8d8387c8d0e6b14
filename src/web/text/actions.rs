//! What a person can do to a connection: the button, the question where there is one, and what was done.

use super::connections;
use crate::web::admin::Action;

/// A button of the page. Three dots: it asks first.
pub const fn button(action: Action) -> &'static str {
    match action {
        Action::Revoke => "End connection…",
        Action::RevokeAll => "End all connections…",
        Action::Pause => "Pause writes",
        Action::Resume => "Resume writes",
        Action::ConfirmAlways => "Confirm every write",
        Action::ConfirmAsUsual => "Confirm writes as usual",
        Action::Block => "Block on this page…",
        Action::Unblock => "Unblock",
    }
}

pub const fn done(action: Action) -> &'static str {
    match action {
        Action::Revoke => "The connection is ended. Its tokens stopped working at once.",
        Action::RevokeAll => "All your connections are ended. Their tokens stopped working at once.",
        Action::Pause => "Writes are paused. The app can still read.",
        Action::Resume => "The app may post again.",
        Action::ConfirmAlways => "Every write of the app must be confirmed from now on.",
        Action::ConfirmAsUsual => "The app's writes are confirmed as usual here.",
        Action::Block => "The app is blocked on your page. For it, the page no longer exists.",
        Action::Unblock => "The block is lifted. The app can reach your page again, as far as its user's role allows.",
    }
}

/// What an action is about.
pub struct About<'a> {
    pub client: &'a str,
    pub person: &'a str,
    /// The page of a block.
    pub page: Option<&'a str>,
    /// Whether a block covers all of the person's local apps.
    pub is_loopback: bool,
}

pub struct Question {
    pub title: String,
    pub effect: String,
    pub button: &'static str,
}

pub const KEEP: &str = "Keep as it is";

/// Asks whether an action is meant.
pub fn question(action: Action, about: &About<'_>) -> Question {
    let About { client, person, .. } = *about;
    let page = about.page.unwrap_or("this page");
    let (title, effect, button) = match action {
        Action::Revoke => (
            format!("End the connection to {client}?"),
            "Its access ends at once, on every page and every computer. To use it again, connect it anew.".into(),
            "End the connection",
        ),
        Action::RevokeAll => (
            "End all your connections?".into(),
            "Access ends at once for all of these apps. To use one again, connect it anew.".into(),
            "End all connections",
        ),
        Action::Block => (
            format!("Block {client} of {person} on {page}?"),
            format!(
                "It can then neither read nor post on {page}, at once and also after connecting again, until an admin of the page lifts the block. {} {person} keeps their own role on the page.",
                connections::covered(client, person, about.is_loopback)
            ),
            "Block",
        ),
        Action::Unblock => (
            format!("Unblock {client} of {person} on {page}?"),
            "It can then do there what its user's role and consent allow.".into(),
            "Unblock",
        ),
        Action::Pause => (
            format!("Pause what {client} posts?"),
            "It can still read. Attempts to post are refused until you resume.".into(),
            "Pause writes",
        ),
        Action::ConfirmAlways => (
            format!("Confirm everything that {client} posts?"),
            "Each write is then confirmed: by you where the app can ask you, otherwise after a preview.".into(),
            "Confirm every write",
        ),
        Action::ConfirmAsUsual => (
            format!("Confirm what {client} posts as usual?"),
            "Its writes are then confirmed as everywhere here.".into(),
            "Confirm as usual",
        ),
        Action::Resume => (
            format!("Let {client} post again?"),
            "It can then post where your role and your consent allow.".into(),
            "Resume writes",
        ),
    };
    Question { title, effect, button }
}
