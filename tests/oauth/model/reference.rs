//! Which code and token must work, as the specification says it, written without a look at the connector's own rules.
//!
//! A step is decided on what the world is ([`World::redeem`], [`World::refresh`], …) and gives an answer and an effect.
//! The effect is applied apart from the decision ([`World::apply`]), because a storage fault can come between the two:
//! then it happens later, under the conditions of that later moment, or never.

const CODE_LIFE: i64 = 600;
const CODE_KEPT: i64 = 86_400;
const AUTHORIZATION_LIFE: i64 = 600;
const ACCESS_LIFE: i64 = 3_600;
const REFRESH_LIFE: i64 = 30 * 86_400;
const REFRESH_KEPT: i64 = 3_600;
const DOUBLE_SUBMIT: i64 = 10;
/// Maximum living access tokens that came with one refresh token.
const ACCESSES: usize = 32;
const MISSES: u32 = 5;
/// Maximum rotations of one token family within `ROTATIONS_WINDOW` seconds.
const ROTATIONS: usize = 10;
const ROTATIONS_WINDOW: i64 = 60;

/// A person in front of a consent page.
pub struct Authorization {
    pub user: usize,
    pub client: usize,
    opened_at: i64,
    is_over: bool,
}

pub struct Grant {
    pub user: usize,
    pub client: usize,
    is_ended: bool,
}

/// The text is unknown when the answer that carried it was lost; so with tokens.
pub struct Code {
    pub text: Option<String>,
    pub authorization: usize,
    pub grant: usize,
    issued_at: i64,
    redeemed_at: Option<i64>,
    misses: u32,
    is_forgotten: bool,
}

pub struct Refresh {
    pub text: Option<String>,
    pub grant: usize,
    issued_at: i64,
    first_used_at: Option<i64>,
    successor: Option<usize>,
    /// `true` once an access token that came with it was used.
    is_answer_used: bool,
    is_forgotten: bool,
}

pub struct Access {
    pub text: Option<String>,
    pub grant: usize,
    /// The refresh token that it came with.
    refresh: usize,
    issued_at: i64,
    is_ended: bool,
}

#[derive(Default)]
pub struct World {
    pub now: i64,
    /// Whose account StatiBeat has closed.
    pub disabled: [bool; 3],
    pub authorizations: Vec<Authorization>,
    pub grants: Vec<Grant>,
    pub codes: Vec<Code>,
    pub refreshes: Vec<Refresh>,
    pub accesses: Vec<Access>,
}

/// The way a code is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    Right,
    WrongVerifier,
    NoVerifier,
    OtherClient,
    OtherRedirectUri,
}

/// The way a refresh token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshing {
    Right,
    Narrower,
    Wider,
    OtherClient,
}

/// The answer that the client must get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAnswer {
    Issued,
    InvalidGrant,
    TooOften,
}

/// A change of state, with the time of the request that causes it.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    Approve { authorization: usize },
    Decline { authorization: usize },
    Redeem { code: usize },
    Miss { code: usize },
    Rotate { refresh: usize },
    Repeat { refresh: usize },
    Use { access: usize },
    EndGrant { grant: usize },
    EndAccess { access: usize },
    EndConnection { user: usize, client: usize },
}

/// The tokens that an effect issued.
#[derive(Clone, Copy, Debug, Default)]
pub struct Minted {
    pub code: Option<usize>,
    pub access: Option<usize>,
    pub refresh: Option<usize>,
}

type TokenDecision = (TokenAnswer, Option<Effect>);
const REFUSED: TokenDecision = (TokenAnswer::InvalidGrant, None);

impl World {
    pub fn open_authorization(&mut self, user: usize, client: usize) {
        self.authorizations.push(Authorization { user, client, opened_at: self.now, is_over: false });
    }

    pub fn can_answer(&self, authorization: usize) -> bool {
        let authorization = &self.authorizations[authorization];
        !authorization.is_over && self.now < authorization.opened_at + AUTHORIZATION_LIFE
    }

    pub fn works(&self, access: usize) -> bool {
        let access = &self.accesses[access];
        !access.is_ended && !self.grants[access.grant].is_ended && self.now < access.issued_at + ACCESS_LIFE
    }

    /// Only a request that is right in everything but its time can end the grant.
    pub fn redeem(&self, at: usize, how: Redemption) -> TokenDecision {
        let code = &self.codes[at];
        let is_wrong = matches!(how, Redemption::OtherClient | Redemption::OtherRedirectUri);
        if code.is_forgotten || is_wrong {
            return REFUSED;
        }
        let is_proven = how == Redemption::Right;
        match code.redeemed_at {
            Some(redeemed_at) if is_proven && self.now >= redeemed_at + DOUBLE_SUBMIT => {
                (TokenAnswer::InvalidGrant, Some(Effect::EndGrant { grant: code.grant }))
            }
            Some(_) => REFUSED,
            None if !is_proven => (TokenAnswer::InvalidGrant, Some(Effect::Miss { code: at })),
            None if self.is_dead(code) => REFUSED,
            None => self.unless_gone(code.grant, Effect::Redeem { code: at }),
        }
    }

