//! Promises of a recovery at a time, and claims that it is over.
//!
//! A time of the next update is good practice and no promise of a recovery.

use std::ops::Range;

/// Words by which a text announces the recovery.
const RECOVERIES: &[&str] = &[
    "back up",
    "back online",
    "back to normal",
    "back in",
    "back within",
    "back by",
    "back at",
    "fixed",
    "fix it",
    "resolved",
    "resolve",
    "restored",
    "restore",
    "recovered",
    "recover",
    "working again",
    "up and running",
    "operational",
    "available again",
    "mitigated",
];
/// Headings of an estimate, which need no verb.
const ESTIMATES: &[&str] = &["eta", "estimated time of recovery", "estimated recovery", "expected recovery"];
/// Before "back", these say that something else comes back than the service.
const OTHER_RETURNS: &[&str] = &[
    "roll",
    "rolled",
    "rolling",
    "switch",
    "switched",
    "fall",
    "falling",
    "fell",
    "call",
    "report",
    "reporting",
    "get",
];
const FUTURE: &[&str] = &[
    "will",
    "'ll",
    "’ll",
    "going to",
    "expect",
    "expected",
    "estimate",
    "estimated",
    "should",
    "shall",
    "plan to",
    "aim to",
    "promise",
    "guarantee",
];
/// Verbs of a report: what follows has happened, or happens always.
const REPORTING: &[&str] = &["was", "were", "is", "are", "been", "had", "has", "have", "got"];
/// The subject that the next time in a sentence belongs to, if not the recovery.
const NEXT_NEWS: &[&str] = &[
    "update",
    "updates",
    "news",
    "post",
    "inform",
    "report",
    "hear from",
    "let you know",
    "share",
    "information",
    "details",
    "communicate",
    "message",
    "review",
];
const UNITS: &[&str] = &["minute", "minutes", "min", "mins", "hour", "hours", "day", "days"];
const COUNTS: &[&str] = &[
    "a", "an", "the", "one", "two", "three", "four", "five", "ten", "fifteen", "twenty", "thirty", "few", "next",
    "half", "couple",
];
const CLOCK_WORDS: &[&str] = &[
    "noon",
    "midnight",
    "tonight",
    "tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "eod",
    "end of day",
    "the end of the day",
];

const OVER: &[&str] = &[
    "has been resolved",
    "have been resolved",
    "is resolved",
    "is now resolved",
    "are resolved",
    "are now resolved",
    "was resolved",
    "issue resolved",
    "incident resolved",
    "problem resolved",
    "is fixed",
    "is now fixed",
    "has been fixed",
    "have been fixed",
    "fully operational",
    "fully restored",
    "back to normal",
    "has been solved",
    "is over now",
    "is now over",
];
/// Names of a maintenance, words for its end, and what links them.
const WINDOWS: &[&str] = &["maintenance", "maintenance window", "window", "maintenance work", "planned work"];
const ENDED: &[&str] = &["complete", "completed", "finished", "ended", "over", "done", "cancelled", "canceled"];
const LINKS: &[&str] = &["is", "is now", "has", "has now", "has been", "has now been", "was"];
/// Before a claim in the same part of a sentence, these say that it is none yet.
const NOT_YET: &[&str] = &[
    "once",
    "until",
    "till",
    "when",
    "whenever",
    "if",
    "unless",
    "as soon as",
    "before",
    "not",
    "will",
    "should",
    "may",
    "expect",
    "expected",
    "whether",
    "partially",
    "partly",
    "to be",
    "going",
    "hope",
    "isn't",
    "hasn't",
    "mostly",
    "returning",
    "coming",
    "can be",
];

/// The part of a text that says by when it will be over.
pub fn find_promise(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    sentences(&lower).find_map(|sentence| promise_in(&lower[sentence.clone()]).map(|part| shift(&part, sentence.start)))
}

