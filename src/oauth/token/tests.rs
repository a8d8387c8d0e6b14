//! Rules of the token endpoint, branch by branch.

use super::*;
use crate::model::ids::{GrantId, UserId};
use crate::model::scope::Scope;
use crate::oauth::client::allowed::AllowedRedirects;
use crate::oauth::grant::{Grant, PageChoice};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::secret::hash;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn ring() -> KeyRing {
    KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring")
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn grant() -> Grant {
    Grant {
        id: GrantId::parse("g").expect("an id"),
        user_id: UserId::parse("1").expect("an id"),
        client_id: ClientId::parse("tool").expect("fits"),
        client_name: "Tool".into(),
        resource: "https://mcp.example/mcp".into(),
        scopes: ScopeSet::baseline(),
        pages: PageChoice::All,
        expires_at: None,
        is_revoked: false,
    }
}

fn code_record() -> CodeRecord {
    CodeRecord {
        hash: hash("x"),
        grant: grant(),
        redirect_uri: "http://localhost:1/cb".into(),
        challenge: CodeChallenge::parse(CHALLENGE).expect("fits"),
        state: CodeState::Pending { expires_at: time(600), failed_attempts: 0 },
    }
}

fn code_request() -> CodeRequest {
    CodeRequest {
        client_id: ClientId::parse("tool").expect("fits"),
        code: AuthorizationCode::issue(&[1; 32], &ring()),
        redirect_uri: None,
        resource: "https://mcp.example/mcp".into(),
        has_explicit_resource: true,
        verifier: CodeVerifier::parse(VERIFIER),
    }
}

#[test]
fn a_code_works_until_the_second_before_its_expiry() {
    assert_eq!(decide_code(&code_request(), &code_record(), time(599)), CodeDecision::Redeem);
    assert_eq!(
        decide_code(&code_request(), &code_record(), time(600)),
        CodeDecision::Refuse(InvalidGrantReason::Expired)
    );
}

#[test]
fn other_client_or_redirect_uri_is_refused_before_the_verifier_is_checked() {
    let foreign = CodeRequest { client_id: ClientId::parse("other").expect("fits"), ..code_request() };
    assert_eq!(decide_code(&foreign, &code_record(), time(0)), CodeDecision::Refuse(InvalidGrantReason::OtherClient));
    let moved = CodeRequest { redirect_uri: Some("http://localhost:2/cb".into()), ..code_request() };
    assert_eq!(
        decide_code(&moved, &code_record(), time(0)),
        CodeDecision::Refuse(InvalidGrantReason::OtherRedirectUri)
    );
}

#[test]
fn a_wrong_or_missing_verifier_counts_and_five_end_the_code() {
    for verifier in [None, CodeVerifier::parse(CHALLENGE)] {
        let request = CodeRequest { verifier, ..code_request() };
        assert_eq!(decide_code(&request, &code_record(), time(0)), CodeDecision::WrongVerifier);
    }
    let tried = |failed_attempts| {
        let state = CodeState::Pending { expires_at: time(600), failed_attempts };
        CodeRecord { state, ..code_record() }
    };
    assert_eq!(decide_code(&code_request(), &tried(4), time(0)), CodeDecision::Redeem);
    assert_eq!(decide_code(&code_request(), &tried(5), time(0)), CodeDecision::Refuse(InvalidGrantReason::Verifier));
}

#[test]
fn a_valid_replay_ends_the_grant_only_after_ten_seconds() {
    let spent = CodeRecord { state: CodeState::Redeemed { redeemed_at: time(100) }, ..code_record() };
    assert_eq!(decide_code(&code_request(), &spent, time(109)), CodeDecision::Refuse(InvalidGrantReason::Redeemed));
    assert_eq!(decide_code(&code_request(), &spent, time(110)), CodeDecision::Replay);
    assert_eq!(decide_code(&code_request(), &spent, time(9_999)), CodeDecision::Replay, "also after the code's expiry");
}

#[test]
fn a_replay_without_the_verifier_never_ends_the_grant() {
    let spent = CodeRecord { state: CodeState::Redeemed { redeemed_at: time(100) }, ..code_record() };
    let thief = CodeRequest { verifier: None, ..code_request() };
    assert_eq!(decide_code(&thief, &spent, time(500)), CodeDecision::Refuse(InvalidGrantReason::Verifier));
}

#[test]
fn a_code_of_a_revoked_grant_is_refused() {
    let revoked = CodeRecord { grant: Grant { is_revoked: true, ..grant() }, ..code_record() };
    assert_eq!(decide_code(&code_request(), &revoked, time(0)), CodeDecision::Refuse(InvalidGrantReason::Revoked));
}

fn refresh_record(rotation: Option<Rotation>) -> RefreshRecord {
    RefreshRecord {
        hash: hash("x"),
        grant: grant(),
        generation: 1,
        expires_at: time(1_000),
        state: rotation.map_or(RefreshState::Active, RefreshState::Rotated),
        tenth_last_rotation_at: None,
    }
}

fn refresh_request(scopes: Option<ScopeSet>) -> RefreshRequest {
    let client_id = ClientId::parse("tool").expect("fits");
    let resource = "https://mcp.example/mcp".into();
    RefreshRequest {
        client_id,
        token: RefreshToken::issue(&[2; 32], &ring()),
        resource,
        has_explicit_resource: true,
        scopes,
    }
}

fn rotation() -> Rotation {
    Rotation { salt: "s".into(), kid: "k".into(), unused_successor: Some(hash("successor")), free_at: None }
}

fn decide_rotation(rotation: Option<Rotation>, now: i64) -> &'static str {
    match decide_refresh(&refresh_request(None), &refresh_record(rotation), time(now)) {
        Ok(RefreshDecision::Rotate(_)) => "rotate",
        Ok(RefreshDecision::Repeat(..)) => "repeat",
        Ok(RefreshDecision::Reused) => "reused",
        Err(error) => error.code(),
    }
}

