//! Checks of what the connector writes, and that a repeated write is carried out once.

use super::reads::{Page, get};
use super::session::{ApiCall, Outcome, Session};
use crate::signer::random;
use serde_json::{Value, json};

/// An incident and a maintenance, each with an update.
pub fn all(session: &Session<'_>, page: &Page, outcomes: &mut Vec<(String, Outcome)>) {
    let time = |at: i64| jiff::Timestamp::from_second(at).unwrap_or_default().to_string();
    let (starts_at, ends_at) = (time(session.now() + 86_400), time(session.now() + 90_000));
    let incident = json!({"title": "Hosted MCP contract check", "description": "A check. Nothing is wrong."});
    let maintenance = json!({
        "title": "Hosted MCP contract check", "description": "A check. Nothing will happen.",
        "starts_at": starts_at, "ends_at": ends_at,
    });
    for (noun, scope, body) in
        [("incidents", "mcp.incidents.write", incident), ("maintenances", "mcp.maintenances.write", maintenance)]
    {
        let list = page.path(&format!("/{noun}"));
        let made = once(session, noun, &list, scope, body, outcomes);
        if let Some(id) = made.as_ref().and_then(|made| made["id"].as_u64()) {
            let updates = format!("{list}/{id}/updates");
            once(
                session,
                &format!("{noun}/…/updates"),
                &updates,
                scope,
                json!({"message": "Still a check."}),
                outcomes,
            );
        }
    }
    replay(session, page, outcomes);
}

/// Writes, writes again, writes something else under the same `external_id`, and finds it by that.
fn once(
    session: &Session<'_>,
    what: &str,
    path: &str,
    scope: &str,
    mut body: Value,
    outcomes: &mut Vec<(String, Outcome)>,
) -> Option<Value> {
    let external_id = format!("contract-check-{}", &random()[..16]);
    body["external_id"] = json!(external_id);
    let mut other = body.clone();
    let text = if body.get("message").is_some() { "message" } else { "description" };
    other[text] = json!("Something else.");

    let mut note =
        |name: &str, result: Result<(), String>| outcomes.push((format!("POST /{what}: {name}"), result.into()));
    let post = |body: &Value| session.call(&ApiCall::post(path, scope, body.clone()));
    let find = || get(session, &format!("{path}/external/{external_id}"));
    let dry_path = format!("{path}?dry_run=true");
    let dry_run = |already_exists: bool| {
        let reply = session.call(&ApiCall::post(&dry_path, scope, body.clone()))?;
        reply.expect(200)?;
        let effect = (&reply.json["dry_run"], &reply.json["already_exists"]);
        if effect != (&json!(true), &json!(already_exists)) {
            return Err(format!("answered {effect:?}"));
        }
        if is_in_order(&reply.json["related"]) { Ok(()) } else { Err("lists `related` in another order".to_owned()) }
    };
    let nothing_written = || match find() {
        Err(missing) if missing.starts_with("status 404") => Ok(()),
        found => Err(format!("found {found:?}")),
    };
    note("is described by a dry run", dry_run(false));
    note("is not carried out by a dry run", nothing_written());
    let made = post(&body).and_then(|reply| reply.expect(201).map(|()| reply.json));
    note("is done", made.as_ref().map(drop).map_err(Clone::clone));
    let made = made.ok()?;
    let again = post(&body).and_then(|reply| {
        reply.expect(200)?;
        if reply.json["id"] == made["id"] {
            Ok(())
        } else {
            Err(format!("made {} beside {}", reply.json["id"], made["id"]))
        }
    });
    note("is done once when it is sent twice", again);
    note("is refused when something else has its external_id", post(&other).and_then(|reply| reply.expect(409)));
    note("is known to a dry run once it is done", dry_run(true));
    let found =
        find().and_then(|found| if found["id"] == made["id"] { Ok(()) } else { Err(format!("found {}", found["id"])) });
    note("is found by its external_id", found);
    Some(made)
}

/// Returns whether incidents stand with the newest first, or maintenances with the soonest first.
fn is_in_order(related: &Value) -> bool {
    let related = related.as_array().map(Vec::as_slice).unwrap_or_default();
    let time = |notice: &Value, name: &str| notice[name].as_str()?.parse::<jiff::Timestamp>().ok();
    related.is_sorted_by(|first, second| time(first, "started_at") >= time(second, "started_at"))
        && related.is_sorted_by(|first, second| time(first, "starts_at") <= time(second, "starts_at"))
}

/// An assertion is accepted for one write only.
fn replay(session: &Session<'_>, page: &Page, outcomes: &mut Vec<(String, Outcome)>) {
    let path = page.path("/incidents");
    let body = json!({"title": "Hosted MCP contract check", "description": "A check.", "external_id": format!("contract-check-{}", &random()[..16])});
    let call = ApiCall::post(&path, "mcp.incidents.write", body);
    let token = session.signer.sign(&session.signer.header(super::session::ON_BEHALF), &session.claims(&call));
    let twice = session.send(&call, Some(&token)).and_then(|first| {
        first.expect(201)?;
        session.send(&call, Some(&token))?.expect(401)
    });
    outcomes.push(("refuses an assertion for a write the second time".to_owned(), twice.into()));
}
