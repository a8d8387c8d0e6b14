//! Rate limits of the authorization server, the admin page and invalid bearer tokens, in one table.
//!
//! The limits bound cost and noise; 256-bit secrets need none. A response over a limit never makes a client drop its
//! credentials. A counter's name contains an address or a hash, never a secret. The limits of messages and writes are
//! in `hosted::rate_limit`, that of rotations in `oauth::grant`.

use super::browser::Presented;
use super::context::RequestContext;
use super::fetch_metadata;
use super::page_error::PageError;
use crate::hosted::rate_limit::SHARED_MESSAGES;
use crate::model::ids::GrantId;
use crate::model::loopback::is_loopback_url;
use crate::oauth::secret::{OpaqueToken, SecretHash, TokenUse, hash};
use crate::ports::{Decision, RateLimit};
use http::Request;
use http::header::ORIGIN;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use url::Url;

const fn limit(name: &'static str, count: u32, window: Duration) -> RateLimit {
    RateLimit { name, count, window }
}

const MINUTE: Duration = Duration::from_mins(1);
const TEN_MINUTES: Duration = Duration::from_mins(10);
const HOUR: Duration = Duration::from_hours(1);

/// Authorization requests of one address. A company may share an address and connect many people within minutes.
pub(super) const AUTHORIZE: RateLimit = limit("authorize:address", 120, MINUTE);
/// Sign-ins to the admin page of one address, counted at start and return. Separate from those of clients, so that
/// neither blocks the other.
pub(super) const ADMIN_SIGN_IN: RateLimit = limit("admin-sign-in:address", 120, MINUTE);
/// Refused clients of one address that are stored.
pub(super) const REMEMBER_REFUSAL: RateLimit = limit("remember-refusal:address", 10, HOUR);
/// Returns from sign-in, and submitted consent forms, of one authorization request: usually one; more after an outage.
pub(super) const AUTHORIZATION_REQUEST: RateLimit = limit("authorization-request", 5, TEN_MINUTES);
/// Token requests of one address that failed. Successes are not counted: whole services call from one address.
pub(super) const TOKEN_FAILURES_OF_ADDRESS: RateLimit = limit("token-failure:address", 20, TEN_MINUTES);
/// Failed token requests with one code or refresh token. The same number of wrong verifiers invalidates a code.
pub(super) const TOKEN_FAILURES_OF_CREDENTIAL: RateLimit = limit("token-failure:credential", 5, TEN_MINUTES);
/// Different registrations of one address. A company has many clients. Nothing is stored of a registration.
const REGISTER: RateLimit = limit("register:address", 60, TEN_MINUTES);
/// One registration of one address. The same one is counted once in this time: some clients register anew at each 401,
/// and must not use up the limit of their office.
const SAME_REGISTRATION: RateLimit = limit("register:same", 1, HOUR);
/// Revocations of one address with forged tokens. Revocations of genuine tokens are never limited.
pub(super) const BAD_REVOCATION: RateLimit = limit("bad-revocation:address", 60, MINUTE);
/// Forged bearer tokens of one address.
pub(super) const BAD_BEARER: RateLimit = limit("bad-bearer:address", 60, MINUTE);

/// Forged sign-in states, consent tokens and cookies of one address, and forms submitted in another browser. Repeated
/// genuine ones aren't counted.
const BAD_HANDLE: RateLimit = limit("bad-handle:address", 60, MINUTE);

/// Networks shared by the clients of many people, so that one person's failures must not block the others. claude.ai's
/// outgoing range, published by its vendor; seen 2026-11.
const SHARED_NETWORKS: [(Ipv4Addr, u32); 1] = [(Ipv4Addr::new(160, 79, 104, 0), 21)];

pub(super) enum LimitDecision {
    Pass,
    Wait(Duration),
    /// The limiter is down. The caller decides whether to go on: reads and refreshes do, writes and registration do not.
    Unknown,
}

pub(super) async fn take(ctx: &RequestContext<'_>, limit: &RateLimit, subject: &str) -> LimitDecision {
    match ctx.limiter.take(&format!("{}:{subject}", limit.name), *limit, ctx.now).await {
        Ok(Decision::Allowed { .. }) => LimitDecision::Pass,
        Ok(Decision::Limited { retry_after }) => LimitDecision::Wait(retry_after),
        Err(error) => {
            ctx.log.note(&format!("{error}; {} goes uncounted", limit.name));
            LimitDecision::Unknown
        }
    }
}

/// Charges the limit. Returns the wait if it is exceeded; `None` also if the limiter is down.
pub(super) async fn wait(ctx: &RequestContext<'_>, limit: &RateLimit, subject: &str) -> Option<Duration> {
    match take(ctx, limit, subject).await {
        LimitDecision::Wait(wait) => Some(wait),
        LimitDecision::Pass | LimitDecision::Unknown => None,
    }
}

/// Charges a registration, unless this sender's same registration was charged before. `registration` is the issued
/// client id, or the rejected body.
pub(super) async fn take_registration(ctx: &RequestContext<'_>, registration: &str) -> LimitDecision {
    let sender = Sender::counter(ctx);
    let same = format!("{sender}.{}", short(&hash(registration)));
    let key = format!("{}:{same}", SAME_REGISTRATION.name);
    match ctx.limiter.remaining(&key, SAME_REGISTRATION, ctx.now).await {
        Ok(0) => return LimitDecision::Pass,
        Ok(_) => {}
        Err(error) => {
            ctx.log.note(&format!("{error}; {} goes uncounted", SAME_REGISTRATION.name));
            return LimitDecision::Unknown;
        }
    }
    let decision = take(ctx, &REGISTER, &sender).await;
    if matches!(decision, LimitDecision::Pass) {
        // Lost, it only lets the next same registration count again.
        take(ctx, &SAME_REGISTRATION, &same).await;
    }
    decision
}