#[test]
fn a_family_that_rotates_too_fast_waits_until_its_minute_is_over() {
    let record = RefreshRecord { tenth_last_rotation_at: Some(time(100)), ..refresh_record(None) };
    let decided = |now| decide_refresh(&refresh_request(None), &record, time(now)).map(|_| ());
    assert_eq!(decided(100), Err(TokenError::RateLimited(60)));
    assert_eq!(decided(159), Err(TokenError::RateLimited(1)));
    assert_eq!(decided(160), Ok(()));
}

#[test]
fn a_grant_for_another_resource_is_not_touched() {
    let elsewhere = Grant { resource: "https://old.example/mcp".into(), ..grant() };
    let code = CodeRecord { grant: elsewhere.clone(), ..code_record() };
    assert_eq!(decide_code(&code_request(), &code, time(0)), CodeDecision::WrongResource);
    let refresh = RefreshRecord { grant: elsewhere, ..refresh_record(Some(rotation())) };
    assert_eq!(decide_refresh(&refresh_request(None), &refresh, time(999)).map(|_| ()), Err(TokenError::Resource));
}

#[test]
fn a_refresh_token_rotates_until_the_second_before_its_expiry() {
    assert_eq!(decide_rotation(None, 999), "rotate");
    assert_eq!(decide_rotation(None, 1_000), "invalid_grant");
}

#[test]
fn used_refresh_token_whose_answer_was_not_used_gets_it_again_until_the_token_expires() {
    assert_eq!(decide_rotation(Some(rotation()), 999), "repeat");
    assert_eq!(decide_rotation(Some(rotation()), 1_000), "invalid_grant");
}

#[test]
fn used_refresh_token_whose_answer_was_used_is_reuse_at_once() {
    assert_eq!(decide_rotation(Some(Rotation { unused_successor: None, ..rotation() }), 0), "reused");
}

#[test]
fn repeat_beyond_the_access_tokens_of_one_successor_waits_until_one_of_them_expires() {
    let full = Rotation { free_at: Some(time(400)), ..rotation() };
    let decided =
        |now| decide_refresh(&refresh_request(None), &refresh_record(Some(full.clone())), time(now)).map(|_| ());
    assert_eq!((decided(399), decided(400)), (Err(TokenError::RateLimited(1)), Ok(())));
}

