//! Requests of a browser: cookies, the origin of a form post, form fields and query.

use super::reply::{self, Response};
use crate::keyring::KeyRing;
use crate::oauth::parameters::Parameters;
use crate::oauth::secret::{OpaqueToken, SecretHash, TokenUse};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use std::time::Duration;
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Pending sign-ins per browser: together their cookies must stay below what servers read.
const MAX_PENDING_REQUESTS: usize = 4;
/// Value of a sign-in cookie after its use.
const USED: &str = "used";
/// Lifetime of a sign-in cookie in its browser: longer than the request, so that a person who comes late is told why.
pub const SIGN_IN_COOKIE_LIFETIME: Duration = Duration::from_hours(1);

/// A token in a parameter, field or cookie, before anything is looked up.
pub enum Presented<T> {
    Absent,
    /// Never issued for this use, or with a key that was taken out of the ring.
    MadeUp,
    Token(T),
}

pub struct Cookie {
    name: String,
    is_secure: bool,
}

impl Cookie {
    /// The cookie that binds an authorization request to this browser while its person signs in, and holds it sealed. Named
    /// after the sign-in's `state`, so that two tabs do not disturb each other.
    pub fn of_sign_in(state: &SecretHash, public_url: &Url) -> Self {
        Self::named(&format!("{SIGN_IN}{}", short(state)), public_url)
    }

    /// The cookie that binds a consent form to this browser.
    pub fn of_consent(consent: &SecretHash, public_url: &Url) -> Self {
        Self::named(&format!("tx_{}", short(consent)), public_url)
    }

    /// The cookie of one sign-in to the admin page.
    pub fn of_admin_sign_in(state: &SecretHash, public_url: &Url) -> Self {
        Self::named(&format!("ad_{}", short(state)), public_url)
    }

    /// The cookie that keeps the page to come back to after a sign-in to the admin page. No secret: it is checked when it is read.
    pub fn of_admin_return(state: &SecretHash, public_url: &Url) -> Self {
        Self::named(&format!("ab_{}", short(state)), public_url)
    }

    /// The cookie of a browser that is signed in to the admin page.
    pub fn of_admin_session(public_url: &Url) -> Self {
        Self::named("admin", public_url)
    }

    /// The cookie that keeps the time zone chosen on the admin page. No secret, and not tied to anybody.
    pub fn of_time_zone(public_url: &Url) -> Self {
        Self::named("zone", public_url)
    }

    /// On plain http, which is loopback in development, `Secure` and the prefix that demands it are left out, or browsers
    /// would drop the cookie.
    fn named(name: &str, public_url: &Url) -> Self {
        let is_secure = public_url.scheme() == "https";
        let prefix = if is_secure { "__Host-" } else { "" };
        Self { name: format!("{prefix}sbmcp_{name}"), is_secure }
    }

    pub fn read<U: TokenUse>(&self, request: &Request<()>, ring: &KeyRing) -> Presented<OpaqueToken<U>> {
        presented(self.read_text(request), ring)
    }

    /// Reads the value without checking it.
    pub fn read_text<'a>(&self, request: &'a Request<()>) -> Option<&'a str> {
        cookies(request).find(|(name, _)| *name == self.name).map(|(_, value)| value)
    }

    /// Clears the oldest sign-in cookies of a browser that is about to exceed [`MAX_PENDING_REQUESTS`].
    pub fn clear_oldest_sign_ins(request: &Request<()>, response: &mut Response, public_url: &Url) {
        let prefix = Self::named(SIGN_IN, public_url).name;
        // Browsers send the oldest first (RFC 6265 5.4).
        let pending: Vec<&str> =
            cookies(request).map(|(name, _)| name).filter(|name| name.starts_with(&prefix)).collect();
        for name in pending.iter().rev().skip(MAX_PENDING_REQUESTS - 1) {
            Self { name: (*name).to_owned(), ..Self::named(SIGN_IN, public_url) }.clear(response);
        }
    }

    pub fn mark_used(&self, response: &mut Response) {
        self.set(response, USED, SIGN_IN_COOKIE_LIFETIME);
    }

    /// Sets the cookie. The value is not quoted, so it must not come from outside.
    pub fn set(&self, response: &mut Response, value: &str, lifetime: Duration) {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let seconds = lifetime.as_secs();
        let cookie = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", self.name);
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }

    pub fn clear(&self, response: &mut Response) {
        self.set(response, "", Duration::ZERO);
    }
}

/// Prefix of the name of every sign-in cookie.
const SIGN_IN: &str = "in_";

pub fn is_used(sign_in_cookie: &str) -> bool {
    sign_in_cookie == USED
}