/// The part of a text that says that an incident is over.
pub fn find_claim(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let claims = OVER.iter().flat_map(|words| lower.match_indices(words).map(|(at, found)| at..at + found.len()));
    claims.filter(|claim| is_claim(&lower, claim)).min_by_key(|claim| claim.start)
}

/// The part of a text that says that a maintenance is over: `the maintenance is now complete`. One that names a part of the work, such
/// as `the upgrade is complete`, does not say so.
pub fn find_claimed_end(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let ends = WINDOWS.iter().flat_map(|window| lower.match_indices(window)).filter_map(|(start, window)| {
        let behind = lower[start + window.len()..].strip_prefix(' ')?;
        let linked = LINKS.iter().filter_map(|link| behind.strip_prefix(link)?.strip_prefix(' '));
        let ended = |rest: &str| {
            let word = rest.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
            ENDED.contains(&word).then(|| lower.len() - rest.len() + word.len())
        };
        let end = linked.chain([behind]).find_map(ended)?;
        Some(start..end)
    });
    ends.filter(|claim| is_claim(&lower, claim)).min_by_key(|claim| claim.start)
}

fn is_claim(lower: &str, claim: &Range<usize>) -> bool {
    let before = &lower[..claim.start];
    let clause = before.rfind([',', ';', '.', '!', '?', ':', '–', '—']).map_or(before, |at| &before[at..]);
    let is_whole = !before.ends_with(|last: char| last.is_alphanumeric());
    is_whole && !NOT_YET.iter().any(|words| find_words(clause, words).is_some())
}

fn shift(part: &Range<usize>, by: usize) -> Range<usize> {
    part.start + by..part.end + by
}

/// Sentences, and parts of one that a semicolon separates.
fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    let ends = text.match_indices(['.', '!', '?', ';']).map(|(at, _)| at + 1);
    let ends: Vec<usize> = ends.filter(|end| text[*end..].starts_with(' ')).chain([text.len()]).collect();
    ends.into_iter().map(move |end| std::mem::replace(&mut start, end)..end)
}

fn promise_in(sentence: &str) -> Option<Range<usize>> {
    let future = first_of(sentence, FUTURE);
    for heading in ESTIMATES {
        let Some(found) = find_words(sentence, heading) else { continue };
        if let Some(time) =
            find_time(sentence, found.end, true).filter(|time| !is_news(&sentence[found.end..time.start]))
        {
            return Some(found.start..time.end);
        }
    }
    let recovery =
        RECOVERIES.iter().filter_map(|words| find_words(sentence, words)).filter(|at| is_recovery(sentence, at));
    let recovery = recovery.min_by_key(|at| (at.start, usize::MAX - at.end))?;
    // "Back in 30 minutes": the preposition belongs to the time.
    let behind = recovery.start + sentence[recovery.clone()].find(' ').unwrap_or(recovery.len());
    if let Some(time) = find_time(sentence, behind, false) {
        let is_future = future.as_ref().is_some_and(|future| future.start < recovery.start);
        let is_reported = REPORTING.iter().any(|verb| find_words(&sentence[..recovery.start], verb).is_some());
        let is_moment = sentence[time.clone()].starts_with("at ") && !sentence[recovery.clone()].starts_with("back");
        let is_promise = is_future || !is_reported && !is_moment;
        return (is_promise && !is_news(&sentence[recovery.end.min(time.start)..time.start]))
            .then_some(recovery.start..time.end);
    }
    // "By 14:00 UTC everything will be fixed."
    let time = find_time(sentence, 0, false).filter(|time| sentence[..time.start].trim().is_empty())?;
    (future.is_some() && !is_news(sentence)).then_some(time.start..recovery.end)
}

fn is_recovery(sentence: &str, at: &Range<usize>) -> bool {
    let before = sentence[..at.start].trim_end();
    let word = before.rsplit(' ').next().unwrap_or_default();
    !sentence[at.clone()].starts_with("back") || !OTHER_RETURNS.contains(&word)
}

fn is_news(between: &str) -> bool {
    NEXT_NEWS.iter().any(|words| find_words(between, words).is_some())
}

