//! Three active and twelve resolved incidents on page 42, one on page 43, one on Globex's page 77.

use crate::domain::incidents::Incident;
use crate::domain::notices::{Author, Notice, Origin};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A past incident: id, age in days, minutes it took, status, item, title, cause.
type Past = (u64, i64, i64, &'static str, u64, &'static str, &'static str);

#[rustfmt::skip] // one row, one line
const PAST: [Past; 12] = [
    (1004, 3, 42, "degraded", 102, "Elevated API latency in Europe", "a saturated connection pool"),
    (1005, 6, 18, "partial_outage", 113, "Search results incomplete", "a stuck index segment"),
    (1006, 9, 95, "degraded", 132, "Delayed transactional e-mail", "a full queue at our provider"),
    (1007, 13, 27, "major_outage", 103, "Sign-in unavailable", "an expired signing certificate"),
    (1008, 19, 64, "degraded", 114, "Scheduled reports late", "a slow database query"),
    (1009, 24, 33, "partial_outage", 106, "API errors in North America", "a faulty deployment"),
    (1010, 31, 151, "degraded", 122, "Slow file uploads", "a degraded disk array"),
    (1011, 38, 22, "degraded", 104, "Webhook retries", "a misconfigured proxy"),
    (1012, 47, 75, "partial_outage", 123, "Event processing delayed", "a rebalancing consumer group"),
    (1013, 58, 40, "degraded", 112, "Dashboard assets slow", "a cold content cache"),
    (1014, 69, 205, "major_outage", 124, "Database failover", "a failed storage controller"),
    (1015, 84, 30, "degraded", 133, "SMS delays to Germany", "a carrier incident"),
];

pub fn incidents(now: i64) -> Vec<Notice<Incident>> {
    let mut incidents = active(now);
    incidents.extend(PAST.iter().map(|past| resolved(past, now)));
    incidents.push(Notice {
        page_id: 43,
        stage_id: 22,
        ..open(1101, "Elevated error rate for key operations", "degraded", &[203], now - 3 * HOUR)
    });
    incidents.push(Notice {
        page_id: 77,
        stage_id: 41,
        ..open(1201, "Globex internal: ledger replication paused", "partial_outage", &[302], now - 5 * HOUR)
    });
    incidents
}

fn active(now: i64) -> Vec<Notice<Incident>> {
    let checkout = Notice {
        external_id: Some("pagerduty-Q2TXAPI".to_owned()),
        description: "Requests to the API gateway in Europe fail for about 12% of customers.".to_owned(),
        impact: Some("API calls may time out or answer with errors. Retrying usually helps.".to_owned()),
        ..open(1001, "API gateway errors in Europe", "partial_outage", &[102, 103], now - 110 * MINUTE)
    };
    let exports = Notice {
        description: "Large exports take longer than usual to finish.".to_owned(),
        affected_freetext: Some("CSV and PDF exports over 100 MB".to_owned()),
        ..open(1002, "Slow report exports", "degraded", &[114], now - 26 * HOUR)
    };
    let carrier = Notice {
        description: "One of our carriers reports delays. Messages arrive late and are not lost.".to_owned(),
        impact: Some("One-time codes by SMS may arrive up to ten minutes late.".to_owned()),
        ..open(1003, "Delayed SMS delivery", "degraded", &[133], now - 50 * MINUTE)
    };
    vec![
        with_updates(
            acknowledged(checkout, now - 100 * MINUTE),
            &[
                (1, -105, "We are investigating errors at the API gateway in Europe."),
                (2, -80, "A bad configuration reached one of three gateway clusters. We are rolling it back."),
                (2, -35, "The rollback is complete on two of three clusters. Error rates are falling."),
            ],
            now,
        ),
        with_updates(
            exports,
            &[
                (1, -26 * 60 + 10, "Exports over 100 MB are slow. Smaller exports are not affected."),
                (2, -20 * 60, "The export workers run short of memory. We are adding capacity."),
                (3, -4 * 60, "Capacity was added. We are watching the queue drain."),
            ],
            now,
        ),
        with_updates(
            acknowledged(carrier, now - 40 * MINUTE),
            &[(1, -45, "Our carrier confirms delays and works on a fix.")],
            now,
        ),
    ]
}

fn open(id: u64, title: &str, status: &str, affected: &[u64], started_at: i64) -> Notice<Incident> {
    Notice {
        id,
        page_id: 42,
        external_id: None,
        created_with: None,
        title: title.to_owned(),
        description: title.to_owned(),
        impact: None,
        stage_id: 1,
        affected: affected.to_vec(),
        affected_freetext: None,
        author: Author::new("Theo Okafor", "dashboard"),
        updated_at: started_at,
        updates: Vec::new(),
        own: Incident::new(status, started_at),
    }
}

fn acknowledged(mut incident: Notice<Incident>, at: i64) -> Notice<Incident> {
    incident.own.acknowledged_at = Some(at);
    incident
}

/// Adds updates: stage, minutes relative to `now`, message.
fn with_updates(mut incident: Notice<Incident>, updates: &[(u64, i64, &str)], now: i64) -> Notice<Incident> {
    for (stage_id, minutes, message) in updates {
        add_update(&mut incident, *stage_id, message, "Theo Okafor", now + minutes * MINUTE);
    }
    incident
}

fn add_update(incident: &mut Notice<Incident>, stage_id: u64, message: &str, author: &str, at: i64) {
    incident.stage_id = stage_id;
    let id = incident.id * 10 + 5000 + incident.updates.len() as u64;
    incident.append(id, message.to_owned(), Author::new(author, "dashboard"), at, Origin::default());
}

fn resolved(past: &Past, now: i64) -> Notice<Incident> {
    let (id, days, minutes, status, item, title, cause) = *past;
    let started_at = now - days * DAY - 2 * HOUR;
    let resolved_at = started_at + minutes * MINUTE;
    let mut incident = acknowledged(open(id, title, status, &[item], started_at), started_at + 4 * MINUTE);
    incident.description = format!("{title}. The cause was {cause}.");
    for (stage_id, message, at) in [
        (1, "We are investigating.", started_at + 2 * MINUTE),
        (2, &*format!("The cause is {cause}."), started_at + minutes * MINUTE / 2),
        (4, "The incident is over. We apologize for the trouble.", resolved_at),
    ] {
        add_update(&mut incident, stage_id, message, "Mara Lindqvist", at);
    }
    incident.own.resolved_at = Some(resolved_at);
    incident
}
