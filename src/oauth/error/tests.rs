//! Codes, statuses and words of every reason.

use super::*;
use strum::VariantArray as _;

#[test]
fn a_parked_fault_reads_back() {
    for fault in RedirectError::VARIANTS {
        let parked = serde_json::to_string(fault).expect("JSON");
        assert_eq!(serde_json::from_str::<RedirectError>(&parked).ok(), Some(*fault));
    }
}

#[test]
fn every_fault_of_a_request_has_its_registered_code() {
    let codes = RedirectError::VARIANTS.iter().map(|fault| fault.code());
    let expected = [
        "invalid_request",
        "invalid_request",
        "unsupported_response_type",
        "invalid_request",
        "invalid_request",
        "invalid_request",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "invalid_request",
        "request_not_supported",
        "request_uri_not_supported",
        "interaction_required",
        "access_denied",
        "temporarily_unavailable",
    ];
    assert!(codes.eq(expected));
}

#[test]
fn only_failures_by_its_own_fault_count_against_a_sender() {
    let ours = [TokenError::Unavailable, TokenError::Storage("down".into()), TokenError::RateLimited(1)];
    let theirs = [TokenError::ClientId, TokenError::InvalidGrant(InvalidGrantReason::Replayed)];
    assert!(
        ours.iter()
            .chain([&TokenError::InvalidGrant(InvalidGrantReason::Redeemed)])
            .all(|error| !error.is_caused_by_sender())
    );
    assert!(theirs.iter().all(TokenError::is_caused_by_sender));
}

#[test]
fn a_reason_is_one_of_our_own_words() {
    let of = |fault: InvalidGrantReason| TokenError::InvalidGrant(fault).reason();
    let ended = [
        InvalidGrantReason::Expired,
        InvalidGrantReason::Replayed,
        InvalidGrantReason::Revoked,
        InvalidGrantReason::UserEnded,
    ];
    assert_eq!(ended.map(of), ["expired", "replayed", "revoked", "user_ended"]);
    assert_eq!((of(InvalidGrantReason::OtherClient), of(InvalidGrantReason::Redeemed)), ("other_client", "request"));
    let others = [TokenError::Resource, TokenError::RateLimited(1), TokenError::Storage("x".into())];
    assert_eq!(others.each_ref().map(TokenError::reason), ["resource", "limited", "unavailable"]);
    assert_eq!(TokenError::ResourceNotServed("https://other.example".into()).reason(), "resource");
    assert_eq!(TokenError::MalformedBody.reason(), "request");
}

#[test]
fn a_record_names_the_very_fault() {
    let of = |fault: InvalidGrantReason| TokenError::InvalidGrant(fault).word();
    let ended = [
        InvalidGrantReason::Expired,
        InvalidGrantReason::Replayed,
        InvalidGrantReason::Revoked,
        InvalidGrantReason::UserEnded,
    ];
    assert_eq!(ended.map(of), ["expired", "replayed", "revoked", "user_ended"]);
    assert_eq!(
        [InvalidGrantReason::Verifier, InvalidGrantReason::Redeemed, InvalidGrantReason::NotOurs].map(of),
        ["verifier", "redeemed", "not_ours"]
    );
    let others = [TokenError::MalformedBody, TokenError::ClientSecret, TokenError::Storage("x".into())];
    assert_eq!(others.each_ref().map(TokenError::word), ["malformed_body", "client_secret", "storage_unavailable"]);
}

#[test]
fn a_description_says_what_to_do() {
    assert_eq!(TokenError::Missing("code").description(), "code is missing");
    let resource = Url::parse("https://mcp.example/mcp").expect("a URL");
    let expected = "resource is not served here: send https://mcp.example/mcp or no resource";
    assert_eq!(TokenError::ResourceNotServed(resource.to_string()).description(), expected);
    assert_eq!(RedirectError::Resource.description(&resource), expected);
    assert_eq!(TokenError::RateLimited(7).description(), "too many requests: try again in 7 seconds");
}

#[test]
fn descriptions_keep_to_the_characters_rfc_6749_allows() {
    let resource = Url::parse("https://mcp.example/mcp").expect("a URL");
    let printable = |text: &str| text.bytes().all(|b| (0x20..=0x7e).contains(&b) && b != b'"' && b != b'\\');
    for fault in RedirectError::VARIANTS {
        assert!(printable(&fault.description(&resource)), "{fault:?}");
    }
    let not_served = TokenError::ResourceNotServed(resource.into());
    for fault in [TokenError::MalformedBody, TokenError::Missing("code"), TokenError::RateLimited(3), not_served] {
        assert!(printable(&fault.description()), "{fault:?}");
    }
}

#[test]
fn every_kind_of_dead_grant_answers_alike() {
    let spent = TokenError::InvalidGrant(InvalidGrantReason::Redeemed);
    let unknown = TokenError::InvalidGrant(InvalidGrantReason::NotOurs);
    assert_eq!(
        (spent.code(), spent.status(), spent.description()),
        (unknown.code(), unknown.status(), unknown.description())
    );
}