#[test]
fn other_client_with_a_refresh_token_is_refused_before_reuse_is_checked() {
    let foreign = RefreshRequest { client_id: ClientId::parse("other").expect("fits"), ..refresh_request(None) };
    for rotation in [None, Some(rotation())] {
        let verdict = decide_refresh(&foreign, &refresh_record(rotation), time(1_000));
        assert!(matches!(verdict, Err(TokenError::InvalidGrant(InvalidGrantReason::OtherClient))));
    }
}

#[test]
fn a_refresh_may_narrow_the_scope_and_never_widen_it() {
    let ask = |scopes: ScopeSet| decide_refresh(&refresh_request(Some(scopes)), &refresh_record(None), time(0));
    assert!(
        matches!(ask(Scope::PagesRead.into()), Ok(RefreshDecision::Rotate(scopes)) if scopes == Scope::PagesRead.into())
    );
    let repeated = Scope::IncidentsWrite.into();
    let wider = ScopeSet::from(Scope::PagesRead).union(repeated);
    assert!(matches!(ask(wider), Ok(RefreshDecision::Rotate(scopes)) if scopes == Scope::PagesRead.into()));
    assert!(
        matches!(ask(repeated), Ok(RefreshDecision::Rotate(scopes)) if scopes == grant().scopes),
        "nothing of it is granted"
    );
}

