//! Further approvals: a person comes from a client, signs in at StatiBeat, and answers the consent page.

use crate::base::{BaseConnection, SCOPE};
use crate::clients::Holder;
use crate::observations::Moment;
use crate::requests::{Reply, SentRequest};
use crate::support::flow::authorize_url;
use crate::support::{PUBLIC_URL, UPSTREAM_URL};
use crate::world::World;
use bytes::Bytes;
use http::Request;
use statibeat_mcp::oauth::secret;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use url::Url;

/// A person's browser, with the connector's cookies.
struct ApprovingBrowser {
    world: Rc<World>,
    connection_index: usize,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl ApprovingBrowser {
    /// Sends a request to the connector, once more if no answer comes.
    async fn open(&self, path: &str, form: Option<(&str, String)>) -> Option<Reply> {
        for _ in 0..2 {
            let cookies: Vec<_> = self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let sent = SentRequest::browse(self.connection_index, path.to_owned(), cookies.join("; "), form.clone());
            let Some(reply) = self.world.send(sent).await else { continue };
            for cookie in &reply.cookies {
                let (name, value) = cookie.split(';').next()?.split_once('=')?;
                if cookie.contains("Max-Age=0") {
                    self.cookies.borrow_mut().remove(name);
                } else {
                    self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
                }
            }
            return Some(reply);
        }
        None
    }

    /// Follows an address of the connector.
    async fn follow(&self, address: &str) -> Option<Reply> {
        let address = Url::parse(PUBLIC_URL).ok()?.join(address).ok()?;
        let is_ours = address.origin().ascii_serialization() == PUBLIC_URL;
        let path = format!("{}?{}", address.path(), address.query().unwrap_or_default());
        if is_ours { self.open(&path, None).await } else { None }
    }

    /// Signs in at StatiBeat; the address that it sends the browser back to.
    fn sign_in(&self, address: &str, user: &str) -> Option<String> {
        let world = &self.world;
        let page = Request::get(address).body(Bytes::new()).ok()?;
        let page = world.simulator.handle(&page, world.now());
        let page = String::from_utf8_lossy(page.body()).into_owned();
        let fields = [
            ("connector_id", hidden(&page, "connector_id")?),
            ("state", hidden(&page, "state")?),
            ("code_challenge", hidden(&page, "code_challenge")?),
            ("code_challenge_method", "S256".to_owned()),
            ("user_id", user.to_owned()),
        ];
        let form = Request::post(format!("{UPSTREAM_URL}/connector/sign-in"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", UPSTREAM_URL)
            .body(Bytes::from(encode(fields)))
            .ok()?;
        let answer = world.simulator.handle(&form, world.now());
        Some(answer.headers().get("location")?.to_str().ok()?.to_owned())
    }
}

fn encode<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> Option<String> {
    let mark = format!(r#"name="{name}" value=""#);
    Some(page.split(&mark).nth(1)?.split('"').next()?.to_owned())
}

/// Names and values of the boxes and radio buttons that a page shows as checked.
fn find_checked(page: &str) -> Vec<(&str, String)> {
    let tags = page.split("<input").skip(1).filter_map(|input| input.split('>').next());
    let value = |tag: &'_ str, mark: &str| Some(tag.split(mark).nth(1)?.split('"').next()?.to_owned());
    let names = ["scope", "pages", "page", "lifetime", "earlier"];
    tags.filter(|tag| tag.contains(" checked"))
        .filter_map(|tag| {
            let name = value(tag, " name=\"")?;
            Some((*names.iter().find(|known| **known == name)?, value(tag, " value=\"")?))
        })
        .collect()
}

/// The end of a lifetime that a form chooses in days.
fn end_of(name: &str, value: &str, now: i64) -> Option<i64> {
    let days: i64 = value.strip_suffix('d').filter(|_| name == "lifetime")?.parse().ok()?;
    Some(now + days * 86_400)
}

/// The answer to a consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConsentAnswer {
    Denied,
    /// The boxes as they stand.
    AsProposed,
    /// Every scope and page, and the earlier approvals as they are.
    Wide,
    /// The same, to which the earlier approvals are limited.
    Replacing,
}

/// The answers of a story's people, some more often than others.
const ANSWERS: [ConsentAnswer; 5] = [
    ConsentAnswer::Denied,
    ConsentAnswer::AsProposed,
    ConsentAnswer::AsProposed,
    ConsentAnswer::Wide,
    ConsentAnswer::Replacing,
];

impl ConsentAnswer {
    fn fields(self, page: &str) -> Vec<(&str, String)> {
        let wide = |earlier: &str| {
            let fixed = [("pages", "all"), ("lifetime", "until-revoked"), ("earlier", earlier)];
            let fixed = fixed.map(|(name, value)| (name, value.to_owned()));
            fixed.into_iter().chain(SCOPE.split(' ').map(|scope| ("scope", scope.to_owned()))).collect()
        };
        match self {
            Self::Denied => Vec::new(),
            Self::AsProposed => find_checked(page),
            Self::Wide => wide("keep"),
            Self::Replacing => wide("replace"),
        }
    }
}

impl World {
    /// A person who approves a client once more, as whoever has lost its tokens must.
    pub async fn authorize(self: Rc<Self>, connection_index: usize) {
        self.pause().await;
        let earlier = self.connection(connection_index);
        let browser = ApprovingBrowser { world: Rc::clone(&self), connection_index, cookies: RefCell::default() };
        let url = authorize_url(&[("scope", SCOPE), ("client_id", earlier.client)]);
        // What is narrowed while the page is made may be proposed on it.
        let step = self.scheduler.steps.get();
        let Some(page) = browser.show_consent(&url, earlier.user).await else { return };
        let shown = Moment { step, now: self.now() };
        let left = self.observed.borrow().scopes_left(connection_index, shown);
        self.pause().await;
        let answer = *self.random.pick(&ANSWERS);
        let Some((connection_index, code)) = browser.answer(&page, answer, &earlier).await else { return };
        let granted =
            self.base.stored.text("SELECT scope FROM grants WHERE id = ?1", &self.connection(connection_index).grant);
        let is_wider = left.is_some_and(|left| granted.split(' ').any(|scope| !left.contains(scope)));
        if answer == ConsentAnswer::AsProposed && is_wider {
            let how = format!("{granted} by code {}", crate::requests::short(&code));
            self.observed.borrow_mut().break_promise("an approval as proposed keeps what a narrowing took", how);
        }
        let holder = Holder::of_connection(&self, connection_index);
        self.approved.borrow_mut().push(Rc::clone(&holder));
        self.work(holder).await;
    }
}

impl ApprovingBrowser {
    async fn show_consent(&self, url: &str, user: &str) -> Option<Reply> {
        let began = self.follow(url).await?;
        let back = self.sign_in(began.location.as_ref()?, user)?;
        let signed_in = self.follow(&back).await?;
        let page = self.follow(signed_in.location.as_ref()?).await?;
        hidden(&page.body, "request").is_some().then_some(page)
    }

    /// Answers the consent page; the new connection and its code, if there is one.
    async fn answer(&self, page: &Reply, answer: ConsentAnswer, earlier: &BaseConnection) -> Option<(usize, String)> {
        let world = &self.world;
        let (request, person) = (hidden(&page.body, "request")?, hidden(&page.body, "person")?);
        let mut fields = vec![("request", request.clone()), ("person", person)];
        fields.push(("answer", if answer == ConsentAnswer::Denied { "deny" } else { "approve" }.to_owned()));
        fields.extend(answer.fields(&page.body));
        let began = world.scheduler.steps.get();
        let replaced = world.observed.borrow().connections_of(earlier.user, earlier.client);
        let is_replacing = fields.contains(&("earlier", "replace".to_owned()));
        let end = fields.iter().find_map(|(name, value)| end_of(name, value, world.now()));
        if is_replacing {
            // It limits the earlier approvals to what is chosen now.
            for index in &replaced {
                let connection = &mut world.observed.borrow_mut().connections[*index];
                // Of a connection that was narrowed before, this may leave nothing, which ends it.
                if connection.narrowing.began {
                    connection.end_began.get_or_insert(began);
                }
                connection.narrowing.begin(end);
            }
        }
        let now = world.now();
        world.trace(|| format!("consent: {answer:?}"));
        let reply = self.open("/mcp/oauth/consent", Some((&request, encode(fields)))).await?;
        let code = reply.code()?;
        let sql = "SELECT grant_id FROM codes WHERE code_hash = ?1";
        let grant = world.base.stored.text(sql, secret::hash(&code).as_str());
        let connection = BaseConnection {
            grant,
            issued_at: (now, world.now()),
            pair: None,
            code: Some(code.clone()),
            ..earlier.clone()
        };
        let index = world.add_connection(connection, began);
        let facts = &mut world.observed.borrow_mut().connections;
        let earliest = replaced.iter().filter_map(|index| facts[*index].narrowing.may_end_at).min();
        facts[index].narrowing.may_end_at = [end, earliest].into_iter().flatten().min();
        Some((index, code))
    }
}
