//! Steps of people: they come from a client, sign in, and answer the consent page.

use super::reference::{Effect, Redemption};
use super::story::{ALL, CALLBACKS, CLIENTS, Checked, Fault, Story, USERS, expect};
use crate::support::UPSTREAM_URL;
use crate::support::browser::{Browser, Shown, parameter};
use crate::support::flow::authorize_url;
use statibeat_mcp::oauth::pkce::CodeVerifier;
use url::Url;

/// A person at a consent page.
pub struct Seat<'a> {
    browser: Browser<'a>,
    page: Shown,
    pub(super) verifier: String,
    /// Was sent back to its client, by whatever answer, and has no cookie any more.
    has_left: bool,
}

/// Returns whether an address outside tells a client that the server is busy.
fn is_told_to_try_again(url: &Url) -> bool {
    parameter(url, "error").as_deref() == Some("temporarily_unavailable")
}

impl Story<'_> {
    pub(super) fn connect(&mut self, user: usize, client: usize) -> Checked {
        let authorizations = self.seats.len();
        self.authorize(user, client, None)?;
        if self.seats.len() > authorizations {
            self.answer(authorizations, true, None)?;
            self.redeem(self.world.codes.len() - 1, Redemption::Right, None)?;
        }
        Ok(())
    }

    pub(super) fn authorize(&mut self, user: usize, client: usize, fault: Fault) -> Checked {
        let verifier = format!("{:x>43}", self.seats.len());
        let challenge = CodeVerifier::parse(&verifier).expect("fits").challenge();
        let url = authorize_url(&[
            ("client_id", CLIENTS[client]),
            ("redirect_uri", CALLBACKS[client]),
            ("code_challenge", challenge.as_str()),
            ("scope", ALL),
        ]);
        self.arm(fault);
        let browser = Browser::new(self.app);
        let mut page = browser.open(&url);
        if page.url.as_str().starts_with(UPSTREAM_URL) {
            page = browser.choose_user(&page, USERS[user]);
        }
        if let Some(failed) = self.disarm(fault) {
            self.settle(failed, None);
            // The end of an authorization request whose person was refused may fail unseen.
            let is_fit = page.status == 503
                || is_told_to_try_again(&page.url)
                || self.world.disabled[user] && page.status == 403;
            return expect("an authorization request during an outage is told to come back", &is_fit, &true);
        }
        let wanted = if self.world.disabled[user] { 403 } else { 200 };
        expect("the consent page", &page.status, &wanted)?;
        if wanted == 200 {
            self.world.open_authorization(user, client);
            self.seats.push(Seat { browser, page, verifier, has_left: false });
        }
        Ok(())
    }

    pub(super) fn answer(&mut self, authorization: usize, approves: bool, fault: Fault) -> Checked {
        let can_answer = self.world.can_answer(authorization) && !self.seats[authorization].has_left;
        // Whoever StatiBeat does not know any more is found out when the pages are asked for, and the authorization is over.
        let is_refused = approves && self.world.disabled[self.world.authorizations[authorization].user];
        let effect =
            if approves && !is_refused { Effect::Approve { authorization } } else { Effect::Decline { authorization } };
        let effect = can_answer.then_some(effect);
        self.arm(fault);
        let seat = &self.seats[authorization];
        let left = seat.browser.answer(&seat.page, if approves { "approve" } else { "deny" });
        match self.disarm(fault) {
            // Before the answer counts there is a page to come back to; after it the client is told to try again.
            Some(failed) if failed.0.starts_with("SELECT") || is_refused => {
                self.settle(failed, effect);
                return expect("an answer during an outage", &left.status, &503);
            }
            Some(failed) => {
                self.settle(failed, effect);
                self.seats[authorization].has_left = true;
                return expect("an outage is told to the client", &is_told_to_try_again(&left.leaves_for()), &true);
            }
            None => {}
        }
        let Some(effect) = effect else {
            let is_refused = [400, 403].contains(&left.status);
            return expect("an answer to a page that is over is refused", &is_refused, &true);
        };
        let minted = self.world.apply(effect, self.world.now);
        if is_refused {
            return expect("the answer of a closed account", &left.status, &403);
        }
        expect("the leave page", &left.status, &200)?;
        self.seats[authorization].has_left = true;
        let code = parameter(&left.leaves_for(), "code");
        expect("whether there is a code", &code.is_some(), &minted.code.is_some())?;
        if let Some(at) = minted.code {
            self.world.codes[at].text = code;
        }
        Ok(())
    }
}
