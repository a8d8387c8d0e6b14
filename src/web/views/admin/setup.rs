//! How to connect a client, and the connector's addresses.

use super::super::super::text::setup as text;
use super::Overview;
use crate::model::scope::Scope;
use maud::{Markup, html};

/// The Resource URL, and what to do with it in each client.
pub(super) fn connect(view: &Overview<'_>) -> Markup {
    let url = view.endpoints.resource.as_str();
    html! {
        section.card aria-labelledby="connect" {
            h2 #connect { (if view.connections.is_empty() { text::CONNECT } else { text::CONNECT_ANOTHER }) }
            p { (text::CONNECT_HINT) }
            label.field for="resource-url" { (text::RESOURCE_URL) }
            input.copy #resource-url type="text" readonly value=(url) spellcheck="false" aria-describedby="copy-hint";
            p.soft #copy-hint { (text::COPY_HINT) }
            @for text::Steps { client, how, line } in text::clients(url) {
                details {
                    summary { (client) }
                    p { (how) }
                    @if let Some(line) = line { pre tabindex="0" role="region" aria-label=(text::line_for(client)) { code { (line) } } }
                }
            }
        }
    }
}

/// Addresses, scopes and approved clients, for those who set a client up by hand.
pub(super) fn details(view: &Overview<'_>) -> Markup {
    let endpoints = view.endpoints;
    html! {
        section.card aria-labelledby="details" {
            details.folded {
                summary { h2 #details { (text::DETAILS) } }
            dl.facts {
                dt { (text::ISSUER) } dd { code { (endpoints.issuer) } }
                dt { (text::AUTHORIZE) } dd { code { (endpoints.authorize) } }
                dt { (text::TOKEN) } dd { code { (endpoints.token) } }
                dt { (text::REVOKE) } dd { code { (endpoints.revoke) } }
                @if let Some(register) = &endpoints.register { dt { (text::REGISTER) } dd { code { (register) } } }
                dt { (text::METHOD) } dd { (text::METHOD_USED) }
            }
            h3 { (text::SCOPES) }
            dl.facts { @for scope in Scope::ALL { dt { code { (scope.as_str()) } } dd { (scope.consent_sentence()) } } }
            h3 { (text::APPROVED) }
            ul.plain {
                @for (client_id, redirect_uri) in view.approved.iter() {
                    li { code { (client_id) } " " span.soft { (text::answers_at(&redirect_uri.host())) } }
                }
            }
            p.soft { (text::LOCAL_APPS) }
            }
        }
    }
}
