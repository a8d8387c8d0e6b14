//! Analytics: aggregate numbers only. Traffic and delivery are a fixed function of the day, incidents and
//! maintenances are counted from what is really there.

use serde_json::{Value, json};

use super::super::dispatch::Call;
use super::super::wire::body::Query;
use super::super::wire::reply::{self, Handled};
use super::super::world::World;
use super::maintenances::State as MaintenanceState;
use super::pages::{self, Page};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The window when none is asked for, in days.
const WINDOW_DEFAULT: u32 = 30;
/// The longest window, in days.
const WINDOW_MAX: u32 = 90;

/// The numbers of one day.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    views: u64,
    visitors: u64,
    badges: u64,
    widgets: u64,
    new_subscribers: u64,
    unsubscribed: u64,
    incidents_created: u64,
    incidents_resolved: u64,
    attempts: u64,
    failures: u64,
}

/// `GET analytics/summary`
pub fn summary(world: &World, call: &Call) -> Handled {
    let window = Query::parse(call.request, &["window_days"])?.number("window_days", 1, WINDOW_MAX)?;
    let window = window.unwrap_or(WINDOW_DEFAULT);
    let page = pages::of(world, call.page_id)?;
    let today = call.now.div_euclid(DAY);
    let first = today + 1 - i64::from(window);
    let days: Vec<(i64, Day)> = (first..=today).map(|day| (day, numbers(world, page, day))).collect();
    let sum = |pick: fn(&Day) -> u64| days.iter().map(|(_, day)| pick(day)).sum::<u64>();
    let (attempts, failures) = (sum(|day| day.attempts), sum(|day| day.failures));
    Ok(reply::ok(&json!({
        "window_days": window,
        "from": reply::time(first * DAY),
        "to": reply::time(call.now),
        "traffic": {
            "page_views": sum(|day| day.views),
            "estimated_unique_visitors": sum(|day| day.visitors),
            "hosted_badge_impressions": sum(|day| day.badges),
            "hosted_widget_impressions": sum(|day| day.widgets),
        },
        "subscribers": subscriber_numbers(page, sum(|day| day.new_subscribers), sum(|day| day.unsubscribed)),
        "activity": activity(world, page, first * DAY, &days),
        "delivery": delivery(attempts, failures),
        "daily": days.iter().map(|(day, numbers)| show_day(*day, numbers)).collect::<Vec<_>>(),
    })))
}

/// `GET subscribers/summary`
pub fn subscribers(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let page = pages::of(world, call.page_id)?;
    let (email, slack, webhook, sms) = channels(page);
    Ok(reply::ok(&json!({
        "total": email + slack + webhook + sms,
        "deliverable": email + slack + webhook + sms - undeliverable(page),
        "channels": { "email": email, "slack": slack, "webhook": webhook, "sms": sms },
    })))
}

/// Subscribers by channel: e-mail, Slack, webhook, SMS.
fn channels(page: &Page) -> (u64, u64, u64, u64) {
    let size = page.daily_views / 10;
    (size, size / 8, size / 40, size / 20)
}

fn undeliverable(page: &Page) -> u64 {
    page.daily_views / 400
}

fn subscriber_numbers(page: &Page, new: u64, unsubscribed: u64) -> Value {
    let (email, slack, webhook, sms) = channels(page);
    let total = email + slack + webhook + sms;
    let lost = undeliverable(page);
    json!({
        "total": total,
        "deliverable": total - lost,
        "non_deliverable": lost,
        "new": new,
        "unsubscribed": unsubscribed,
    })
}

fn activity(world: &World, page: &Page, from: i64, days: &[(i64, Day)]) -> Value {
    let incidents = world.incidents.values().filter(|incident| incident.page_id == page.id);
    let maintenances = || world.maintenances.values().filter(|maintenance| maintenance.page_id == page.id);
    json!({
        "active_incidents": incidents.filter(|incident| incident.resolved_at.is_none()).count(),
        "incidents_created": days.iter().map(|(_, day)| day.incidents_created).sum::<u64>(),
        "incidents_resolved": days.iter().map(|(_, day)| day.incidents_resolved).sum::<u64>(),
        "active_maintenances": maintenances().filter(|entry| entry.state(page) == MaintenanceState::Active).count(),
        "maintenances_created": maintenances().filter(|entry| entry.starts_at >= from).count(),
        "maintenances_completed": maintenances().filter(|entry| entry.completed_at.is_some_and(|at| at >= from)).count(),
    })
}

fn delivery(attempts: u64, failures: u64) -> Value {
    let channel = |share: u64| {
        let (attempts, failures) = (attempts * share / 100, failures * share / 100);
        json!({ "attempts": attempts, "successes": attempts - failures, "failures": failures })
    };
    json!({
        "notification_events": attempts / 40,
        "attempts": attempts,
        "successes": attempts - failures,
        "failures": failures,
        "suppressions": attempts / 90,
        "retries": failures * 2,
        "channels": { "email": channel(80), "slack": channel(12), "webhook": channel(3), "sms": channel(5) },
    })
}

/// A day's numbers: a weekly rhythm, a little noise, and more traffic on days with incidents.
fn numbers(world: &World, page: &Page, day: i64) -> Day {
    let in_day = |at: i64| at.div_euclid(DAY) == day;
    let incidents = || world.incidents.values().filter(|incident| incident.page_id == page.id);
    let created = incidents().filter(|incident| in_day(incident.started_at)).count() as u64;
    let resolved = incidents().filter(|incident| incident.resolved_at.is_some_and(in_day)).count() as u64;
    let noise = noise(page.id, day);
    let weekday = day.rem_euclid(7);
    // 1 January 1970 was a Thursday: days 2 and 3 of the count are the weekend.
    let base = if matches!(weekday, 2 | 3) { page.daily_views / 2 } else { page.daily_views };
    let views = base + base * (noise % 20) / 100 + created * page.daily_views;
    let attempts = (created + resolved) * page.daily_views / 8;
    Day {
        views,
        visitors: views * 2 / 5,
        badges: base * 3,
        widgets: base / 2,
        new_subscribers: noise % 5 + created * 3,
        unsubscribed: noise % 3,
        incidents_created: created,
        incidents_resolved: resolved,
        attempts,
        failures: attempts / 60,
    }
}

fn noise(page_id: u64, day: i64) -> u64 {
    let mixed = (page_id.wrapping_mul(31)).wrapping_add(day.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed >> 40
}

fn show_day(day: i64, numbers: &Day) -> Value {
    json!({
        "date": date(day),
        "page_views": numbers.views,
        "estimated_unique_visitors": numbers.visitors,
        "subscribers_new": numbers.new_subscribers,
        "subscribers_unsubscribed": numbers.unsubscribed,
        "incidents_created": numbers.incidents_created,
        "incidents_resolved": numbers.incidents_resolved,
        "delivery_attempts": numbers.attempts,
        "delivery_failures": numbers.failures,
    })
}

fn date(day: i64) -> Value {
    let text = reply::time(day * DAY);
    text.as_str().and_then(|text| text.split('T').next()).map_or(Value::Null, Value::from)
}
