//! Steps of clients with codes and tokens, and the ends of a connection.

use super::reference::{Effect, Minted, Redemption, Refreshing, TokenAnswer};
use super::story::{ALL, CALLBACKS, CLIENTS, Checked, Fault, PART, Story, TOO_MUCH, USERS, add, expect};
use crate::support::json;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Response;
use serde_json::json;
use statibeat_mcp::model::ids::{RequestId, UserId};
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::storage::grants;

impl Story<'_> {
    pub(super) fn redeem(&mut self, code: usize, how: Redemption, fault: Fault) -> Checked {
        let Some(text) = self.world.codes[code].text.clone() else { return Ok(()) };
        let verdict = self.world.redeem(code, how);
        let grant = &self.world.grants[self.world.codes[code].grant];
        let verifier = &self.seats[self.world.codes[code].authorization].verifier;
        let other = (grant.client + 1) % CLIENTS.len();
        let mut changes = [
            ("client_id", CLIENTS[grant.client]),
            ("redirect_uri", CALLBACKS[grant.client]),
            ("code_verifier", verifier.as_str()),
        ];
        match how {
            Redemption::Right => {}
            Redemption::WrongVerifier => changes[2].1 = "a-verifier-that-belongs-to-no-request-of-this-story",
            Redemption::NoVerifier => changes[2].1 = "",
            Redemption::OtherClient => changes[0].1 = CLIENTS[other],
            Redemption::OtherRedirectUri => changes[1].1 = CALLBACKS[other],
        }
        self.arm(fault);
        let answer = self.app.redeem(&text, &changes);
        self.token_answer(&answer, verdict, ALL, fault)
    }

    pub(super) fn refresh(&mut self, token: usize, how: Refreshing, fault: Fault) -> Checked {
        let Some(text) = self.world.refreshes[token].text.clone() else { return Ok(()) };
        let verdict = self.world.refresh(token, how);
        let owner = self.world.grants[self.world.refreshes[token].grant].client;
        let other = (owner + 1) % CLIENTS.len();
        let (client, scope) = match how {
            Refreshing::Right => (owner, ""),
            Refreshing::Narrower => (owner, PART),
            Refreshing::Wider => (owner, TOO_MUCH),
            Refreshing::OtherClient => (other, ""),
        };
        self.arm(fault);
        let answer = self.app.refresh(&text, &[("client_id", CLIENTS[client]), ("scope", scope)]);
        self.token_answer(&answer, verdict, if scope.is_empty() { ALL } else { PART }, fault)
    }

    pub(super) fn hurry(&mut self, token: usize, times: usize, fault: Fault) -> Checked {
        let grant = self.world.refreshes[token].grant;
        self.refresh(token, Refreshing::Right, fault)?;
        for _ in 1..times {
            let last = self.world.refreshes.iter().rposition(|token| token.grant == grant).unwrap_or(token);
            self.refresh(last, Refreshing::Right, None)?;
        }
        Ok(())
    }

    /// Holds a token answer against the verdict and writes down the tokens.
    fn token_answer(
        &mut self,
        answer: &Response<Bytes>,
        (wanted, effect): (TokenAnswer, Option<Effect>),
        scope: &str,
        fault: Fault,
    ) -> Checked {
        let error = || json(answer)["error"].as_str().unwrap_or_default().to_owned();
        if let Some(failed) = self.disarm(fault) {
            self.settle(failed, effect);
            // A rotation that was not confirmed is looked at again, in the same request.
            let second =
                effect.filter(|_| !failed.0.starts_with("SELECT")).and_then(|effect| self.world.second_look(effect));
            let (status, effect) = match second {
                None => (503, None),
                Some((TokenAnswer::TooOften, _)) => (429, None),
                Some((_, effect)) => (200, effect),
            };
            let Some(effect) = effect else {
                let said = (answer.status().as_u16(), error());
                return expect("a token request during an outage", &said, &(status, "temporarily_unavailable".into()));
            };
            expect("a refresh that was looked at again", &answer.status().as_u16(), &status)?;
            let minted = self.world.apply(effect, self.world.now);
            return self.keep(answer, minted, scope);
        }
        let said = (answer.status().as_u16(), error());
        let wanted = match wanted {
            TokenAnswer::Issued => (200, ""),
            TokenAnswer::InvalidGrant => (400, "invalid_grant"),
            TokenAnswer::TooOften => (429, "temporarily_unavailable"),
        };
        expect("the token endpoint", &said, &(wanted.0, wanted.1.to_owned()))?;
        let Some(effect) = effect else { return Ok(()) };
        let minted = self.world.apply(effect, self.world.now);
        if said.0 == 200 { self.keep(answer, minted, scope) } else { Ok(()) }
    }

    fn keep(&mut self, answer: &Response<Bytes>, minted: Minted, scope: &str) -> Checked {
        let tokens = crate::support::flow::tokens(answer);
        expect("the scope", &tokens.scope.as_str(), &scope)?;
        let (Some(access), Some(refresh)) = (minted.access, minted.refresh) else {
            return Err("tokens came where there must be none".into());
        };
        if self.world.accesses.iter().any(|other| other.text.as_deref() == Some(&tokens.access)) {
            return Err("an access token came twice".into());
        }
        self.world.accesses[access].text = Some(tokens.access);
        let known = self.world.refreshes[refresh].text.replace(tokens.refresh.clone());
        let is_same = known.is_none_or(|known| known == tokens.refresh);
        expect("one generation has one successor", &is_same, &true)?;
        let bearers = self.world.refreshes.iter().filter(|other| other.text.as_deref() == Some(&tokens.refresh));
        expect("refresh tokens with this text", &bearers.count(), &1)?;
        add(&self.totals.minted, 2);
        Ok(())
    }

    pub(super) fn revoke_refresh(&mut self, token: usize, by_owner: bool, fault: Fault) -> Checked {
        let Some(text) = self.world.refreshes[token].text.clone() else { return Ok(()) };
        let effect = self.world.revoke_refresh(token, by_owner);
        let owner = self.world.grants[self.world.refreshes[token].grant].client;
        self.revoke(&text, owner, by_owner, effect, fault)
    }

    pub(super) fn revoke_access(&mut self, token: usize, by_owner: bool, fault: Fault) -> Checked {
        let Some(text) = self.world.accesses[token].text.clone() else { return Ok(()) };
        let effect = by_owner.then_some(Effect::EndAccess { access: token });
        let owner = self.world.grants[self.world.accesses[token].grant].client;
        self.revoke(&text, owner, by_owner, effect, fault)
    }

    fn revoke(&mut self, text: &str, owner: usize, by_owner: bool, effect: Option<Effect>, fault: Fault) -> Checked {
        let client = if by_owner { owner } else { (owner + 1) % CLIENTS.len() };
        self.arm(fault);
        let answer = self.app.revoke(text, &[("client_id", CLIENTS[client])]);
        if let Some(failed) = self.disarm(fault) {
            expect("a revocation during an outage", &answer.status().as_u16(), &503)?;
            self.settle(failed, effect);
            return Ok(());
        }
        if let Some(effect) = effect {
            self.world.apply(effect, self.world.now);
        }
        expect("a revocation", &answer.status().as_u16(), &200)
    }

    /// A call that reaches StatiBeat, which is where a closed account shows.
    pub(super) fn call(&mut self, token: usize, fault: Fault) -> Checked {
        let Some(text) = self.world.accesses[token].text.clone() else { return Ok(()) };
        let grant = self.world.accesses[token].grant;
        let works = self.world.works(token);
        let is_disabled = self.world.disabled[self.world.grants[grant].user];
        let effect = (works && is_disabled).then_some(Effect::EndGrant { grant });
        self.arm(fault);
        let status = self.app.call(&text, "resources/read", json!({"uri": "statibeat://pages"})).status().as_u16();
        let failed = self.disarm(fault);
        // The record of a use is not worth a refused call.
        let is_only_the_record = failed.is_some_and(|(sql, _)| sql.contains("last_used_at = "));
        let used = works.then_some(Effect::Use { access: token });
        let is_found = failed.is_none_or(|(sql, _)| !sql.contains("AS token_scope"));
        if let Some(used) = used.filter(|_| is_found && !is_only_the_record) {
            self.world.apply(used, self.world.now);
        }
        if let Some(failed) = failed.filter(|_| is_only_the_record) {
            self.settle(failed, used);
        } else if let Some(failed) = failed {
            // StatiBeat has refused the person already when the last write of the call fails.
            let is_refusal = failed.0.contains("revoked_at = ");
            expect("a call during an outage", &status, &if is_refusal { 401 } else { 503 })?;
            self.settle(failed, effect.filter(|_| is_refusal));
            return Ok(());
        }
        if let Some(effect) = effect {
            self.world.apply(effect, self.world.now);
        }
        expect("a call", &status, &if works && !is_disabled { 200 } else { 401 })
    }

    pub(super) fn revoke_connection(&mut self, user: usize, client: usize, fault: Fault) -> Checked {
        let (user_id, request_id) = (UserId::parse(USERS[user]).expect("an id"), RequestId::parse("r").expect("an id"));
        let client_id = ClientId::parse(CLIENTS[client]).expect("fits");
        self.arm(fault);
        let revoking = grants::revoke_connection(&*self.app.db, &user_id, &client_id, &request_id, self.app.now());
        let revoked = revoking.now_or_never().expect("no waiting");
        let effect = Effect::EndConnection { user, client };
        if let Some(failed) = self.disarm(fault) {
            self.settle(failed, Some(effect));
            return expect("whether an outage is told", &revoked.is_err(), &true);
        }
        self.world.apply(effect, self.world.now);
        revoked.map(drop).map_err(|error| error.to_string())
    }
}
