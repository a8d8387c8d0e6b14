//! The retired words: names that the project once used and the word of the field that stands there now.

/// A word that no identifier contains, in any case: `Mandate` also forbids `ParsedMandate` and `parse_mandate`.
pub const RETIRED_WORDS: &[(&str, &str)] = &[
    ("breaking", "CircuitBreaker"),
    ("checkup", "diagnosis"),
    ("dialogue", "input request, elicitation"),
    ("doctor", "diagnosis"),
    ("dress", "into_response"),
    ("era", "ProtocolVersion, has_handshake"),
    ("gathering", "usage buffer"),
    ("heard", "set_route, set_caller, set_reason"),
    ("legacy", "has_handshake"),
    ("ledger", "RequestLog"),
    ("lint", "checks::text"),
    ("mandate", "on-behalf-of claims"),
    ("patience", "timeout"),
    ("probing", "half-open"),
    ("spent", "redeemed, rotated"),
    ("standing", "ClientTrust"),
    ("surroundings", "Environment"),
    ("tally", "usage"),
    ("trouble", "Reason, is_transient"),
    ("twin", "duplicate"),
    ("unfit", "ContractViolation"),
    ("verdict", "CheckResult"),
    ("visitor", "session"),
    ("wish", "approval"),
];

/// A name that says nothing alone, in this case of letters: `Call` is no type, while `call` is a good verb for a function. It may
/// be part of a longer name.
pub const RETIRED_NAMES: &[(&str, &str)] = &[
    ("act", "actions"),
    ("Answer", "the thing it answers"),
    ("Api", "Client"),
    ("asked", "fingerprint, request"),
    ("at", "the time's or position's name"),
    ("because", "reason"),
    ("Bound", "RequestBinding"),
    ("bridge", "resource tools"),
    ("Call", "the thing that is called"),
    ("Connector", "Client"),
    ("cut_off", "blocked"),
    ("End", "Outcome"),
    ("Ended", "Outcome"),
    ("Ending", "WriteError"),
    ("Envelope", "on-behalf-of claims"),
    ("facts", "connection"),
    ("finding", "CheckResult"),
    ("gone", "the state's name"),
    ("GrantFault", "InvalidGrantReason"),
    ("Granted", "Approved"),
    ("Kind", "the thing whose kind it is"),
    ("look", "connection"),
    ("looked", "the result's name"),
    ("Lost", "AlreadyRedeemed"),
    ("Made", "WriteReport"),
    ("may_pass", "is_transient"),
    ("modern", "has_handshake"),
    ("NoCaller", "BearerError"),
    ("NotAsked", "CircuitOpen"),
    ("NotDone", "WriteError"),
    ("noted", "the result's name"),
    ("of", "the relation's name"),
    ("outside", "Environment"),
    ("PageApi", "PageClient"),
    ("Parties", "on-behalf-of claims"),
    ("party", "client"),
    ("pinned", "preregistered"),
    ("Posted", "WriteReport"),
    ("Problem", "the thing that is wrong"),
    ("Program", "ClientInfo"),
    ("Question", "input request"),
    ("Race", "Redemption"),
    ("reach", "page_access"),
    ("reading", "resource tools"),
    ("recognize", "parse"),
    ("Refusal", "the thing that is refused"),
    ("reveal", "expose"),
    ("Revision", "ProtocolVersion"),
    ("Seal", "RequestState, confirm token"),
    ("SentToClient", "RedirectError"),
    ("ShownToPerson", "DirectError"),
    ("Surface", "ServerHandler"),
    ("told", "the result's name"),
    ("Told", "Respond"),
    ("transaction", "authorization request"),
    ("twins", "duplicates"),
    ("visit", "authorization request"),
    ("Way", "PageTransport"),
    ("Won", "Redeemed"),
];

/// Words that no test name contains, and the words to use.
pub const RETIRED_TEST_WORDS: &[(&str, &str)] = &[
    ("garbage", "malformed, forged"),
    ("hurts", "the effect"),
    ("nobody", "no call, no query, no user"),
    ("nobodys", "no call, no query, no user"),
    ("remarked", "warns"),
    ("said", "the error, warning or field that says it"),
    ("somebody", "the person's role"),
    ("stands", "contains, is served"),
    ("struck", "removed"),
    ("told", "the error, warning or field that says it"),
    ("visit", "authorization request"),
    ("visits", "authorization requests"),
    ("whatever", "for any, despite"),
    ("whoever", "the person's role"),
];

/// Words that no test name begins with: a name begins with its subject.
pub const TEST_BEGINNINGS: &[&str] =
    &["how", "of", "what", "when", "where", "whether", "while", "who", "why", "with", "without"];

/// The fault of a test name, if it does not say subject, input and expectation.
pub fn fault_of_test(name: &str) -> Option<String> {
    let words = words_of(name);
    if words.first().is_some_and(|first| TEST_BEGINNINGS.contains(&first.as_str())) {
        return Some("begins without its subject: say subject, input, expectation".to_owned());
    }
    let retired = RETIRED_TEST_WORDS.iter().find(|(retired, _)| words.iter().any(|word| word == retired));
    retired.map(|(retired, instead)| format!("contains {retired}: say {instead}"))
}

// Words of the guide that the field also uses in another sense are left to readers: seal (of authenticated encryption), claim (of a JWT), digest (of SHA-256),
// known, item (of a list), owner, handle, hold, program, tag, fault, names, overlap, window (maintenance window), service, clock.

/// The words of a name: `NotYetPosted` and `not_yet_posted` are "not yet posted".
pub fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        if character == '_' || (character.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = character.is_lowercase() || character.is_numeric();
        if character != '_' {
            words.last_mut().expect("a word").extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The word of the field that stands where a name has a retired one.
pub fn replacement(name: &str) -> Option<&'static str> {
    let words = words_of(name);
    let by_word = RETIRED_WORDS.iter().find(|(retired, _)| words.iter().any(|word| word == retired));
    let by_name = RETIRED_NAMES.iter().find(|(retired, _)| *retired == name);
    by_word.or(by_name).map(|(_, instead)| *instead)
}
