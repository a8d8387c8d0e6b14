//! Refused clients: stored within bounds, and listed for operators only.

use super::context::RequestContext;
use super::health;
use super::limits::{self, LimitDecision, Sender};
use super::reply::{self, Response};
use crate::oauth::client::refused::{Advice, RefusedClient, UnacceptableReason};
use crate::oauth::secret;
use crate::storage::refused_clients::{self, RefusedClientRecord};
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// Stores a refused client for operators. The client gets the same answer whether or not this works.
pub(super) async fn remember(ctx: &RequestContext<'_>, refused: Option<RefusedClient>) {
    let Some(refused) = refused else { return };
    let sender = Sender::from_head(ctx.head);
    if !matches!(limits::take(ctx, &limits::REMEMBER_REFUSAL, &Sender::counter(ctx)).await, LimitDecision::Pass) {
        return;
    }
    if let Err(error) = refused_clients::remember(ctx.db, &refused, part(&sender), ctx.now).await {
        ctx.log.note(&format!("a refused client is not remembered: {error}"));
    }
}

/// The share of the table that a sender's network may fill. Says too little to identify the sender.
fn part(sender: &Sender) -> u32 {
    secret::hash(&sender.network()).as_str().bytes().map(u32::from).sum()
}

/// Lists refused clients. Requires the health token.
pub(super) async fn get(ctx: &RequestContext<'_>) -> Response {
    if !health::is_operator(ctx) {
        return health::refuse();
    }
    match refused_clients::list(ctx.db).await {
        Ok(refused) => {
            let bad_entries: Vec<String> = ctx.app.config.bad_redirects.iter().map(ToString::to_string).collect();
            let refused: Vec<Value> = refused.iter().map(shown).collect();
            reply::json(StatusCode::OK, &json!({ "refused_clients": refused, "bad_entries": bad_entries }))
        }
        Err(error) => {
            ctx.log.note(&format!("refused clients: {error}"));
            reply::unavailable(Duration::from_secs(10))
        }
    }
}

fn shown(refusal: &RefusedClientRecord) -> Value {
    let RefusedClientRecord { refused, times, first_at, last_at } = refusal;
    let advice = refused.advice();
    let line = if let Advice::Add(line) = &advice { Some(line) } else { None };
    json!({
        "step": refused.step.as_str(), "client": refused.client, "redirect_uri": refused.redirect_uri,
        "has_query": refused.has_query, "times": times, "first_at": first_at.to_string(),
        "last_at": last_at.to_string(), "advice": advice_words(&advice), "line": line,
    })
}

const fn advice_words(advice: &Advice) -> &'static str {
    match advice {
        Advice::Add(_) => {
            "The address is not approved for this app. It is on the host of the app's maker: if you trust it, add the line to the list of approved web apps."
        }
        Advice::Check => {
            "The address is not approved for this app, and nothing here proves that it belongs to it. Ask the app's maker for its client_id and its exact redirect URI before you approve anything."
        }
        Advice::CopilotStudio => {
            "Copilot Studio has an address of its own for each connector and can't register it here. If the connector is your organization's, have its maker enter the OAuth settings by hand, with a client_id that you choose and no client secret, and add client_id=redirect_uri with this address to the list of approved web apps. It must use PKCE; a connector that is created again gets another address."
        }
        Advice::Unacceptable(why) => words(*why),
    }
}

const fn words(why: UnacceptableReason) -> &'static str {
    match why {
        UnacceptableReason::PrivateScheme => {
            "This can never be approved. The address belongs to a scheme of the app, and any other program on the user's computer can claim the scheme and receive the answer. The app must use https, or http on the user's own computer."
        }
        UnacceptableReason::NotSecure => {
            "This can never be approved. Only https addresses, and http addresses of the user's own computer, can ever receive an answer. The app must use one of these."
        }
        UnacceptableReason::OtherLoopback => {
            "This can never be approved. The address is on the user's own computer, but not one that this app is known or registered with. Connecting the app again replaces an outdated registration."
        }
        UnacceptableReason::Registered => {
            "This can never be approved. The app registered itself, which is only for apps on the user's own computer. A web app needs a fixed client_id from its maker."
        }
        UnacceptableReason::NotWritable => {
            "This can never be approved. Its client_id or redirect URI has characters that the list of approved web apps can't hold. The app must use simpler ones."
        }
    }
}
