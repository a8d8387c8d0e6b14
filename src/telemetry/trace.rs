//! Trace context of a request (W3C Trace Context, Level 1): parsed, stored and propagated.
//!
//! The ids don't identify a person. `baggage` is not propagated: it may contain anything.

use http::{HeaderMap, HeaderName};

/// The header, and the key in a modern message's `_meta`.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header, and the key in a modern message's `_meta`.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Maximum length of a propagated `tracestate`: the minimum that the standard requires (3.3.1.5).
const LONGEST_STATE: usize = 512;

/// A trace, and the position of this request in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    id: String,
    span: String,
    /// The span that sent the request; `None`: the trace begins here.
    parent: Option<String>,
    state: Option<String>,
}

impl Trace {
    /// A trace that begins here.
    pub fn new(random: &dyn Fn(&mut [u8])) -> Self {
        let (mut id, mut span) = ([0; 16], [0; 8]);
        random(&mut id);
        random(&mut span);
        Self { id: hex(&id), span: hex(&span), parent: None, state: None }
    }

    /// Continues the trace of the headers, or starts a new one.
    pub fn of_headers(headers: &HeaderMap, random: &dyn Fn(&mut [u8])) -> Self {
        let ours = Self::new(random);
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let parent = parents.next().filter(|_| parents.next().is_none()).and_then(|value| value.to_str().ok());
        let state = headers.get(TRACESTATE).and_then(|value| value.to_str().ok());
        match parent.and_then(|parent| Self::parse(parent, state)) {
            Some(named) => ours.below(named),
            None => ours,
        }
    }

    /// Parses `version-id-parent-flags`; `None` for anything else (3.2.2). Fields that a later version appends are
    /// ignored.
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let mut parts = parent.split('-');
        let (version, id, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_known = version == "00" && parts.next().is_none() || version != "00" && version != "ff";
        let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
        if !(is_known && is_hex(version, 2) && is_id(id, 32) && is_id(span, 16) && is_hex(flags, 2)) {
            return None;
        }
        let state = state.filter(|state| state.len() <= LONGEST_STATE && state.bytes().all(is_state_byte));
        Some(Self {
            id: id.to_owned(),
            span: span.to_owned(),
            parent: None,
            state: state.filter(|state| !state.is_empty()).map(str::to_owned),
        })
    }

    /// This request as a part of a trace that somebody named.
    pub fn below(&self, named: Self) -> Self {
        Self { parent: Some(named.span), span: self.span.clone(), ..named }
    }

    /// Returns whether the trace begins here.
    pub fn is_ours(&self) -> bool {
        self.parent.is_none()
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn span(&self) -> &str {
        &self.span
    }

    /// The span that sent the request.
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The `traceparent` of an outgoing request. It always has the sampled flag: the caller doesn't decide what is kept
    /// here (3.2.2.5.1 allows setting the flag).
    pub fn header_for(&self, span: [u8; 8]) -> String {
        format!("00-{}-{}-01", self.id, hex(&span))
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_state_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn random(bytes: &mut [u8]) {
        bytes.fill(0xab);
    }

    fn parse(pairs: &[(&HeaderName, &str)]) -> Trace {
        let headers = pairs.iter().map(|(name, value)| ((*name).clone(), value.parse().expect("fits"))).fold(
            HeaderMap::new(),
            |mut headers, (name, value): (HeaderName, http::HeaderValue)| {
                headers.append(name, value);
                headers
            },
        );
        Trace::of_headers(&headers, &random)
    }

    #[test]
    fn valid_traceparent_is_continued_with_a_new_span() {
        let trace = parse(&[(&TRACEPARENT, PARENT), (&TRACESTATE, "vendor=1")]);
        assert_eq!((trace.id(), trace.parent()), ("4bf92f3577b34da6a3ce929d0e0e4736", Some("00f067aa0ba902b7")));
        assert_eq!((trace.span(), trace.state()), ("abababababababab", Some("vendor=1")));
        assert_eq!(trace.header_for([1; 8]), "00-4bf92f3577b34da6a3ce929d0e0e4736-0101010101010101-01");
        assert!(!trace.is_ours());
    }

    #[test]
    fn invalid_traceparent_starts_a_new_trace() {
        for bad in [
            "",
            "nonsense",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "zz-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(parse(&[(&TRACEPARENT, bad)]).is_ours(), "{bad}");
        }
        assert!(parse(&[(&TRACEPARENT, PARENT), (&TRACEPARENT, PARENT)]).is_ours(), "two of them");
        assert_eq!(parse(&[(&TRACESTATE, "vendor=1")]).state(), None, "a state without a trace");
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more";
        let trace = parse(&[(&TRACEPARENT, later)]);
        assert_eq!(trace.header_for([1; 8]), "00-4bf92f3577b34da6a3ce929d0e0e4736-0101010101010101-01");
    }

    #[test]
    fn sampled_flag_of_the_caller_is_not_passed_on() {
        let unsampled = PARENT.replace("-01", "-00");
        assert!(parse(&[(&TRACEPARENT, &unsampled)]).header_for([1; 8]).ends_with("-0101010101010101-01"));
    }

    #[test]
    fn a_state_that_is_too_long_stays_here() {
        let long = format!("vendor={}", "x".repeat(LONGEST_STATE));
        assert_eq!(parse(&[(&TRACEPARENT, PARENT), (&TRACESTATE, &long)]).state(), None);
    }
}
