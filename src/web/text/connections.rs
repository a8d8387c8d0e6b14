//! Connected clients, as their people and the admins of pages see them.

pub const OWN: &str = "Your connected apps";
pub const NONE_OWN: &str =
    "None at the moment. Add the Resource URL to an app; once you have allowed it, it appears here.";
pub const OTHERS: &str = "Other people's apps on pages you administer";
pub const NONE_OTHERS: &str = "Nobody else has an app connected that has reached one of your pages.";
pub const PAUSED: &str = "Writes paused";
pub const CONFIRMED: &str = "Every write confirmed";
pub const BLOCKED: &str = "Blocked";
pub const BLOCKS: &str = "Apps blocked on pages you administer";
/// The time of a block.
pub const BLOCKED_SINCE: &str = "Since";
pub const DESTINATION: &str = "Access went to";
pub const MAY: &str = "May";
pub const POSTS_PUBLICLY: &str = "Posts publicly";
pub const READ_BRIDGE: &str = "Read all this through tools as well";
pub const PAGES: &str = "Pages";
pub const ALL_PAGES: &str = "All pages you can see, now and later";
/// The page of an admin that it reaches.
pub const YOUR_PAGE: &str = "Your page";
pub const SINCE: &str = "Since";
pub const LAST_USED: &str = "Last used";
pub const ENDS: &str = "Ends";

pub fn of_person(client: &str, person: &str) -> String {
    format!("{client} of {person}")
}

/// What a block covers, in a sentence.
pub fn covered(client: &str, person: &str, is_loopback: bool) -> String {
    if is_loopback {
        format!(
            "{client} runs on {person}'s computer, where any app can give itself any name. The block therefore covers every app on {person}'s computer, under any client ID. Their web apps are not affected."
        )
    } else {
        format!("The block covers {client} of {person} only. No other app can pass for it.")
    }
}

/// What a button is about, for those who hear it.
pub fn about(client: &str) -> String {
    format!("({client})")
}

/// What a button is about, for those who hear it.
pub fn about_other(client: &str, person: &str, page: &str) -> String {
    format!("({client} of {person}, {page})")
}

pub fn only(pages: &str) -> String {
    format!("Only {pages}")
}

/// A connection without a time limit.
pub fn unused_until(day: &str) -> String {
    format!("When you end it, or if unused until {day}")
}

/// A page that the person cannot see any more.
pub fn page(number: impl std::fmt::Display) -> String {
    format!("Page {number}")
}

/// The picture of its calls.
pub mod picture {
    use crate::storage::calls::CallOutcome;

    pub fn none(days: i64) -> String {
        format!("No calls in the last {days} days.")
    }

    pub fn caption(days: i64) -> String {
        format!("Calls per day, last {days} days")
    }

    /// What it shows, for those who do not see it.
    pub fn described(calls: i64) -> String {
        format!("Bar chart of {calls} calls; the numbers follow as a table")
    }

    /// The same as a table.
    pub const NUMBERS: &str = "Numbers";
    pub const DAY: &str = "Day (UTC)";
    /// Days that are not there.
    pub const OTHER_DAYS: &str = "No calls on the days that are not listed.";

    pub fn table(client: &str) -> String {
        format!("Calls per day of {client}")
    }

    pub const fn outcome(outcome: CallOutcome) -> &'static str {
        match outcome {
            CallOutcome::Answered => "Answered",
            CallOutcome::Refused => "Refused",
            CallOutcome::Failed => "Failed",
        }
    }
}
