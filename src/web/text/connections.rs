//! Connected clients, as their people and the admins of pages see them.

/// The person's own.
pub const OWN: &str = "Your connected apps";
/// None of them.
pub const NONE_OWN: &str =
    "None at the moment. Add the Resource URL to an app; once you have allowed it, it appears here.";
/// Those of other people.
pub const OTHERS: &str = "Other people's apps on pages you administer";
/// None of them.
pub const NONE_OTHERS: &str = "Nobody else has an app connected that has reached one of your pages.";
/// A state.
pub const PAUSED: &str = "Writes paused";
/// A state.
pub const CONFIRMED: &str = "Every write confirmed";
/// A state.
pub const BLOCKED: &str = "Blocked";
/// The list of blocks.
pub const BLOCKS: &str = "Apps blocked on pages you administer";
/// The time of a block.
pub const BLOCKED_SINCE: &str = "Since";
/// Where its answer went.
pub const DESTINATION: &str = "Access went to";
/// Its scopes.
pub const MAY: &str = "May";
/// A scope that writes.
pub const POSTS_PUBLICLY: &str = "Posts publicly";
/// Reading by tools.
pub const READ_BRIDGE: &str = "Read all this through tools as well";
/// Its pages.
pub const PAGES: &str = "Pages";
/// All of them.
pub const ALL_PAGES: &str = "All pages you can see, now and later";
/// The page of an admin that it reaches.
pub const YOUR_PAGE: &str = "Your page";
/// The first approval.
pub const SINCE: &str = "Since";
/// The last call.
pub const LAST_USED: &str = "Last used";
/// Its end.
pub const ENDS: &str = "Ends";

/// A client of somebody.
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

/// Some pages.
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

    /// No call.
    pub fn none(days: i64) -> String {
        format!("No calls in the last {days} days.")
    }

    /// What it shows.
    pub fn caption(days: i64) -> String {
        format!("Calls per day, last {days} days")
    }

    /// What it shows, for those who do not see it.
    pub fn described(calls: i64) -> String {
        format!("Bar chart of {calls} calls; the numbers follow as a table")
    }

    /// The same as a table.
    pub const NUMBERS: &str = "Numbers";
    /// The column of days.
    pub const DAY: &str = "Day (UTC)";
    /// Days that are not there.
    pub const OTHER_DAYS: &str = "No calls on the days that are not listed.";

    /// The table.
    pub fn table(client: &str) -> String {
        format!("Calls per day of {client}")
    }

    /// How a call ended.
    pub const fn outcome(outcome: CallOutcome) -> &'static str {
        match outcome {
            CallOutcome::Answered => "Answered",
            CallOutcome::Refused => "Refused",
            CallOutcome::Failed => "Failed",
        }
    }
}
