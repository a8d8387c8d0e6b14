//! What a browser sends: cookies, where a form comes from, form fields.

use super::body::has_media_type;
use super::reply::{self, Response};
use crate::oauth::parameters::Parameters;
use crate::oauth::secret::{Handle, SecretHash};
use bytes::Bytes;
use http::header::{COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderName, HeaderValue, Request};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A cookie that holds a handle, or in one case a word.
pub struct Cookie {
    name: String,
    is_secure: bool,
}

impl Cookie {
    /// The cookie of the visit with that stored handle, named after it so that two tabs do not disturb each other.
    pub fn of_visit(visit: &SecretHash, public_url: &Url) -> Self {
        Self::named(&format!("tx_{}", short(visit)), public_url)
    }

    /// The cookie of one sign-in to the admin page.
    pub fn of_admin_sign_in(state: &SecretHash, public_url: &Url) -> Self {
        Self::named(&format!("in_{}", short(state)), public_url)
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

    /// Reads it from a request.
    pub fn read(&self, request: &Request<Bytes>) -> Option<Handle> {
        self.read_text(request).and_then(Handle::recognize)
    }

    /// What it holds, whatever that is.
    pub fn read_text<'a>(&self, request: &'a Request<Bytes>) -> Option<&'a str> {
        // As bytes: another site's cookie on a parent domain may hold anything, and must not hide ours.
        let headers = request.headers().get_all(COOKIE).iter().map(http::HeaderValue::as_bytes);
        let pairs = headers.flat_map(|header| header.split(|byte| *byte == b';'));
        let mut texts = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
        texts.find(|(name, _)| *name == self.name).map(|(_, value)| value)
    }

    /// Gives it to the browser for so many seconds.
    pub fn put(&self, response: &mut Response, browser: &Handle, seconds: u64) {
        self.put_text(response, browser.reveal(), seconds);
    }

    /// The same with another text; one of ours, for nothing here quotes it.
    pub fn put_text(&self, response: &mut Response, text: &str, seconds: u64) {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!("{}={text}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", self.name);
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }

    /// Takes it away.
    pub fn clear(&self, response: &mut Response) {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}", self.name);
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}

/// Enough of a stored handle to tell two visits of one browser apart.
fn short(handle: &SecretHash) -> String {
    handle.0.chars().filter(char::is_ascii_alphanumeric).take(12).collect()
}

/// Whether a form was sent from a page of ours: `Origin` is ours, or, where a browser leaves it out, it says itself that the
/// request is same-origin.
pub fn is_from_our_page(request: &Request<Bytes>, issuer: &str) -> bool {
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    match header(ORIGIN) {
        Some(origin) => origin == issuer,
        None => header(SEC_FETCH_SITE) == Some("same-origin"),
    }
}

/// Whether a page of ours leads here, as far as the browser says: another site's link cannot pass for it.
pub fn comes_from_ourselves(request: &Request<Bytes>) -> bool {
    request.headers().get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin")
}

/// The fields of a form post; `None` when it is not one.
pub fn form(request: &Request<Bytes>) -> Option<Parameters> {
    let is_form = has_media_type(request.headers(), "application/x-www-form-urlencoded");
    if is_form { Parameters::parse(request.body()).ok() } else { None }
}

/// The decoded query; `None` when it is not well formed.
pub fn query(request: &Request<Bytes>) -> Option<Parameters> {
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

    fn check(headers: &[(&'static str, &str)]) -> bool {
        let mut request = Request::new(Bytes::new());
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("fits"));
        }
        is_from_our_page(&request, "https://mcp.example")
    }

    #[test]
    fn only_our_own_pages_may_post_forms() {
        assert!(check(&[("origin", "https://mcp.example")]));
        assert!(check(&[("sec-fetch-site", "same-origin")]));
        assert!(!check(&[("origin", "https://evil.example")]));
        assert!(!check(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(!check(&[]));
    }

    #[test]
    fn a_visits_cookie_is_found_among_others() {
        let public_url = Url::parse("https://mcp.example").expect("a URL");
        let cookie = Cookie::of_visit(&SecretHash("abcdefgh".into()), &public_url);
        assert_eq!(cookie.name, "__Host-sbmcp_tx_abcdefgh");
        let browser = Handle::new(&[3; 32]);
        let mut request = Request::new(Bytes::new());
        let mut sent = b"name=Ren\xe9; a=b; ".to_vec();
        sent.extend(format!("{}={}; c", cookie.name, browser.reveal()).bytes());
        request.headers_mut().insert(COOKIE, HeaderValue::from_bytes(&sent).expect("fits"));
        assert_eq!(cookie.read(&request).expect("found").reveal(), browser.reveal());
    }
}
