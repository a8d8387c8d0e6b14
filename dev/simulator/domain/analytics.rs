//! Traffic and delivery are computed deterministically from the date; incidents and maintenances are counted from the
//! stored ones.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::maintenances::Maintenance;
use super::notices::{NoticeKind as _, State};
use super::pages::Page;
use crate::call::{PageCall, whole_number};
use crate::reply::{self, Handled, time, with};
use crate::world::World;

const SECONDS_PER_DAY: i64 = 86_400;
const MAX_WINDOW_DAYS: u32 = 90;
const EMAIL_PERCENT: u64 = 80;
/// The shares of Slack, webhooks and SMS.
const OTHER_PERCENTS: [u64; 3] = [12, 3, 5];

/// The numbers of one day.
#[derive(Serialize)]
struct DailyAnalytics {
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
    #[serde(default = "default_window_days", deserialize_with = "parse_window_days")]
    window_days: u32,
}

fn default_window_days() -> u32 {
    30
}

fn parse_window_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole_number(deserializer, "window_days", MAX_WINDOW_DAYS)
}

/// `GET analytics/summary`
pub fn summary(world: &mut World, call: &PageCall) -> Handled {
    let AnalyticsQuery { window_days } = call.query()?;
    let page = world.page(call.page_id);
    let today = call.now.div_euclid(SECONDS_PER_DAY);
    let first = today + 1 - i64::from(window_days);
    let days: Vec<DailyAnalytics> = (first..=today).map(|day| DailyAnalytics::compute(world, &page, day)).collect();
    let sum = |pick: fn(&DailyAnalytics) -> u64| days.iter().map(pick).sum::<u64>();
    let date =
        |day: i64| time(day * SECONDS_PER_DAY).as_str().and_then(|text| text.split('T').next().map(str::to_owned));
    let daily = (first..).zip(&days).map(|(day, numbers)| with(json!(numbers), json!({ "date": date(day) })));
    let maintenances = || world.maintenances.values().filter(|maintenance| maintenance.page_id == page.id);
    let is_in_window = |at: i64| at >= first * SECONDS_PER_DAY;
    Ok(reply::ok(&json!({
        "window_days": window_days,
        "from": time(first * SECONDS_PER_DAY),
        "to": time(call.now),
        "day_time_zone": "UTC",
        "traffic": {
            "page_views": sum(|day| day.page_views),
            "estimated_unique_visitors": sum(|day| day.estimated_unique_visitors),
            "hosted_badge_impressions": sum(|day| day.badges),
            "hosted_widget_impressions": sum(|day| day.widgets),
        },
        "subscribers": with(subscriber_counts(&page), json!({
            "non_deliverable": count_undeliverable(&page),
            "new": sum(|day| day.subscribers_new),
            "unsubscribed": sum(|day| day.subscribers_unsubscribed),
        })),
        "activity": {
            "active_incidents": world.incidents.values().filter(|incident| incident.page_id == page.id && incident.own.is_open()).count(),
            "incidents_created": sum(|day| day.incidents_created),
            "incidents_resolved": sum(|day| day.incidents_resolved),
            "active_maintenances": maintenances().filter(|maintenance| Maintenance::state(maintenance, &page) == State::Active).count(),
            "maintenances_created": maintenances().filter(|maintenance| is_in_window(maintenance.own.starts_at)).count(),
            "maintenances_completed": maintenances().filter(|maintenance| maintenance.own.completed_at.is_some_and(is_in_window)).count(),
        },
        "delivery": with(
            delivery_counts(sum(|day| day.delivery_attempts), sum(|day| day.delivery_failures)),
            json!({ "subscribers_notified": count_notified(&page, sum(|day| day.delivery_attempts)) }),
        ),
        "daily": daily.collect::<Vec<_>>(),
    })))
}

/// `GET subscribers/summary`
pub fn subscribers(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    let page = world.page(call.page_id);
    Ok(reply::ok(&with(subscriber_counts(&page), json!({ "channels": count_by_channel(&page) }))))
}

#[derive(Serialize)]
struct Channels {
    email: u64,
    slack: u64,
    webhook: u64,
    sms: u64,
}

fn count_by_channel(page: &Page) -> Channels {
    let email_count = page.daily_views / 10;
    Channels { email: email_count, slack: email_count / 8, webhook: email_count / 40, sms: email_count / 20 }
}

fn count_undeliverable(page: &Page) -> u64 {
    page.daily_views / 400
}

fn subscriber_counts(page: &Page) -> Value {
    let Channels { email, slack, webhook, sms } = count_by_channel(page);
    let total = email + slack + webhook + sms;
    json!({ "total": total, "deliverable": total - count_undeliverable(page) })
}

/// Recipients of a notification sent now: distinct subscribers, and messages per channel. SMS subscribers are also
/// counted under e-mail, so the total leaves SMS out.
pub fn recipients(page: &Page) -> Value {
    let Channels { email, slack, webhook, sms } = count_by_channel(page);
    let email = email - count_undeliverable(page);
    json!({ "subscribers": email + slack + webhook, "channels": Channels { email, slack, webhook, sms } })
}

/// Distinct subscribers with at least one message: none if there was no message.
fn count_notified(page: &Page, attempts: u64) -> u64 {
    recipients(page)["subscribers"].as_u64().unwrap_or(0).min(attempts)
}

/// E-mail has what the shares of the other channels leave, so that the channels add up to the total.
fn delivery_counts(attempts: u64, failures: u64) -> Value {
    let share = |percent: u64| {
        let part = |count: u64| {
            let others = || OTHER_PERCENTS.map(|other| count * other / 100).iter().sum::<u64>();
            if percent == EMAIL_PERCENT { count - others() } else { count * percent / 100 }
        };
        let (attempts, failures) = (part(attempts), part(failures));
        json!({ "attempts": attempts, "successes": attempts - failures, "failures": failures })
    };
    with(
        share(100),
        json!({
            "notification_events": attempts / 40,
            "suppressions": attempts / 90,
            "retries": failures * 2,
            "channels": { "email": share(EMAIL_PERCENT), "slack": share(12), "webhook": share(3), "sms": share(5) },
        }),
    )
}

impl DailyAnalytics {
    /// Computes one day: half the traffic at weekends, 0–19 % noise, more traffic on days with incidents.
    fn compute(world: &World, page: &Page, day: i64) -> Self {
        let in_day = |at: i64| at.div_euclid(SECONDS_PER_DAY) == day;
        let incidents = || world.incidents.values().filter(|incident| incident.page_id == page.id);
        let created = incidents().filter(|incident| in_day(incident.own.started_at)).count() as u64;
        let resolved = incidents().filter(|incident| incident.own.resolved_at.is_some_and(in_day)).count() as u64;
        let hash = page.id.wrapping_mul(31).wrapping_add(day.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let noise = hash >> 40;
        // Day 0 (1 January 1970) was a Thursday, so remainders 2 and 3 are Saturday and Sunday.
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