/// The cookies of a request, in the order sent. Only spaces and tabs around a pair are removed (RFC 9110 5.6.3). Any other blank, such as
/// U+2003, belongs to the name: otherwise another site could set a cookie on a parent domain that passes for one of ours, past the
/// prefix `__Host-`.
fn cookies(request: &Request<()>) -> impl Iterator<Item = (&str, &str)> {
    // As bytes: another site's cookie on a parent domain may hold anything, and must not hide ours.
    let headers = request.headers().get_all(COOKIE).iter().map(http::HeaderValue::as_bytes);
    let pairs = headers.flat_map(|header| header.split(|byte| *byte == b';'));
    pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim_matches([' ', '\t']).split_once('='))
}

pub fn presented<U: TokenUse>(text: Option<&str>, ring: &KeyRing) -> Presented<OpaqueToken<U>> {
    match text {
        None => Presented::Absent,
        Some(text) => OpaqueToken::parse(text, ring).map_or(Presented::MadeUp, Presented::Token),
    }
}

/// Shortens a hash to what tells two requests of one browser apart.
fn short(handle: &SecretHash) -> String {
    handle.as_str().chars().filter(char::is_ascii_alphanumeric).take(12).collect()
}

/// True for a form sent from a page of ours: `Origin` is ours, or, where a browser leaves it out, `Sec-Fetch-Site` says
/// `same-origin`.
pub fn is_from_our_page(request: &Request<()>, issuer: &str) -> bool {
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    match header(ORIGIN) {
        Some(origin) => origin == issuer,
        None => header(SEC_FETCH_SITE) == Some("same-origin"),
    }
}

/// False where the browser says that another site's link led here. Browsers without `Sec-Fetch-Site` get the benefit of the doubt.
pub fn comes_from_ourselves(request: &Request<()>) -> bool {
    request.headers().get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin")
}

/// True if there is exactly one `Content-Type` header and it names that media type.
pub fn has_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let only = values.next().filter(|_| values.next().is_none());
    let media_type = only.and_then(|value| value.to_str().ok()?.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(wanted))
}

/// The fields of a form post; `None` when it is not one.
pub fn form(request: &Request<()>, body: &[u8]) -> Option<Parameters> {
    let is_form = has_media_type(request.headers(), "application/x-www-form-urlencoded");
    if is_form { Parameters::parse(body).ok() } else { None }
}

/// The decoded query; `None` when it is not well formed.
pub fn query(request: &Request<()>) -> Option<Parameters> {
    Parameters::parse(request.uri().query().unwrap_or_default().as_bytes()).ok()
}