#[test]
fn the_same_successor_is_found_again_after_both_rings_were_rotated() {
    let old = "k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
    let rotated =
        KeyRing::parse(&format!("n:{} {old}", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"), "test").expect("good");
    let token = RefreshToken::issue(&[2; 32], &ring());
    let first = derive_successor(&token, &refresh_record(None), "s", &ring(), ring().newest(), &ring());
    let again = Rotation { unused_successor: Some(first.hash()), ..rotation() };
    let found = rederive_successor(&token, &refresh_record(None), &again, &rotated, &rotated).expect("found");
    assert_eq!(found.expose(), first.expose());
}

fn parse(body: &str) -> Result<TokenRequest, TokenError> {
    let (registrations, checksum_keys, allowed) = (ring(), ring(), AllowedRedirects::default());
    let resource = Url::parse("https://mcp.example/mcp").expect("a URL");
    let endpoint = TokenEndpoint {
        clients: Clients { allowed: &allowed, registrations: &registrations, accepts_unverified: true },
        checksum_keys: &checksum_keys,
        resource: &resource,
    };
    endpoint.parse(&parse_form(&["application/x-www-form-urlencoded; charset=UTF-8"], None, body.as_bytes())?)
}

fn refused(body: &str) -> (&'static str, u16) {
    let error = parse(body).expect_err("refused");
    (error.code(), error.status())
}

#[test]
fn requests_that_do_not_fit_are_refused_with_their_code() {
    assert_eq!(refused(""), ("invalid_request", 400));
    assert_eq!(refused("grant_type=password&client_id=tool"), ("unsupported_grant_type", 400));
    assert_eq!(refused("grant_type=authorization_code&code=x"), ("invalid_request", 400));
    assert_eq!(refused("grant_type=authorization_code&client_id=tool&code="), ("invalid_request", 400));
    assert_eq!(refused("grant_type=authorization_code&client_id=tool&code=x"), ("invalid_grant", 400));
    assert_eq!(
        refused("grant_type=authorization_code&client_id=tool&code=x&code_verifier=short"),
        ("invalid_request", 400)
    );
    assert_eq!(refused("grant_type=refresh_token&client_id=tool"), ("invalid_request", 400));
    assert_eq!(refused("grant_type=refresh_token&client_id=sbmcp_client_x.y&refresh_token=x"), ("invalid_client", 400));
    assert_eq!(refused("grant_type=refresh_token&client_id=tool&client_id=tool"), ("invalid_request", 400));
    assert_eq!(
        refused("grant_type=refresh_token&client_id=tool&resource=https://other.example"),
        ("invalid_target", 400)
    );
    assert_eq!(refused("client_secret=x"), ("invalid_client", 400));
}

#[test]
fn a_body_of_another_type_or_with_basic_authentication_is_refused() {
    let code = |types: &[&str], authorization, body: &[u8]| {
        parse_form(types, authorization, body).map(|_| ()).map_err(|e| (e.code(), e.status()))
    };
    let form = ["application/x-www-form-urlencoded"];
    let malformed = Err(("invalid_request", 400));
    assert_eq!(code(&["application/json"], None, b"{}"), malformed);
    assert_eq!(code(&["text/plain; x=application/x-www-form-urlencoded"], None, b""), malformed);
    assert_eq!(code(&[], None, b""), malformed);
    assert_eq!(code(&[form[0], form[0]], None, b""), malformed);
    for refused in ["Basic eDp5", "Basic eA==", "Basic ", "Basic Og==", "Basic !", "Basic /zo="] {
        assert_eq!(code(&form, Some(refused), b""), Err(("invalid_client", 401)), "{refused}");
    }
    assert_eq!(code(&form, Some("basic eDp5"), b"client_secret=x"), malformed);
    assert_eq!(code(&form, Some("Bearer x"), b""), Ok(()));
}

#[test]
fn basic_credentials_with_an_empty_secret_are_a_client_id() {
    let client_id = |id: &str, body: &str| {
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:")));
        let form = parse_form(&["application/x-www-form-urlencoded"], Some(&header), body.as_bytes())?;
        form.one("client_id").map(|id| id.map(str::to_owned)).map_err(|_| TokenError::RepeatedParameter)
    };
    let url = "https://app.example/meta?x=%41";
    for (id, body, expected) in [
        ("tool", "", "tool"),
        ("tool", "client_id=tool", "tool"),
        ("tool", "client_id=", "tool"),
        ("https%3A%2F%2Fapp.example%2Fmeta", "", "https://app.example/meta"),
        (url, "", url),
    ] {
        assert_eq!(client_id(id, body), Ok(Some(expected.to_owned())), "{id} {body}");
    }
    assert_eq!(client_id("tool", "client_id=other"), Err(TokenError::MultipleAuthenticationMethods));
    assert_eq!(client_id("tool", "client_id=tool&client_id=tool"), Err(TokenError::RepeatedParameter));
    assert_eq!(client_id("tool%", ""), Err(TokenError::BasicAuthentication));
}

/// A new version of this program must still find the successors that the old one handed out a moment ago.
#[test]
fn the_successor_of_a_token_never_changes_from_version_to_version() {
    let token = RefreshToken::issue(&[2; 32], &ring());
    let made = derive_successor(&token, &refresh_record(None), "s", &ring(), ring().newest(), &ring());
    assert_eq!(made.expose(), "sbmcp_rt_AAYYjNZxURt-VRK1-CTWiYjbxHNL3Hmj-WMDgZWZm2U.c7LfyGTaFyA");
}

#[test]
fn a_refresh_may_name_offline_access_beside_its_scopes_or_alone() {
    let refresh = RefreshToken::issue(&[2; 32], &ring());
    let scopes = |scope: &str| {
        let body = format!("grant_type=refresh_token&client_id=tool&refresh_token={}&scope={scope}", refresh.expose());
        match parse(&body) {
            Ok(TokenRequest::Refresh(request)) => Ok(request.scopes),
            Ok(TokenRequest::Code(_)) => panic!("a refresh"),
            Err(error) => Err(error.code()),
        }
    };
    assert_eq!(scopes("mcp.pages.read+offline_access"), Ok(Some(Scope::PagesRead.into())));
    assert_eq!(scopes("offline_access"), Ok(None));
    assert_eq!(scopes(""), Ok(None));
    assert_eq!(scopes("mcp.pages.read+openid"), Ok(Some(Scope::PagesRead.into())));
    assert_eq!(scopes("openid"), Ok(None));
}

#[test]
fn a_request_is_printed_without_its_secrets() {
    assert_eq!(format!("{:?}", code_request()), "CodeRequest(tool)");
    assert_eq!(format!("{:?}", refresh_request(None)), "RefreshRequest(tool)");
}