    /// Whoever StatiBeat does not know any more gets nothing, and has no grant after that.
    fn unless_gone(&self, grant: usize, effect: Effect) -> TokenDecision {
        if self.disabled[self.grants[grant].user] {
            (TokenAnswer::InvalidGrant, Some(Effect::EndGrant { grant }))
        } else {
            (TokenAnswer::Issued, Some(effect))
        }
    }

    fn is_dead(&self, code: &Code) -> bool {
        self.grants[code.grant].is_ended || code.misses >= MISSES || self.now >= code.issued_at + CODE_LIFE
    }

    pub fn refresh(&self, at: usize, how: Refreshing) -> TokenDecision {
        let token = &self.refreshes[at];
        let is_over = self.grants[token.grant].is_ended || self.now >= token.issued_at + REFRESH_LIFE;
        if how == Refreshing::OtherClient || is_over || token.is_forgotten {
            return REFUSED;
        }
        let effect = match token.first_used_at {
            None if self.is_too_fast(token.grant) => return (TokenAnswer::TooOften, None),
            None => Effect::Rotate { refresh: at },
            Some(_) if !self.is_answer_unused(token) => {
                return (TokenAnswer::InvalidGrant, Some(Effect::EndGrant { grant: token.grant }));
            }
            Some(_) if self.is_full(token, self.now) => return (TokenAnswer::TooOften, None),
            Some(_) => Effect::Repeat { refresh: at },
        };
        self.unless_gone(token.grant, effect)
    }

    fn is_too_fast(&self, grant: usize) -> bool {
        let family = self.refreshes.iter().filter(|token| token.grant == grant);
        let recent = family.skip(1).filter(|token| self.now < token.issued_at + ROTATIONS_WINDOW);
        recent.count() >= ROTATIONS
    }

    /// The result of repeating at once a rotation, or its repetition, whose answer was lost.
    pub fn second_look(&self, first: Effect) -> Option<TokenDecision> {
        let (Effect::Rotate { refresh } | Effect::Repeat { refresh }) = first else { return None };
        let token = &self.refreshes[refresh];
        match token.first_used_at {
            None => Some((TokenAnswer::Issued, Some(Effect::Rotate { refresh }))),
            Some(_) if !self.is_answer_unused(token) => None,
            Some(_) if self.is_full(token, self.now) => Some((TokenAnswer::TooOften, None)),
            Some(_) => Some((TokenAnswer::Issued, Some(Effect::Repeat { refresh }))),
        }
    }

    /// Nothing shows that the answer to the token's first use arrived.
    fn is_answer_unused(&self, token: &Refresh) -> bool {
        let successor = token.successor.map(|at| &self.refreshes[at]);
        successor.is_some_and(|successor| successor.first_used_at.is_none() && !successor.is_answer_used)
    }

    /// Too many access tokens were alive when the request was sent: what has expired since makes no room for it.
    fn is_full(&self, token: &Refresh, sent_at: i64) -> bool {
        let is_alive = |access: &&Access| !access.is_ended && sent_at < access.issued_at + ACCESS_LIFE;
        let with_successor = self.accesses.iter().filter(|access| token.successor == Some(access.refresh));
        with_successor.filter(is_alive).count() >= ACCESSES
    }

    pub fn revoke_refresh(&self, at: usize, is_owner: bool) -> Option<Effect> {
        let token = &self.refreshes[at];
        (is_owner && !token.is_forgotten).then_some(Effect::EndGrant { grant: token.grant })
    }

    /// Makes an effect of a request that was sent at `at` happen, if what it builds on is still so.
    pub fn apply(&mut self, effect: Effect, at: i64) -> Minted {
        match effect {
            Effect::Approve { authorization } => return self.approve(authorization, at),
            Effect::Redeem { code } => return self.first_tokens(code, at),
            Effect::Rotate { refresh } => return self.rotate(refresh, at),
            Effect::Repeat { refresh } => return self.repeat(refresh, at),
            Effect::Decline { authorization } => self.authorizations[authorization].is_over = true,
            Effect::Miss { code } => self.codes[code].misses += u32::from(self.codes[code].redeemed_at.is_none()),
            Effect::Use { access } => {
                let refresh = self.accesses[access].refresh;
                self.refreshes[refresh].is_answer_used = true;
            }
            Effect::EndGrant { grant } => self.grants[grant].is_ended = true,
            Effect::EndAccess { access } => self.accesses[access].is_ended = true,
            Effect::EndConnection { user, client } => self.end_connection(user, client),
        }
        Minted::default()
    }

