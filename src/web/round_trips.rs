//! Round trips of each operation to D1, Durable Objects and StatiBeat: a contract, since every round trip is time that
//! somebody waits for. A test counts them; docs/performance.md shows them.
//!
//! A grant that was not used for five minutes costs one D1 batch more, which notes the use. A write costs two objects and
//! not one, because the connection and the page are counted by keepers of their own: one connection writes to many pages
//! and many connections write to one page, so no single object sees both. They are asked one after the other: asked
//! together, a connection over its limit would use up the limit of its page.

/// The most round trips that an operation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrips {
    pub operation: &'static str,
    pub d1: u32,
    pub objects: u32,
    /// Requests to StatiBeat, besides the reads of the entry.
    pub upstream: u32,
    /// `true` if the reads that the catalog lists for the entry come on top.
    pub and_reads: bool,
}

const fn costs(operation: &'static str, d1: u32, objects: u32, upstream: u32) -> RoundTrips {
    RoundTrips { operation, d1, objects, upstream, and_reads: false }
}

const fn and_reads(costs: RoundTrips) -> RoundTrips {
    RoundTrips { and_reads: true, ..costs }
}

pub const ROUND_TRIPS: [RoundTrips; 21] = [
    costs("metadata", 0, 0, 0),
    costs("made-up bearer token", 0, 1, 0),
    costs("ended bearer token", 1, 0, 0),
    costs("tools/list", 1, 0, 0),
    costs("prompts/list", 1, 0, 0),
    costs("resources/templates/list", 1, 0, 0),
    costs("resources/list", 1, 0, 1),
    and_reads(costs("resources/read without a page", 1, 0, 0)),
    and_reads(costs("resources/read on a page", 1, 0, 1)),
    and_reads(costs("prompts/get", 1, 0, 1)),
    // The lease, the last check before the post (a revocation meanwhile must hold), the end; permission, a look for the same incident, the post. What stages and windows add stands in the
    // document.
    costs("tools/call", 4, 2, 3),
    costs("authorization request", 0, 1, 0),
    costs("return from sign-in", 1, 1, 1),
    costs("consent page", 1, 0, 1),
    costs("consent answer", 2, 1, 1),
    costs("code exchange", 2, 0, 1),
    costs("refresh", 2, 0, 1),
    costs("revocation", 2, 0, 0),
    // The session and everything else: whose page it is decides what is asked for.
    and_reads(costs("Hosted MCP page", 2, 0, 1)),
    // The session, whether it is theirs to do, the deed.
    costs("action on the Hosted MCP page", 3, 0, 0),
    costs("connections by the admin API", 2, 0, 1),
];

/// The row of an operation.
pub fn find(operation: &str) -> Option<RoundTrips> {
    ROUND_TRIPS.into_iter().find(|costs| costs.operation == operation)
}
