//! Valid and invalid lists, with the reason for each bad entry.

use super::*;

fn pair(client_id: &str, uri: &str) -> (ClientId, RedirectUri) {
    (ClientId::parse(client_id).expect("fits"), RedirectUri::parse(uri).expect("fits"))
}

fn lists(list: &str, client_id: &str, uri: &str) -> bool {
    let (id, uri) = pair(client_id, uri);
    AllowedRedirects::parse(list).0.contains(&id, &uri)
}

/// The one problem of a list of one entry.
fn problem(entry: &str) -> (BadEntryReason, Option<String>) {
    let (allowed, mut bad) = AllowedRedirects::parse(entry);
    assert!(allowed.0.is_empty(), "{entry}");
    let BadEntry { reason, correction, .. } = bad.pop().unwrap_or_else(|| panic!("{entry} is good"));
    (reason, correction)
}

/// F1
#[test]
fn entries_are_separated_by_commas_or_white_space() {
    let list =
        ",\t a=https://a.example/cb,b=https://b.example/cb\r\n,, c=https://c.example/cb\td=https://d.example/cb \n";
    let (_, bad) = AllowedRedirects::parse(list);
    assert_eq!(bad, []);
    for name in ["a", "b", "c", "d"] {
        assert!(lists(list, name, &format!("https://{name}.example/cb")), "{name}");
    }
}

#[test]
fn known_clients_stand_for_the_pairs_of_their_vendors_own_hosts() {
    let (known, bad) = AllowedRedirects::parse("known-clients");
    assert_eq!(bad, []);
    assert_eq!(known.iter().count(), KNOWN_CLIENTS.lines().count());
    let site = |host: &str| host.rsplit('.').nth(1).expect("a domain").to_owned();
    for (client_id, redirect_uri) in known.iter() {
        let client = super::super::preregistered::find(client_id).expect("a client whose id is known");
        let id = Url::parse(client_id.as_str()).expect("a URL");
        let redirect = Url::parse(redirect_uri.as_str()).expect("a URL");
        // claude.ai and claude.com are one vendor's.
        assert_eq!(site(id.host_str().expect("a host")), site(redirect.host_str().expect("a host")), "{}", client.name);
    }
    assert!(lists("a=https://a.example/cb known-clients,b=https://b.example/cb", "b", "https://b.example/cb"));
    assert_eq!(problem("Known-Clients"), (BadEntryReason::Shape, None));
}

/// F2
#[test]
fn an_entry_is_split_at_the_one_equals_sign_before_its_redirect_uri() {
    assert!(lists(
        "https://id.example/c?x=1&y=2=https://a.example/cb?z=3",
        "https://id.example/c?x=1&y=2",
        "https://a.example/cb?z=3"
    ));
    for entry in ["a", "a=", "a=cursor://x/cb", "a:https://a.example/cb", "a=https://x=https://y.example/"] {
        assert_eq!(problem(entry), (BadEntryReason::Shape, None), "{entry}");
    }
    assert_eq!(problem("=https://a.example/cb"), (BadEntryReason::ClientId, None));
}

/// F3
#[test]
fn an_empty_list_and_a_list_without_a_good_entry_allow_nothing() {
    for list in ["", " ,\n", "a=http://a.example/cb b"] {
        assert!(!lists(list, "a", "https://a.example/cb"), "{list:?}");
    }
}

/// F4
#[test]
fn a_wrong_entry_is_named_with_its_reason_and_the_entry_that_would_be_right() {
    let cases = [
        ("a=http://a.example/cb", BadEntryReason::NotSecure, Some("a=https://a.example/cb")),
        ("a=http://2130706433/cb", BadEntryReason::NotSecure, None),
        ("a=https://a.example/cb#x", BadEntryReason::Fragment, Some("a=https://a.example/cb")),
        ("a=https://a.example/cb#", BadEntryReason::Fragment, Some("a=https://a.example/cb")),
        ("a=https://me:pw@a.example/cb", BadEntryReason::User, Some("a=https://a.example/cb")),
        ("a=https://A.example:443/x/../cb", BadEntryReason::NotPlain, Some("a=https://a.example/cb")),
        ("a=https://a.example/c\u{7}b", BadEntryReason::NotPlain, Some("a=https://a.example/c%07b")),
        ("a=https://", BadEntryReason::NotAUri, None),
        ("a=https://a.example/cb?code=1", BadEntryReason::AnswerParameter, None),
    ];
    for (entry, reason, correction) in cases {
        assert_eq!(problem(entry), (reason, correction.map(str::to_owned)), "{entry}");
    }
}

/// F4
#[test]
fn a_wrong_entry_leaves_the_others_working_and_widens_nothing() {
    let list = "a=http://a.example/cb b=https://b.example/cb c";
    assert_eq!(AllowedRedirects::parse(list).1.len(), 2);
    assert!(lists(list, "b", "https://b.example/cb"));
    assert!(!lists(list, "a", "https://a.example/cb"), "a correction is advice, not an entry");
}

#[test]
fn a_diagnosis_is_a_sentence_with_the_corrected_line() {
    let (_, bad) = AllowedRedirects::parse("a=https://a.example:443/cb");
    assert_eq!(
        bad[0].to_string(),
        "the entry \"a=https://a.example:443/cb\" has a redirect URI that is not written in its plain form: lower-case \
         host, no default port, no '..'; write a=https://a.example/cb"
    );
}

/// F5
#[test]
fn pattern_characters_mean_themselves() {
    let list = "a=https://a.example/* b=https://b.example/.+ c=https://c.example/%2a *=https://d.example/cb";
    assert!(lists(list, "a", "https://a.example/*") && !lists(list, "a", "https://a.example/cb"));
    assert!(lists(list, "b", "https://b.example/.+") && !lists(list, "b", "https://b.example/xx"));
    assert!(lists(list, "c", "https://c.example/%2a") && !lists(list, "c", "https://c.example/*"));
    assert!(lists(list, "*", "https://d.example/cb") && !lists(list, "a", "https://d.example/cb"));
}

/// F6
#[test]
fn duplicates_do_no_harm_and_clients_and_uris_combine_freely() {
    let list = "a=https://x.example/1 a=https://x.example/1 a=https://x.example/2 b=https://x.example/1";
    assert_eq!(AllowedRedirects::parse(list).1, []);
    assert!(lists(list, "a", "https://x.example/1") && lists(list, "a", "https://x.example/2"));
    assert!(lists(list, "b", "https://x.example/1") && !lists(list, "b", "https://x.example/2"));
}

#[test]
fn only_the_origin_of_a_listed_web_address_is_a_listed_origin() {
    let list = "acme=https://acme.example:8443/cb tool=http://localhost:5/cb";
    let (allowed, bad) = AllowedRedirects::parse(list);
    assert!(bad.is_empty() && allowed.has_origin("https://acme.example:8443"));
    for other in ["https://acme.example", "http://acme.example:8443", "http://localhost:5", "null", ""] {
        assert!(!allowed.has_origin(other), "{other}");
    }
}

#[test]
fn a_password_without_a_user_name_is_a_user_too() {
    let (_, bad) = AllowedRedirects::parse("acme=https://:secret@acme.example/cb");
    assert_eq!(bad[0].reason, BadEntryReason::User);
}
