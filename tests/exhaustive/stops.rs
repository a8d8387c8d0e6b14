//! Revocations, pauses and blocks, as the admin page stores them.

use crate::publication::Stop;
use crate::support::flow::{CLIENT, user};
use statibeat_mcp::model::ids::{PageId, RequestId, UserId};
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::ports::{Database, DatabaseError};
use statibeat_mcp::storage::audit::{AuditId, AuditKind, Change, ChangeTarget};
use statibeat_mcp::storage::connections::{WriteSetting, change_writes};
use statibeat_mcp::storage::{blocks, grants};

pub async fn carry_out(db: &dyn Database, stop: Stop, now: i64) -> Result<(), DatabaseError> {
    let now = Timestamp::from_seconds(now);
    let (user_id, request_id) =
        (UserId::parse(user::MARA_ADMIN).expect("an id"), RequestId::parse("stop").expect("an id"));
    let client_id = ClientId::parse(CLIENT).expect("an id");
    let kind = match stop {
        Stop::Revoke => return grants::revoke_connection(db, &user_id, &client_id, &request_id, now).await.map(drop),
        Stop::Pause => AuditKind::Pause,
        Stop::Block => AuditKind::PageBlock,
    };
    let target = ChangeTarget {
        user_id: user_id.clone(),
        user_name: "Mara".into(),
        client_id: CLIENT.into(),
        client_name: CLIENT.into(),
        page_id: (stop == Stop::Block).then(|| PageId::new(42).expect("an id")),
    };
    let change = Change {
        id: AuditId::new([7; 16]),
        created_at: now,
        kind,
        actor: &user_id,
        actor_name: "Mara",
        targets: &[target],
        request_id: &request_id,
    };
    match stop {
        Stop::Block => blocks::block(db, &change).await,
        Stop::Revoke | Stop::Pause => change_writes(db, &change, WriteSetting::Paused(true)).await,
    }
}
