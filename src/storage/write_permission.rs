//! Permission to send a write at this moment: the grant is live, the person has not paused the connection's writes, and no
//! admin has blocked the connection from the page.
//!
//! The bearer token check is too early for this: a write waits for StatiBeat several times, and a revocation, pause or
//! block meanwhile must take effect. So must a narrowing: a write whose request began before it, or in the same second, is denied like
//! one of an ended grant, and its client tries again with what the grant allows now. So the statements that acquire the lease check it again, and so does the last
//! statement before the POST.

/// An SQL expression: the reason why the grant may not write to the page at this time, a
/// [`crate::model::write::WriteDenial`]; NULL if it may.
macro_rules! write_denial {
    ($grant:literal, $page:literal, $now:literal) => {
        concat!(
            "(SELECT CASE WHEN g.id IS NULL OR g.revoked_at IS NOT NULL OR g.expires_at <= ",
            $now,
            " OR g.narrowed_at >= ",
            $now,
            " THEN 'grant_ended' WHEN EXISTS (SELECT 1 FROM blocked_grants b WHERE b.grant_id = g.id AND b.page_id = ",
            $page,
            ") THEN 'page_blocked' WHEN EXISTS (SELECT 1 FROM connections n WHERE n.user_id = g.user_id \
             AND n.client_id = g.client_id AND n.writes_paused_at IS NOT NULL) THEN 'writes_paused' END \
             FROM (SELECT 1) LEFT JOIN grants g ON g.id = ",
            $grant,
            ")"
        )
    };
}
pub(super) use write_denial;
