//! Opaque tokens: issue, parse, hash. Never printable (RFC 6749 10.10, RFC 6819 5.1.4.2.2).
//!
//! Every secret string that we issue (code, token, sign-in state, cookie, form token) is the prefix of its use, the shard, 31
//! random bytes and a short keyed checksum over all three. The checksum rejects forged tokens, and tokens of another use or
//! environment, without a query. The SHA-256 of the whole string is stored; rows are found by that hash, so no
//! comparison can leak timing.

use crate::keyring::KeyRing;
use crate::model::ids::SHARD;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::marker::PhantomData;
use subtle::ConstantTimeEq;

/// Length of the checksum, in bytes. It saves queries; it doesn't protect access.
const CHECKSUM_LENGTH: usize = 8;

/// A use of opaque tokens. Prefix and checksum differ by use, so that no token is accepted for another use.
pub trait TokenUse {
    /// Prefix of every token of the use, which secret scanners can detect.
    const PREFIX: &'static str;
}

macro_rules! token_uses {
    ($($(#[$comment:meta])* $name:ident = $prefix:literal;)*) => {
        $($(#[$comment])* pub enum $name {}
        impl TokenUse for $name {
            const PREFIX: &'static str = $prefix;
        })*
    };
}

token_uses! {
    /// Single use, ten minutes (RFC 6749 4.1.2).
    Code = "sbmcp_ac_";
    /// One hour, presented to `/mcp` (RFC 6750).
    Access = "sbmcp_at_";
    /// Thirty days, single use, but repeatable until its answer was used (RFC 9700 4.14).
    Refresh = "sbmcp_rt_";
    /// Travels through StatiBeat's sign-in for a connection; single use, ten minutes.
    Connecting = "sbmcp_si_";
    /// Carried by the consent form; ends with the answer, at most ten minutes.
    Consent = "sbmcp_co_";
    /// In the cookie of the browser that a consent form was shown to.
    Binding = "sbmcp_bb_";
    /// Travels through StatiBeat's sign-in for the admin page; ten minutes.
    AdminConnecting = "sbmcp_ai_";
    /// In the cookie of the browser that started a sign-in to the admin page.
    AdminBinding = "sbmcp_ab_";
    /// In the cookie of a browser that is signed in to the admin page.
    Session = "sbmcp_as_";
}

pub type AuthorizationCode = OpaqueToken<Code>;
pub type AccessToken = OpaqueToken<Access>;
pub type RefreshToken = OpaqueToken<Refresh>;
/// The `state` of the sign-in for a connection.
pub type SignInState = OpaqueToken<Connecting>;
/// Names an authorization request on its consent form.
pub type ConsentToken = OpaqueToken<Consent>;
/// Binds a consent form to the browser it was shown to.
pub type BrowserBinding = OpaqueToken<Binding>;
/// The `state` of the sign-in to the admin page.
pub type AdminSignInState = OpaqueToken<AdminConnecting>;
/// Binds a sign-in to the admin page to the browser that started it.
pub type AdminSignInBinding = OpaqueToken<AdminBinding>;
/// A session of the admin page.
pub type AdminSession = OpaqueToken<Session>;

/// A secret string that we issued, in clear text.
pub struct OpaqueToken<U> {
    text: String,
    token_use: PhantomData<U>,
}

/// The stored form of a secret: base64url of its SHA-256.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct SecretHash(String);

impl SecretHash {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Any text in place of a hash, for tests.
#[cfg(test)]
impl From<&str> for SecretHash {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A prefix of the hash for the log: enough to find a row, too short to be a credential.
impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or_default())
    }
}

impl<U: TokenUse> OpaqueToken<U> {
    /// Creates a token from 32 random or derived bytes, of which the first is replaced by the shard.
    pub fn issue(bytes: &[u8; 32], ring: &KeyRing) -> Self {
        let [_, random @ ..] = bytes;
        Self::of_shard(SHARD, random, ring)
    }

    fn of_shard(shard: u8, random: &[u8; 31], ring: &KeyRing) -> Self {
        let body = URL_SAFE_NO_PAD.encode([&[shard], random.as_slice()].concat());
        let mac = ring.mac(ring.newest(), U::PREFIX, &[body.as_bytes()]);
        let text = format!("{}{body}.{}", U::PREFIX, URL_SAFE_NO_PAD.encode(&mac[..CHECKSUM_LENGTH]));
        Self { text, token_use: PhantomData }
    }

    /// Parses a token; `None` unless it was issued for this use and shard with a key of this ring.
    pub fn parse(text: &str, ring: &KeyRing) -> Option<Self> {
        let (body, checksum) = text.strip_prefix(U::PREFIX)?.split_once('.')?;
        if body.len() != 43 || URL_SAFE_NO_PAD.decode(body).ok()?.first() != Some(&SHARD) {
            return None;
        }
        let checksum: [u8; CHECKSUM_LENGTH] = URL_SAFE_NO_PAD.decode(checksum).ok()?.try_into().ok()?;
        let is_ours = |key| ring.mac(key, U::PREFIX, &[body.as_bytes()])[..CHECKSUM_LENGTH].ct_eq(&checksum).into();
        ring.iter().any(is_ours).then(|| Self { text: text.to_owned(), token_use: PhantomData })
    }

    /// Returns the stored form of the token.
    pub fn hash(&self) -> SecretHash {
        hash(&self.text)
    }

    /// The clear text, for the response, cookie, link or form field that carries it, and for values derived from it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl<U: TokenUse> fmt::Debug for OpaqueToken<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", U::PREFIX)
    }
}

pub fn hash(text: &str) -> SecretHash {
    SecretHash(URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
}

/// A token for tests of what is stored.
#[cfg(test)]
pub(crate) fn example<U: TokenUse>(seed: u8) -> OpaqueToken<U> {
    let ring = KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring");
    OpaqueToken::issue(&[seed; 32], &ring)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(seed: u8, environment: &str) -> KeyRing {
        let mut key = [seed; 32];
        key[1] ^= 9;
        KeyRing::parse(&format!("k{seed}:{}", URL_SAFE_NO_PAD.encode(key)), environment).expect("a good ring")
    }

    type Parse = fn(&str, &KeyRing) -> bool;

    /// One token of each use, and the parser of that use.
    fn one_of_each(ring: &KeyRing) -> Vec<(String, Parse)> {
        fn one<U: TokenUse>(ring: &KeyRing) -> (String, Parse) {
            let token = OpaqueToken::<U>::issue(&[7; 32], ring);
            (token.expose().to_owned(), |text, ring| OpaqueToken::<U>::parse(text, ring).is_some())
        }
        vec![
            one::<Code>(ring),
            one::<Access>(ring),
            one::<Refresh>(ring),
            one::<Connecting>(ring),
            one::<Consent>(ring),
            one::<Binding>(ring),
            one::<AdminConnecting>(ring),
            one::<AdminBinding>(ring),
            one::<Session>(ring),
        ]
    }

    #[test]
    fn token_is_accepted_for_its_own_use_only() {
        let ring = ring(1, "test");
        let all = one_of_each(&ring);
        for (at, (text, _)) in all.iter().enumerate() {
            let body = &text["sbmcp_xx_".len()..];
            for (other, (example, parse)) in all.iter().enumerate() {
                assert_eq!(parse(text, &ring), at == other, "{text} as {example}");
                let disguised = format!("{}{body}", &example[.."sbmcp_xx_".len()]);
                assert_eq!(parse(&disguised, &ring), at == other, "the prefix is inside the checksum: {disguised}");
            }
        }
    }

    #[test]
    fn token_of_another_key_or_environment_is_rejected() {
        let production = ring(1, "production");
        for (text, parse) in one_of_each(&production) {
            assert!(parse(&text, &production), "{text}");
            assert!(!parse(&text, &ring(2, "production")) && !parse(&text, &ring(1, "staging")), "{text}");
        }
    }

    #[test]
    fn token_of_another_shard_is_rejected_though_its_checksum_is_right() {
        let ring = ring(1, "test");
        for shard in 0..=u8::MAX {
            let token = AccessToken::of_shard(shard, &[7; 31], &ring);
            assert_eq!(AccessToken::parse(token.expose(), &ring).is_some(), shard == SHARD, "{shard}");
        }
    }

    #[test]
    fn token_of_an_older_key_works_as_long_as_the_ring_has_that_key() {
        let key = |seed: u8| format!("k{seed}:{}", URL_SAFE_NO_PAD.encode([[seed; 31].as_slice(), &[9]].concat()));
        let ring = |text: String| KeyRing::parse(&text, "test").expect("a good ring");
        let (old, both, new) = (ring(key(1)), ring(format!("{} {}", key(2), key(1))), ring(key(2)));
        for ((text, parse), (newer, _)) in one_of_each(&old).into_iter().zip(one_of_each(&both)) {
            assert!(parse(&text, &both) && !parse(&text, &new), "{text}");
            assert!(parse(&newer, &new), "the newest key signs: {newer}");
        }
    }

    #[test]
    fn malformed_token_is_rejected() {
        let ring = ring(1, "test");
        for (good, parse) in one_of_each(&ring) {
            for bad in [
                "",
                &good[.."sbmcp_xx_".len()],
                "sbmcp_at_.",
                &good[1..],
                &good[..good.len() - 1],
                &format!("{good}A"),
                &good.replace('.', ""),
            ] {
                assert!(!parse(bad, &ring), "{bad}");
            }
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = AccessToken::issue(&[7; 32], &ring(1, "test"));
        assert_eq!(format!("{token:?}"), "sbmcp_at_…");
        assert_eq!(format!("{:?}", hash("x")), "LXEWQrcmsEQB");
    }
}