    fn approve(&mut self, authorization: usize, at: i64) -> Minted {
        if std::mem::replace(&mut self.authorizations[authorization].is_over, true) {
            return Minted::default();
        }
        let Authorization { user, client, .. } = self.authorizations[authorization];
        self.grants.push(Grant { user, client, is_ended: false });
        let grant = self.grants.len() - 1;
        let (redeemed_at, misses) = (None, 0);
        self.codes.push(Code {
            text: None,
            authorization,
            grant,
            issued_at: at,
            redeemed_at,
            misses,
            is_forgotten: false,
        });
        Minted { code: Some(self.codes.len() - 1), ..Minted::default() }
    }

    fn first_tokens(&mut self, at: usize, now: i64) -> Minted {
        let code = &self.codes[at];
        let is_dead = self.grants[code.grant].is_ended || code.misses >= MISSES || code.is_forgotten;
        if is_dead || code.redeemed_at.is_some() {
            return Minted::default();
        }
        let grant = code.grant;
        self.codes[at].redeemed_at = Some(now);
        let refresh = self.mint_refresh(grant, now);
        Minted { access: Some(self.mint_access(refresh, now)), refresh: Some(refresh), code: None }
    }

    fn rotate(&mut self, at: usize, now: i64) -> Minted {
        let token = &self.refreshes[at];
        let grant = token.grant;
        if self.grants[grant].is_ended || token.first_used_at.is_some() {
            return Minted::default();
        }
        let successor = self.mint_refresh(grant, now);
        let token = &mut self.refreshes[at];
        (token.first_used_at, token.successor) = (Some(now), Some(successor));
        Minted { access: Some(self.mint_access(successor, now)), refresh: Some(successor), code: None }
    }

    fn repeat(&mut self, at: usize, now: i64) -> Minted {
        let token = &self.refreshes[at];
        let is_refused = self.grants[token.grant].is_ended || !self.is_answer_unused(token) || self.is_full(token, now);
        let Some(refresh) = token.successor.filter(|_| !is_refused) else { return Minted::default() };
        Minted { access: Some(self.mint_access(refresh, now)), refresh: Some(refresh), code: None }
    }

    fn mint_access(&mut self, refresh: usize, issued_at: i64) -> usize {
        let grant = self.refreshes[refresh].grant;
        self.accesses.push(Access { text: None, grant, refresh, issued_at, is_ended: false });
        self.accesses.len() - 1
    }

    fn mint_refresh(&mut self, grant: usize, issued_at: i64) -> usize {
        let (first_used_at, successor, is_answer_used) = (None, None, false);
        self.refreshes.push(Refresh {
            text: None,
            grant,
            issued_at,
            first_used_at,
            successor,
            is_answer_used,
            is_forgotten: false,
        });
        self.refreshes.len() - 1
    }

    fn end_connection(&mut self, user: usize, client: usize) {
        for grant in self.grants.iter_mut().filter(|grant| (grant.user, grant.client) == (user, client)) {
            grant.is_ended = true;
        }
        for authorization in self
            .authorizations
            .iter_mut()
            .filter(|authorization| (authorization.user, authorization.client) == (user, client))
        {
            authorization.is_over = true;
        }
    }

    /// The number of rows while nothing was purged: nothing is written under an ended grant, or twice.
    pub fn rows(&self) -> [(&'static str, usize); 4] {
        let accesses = self.accesses.iter().filter(|access| !access.is_ended).count();
        [
            ("grants", self.grants.len()),
            ("codes", self.codes.len()),
            ("refresh_tokens", self.refreshes.len()),
            ("access_tokens", accesses),
        ]
    }

    /// Removes the rows that a purge may delete: none that still works, and none whose reuse must still be detected.
    pub fn purge(&mut self) {
        for code in &mut self.codes {
            code.is_forgotten |= self.now >= code.issued_at + CODE_LIFE + CODE_KEPT;
        }
        for token in self.refreshes.iter_mut().filter(|token| token.successor.is_some()) {
            token.is_forgotten |= self.now >= token.issued_at + REFRESH_LIFE + REFRESH_KEPT;
        }
    }

    /// The moments to come at which something changes by itself, soonest first.
    pub fn deadlines(&self) -> Vec<i64> {
        let authorizations = self
            .authorizations
            .iter()
            .filter(|authorization| !authorization.is_over)
            .map(|authorization| authorization.opened_at + AUTHORIZATION_LIFE);
        let codes = self.codes.iter().map(|code| match code.redeemed_at {
            Some(redeemed_at) => redeemed_at + DOUBLE_SUBMIT,
            None => code.issued_at + CODE_LIFE,
        });
        let refreshes = self.refreshes.iter().map(|token| token.issued_at + REFRESH_LIFE);
        let accesses = self.accesses.iter().filter(|access| !access.is_ended);
        let accesses = accesses.map(|access| access.issued_at + ACCESS_LIFE);
        let mut all: Vec<i64> = authorizations.chain(codes).chain(refreshes).chain(accesses).collect();
        all.retain(|deadline| *deadline > self.now);
        all.sort_unstable();
        all.dedup();
        all
    }
}