fn first_of(text: &str, phrases: &[&str]) -> Option<Range<usize>> {
    phrases.iter().filter_map(|words| find_words(text, words)).min_by_key(|found| found.start)
}

/// The first place where these words stand by themselves.
fn find_words(text: &str, words: &str) -> Option<Range<usize>> {
    let is_letter = |character: char| character.is_alphanumeric();
    let is_whole = |at: usize| {
        let needs_start = words.starts_with(is_letter);
        let is_part = needs_start && text[..at].ends_with(is_letter);
        !is_part && !text[at + words.len()..].starts_with(is_letter)
    };
    text.match_indices(words).map(|(at, _)| at).find(|at| is_whole(*at)).map(|at| at..at + words.len())
}

/// The first time behind a place: `within 30 minutes`, `by 14:00`, `at 2 pm`, `by noon`. Behind a heading it needs no preposition.
fn find_time(sentence: &str, from: usize, is_bare: bool) -> Option<Range<usize>> {
    let mut words = Vec::new();
    let mut at = from;
    for piece in sentence[from..].split_inclusive(' ') {
        words.push((at, piece.trim_matches(|edge: char| !edge.is_alphanumeric())));
        at += piece.len();
    }
    let ends_at = |(start, word): (usize, &str)| start + sentence[start..].find(word).unwrap_or_default() + word.len();
    (0..words.len()).find_map(|index| {
        let (start, preposition) = words[index];
        let length = match preposition {
            "within" | "in" | "after" => amount(&words[index + 1..]).map(|length| length + 1),
            "by" | "at" | "before" | "until" | "around" | "till" => clock(&words[index + 1..]).map(|length| length + 1),
            _ if is_bare => amount(&words[index..]).or_else(|| clock(&words[index..])),
            _ => None,
        }?;
        Some(start..ends_at(words[index + length - 1]))
    })
}

/// The number of words in `30 minutes`, `the next two hours`, `an hour`.
fn amount(words: &[(usize, &str)]) -> Option<usize> {
    let counts = words
        .iter()
        .take_while(|(_, word)| COUNTS.contains(word) || *word == "of" || word.parse::<u32>().is_ok())
        .count();
    let unit = words.get(counts)?.1;
    let is_joined = || {
        let number = unit.trim_end_matches(|last: char| last.is_ascii_alphabetic());
        number.parse::<u32>().is_ok()
            && (UNITS.contains(&&unit[number.len()..]) || ["h", "m"].contains(&&unit[number.len()..]))
    };
    (counts > 0 && UNITS.contains(&unit) || is_joined()).then_some(counts + 1)
}

/// The number of words in `14:00`, `2 pm`, `about noon`.
fn clock(words: &[(usize, &str)]) -> Option<usize> {
    let skipped = words
        .iter()
        .take_while(|(_, word)| ["about", "around", "approximately", "the", "latest"].contains(word))
        .count();
    let (_, word) = words.get(skipped)?;
    let is_number = |text: &str| !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_clock = word
        .split_once([':', '.'])
        .is_some_and(|(hour, minute)| is_number(hour) && is_number(minute) && minute.len() == 2);
    let half_day = word.strip_suffix("am").or_else(|| word.strip_suffix("pm")).is_some_and(is_number);
    let is_hour = is_number(word)
        && words.get(skipped + 1).is_some_and(|(_, next)| ["am", "pm", "utc", "cet", "o'clock"].contains(next));
    let is_word = CLOCK_WORDS
        .iter()
        .any(|name| name.split(' ').eq(words[skipped..].iter().map(|(_, word)| *word).take(name.split(' ').count())));
    if is_hour {
        return Some(skipped + 2);
    }
    let zone =
        words.get(skipped + 1).is_some_and(|(_, next)| ["utc", "gmt", "cet", "cest", "est", "pst"].contains(next));
    (is_clock || half_day || is_word).then_some(skipped + 1 + usize::from(zone))
}
