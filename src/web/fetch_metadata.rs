//! Fetch metadata: headers in which a browser describes the page that causes a request, and that no script can set
//! (<https://www.w3.org/TR/fetch-metadata/>). Other senders leave them out and are not restricted.
//!
//! Without this check, any website could use up the limits of everybody who shares an IP address with one of its visitors.

use super::context::RequestContext;
use super::page_error::{PageError, connecting_page};
use super::reply::{self, Response};
use super::routes::{Audience, Route};
use crate::oauth::error::bearer;
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

/// Rejects a request that only another site's page would make a browser send.
pub(super) fn refuse(ctx: &RequestContext<'_>, route: Route) -> Option<Response> {
    let (method, headers) = (ctx.head.method(), ctx.head.headers());
    match route.audience() {
        Audience::Browser if route.is_page() && method != Method::POST && !is_navigation(headers) => {
            Some(connecting_page(ctx, &PageError::NotInATab))
        }
        Audience::Programs if method == Method::POST && !is_readable(headers) => {
            ctx.log.set_reason("caused_by_another_page");
            let words = "call this endpoint by fetch in CORS mode, or from outside a browser";
            let body = json!({"error": bearer::INVALID_REQUEST, "error_description": words});
            Some(reply::json(StatusCode::FORBIDDEN, &body))
        }
        Audience::Browser | Audience::Programs => None,
    }
}

/// True if a tab navigates to the address; false for an image, a frame, a script or a prefetch. A browser that sends any of
/// these headers sends `Sec-Fetch-Site`; the `fetch` of Node.js, which no page can use, sends only a mode.
fn is_navigation(headers: &HeaderMap) -> bool {
    let is_tab = is_absent_or(headers, "sec-fetch-mode", &["navigate"])
        && is_absent_or(headers, "sec-fetch-dest", &["document"])
        && !headers.contains_key("sec-purpose");
    is_tab || !headers.contains_key("sec-fetch-site")
}

/// True if the sender may read the answer. A form or an image of another page may not; every client does.
fn is_readable(headers: &HeaderMap) -> bool {
    is_absent_or(headers, "sec-fetch-mode", &["cors", "same-origin"])
}

fn is_absent_or(headers: &HeaderMap, name: &str, accepted: &[&str]) -> bool {
    headers.get(name).is_none_or(|value| accepted.iter().any(|wanted| value == wanted))
}

/// True if `Sec-Fetch-Site` says that a page of another site causes the request.
pub(super) fn is_from_another_site(headers: &HeaderMap) -> bool {
    !is_absent_or(headers, "sec-fetch-site", &["none", "same-origin"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &str) -> HeaderMap {
        let pairs = given.split(' ').filter_map(|pair| pair.split_once('='));
        let value = |text: &str| text.parse().expect("a header value");
        pairs.map(|(name, text)| (name.parse::<http::HeaderName>().expect("a name"), value(text))).collect()
    }

    #[test]
    fn any_single_fetch_metadata_header_reveals_that_it_is_no_navigation() {
        for (given, is_expected) in [
            ("", true),
            ("sec-fetch-site=cross-site sec-fetch-mode=navigate sec-fetch-dest=document", true),
            ("sec-fetch-site=none sec-fetch-mode=navigate sec-fetch-dest=document", true),
            ("sec-fetch-mode=cors", true),
            ("sec-fetch-site=cross-site sec-fetch-mode=no-cors sec-fetch-dest=document", false),
            ("sec-fetch-site=cross-site sec-fetch-mode=navigate sec-fetch-dest=iframe", false),
            ("sec-fetch-site=none sec-fetch-mode=navigate sec-fetch-dest=document sec-purpose=prefetch", false),
        ] {
            assert_eq!(is_navigation(&headers(given)), is_expected, "{given}");
        }
    }

    #[test]
    fn sec_fetch_mode_reveals_an_unreadable_response() {
        for (given, is_expected) in [
            ("", true),
            ("sec-fetch-mode=cors", true),
            ("sec-fetch-mode=same-origin", true),
            ("sec-fetch-mode=no-cors", false),
            ("sec-fetch-mode=navigate", false),
        ] {
            assert_eq!(is_readable(&headers(given)), is_expected, "{given}");
        }
    }

    #[test]
    fn same_site_is_another_site() {
        for (given, is_expected) in [
            ("", false),
            ("sec-fetch-site=none", false),
            ("sec-fetch-site=same-origin", false),
            ("sec-fetch-site=same-site", true),
            ("sec-fetch-site=cross-site", true),
        ] {
            assert_eq!(is_from_another_site(&headers(given)), is_expected, "{given}");
        }
    }
}
