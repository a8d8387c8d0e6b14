//! The words of an action with its targets: what its confirmation page asks, and what its note names.

use super::action::{Action, coverage};
use super::action_plan::ActionPlan;
use crate::model::ids::UserId;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Apps whose names a sentence has.
const NAMED_APPS: usize = 3;

impl ActionPlan {
    /// The apps in a sentence: their name, or their number with names.
    pub fn apps(&self) -> String {
        match &self.targets[..] {
            [only] if self.pages.is_empty() => only.client_name.clone(),
            [only] => only.name(),
            _ => format!("{} ({})", self.counts(), self.names()),
        }
    }

    /// The connections and their people by number.
    fn counts(&self) -> String {
        let people: BTreeSet<&UserId> = self.targets.iter().map(|target| &target.key.user_id).collect();
        let count = self.targets.len();
        match people.len() {
            1 if self.pages.is_empty() => format!("{count} connections"),
            1 => format!("{count} connections of {}", self.targets[0].user_name),
            people => format!("{count} connections of {people} people"),
        }
    }

    /// The first names of apps, and the number of others.
    fn names(&self) -> String {
        let names: BTreeSet<&str> = self.targets.iter().map(|target| &*target.client_name).collect();
        let shown: Vec<&str> = names.iter().take(NAMED_APPS).copied().collect();
        match names.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }

    /// The person of the only target, whose other apps could be blocked as well.
    pub fn only_person(&self) -> Option<(&UserId, &str)> {
        match &self.targets[..] {
            [only] if self.action == Action::Block => Some((&only.key.user_id, &only.user_name)),
            _ => None,
        }
    }

    /// The pages in a sentence: the page's name, or their number.
    pub fn page_names(&self) -> String {
        match &self.pages[..] {
            [only] => only.name.clone(),
            pages => format!("{} pages", pages.len()),
        }
    }

    fn subject(&self) -> String {
        let people: BTreeSet<&UserId> = self.targets.iter().map(|target| &target.key.user_id).collect();
        match (&self.targets[..], people.len()) {
            ([only], _) => only.name(),
            (targets, 1) => format!("{} apps of {}", targets.len(), targets[0].user_name),
            (targets, people) => format!("{} apps of {people} people", targets.len()),
        }
    }

    /// Title, effect and button of the confirmation page.
    pub fn question(&self) -> (String, String, &'static str) {
        let (client, count) = (&self.targets[0].client_name, self.targets.len());
        let (subject, pages) = (self.subject(), self.page_names());
        match self.action {
            Action::Revoke if count > 1 => (
                format!("End {count} of your connections?"),
                format!("This ends {}: {}. Access ends at once. To use one again, connect it again.", self.counts(), self.names()),
                "End these connections",
            ),
            Action::Revoke => (
                format!("End the connection to {client}?"),
                "Its access ends at once, on every page and every computer. To use it again, connect it again.".into(),
                "End the connection",
            ),
            Action::RevokeAll => (
                "End all your connections?".into(),
                format!("Access ends at once for all of these apps ({count}). To use one again, connect it again."),
                "End all connections",
            ),
            Action::Block => (format!("Block {subject} on {pages}?"), self.block_effect(), "Block"),
            Action::Unblock if count > 1 => (
                format!("Unblock {subject} on {pages}?"),
                format!("This lifts the blocks of {}: {}. They can then do there what their users' roles and consent allow.", self.counts(), self.names()),
                "Unblock",
            ),
            Action::Unblock => (
                format!("Unblock {subject} on {pages}?"),
                "It can then do there what its user's role and consent allow.".into(),
                "Unblock",
            ),
            Action::Pause => (
                format!("Pause what {client} posts?"),
                "It can still read. Attempts to post are refused until you resume writes.".into(),
                "Pause writes",
            ),
            Action::ConfirmAlways => (
                format!("Confirm everything that {client} posts?"),
                "Each write must then be confirmed: by you where the app can ask you, otherwise by the app after a preview.".into(),
                "Confirm every write",
            ),
            Action::ConfirmAsUsual => (
                format!("Confirm what {client} posts as usual?"),
                "Its writes then follow the usual confirmation rules.".into(),
                "Confirm as usual",
            ),
            Action::Resume => (
                format!("Let {client} post again?"),
                "It can then post where your role and your consent allow.".into(),
                "Resume writes",
            ),
        }
    }

    fn block_effect(&self) -> String {
        let pages = if self.pages.len() == 1 { self.page_names() } else { "these pages".to_owned() };
        let until = "at once and also after connecting again, until an admin of the page lifts the block";
        if let [only] = &self.targets[..] {
            let covers = coverage(&only.client_name, &only.user_name, only.is_loopback);
            return format!(
                "It can then neither read nor post on {pages}, {until}. {covers} {} keeps their own role on the page.",
                only.user_name
            );
        }
        let local = self.targets.iter().filter(|target| target.is_loopback).count();
        let covers = if local > 0 {
            format!(
                " {local} of them run on people's own computers: a block of such an app covers every app on that computer."
            )
        } else {
            String::new()
        };
        format!(
            "This blocks {} on {}: {}. They can then neither read nor post there, {until}.{covers} The people keep their own roles. To undo it, unblock the apps on the page “Blocked apps”.",
            self.counts(),
            self.page_names(),
            self.names(),
        )
    }

    /// The pages to choose among, and the apps where they are several.
    pub fn choices(&self) -> Markup {
        html! {
            @if self.pages.len() > 1 {
                fieldset {
                    legend { "Pages" }
                    div {
                        @for page in &self.pages {
                            label.choice { input type="checkbox" name="page" value=(page.id) checked; span { (page.name) } }
                        }
                    }
                }
            }
            @if self.targets.len() > 1 {
                details open[self.targets.len() <= 10] {
                    summary { "These apps (" (self.targets.len()) ")" }
                    ul { @for target in &self.targets { li { @if self.pages.is_empty() { (target.client_name) } @else { (target.name()) } } } }
                }
            }
        }
    }
}
