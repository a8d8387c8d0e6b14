//! What went wrong on a person's way: what happened, whose turn it is, what to do.

use crate::oauth::error::ShownToPerson;
use crate::web::views::{Place, Problem};

pub struct Words {
    pub title: &'static str,
    pub happened: String,
    /// What it means, and what to do.
    pub advice: &'static str,
}

/// Back to the client with a refusal.
pub const BACK: &str = "Back to the app";
/// Back to where connections are looked after.
pub const OPEN_PAGE: &str = "Open the Hosted MCP page";

/// A problem, where somebody was on their way.
pub fn words(problem: &Problem<'_>, place: Place) -> Words {
    match place {
        Place::Connecting => connecting(problem),
        Place::HostedMcpPage => looking_after(problem),
    }
}

/// Most of these people came from an app and go back to it.
fn connecting(problem: &Problem<'_>) -> Words {
    let (title, happened, advice): (_, String, _) = match problem {
        Problem::BadLink(fault) => (
            "This app cannot be connected",
            format!("The app sent a sign-in link that StatiBeat cannot trust: {}.", bad_link(*fault)),
            "Nothing was shared. Tell the people who make the app or run this connector; they can look up the client and its redirect address. There is nothing you can change here.",
        ),
        Problem::LinkUsed => (
            "This link has been used or is too old",
            "A sign-in link works once and for ten minutes.".into(),
            "If you have just answered, look at your app: it may be connected already. Otherwise go back to it and start connecting again.",
        ),
        Problem::NotInATab => (
            "This page opens only in a tab of its own",
            "Another page tried to load it: in a frame, as an image, or before you went there.".into(),
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        Problem::OtherBrowser => (
            "This was started in another browser",
            "A connection must be finished in the browser and the tab it was started in, with cookies allowed.".into(),
            "Nothing was shared. Go back to your app and start connecting again. If somebody sent you this link, do not follow it.",
        ),
        Problem::OtherPerson => (
            "This page was shown to somebody else",
            "The form was made for another account than the one that is signed in now.".into(),
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        Problem::SignInCanceled => (
            "Sign-in was canceled",
            "You turned back before signing in to StatiBeat.".into(),
            "Nothing was shared. You can close this tab, or go back to your app and start again.",
        ),
        Problem::SignInFailed => (
            "Sign-in did not work",
            "StatiBeat's sign-in sent an answer that does not belong to this connection.".into(),
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        Problem::SignInRefused => (
            "Your account cannot connect apps",
            "StatiBeat says that this account is disabled.".into(),
            "Nothing was shared. An administrator of your organization can enable it.",
        ),
        Problem::NoPage { email, .. } => (
            "There is no status page to connect",
            format!("You are signed in as {email}, and this account can see no status page."),
            "Nothing was shared. Ask an administrator of your status page to give you a role on it, or start again with another account.",
        ),
        Problem::TooOften(wait) => (
            "Too many attempts",
            format!("Connecting was tried too often from here. It works again in {} seconds.", wait.as_secs().max(1)),
            "Nothing was shared. Wait, then go back to your app and start connecting again.",
        ),
        Problem::TryLater => (
            "Something is not answering",
            "StatiBeat or this connector cannot be reached at the moment.".into(),
            "Nothing was shared. Go back to your app in a minute and start connecting again.",
        ),
        Problem::ForeignForm | Problem::NotThere => return looking_after(problem),
    };
    Words { title, happened, advice }
}

/// There is no app to go back to.
fn looking_after(problem: &Problem<'_>) -> Words {
    let (title, happened, advice): (_, String, _) = match problem {
        Problem::ForeignForm => (
            "This form cannot be used",
            "It was not sent from a page of yours that is still current.".into(),
            "Nothing was changed. Open the Hosted MCP page again and try once more.",
        ),
        Problem::NotThere => (
            "There is nothing here",
            "What you are looking for does not exist, has ended, or is not yours to change.".into(),
            "Nothing was changed. Open the Hosted MCP page to see what there is.",
        ),
        Problem::OtherBrowser => (
            "This was started in another browser",
            "Signing in must be finished in the browser it was started in, with cookies allowed.".into(),
            "Nobody was signed in. Open the Hosted MCP page and try again. If somebody sent you this link, do not follow it.",
        ),
        Problem::SignInFailed => (
            "Sign-in did not work",
            "StatiBeat's sign-in sent an answer that does not belong to this browser.".into(),
            "Nobody was signed in. Open the Hosted MCP page and try again.",
        ),
        Problem::SignInRefused => (
            "Your account is disabled",
            "StatiBeat says so, and you are signed out here.".into(),
            "An administrator of your organization can enable it.",
        ),
        Problem::TooOften(wait) => (
            "Too many attempts",
            format!("Signing in was tried too often from here. It works again in {} seconds.", wait.as_secs().max(1)),
            "Wait, then open the Hosted MCP page again.",
        ),
        Problem::TryLater => (
            "Something is not answering",
            "StatiBeat or this connector cannot be reached at the moment.".into(),
            "Open the Hosted MCP page again in a minute. If you have just changed something, look there whether it took effect.",
        ),
        Problem::BadLink(_)
        | Problem::NotInATab
        | Problem::LinkUsed
        | Problem::OtherPerson
        | Problem::SignInCanceled
        | Problem::NoPage { .. } => return connecting(problem),
    };
    Words { title, happened, advice }
}

/// What is wrong with a link, for those who make the app.
const fn bad_link(fault: ShownToPerson) -> &'static str {
    match fault {
        ShownToPerson::MalformedQuery => "the link is not well formed",
        ShownToPerson::ClientId => "client_id is missing, repeated or not well formed",
        ShownToPerson::RedirectUriMissing => "redirect_uri is missing or repeated",
        ShownToPerson::RedirectUriShape => {
            "redirect_uri is not an https or loopback http address in its plain spelling"
        }
        ShownToPerson::RedirectUriUnlisted => "redirect_uri is not registered for this client_id",
        ShownToPerson::ClientIdForged => "this client_id was not issued here",
        ShownToPerson::ClientUnknown => "this client_id is not known here",
        ShownToPerson::TooLong => "client_id, redirect_uri and state are too long together",
    }
}
