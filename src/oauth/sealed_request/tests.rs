use super::*;
use crate::model::scope::Scope;
use crate::oauth::client::allowed::AllowedRedirects;
use crate::oauth::pkce::CodeChallenge;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn key(seed: u8) -> String {
    format!("k{seed}:{}", URL_SAFE_NO_PAD.encode([[seed; 31].as_slice(), &[9]].concat()))
}

fn ring(text: &str, environment: &str) -> KeyRing {
    KeyRing::parse(text, environment).expect("a good ring")
}

/// The clients of a deployment that accepts unverified ones, or none.
fn with_clients<T>(accepts_unverified: bool, check: impl FnOnce(&Clients<'_>) -> T) -> T {
    let (allowed, _) = AllowedRedirects::parse("");
    check(&Clients { allowed: &allowed, registrations: &ring(&key(7), "test"), accepts_unverified })
}

fn request(state: &str) -> AuthorizationRequest {
    let client = with_clients(true, |clients| clients.resolve("tool", "http://localhost:1/cb")).expect("accepted");
    let challenge = CodeChallenge::parse(CHALLENGE).expect("fits");
    let access = Ok(RequestedAccess { challenge, scopes: Scope::PagesRead.into() });
    AuthorizationRequest { client, state: Some(state.to_owned()), access }
}

fn state(seed: u8, ring: &KeyRing) -> SignInState {
    SignInState::issue(&[seed; 32], ring)
}

fn sealed(request: &AuthorizationRequest, ring: &KeyRing) -> String {
    seal(request, &state(1, ring), "binding", ring, NOW).expect("it fits")
}

fn opened(text: &str, state: &SignInState, ring: &KeyRing, after: u64) -> Result<OpenedRequest, SealError> {
    let now = NOW + std::time::Duration::from_secs(after);
    with_clients(true, |clients| open(text, state, ring, clients, now))
}

#[test]
fn sealed_request_opens_as_it_was_until_ten_minutes_have_passed() {
    let ring = ring(&key(1), "test");
    let failed = AuthorizationRequest { access: Err(RedirectError::Scope), ..request("x") };
    for request in [request("a \"ü\" \u{0}"), AuthorizationRequest { state: None, ..request("x") }, failed] {
        let text = sealed(&request, &ring);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{text}");
        let found = opened(&text, &state(1, &ring), &ring, 599).expect("it opens");
        assert_eq!((&found.request, found.binding.as_str()), (&request, "binding"));
        assert_eq!(found.expires_at, NOW + AUTHORIZATION_REQUEST_LIFETIME);
        assert_eq!(opened(&text, &state(1, &ring), &ring, 600), Err(SealError::Expired));
    }
}

#[test]
fn sealed_request_of_another_sign_in_key_or_environment_is_rejected() {
    let ours = ring(&key(1), "test");
    let text = sealed(&request("x"), &ours);
    assert_eq!(opened(&text, &state(2, &ours), &ours, 0), Err(SealError::Foreign));
    for other in [ring(&key(2), "test"), ring(&key(1), "production")] {
        assert_eq!(opened(&text, &state(1, &ours), &other, 0), Err(SealError::Foreign));
    }
}

#[test]
fn sealed_request_of_an_older_key_opens_as_long_as_the_ring_has_that_key() {
    let (old, both) = (ring(&key(1), "test"), ring(&format!("{} {}", key(2), key(1)), "test"));
    assert!(opened(&sealed(&request("x"), &old), &state(1, &old), &both, 0).is_ok());
    assert!(opened(&sealed(&request("x"), &both), &state(1, &both), &ring(&key(2), "test"), 0).is_ok());
}

#[test]
fn any_change_to_a_sealed_request_is_rejected() {
    let ring = ring(&key(1), "test");
    let text = sealed(&request("x"), &ring);
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        assert_eq!(opened(&changed, &state(1, &ring), &ring, 0), Err(SealError::Foreign), "{at}");
    }
    for bad in ["", ".", "used", &text[..text.len() - 1], &format!("{text}A"), &"a".repeat(5000)] {
        assert_eq!(opened(bad, &state(1, &ring), &ring, 0), Err(SealError::Foreign), "{bad}");
    }
}

#[test]
fn sealed_request_of_a_removed_client_is_rejected() {
    let ring = ring(&key(1), "test");
    let text = sealed(&request("x"), &ring);
    let now = NOW + std::time::Duration::from_secs(1);
    let found = with_clients(false, |clients| open(&text, &state(1, &ring), &ring, clients, now));
    assert_eq!(found, Err(SealError::ClientRemoved));
}

#[test]
fn request_that_does_not_fit_into_a_cookie_is_too_long() {
    let ring = ring(&key(1), "test");
    let of_length = |length: usize| seal(&request(&"s".repeat(length)), &state(1, &ring), "b", &ring, NOW);
    let longest = (0..4096).rev().find(|length| of_length(*length).is_ok()).expect("one that fits");
    assert!(longest > crate::oauth::authorize::MAX_STATE_LENGTH, "{longest}");
    assert_eq!(of_length(longest + 1), Err(TooLong));
    assert!((MAX_LENGTH - 2..=MAX_LENGTH).contains(&of_length(longest).expect("it fits").len()));
}

#[test]
fn sealed_request_of_the_maximum_length_opens() {
    let ring = ring(&key(1), "test");
    // Three bytes of a binding are four of the text, so one of some lengths has the maximum length.
    let of_length = |length: usize| seal(&request("x"), &state(1, &ring), &"b".repeat(length), &ring, NOW);
    let longest =
        (0..4096).filter_map(|length| of_length(length).ok()).find(|text| text.len() == MAX_LENGTH).expect("one");
    assert!(opened(&longest, &state(1, &ring), &ring, 0).is_ok());
}