/// A HEAD answer is the GET answer without its body.
pub fn without_body(mut response: Response) -> Response {
    let length = response.body().len().to_string();
    *response.body_mut() = Bytes::new();
    reply::set(&mut response, http::header::CONTENT_LENGTH, &length);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secret::{Binding, BrowserBinding};

    fn check(headers: &[(&'static str, &str)]) -> bool {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("fits"));
        }
        is_from_our_page(&request, "https://mcp.example")
    }

    #[test]
    fn form_post_requires_our_own_origin() {
        assert!(check(&[("origin", "https://mcp.example")]));
        assert!(check(&[("sec-fetch-site", "same-origin")]));
        assert!(!check(&[("origin", "https://evil.example")]));
        assert!(!check(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(!check(&[]));
    }

    #[test]
    fn token_is_found_among_other_cookies() {
        let public_url = Url::parse("https://mcp.example").expect("a URL");
        let ring = KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring");
        let cookie = Cookie::of_consent(&SecretHash::from("abcdefgh"), &public_url);
        assert_eq!(cookie.name, "__Host-sbmcp_tx_abcdefgh");
        let binding = BrowserBinding::issue(&[3; 32], &ring);
        let read = |value: &str| -> Presented<BrowserBinding> {
            let mut request = Request::new(());
            let mut sent = b"name=Ren\xe9; a=b; ".to_vec();
            sent.extend(format!("{}={value}; c", cookie.name).bytes());
            request.headers_mut().insert(COOKIE, HeaderValue::from_bytes(&sent).expect("fits"));
            cookie.read(&request, &ring)
        };
        assert!(matches!(read(binding.expose()), Presented::Token(found) if found.expose() == binding.expose()));
        assert!(matches!(read("made-up"), Presented::MadeUp));
        assert!(matches!(cookie.read::<Binding>(&Request::new(()), &ring), Presented::Absent));
    }

    /// Every header of up to three pieces, among them names that readers with other rules take for ours (Unicode blanks, other case).
    #[test]
    fn only_the_exact_name_is_read_from_every_small_cookie_header() {
        let public_url = Url::parse("https://mcp.example").expect("a URL");
        let cookie = Cookie::of_time_zone(&public_url);
        let ours = cookie.name.as_str();
        let others = [
            format!("{ours}e=v"),
            format!("x{ours}=v"),
            format!("{}=v", ours.to_ascii_lowercase()),
            format!("{ours} =v"),
            format!("\"{ours}\"=v"),
            format!("\u{a0}{ours}=v"),
            format!("\u{85}{ours}=v"),
            format!("\u{2003}{ours}=v"),
            format!("{ours}\u{3000}=v"),
            ours.to_owned(),
            format!("={ours}=v"),
            String::new(),
        ];
        let values = ["", "v", "a=b", "\"v\"", "\u{a0}v"];
        let read_as = values.map(|value| (format!("{ours}={value}").into_bytes(), Some(value)));
        let not_read = others.into_iter().map(|text| (text.into_bytes(), None));
        let broken =
            [([ours.as_bytes(), b"\xa0=v"].concat(), None), ([b"\xa0", ours.as_bytes(), b"=v"].concat(), None)];
        let pieces: Vec<(Vec<u8>, Option<&str>)> = read_as.into_iter().chain(not_read).chain(broken).collect();
        for (one, two) in pieces.iter().flat_map(|one| pieces.iter().map(move |two| (one, two))) {
            for three in &pieces {
                let sent = [one, two, three].map(|(text, _)| text.as_slice());
                let expected = [one, two, three].into_iter().find_map(|(_, value)| *value);
                for header in [sent.join(b"; ".as_slice()), sent.join(b"\t;".as_slice())] {
                    let mut request = Request::new(());
                    request.headers_mut().insert(COOKIE, HeaderValue::from_bytes(&header).expect("fits"));
                    let shown = String::from_utf8_lossy(&header);
                    assert_eq!(cookie.read_text(&request), expected, "{shown:?}");
                }
            }
        }
    }

    #[test]
    fn cookie_has_prefix_and_secure_on_https_and_neither_on_plain_http() {
        for (url, prefix, secure) in [("https://mcp.example", "__Host-", "; Secure"), ("http://localhost:8787", "", "")]
        {
            let public_url = Url::parse(url).expect("a URL");
            let mut request = Request::new(());
            let pending = (1..=4).map(|n| format!("{prefix}sbmcp_in_{n}=x")).collect::<Vec<_>>().join("; ");
            request.headers_mut().insert(COOKIE, HeaderValue::from_str(&pending).expect("fits"));
            let mut response = Response::new(Bytes::new());
            Cookie::of_time_zone(&public_url).set(&mut response, "UTC", Duration::from_mins(1));
            Cookie::of_time_zone(&public_url).clear(&mut response);
            Cookie::clear_oldest_sign_ins(&request, &mut response, &public_url);
            let cookies: Vec<HeaderValue> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
            let expected = [("zone=UTC", 60), ("zone=", 0), ("in_1=", 0)].map(|(pair, seconds)| {
                format!("{prefix}sbmcp_{pair}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
            });
            assert_eq!(cookies, expected);
        }
    }

    #[test]
    fn fifth_pending_sign_in_of_a_browser_takes_the_place_of_its_oldest() {
        let public_url = Url::parse("https://mcp.example").expect("a URL");
        let cleared = |count: usize| -> Vec<String> {
            let mut request = Request::new(());
            let pending = (1..=count).map(|n| format!("__Host-sbmcp_in_{n}=x"));
            let sent: Vec<String> = pending.chain(["__Host-sbmcp_admin=y".to_owned()]).collect();
            request.headers_mut().insert(COOKIE, HeaderValue::from_str(&sent.join("; ")).expect("fits"));
            let mut response = Response::new(Bytes::new());
            Cookie::clear_oldest_sign_ins(&request, &mut response, &public_url);
            let cookies = response.headers().get_all(SET_COOKIE).iter();
            let mut names: Vec<String> =
                cookies.filter_map(|cookie| Some(cookie.to_str().ok()?.split_once('=')?.0.to_owned())).collect();
            names.sort();
            names
        };
        assert_eq!(cleared(3), [""; 0]);
        assert_eq!(cleared(4), ["__Host-sbmcp_in_1"]);
        assert_eq!(cleared(6), ["__Host-sbmcp_in_1", "__Host-sbmcp_in_2", "__Host-sbmcp_in_3"]);
    }

    #[test]
    fn longest_request_fits_into_a_cookie_that_browsers_keep() {
        let public_url = Url::parse("https://mcp.example").expect("a URL");
        let mut response = Response::new(Bytes::new());
        let sealed = "s".repeat(crate::oauth::sealed_request::MAX_LENGTH);
        Cookie::of_sign_in(&SecretHash::from("a".repeat(43).as_str()), &public_url).set(
            &mut response,
            &sealed,
            SIGN_IN_COOKIE_LIFETIME,
        );
        let length = response.headers()[SET_COOKIE].len();
        assert!(length < 4096, "{length}");
    }
}
