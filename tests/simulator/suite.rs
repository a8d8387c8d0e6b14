//! The contract suite against the simulator: all green as it is, red where it is broken.

use bytes::Bytes;
use http::{Request, Response};
use statibeat_contract::Signer;
use statibeat_contract::suite::{Outcome, READS, Session, check};
use statibeat_mcp::catalog::Binding;
use statibeat_mcp::catalog::resources::RESOURCES;
use statibeat_simulator::{Fault, FaultKind, Outcome as Exchanged, Settings, Simulator};

const NOW: i64 = 1_790_000_000;
const ORIGIN: &str = "http://127.0.0.1:8687";
const ISSUER: &str = "http://localhost:8686";
/// An admin of page 42 in the simulator.
const MARA: u64 = 1;

fn signer() -> Signer {
    Signer::parse("check-1:c2VlZC1vZi10aGUtY2hlY2tzLTAxMjM0NTY3ODkwMTI").expect("a key")
}

/// Runs all checks against a simulator, whose answers may be changed on their way.
fn run(
    prepare: impl Fn(&Simulator),
    change: impl Fn(&Request<Bytes>, Response<Bytes>) -> Response<Bytes>,
) -> Vec<(String, Outcome)> {
    let simulator = Simulator::new(Settings::local(NOW));
    simulator.set_connector_keys(&signer().key_set()).expect("a key set");
    prepare(&simulator);
    let ask = |request: Request<Bytes>| match simulator.exchange(&request, NOW) {
        Exchanged::Answered { response, .. } => Ok(change(&request, response)),
        Exchanged::Dropped { .. } => Err("dropped".to_owned()),
    };
    check(&Session::new(&ask, &|| NOW, signer(), ORIGIN, ISSUER, MARA), Some(42), true)
}

/// Runs all checks against a simulator that gets other requests than were sent.
fn run_with(change: impl Fn(Request<Bytes>) -> Request<Bytes>) -> Vec<(String, Outcome)> {
    let simulator = Simulator::new(Settings::local(NOW));
    simulator.set_connector_keys(&signer().key_set()).expect("a key set");
    let ask = |request: Request<Bytes>| match simulator.exchange(&change(request), NOW) {
        Exchanged::Answered { response, .. } => Ok(response),
        Exchanged::Dropped { .. } => Err("dropped".to_owned()),
    };
    check(&Session::new(&ask, &|| NOW, signer(), ORIGIN, ISSUER, MARA), Some(42), true)
}

fn failures(outcomes: &[(String, Outcome)]) -> Vec<String> {
    let failed = outcomes.iter().filter_map(|(what, outcome)| match outcome {
        Outcome::Failed(reason) => Some(format!("{what}: {reason}")),
        Outcome::Passed | Outcome::Skipped(_) => None,
    });
    failed.collect()
}

#[test]
fn the_simulator_passes_every_check_and_none_is_skipped() {
    let outcomes = run(|_| {}, |_, response| response);
    assert_eq!(failures(&outcomes), [""; 0]);
    assert!(outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Passed), "{outcomes:#?}");
    assert!(outcomes.len() > 70, "{}", outcomes.len());
}

#[test]
fn server_that_carries_dry_runs_out_fails() {
    let outcomes = run_with(|request| {
        let Some(path) = request.uri().to_string().strip_suffix("?dry_run=true").map(str::to_owned) else {
            return request;
        };
        let (mut parts, body) = request.into_parts();
        parts.uri = path.parse().expect("a URI");
        Request::from_parts(parts, body)
    });
    let failed = failures(&outcomes).join("\n");
    for check in ["POST /incidents: is described by a dry run", "POST /incidents: is not carried out by a dry run"] {
        assert!(failed.contains(check), "{failed}");
    }
}

#[test]
fn a_server_that_believes_everybody_fails_at_every_refusal() {
    let outcomes = run(
        |_| {},
        |request, response| {
            let is_me = request.uri().path() == "/api/v1/me";
            if response.status() != 401 || !is_me {
                return response;
            }
            let body = r#"{"id": 1, "name": "Mara", "email": "mara@northwind.example"}"#;
            let answer = Response::builder().header("content-type", "application/json").header("x-request-id", "r");
            answer.body(Bytes::from(body)).expect("a response")
        },
    );
    let failed = failures(&outcomes);
    // The refusals of that path are the first of the suite, up to those of the sign-in.
    let names = outcomes.iter().map(|(what, _)| what).skip_while(|what| !what.starts_with("refuses a"));
    let refusals: Vec<&String> = names.take_while(|what| what.starts_with("refuses a")).collect();
    assert!(failed.len() == refusals.len() && !refusals.is_empty(), "{failed:#?}");
    assert!(failed.iter().zip(&refusals).all(|(line, what)| line.starts_with(what.as_str())), "{failed:#?}");
}

#[test]
fn a_broken_answer_is_named_with_its_operation() {
    let breaks = |simulator: &Simulator| {
        simulator.inject(Fault {
            method: Some("GET".to_owned()),
            path: "/api/v1/orgs/*/pages/*/admin/hierarchy/levels".to_owned(),
            times: 1,
            kind: FaultKind::MalformedBody,
        });
    };
    let failed = failures(&run(breaks, |_, response| response));
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert!(failed[0].starts_with("GET /hierarchy/levels: response 200 of listHierarchyLevels"), "{failed:#?}");
}

/// The path with every id and value left open.
fn open(path: &str) -> String {
    let pieces =
        path.trim_start_matches('/').split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, rest)| rest));
    pieces.collect::<Vec<_>>().join("{}")
}

#[test]
fn everything_that_the_connector_reads_of_a_page_is_checked() {
    let values = ["=30", "=2020-01-01T00%3A00%3A00Z", "=2100-01-01T00%3A00%3A00Z"];
    let without_values = |read: &str| values.iter().fold(read.to_owned(), |read, value| read.replace(value, "={}"));
    let checked: Vec<String> = READS.iter().map(|read| open(&without_values(read))).collect();
    let resources = RESOURCES.iter().filter(|resource| resource.hosted.is_some() && resource.binding == Binding::Page);
    let reads: Vec<String> = resources.flat_map(|resource| resource.reads).map(|read| open(read.path)).collect();
    assert!(reads.len() > 10, "{reads:?}");
    let missed: Vec<&String> = reads.iter().filter(|read| !checked.contains(read)).collect();
    assert!(
        missed.is_empty(),
        "nothing checks StatiBeat's answers to {missed:?}: add them to `READS` in dev/contract/suite/reads.rs, beside {checked:?}"
    );
}