/// Charges one message of a connection. Returns the wait if the limit is exceeded; `None` also if the limiter is down.
pub(super) async fn message_wait(ctx: &RequestContext<'_>, grant_id: &GrantId) -> Option<Duration> {
    if ctx.app.messages.take(grant_id, ctx.now) {
        return None;
    }
    wait(ctx, &SHARED_MESSAGES, grant_id.as_str()).await
}

/// Charges a forged consent token or cookie.
pub(super) async fn count_bad_handle(ctx: &RequestContext<'_>) -> Result<(), PageError> {
    wait(ctx, &BAD_HANDLE, &Sender::counter(ctx)).await.map_or(Ok(()), |wait| Err(PageError::TooMany(wait)))
}

/// Returns the token that a browser presents; `error` if it is missing, or forged, which is charged.
pub(super) async fn require<U: TokenUse>(
    ctx: &RequestContext<'_>,
    presented: Presented<OpaqueToken<U>>,
    error: PageError,
) -> Result<OpaqueToken<U>, PageError> {
    match presented {
        Presented::Token(token) => return Ok(token),
        Presented::MadeUp => count_bad_handle(ctx).await?,
        Presented::Absent => {}
    }
    Err(error)
}

/// Sender of a request, for rate limits.
pub(super) struct Sender(Option<IpAddr>);

impl Sender {
    /// Reads the header that Cloudflare sets on every request. Without it, as on loopback, all senders share one
    /// counter.
    pub fn from_head(head: &Request<()>) -> Self {
        let header = head.headers().get("cf-connecting-ip").and_then(|value| value.to_str().ok());
        Self(header.and_then(|text| text.trim().parse::<IpAddr>().ok()).map(|address| address.to_canonical()))
    }

    /// Name of the sender's counters. An IPv6 /64 counts as one sender.
    pub fn bucket(&self) -> String {
        match self.0 {
            None => "none".to_owned(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// Name of the counters for this request. Requests caused by another site's page have separate counters, so that no
    /// site can use up the limits of its visitors' networks. A page on loopback or of a listed client is not another
    /// site.
    pub fn counter(ctx: &RequestContext<'_>) -> String {
        let bucket = Self::from_head(ctx.head).bucket();
        let is_foreign = match ctx.head.headers().get(ORIGIN) {
            Some(origin) => !origin.to_str().is_ok_and(|origin| {
                origin == ctx.app.config.issuer
                    || ctx.app.config.allowed_redirects.has_origin(origin)
                    || is_loopback_origin(origin)
            }),
            None => fetch_metadata::is_from_another_site(ctx.head.headers()),
        };
        if is_foreign { format!("{bucket}/other-site") } else { bucket }
    }

    /// The sender's network, coarse enough to say nothing about the person.
    pub fn network(&self) -> String {
        match self.0 {
            None => "none".to_owned(),
            Some(IpAddr::V4(address)) => format!("{}.{}", address.octets()[0], address.octets()[1]),
            Some(IpAddr::V6(address)) => format!("{:x}:{:x}", address.segments()[0], address.segments()[1]),
        }
    }

    /// True for an address that many people's clients share.
    pub fn is_shared(&self) -> bool {
        let Some(IpAddr::V4(address)) = self.0 else { return false };
        let prefix = |address: Ipv4Addr, length: u32| u32::from(address) >> (32 - length);
        SHARED_NETWORKS.iter().any(|(network, length)| prefix(address, *length) == prefix(*network, *length))
    }
}

/// True for the origin of a page on the sender's own computer.
pub(super) fn is_loopback_origin(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| is_loopback_url(&url))
}

/// Name of the counter of one authorization request in one browser: guesses at either count elsewhere.
pub(super) fn request_counter(handle: &SecretHash, browser: &SecretHash) -> String {
    format!("{}.{}", short(handle), short(browser))
}

/// The first 132 bits of a hash.
fn short(hash: &SecretHash) -> String {
    hash.as_str().chars().take(22).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(address: &str) -> Sender {
        let mut request = Request::new(());
        request.headers_mut().insert("cf-connecting-ip", address.parse().expect("fits"));
        Sender::from_head(&request)
    }

    #[test]
    fn ipv6_network_counts_as_one_sender_and_an_ipv4_address_as_itself() {
        assert_eq!(sender("2001:db8:1:2:3:4:5:6").bucket(), "2001:db8:1:2::/64");
        assert_eq!(sender("2001:db8:1:2::9").bucket(), sender("2001:db8:1:2:ffff::").bucket());
        assert_ne!(sender("2001:db8:1:3::9").bucket(), sender("2001:db8:1:2::9").bucket());
        assert_eq!(sender("192.0.2.7").bucket(), "192.0.2.7");
        assert_eq!(sender("::ffff:192.0.2.7").bucket(), "192.0.2.7");
    }

    #[test]
    fn senders_without_a_readable_address_count_together() {
        assert_eq!(Sender::from_head(&Request::new(())).bucket(), "none");
        assert_eq!(sender("nonsense").bucket(), "none");
    }

    #[test]
    fn shared_network_is_matched_to_its_edges() {
        for (address, is_shared) in
            [("160.79.104.0", true), ("160.79.111.255", true), ("160.79.112.0", false), ("160.79.103.255", false)]
        {
            assert_eq!(sender(address).is_shared(), is_shared, "{address}");
        }
        assert!(!sender("2001:db8::1").is_shared());
    }
}
