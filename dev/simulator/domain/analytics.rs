//! Analytics: aggregate numbers only. Traffic and delivery are a fixed function of the day, incidents and
//! maintenances are counted from what is really there.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::maintenances::Maintenance;
use super::notices::{NoticeKind as _, State};
use super::pages::Page;
use crate::call::{PageCall, whole_number};
use crate::reply::{self, Handled, time, with};
use crate::world::World;

const DAY: i64 = 86_400;
/// The longest window, in days.
const WINDOW_MAX: u32 = 90;

/// The numbers of one day.
#[derive(Serialize)]
struct Day {
    page_views: u64,
    estimated_unique_visitors: u64,
    subscribers_new: u64,
    subscribers_unsubscribed: u64,
    incidents_created: u64,
    incidents_resolved: u64,
    delivery_attempts: u64,
    delivery_failures: u64,
    #[serde(skip)]
    badges: u64,
    #[serde(skip)]
    widgets: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnalyticsQuery {
    #[serde(default = "usual_window", deserialize_with = "window_days")]
    window_days: u32,
}

fn usual_window() -> u32 {
    30
}

fn window_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole_number(deserializer, "window_days", WINDOW_MAX)
}

/// `GET analytics/summary`
pub fn summary(world: &mut World, call: &PageCall) -> Handled {
    let AnalyticsQuery { window_days } = call.query()?;
    let page = world.page(call.page_id);
    let today = call.now.div_euclid(DAY);
    let first = today + 1 - i64::from(window_days);
    let days: Vec<Day> = (first..=today).map(|day| Day::compute(world, &page, day)).collect();
    let sum = |pick: fn(&Day) -> u64| days.iter().map(pick).sum::<u64>();
    let date = |day: i64| time(day * DAY).as_str().and_then(|text| text.split('T').next().map(str::to_owned));
    let daily = (first..).zip(&days).map(|(day, numbers)| with(numbers, json!({ "date": date(day) })));
    let maintenances = || world.maintenances.values().filter(|maintenance| maintenance.page_id == page.id);
    let since = |at: i64| at >= first * DAY;
    Ok(reply::ok(&json!({
        "window_days": window_days,
        "from": time(first * DAY),
        "to": time(call.now),
        "traffic": {
            "page_views": sum(|day| day.page_views),
            "estimated_unique_visitors": sum(|day| day.estimated_unique_visitors),
            "hosted_badge_impressions": sum(|day| day.badges),
            "hosted_widget_impressions": sum(|day| day.widgets),
        },
        "subscribers": with(subscriber_counts(&page), json!({
            "non_deliverable": undeliverable(&page),
            "new": sum(|day| day.subscribers_new),
            "unsubscribed": sum(|day| day.subscribers_unsubscribed),
        })),
        "activity": {
            "active_incidents": world.incidents.values().filter(|entry| entry.page_id == page.id && entry.own.is_open()).count(),
            "incidents_created": sum(|day| day.incidents_created),
            "incidents_resolved": sum(|day| day.incidents_resolved),
            "active_maintenances": maintenances().filter(|entry| Maintenance::state(entry, &page) == State::Active).count(),
            "maintenances_created": maintenances().filter(|entry| since(entry.own.starts_at)).count(),
            "maintenances_completed": maintenances().filter(|entry| entry.own.completed_at.is_some_and(since)).count(),
        },
        "delivery": delivery(sum(|day| day.delivery_attempts), sum(|day| day.delivery_failures)),
        "daily": daily.collect::<Vec<_>>(),
    })))
}

/// `GET subscribers/summary`
pub fn subscribers(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    let page = world.page(call.page_id);
    Ok(reply::ok(&with(subscriber_counts(&page), json!({ "channels": channels(&page) }))))
}

#[derive(Serialize)]
struct Channels {
    email: u64,
    slack: u64,
    webhook: u64,
    sms: u64,
}

fn channels(page: &Page) -> Channels {
    let size = page.daily_views / 10;
    Channels { email: size, slack: size / 8, webhook: size / 40, sms: size / 20 }
}

fn undeliverable(page: &Page) -> u64 {
    page.daily_views / 400
}

fn subscriber_counts(page: &Page) -> Value {
    let Channels { email, slack, webhook, sms } = channels(page);
    let total = email + slack + webhook + sms;
    json!({ "total": total, "deliverable": total - undeliverable(page) })
}

/// Those who would get a notification now: subscribers, each once, and messages by channel. A subscriber by SMS has an e-mail
/// address too.
pub fn recipients(page: &Page) -> Value {
    let Channels { email, slack, webhook, sms } = channels(page);
    let email = email - undeliverable(page);
    json!({ "subscribers": email + slack + webhook, "channels": Channels { email, slack, webhook, sms } })
}

fn delivery(attempts: u64, failures: u64) -> Value {
    let counts = |percent: u64| {
        let (attempts, failures) = (attempts * percent / 100, failures * percent / 100);
        json!({ "attempts": attempts, "successes": attempts - failures, "failures": failures })
    };
    with(
        counts(100),
        json!({
            "notification_events": attempts / 40,
            "suppressions": attempts / 90,
            "retries": failures * 2,
            "channels": { "email": counts(80), "slack": counts(12), "webhook": counts(3), "sms": counts(5) },
        }),
    )
}

impl Day {
    /// A weekly rhythm, a little noise, and more traffic on days with incidents.
    fn compute(world: &World, page: &Page, day: i64) -> Self {
        let in_day = |at: i64| at.div_euclid(DAY) == day;
        let incidents = || world.incidents.values().filter(|incident| incident.page_id == page.id);
        let created = incidents().filter(|incident| in_day(incident.own.started_at)).count() as u64;
        let resolved = incidents().filter(|incident| incident.own.resolved_at.is_some_and(in_day)).count() as u64;
        let mixed = page.id.wrapping_mul(31).wrapping_add(day.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let noise = mixed >> 40;
        // 1 January 1970 was a Thursday: days 2 and 3 of the count are the weekend.
        let base = if matches!(day.rem_euclid(7), 2 | 3) { page.daily_views / 2 } else { page.daily_views };
        let page_views = base + base * (noise % 20) / 100 + created * page.daily_views;
        let delivery_attempts = (created + resolved) * page.daily_views / 8;
        Self {
            page_views,
            estimated_unique_visitors: page_views * 2 / 5,
            subscribers_new: noise % 5 + created * 3,
            subscribers_unsubscribed: noise % 3,
            incidents_created: created,
            incidents_resolved: resolved,
            delivery_attempts,
            delivery_failures: delivery_attempts / 60,
            badges: base * 3,
            widgets: base / 2,
        }
    }
}
