//! A person's browser: cookies per host, redirects, forms. No script, as our pages have none.

use super::{PUBLIC_URL, TestApp, UPSTREAM_URL};
use bytes::Bytes;
use http::{Request, Response};
use std::cell::RefCell;
use std::collections::BTreeMap;
use url::Url;

/// Cookies by host and by name.
pub type Cookies = BTreeMap<(String, String), String>;

pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: RefCell<Cookies>,
}

pub struct Shown {
    pub url: Url,
    pub status: u16,
    pub body: String,
    pub response: Response<Bytes>,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: RefCell::default() }
    }

    /// A browser that goes on with another one's cookies.
    pub fn with_cookies(app: &'a TestApp, cookies: Cookies) -> Self {
        Self { app, cookies: RefCell::new(cookies) }
    }

    pub fn into_cookies(self) -> Cookies {
        self.cookies.into_inner()
    }

    /// Follows the address and its redirects to a page, or to the first address outside the connector and StatiBeat.
    pub fn open(&self, url: &str) -> Shown {
        self.follow("GET", url, String::new(), "")
    }

    /// Sends a form of a page, then follows. Under `no-referrer` browsers hide where a form comes from.
    pub fn submit(&self, page: &Shown, url: &str, fields: &[(&str, &str)]) -> Shown {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let is_hidden = page.response.headers().get("referrer-policy").is_some_and(|policy| policy == "no-referrer");
        let origin = page.url.origin().ascii_serialization();
        self.follow("POST", url, body, if is_hidden { "null" } else { &origin })
    }

    /// One request, no redirect followed.
    pub fn request(&self, method: &str, url: &Url, body: String, sent_from: &str) -> Response<Bytes> {
        let origin = url.origin().ascii_serialization();
        let mut builder =
            Request::builder().method(method).uri(url.as_str()).header("cookie", self.cookie_header(&origin));
        if method == "POST" {
            builder = builder.header("content-type", "application/x-www-form-urlencoded").header("origin", sent_from);
        }
        let request = builder.body(Bytes::from(body)).expect("a request");
        let response = match origin.as_str() {
            PUBLIC_URL => self.app.send(request),
            UPSTREAM_URL => self.app.upstream.simulator.handle(&request, self.app.now().as_seconds()),
            other => panic!("the browser does not go to {other}"),
        };
        self.keep_cookies(&origin, &response);
        response
    }

    fn follow(&self, method: &str, url: &str, body: String, sent_from: &str) -> Shown {
        let (mut method, mut body) = (method.to_owned(), body);
        let mut url = Url::parse(url).or_else(|_| Url::parse(PUBLIC_URL).expect("a URL").join(url)).expect("a URL");
        loop {
            let response = self.request(&method, &url, std::mem::take(&mut body), sent_from);
            let Some(location) = response.headers().get("location") else {
                let text = String::from_utf8_lossy(response.body()).into_owned();
                return Shown { url, status: response.status().as_u16(), body: text, response };
            };
            url = url.join(location.to_str().expect("text")).expect("a URL");
            let is_ours = [PUBLIC_URL, UPSTREAM_URL].contains(&url.origin().ascii_serialization().as_str());
            if !is_ours {
                return Shown { url, status: response.status().as_u16(), body: String::new(), response };
            }
            method = "GET".into();
        }
    }

    /// Gives the cookie of one visit the name that another visit's would have.
    pub fn rename_cookie(&self, from_handle: &str, to_handle: &str) {
        let name = |handle: &str| (PUBLIC_URL.to_owned(), cookie_name(handle));
        let mut cookies = self.cookies.borrow_mut();
        let value = cookies.remove(&name(from_handle)).expect("the visit has a cookie");
        cookies.insert(name(to_handle), value);
    }

    pub fn cookies(&self) -> BTreeMap<String, String> {
        let cookies = self.cookies.borrow();
        let ours = cookies.iter().filter(|((origin, _), _)| origin == PUBLIC_URL);
        ours.map(|((_, name), value)| (name.clone(), value.clone())).collect()
    }

    /// Sets a cookie of the connector.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.borrow_mut().insert((PUBLIC_URL.to_owned(), name.to_owned()), value.to_owned());
    }

    fn cookie_header(&self, origin: &str) -> String {
        let cookies = self.cookies.borrow();
        let pairs =
            cookies.iter().filter(|((of, _), _)| of == origin).map(|((_, name), value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep_cookies(&self, origin: &str, response: &Response<Bytes>) {
        for cookie in response.headers().get_all("set-cookie") {
            let text = cookie.to_str().expect("text");
            let (name, value) = text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            let key = (origin.to_owned(), name.to_owned());
            if text.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(&key);
            } else {
                self.cookies.borrow_mut().insert(key, value.to_owned());
            }
        }
    }
}

/// The name of the cookie that belongs to the `state` of a sign-in or to the handle of a consent form.
pub fn cookie_name(handle: &str) -> String {
    let hash = statibeat_mcp::oauth::secret::hash(handle);
    let short: String = hash.as_str().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let kind = match handle.get(..9) {
        Some("sbmcp_co_") => "tx",
        Some("sbmcp_ai_") => "ad",
        _ => "in",
    };
    format!("__Host-sbmcp_{kind}_{short}")
}

impl Shown {
    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!(r#"name="{name}" value=""#);
        let start = self.body.find(&mark).unwrap_or_else(|| panic!("no field {name} in {}", self.body)) + mark.len();
        self.body[start..].split('"').next().expect("a value").to_owned()
    }

    /// The names of the ticked scopes.
    pub fn ticked(&self) -> Vec<String> {
        let boxes = self.body.split("<input").filter(|input| input.contains(r#"name="scope""#));
        let ticked = boxes.filter(|input| input.split('>').next().is_some_and(|tag| tag.contains(" checked")));
        ticked.filter_map(|input| input.split(r#"value=""#).nth(1)?.split('"').next().map(str::to_owned)).collect()
    }

    /// Where the leave page goes.
    pub fn leaves_for(&self) -> Url {
        let mark = "content=\"0;url=";
        let start = self.body.find(mark).unwrap_or_else(|| panic!("not a leave page: {}", self.body)) + mark.len();
        let target = self.body[start..].split('"').next().expect("a value").replace("&amp;", "&");
        Url::parse(&target).expect("a URL")
    }
}

/// A query parameter of an address.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
