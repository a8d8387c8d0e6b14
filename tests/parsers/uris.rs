//! The normal form of resource URIs, held against the algorithm and the examples of RFC 3986, and against the crate `url`.

use crate::texts;
use statibeat_mcp::catalog::uri::normalize;
use url::Url;

/// RFC 3986, section 5.2.4, step by step.
fn remove_dot_segments(path: &str) -> String {
    let (mut input, mut output) = (path.to_owned(), String::new());
    while !input.is_empty() {
        if input.starts_with("../") || input.starts_with("./") {
            input.drain(..=input.find('/').unwrap_or_default());
        } else if input.starts_with("/./") || input == "/." {
            input.replace_range(..input.len().min(3), "/");
        } else if input.starts_with("/../") || input == "/.." {
            input.replace_range(..input.len().min(4), "/");
            output.truncate(output.rfind('/').unwrap_or_default());
        } else if input == "." || input == ".." {
            input.clear();
        } else {
            let length = input.bytes().skip(1).position(|byte| byte == b'/').map_or(input.len(), |at| at + 1);
            output.extend(input.drain(..length));
        }
    }
    output
}

/// RFC 3986, sections 6.2.2.1 and 6.2.2.2, for text whose percent-encodings are whole.
fn normalize_encodings(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut normal, mut at) = (String::new(), 0);
    while at < bytes.len() {
        if bytes[at] != b'%' {
            normal.push(char::from(bytes[at]));
            at += 1;
            continue;
        }
        let byte = u8::from_str_radix(&text[at + 1..at + 3], 16).expect("two digits");
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal += &text[at..at + 3].to_ascii_uppercase();
        }
        at += 3;
    }
    normal
}

/// The parts of what follows `://`, as the expression of RFC 3986, appendix B, finds them.
fn split(rest: &str) -> (&str, &str, Option<&str>, Option<&str>) {
    let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (authority, path, query, fragment)
}

#[test]
fn every_small_uri_has_the_normal_form_of_rfc_3986_which_has_no_other_normal_form() {
    let pieces = ["a", "A", "/", ".", "%2e", "%4a", "%2f", "?", "#"];
    let numbers: Vec<u8> = (0..9).collect();
    for text in texts(&numbers, 5) {
        let rest: String = text.iter().map(|piece| pieces[usize::from(*piece)]).collect();
        let (authority, path, query, fragment) = split(&rest);
        let host = normalize_encodings(&format!("h{authority}"));
        let lower: Vec<String> = host
            .split_inclusive("%2F")
            .map(|part| {
                part.strip_suffix("%2F").map_or(part.to_ascii_lowercase(), |part| part.to_ascii_lowercase() + "%2F")
            })
            .collect();
        let query = query.map(|query| format!("?{}", normalize_encodings(query))).unwrap_or_default();
        let fragment = fragment.map(|fragment| format!("#{}", normalize_encodings(fragment))).unwrap_or_default();
        let path = remove_dot_segments(&normalize_encodings(path));
        let uri = format!("X://h{rest}");
        let normal = normalize(&uri);
        assert_eq!(normal, format!("x://{}{path}{query}{fragment}", lower.concat()), "{uri}");
        assert_eq!(normalize(&normal), normal, "{uri}");
        // Another parser finds the same parts in it, and no dot segment that is left.
        let url = Url::parse(&normal).unwrap_or_else(|error| panic!("{normal}: {error}"));
        assert_eq!(url.path(), path, "{normal}");
        let rest = [url.query().map(|query| format!("?{query}")), url.fragment().map(|text| format!("#{text}"))];
        assert_eq!(rest.map(Option::unwrap_or_default).concat(), format!("{query}{fragment}"), "{normal}");
    }
}

#[test]
fn reference_cases_of_rfc_3986_lose_their_dot_segments() {
    // Section 5.4: those relative references that a path is merged with, behind the base `x://a/b/c/d;p?q`.
    for (reference, expected) in [
        ("g", "b/c/g"),
        ("./g", "b/c/g"),
        ("g/", "b/c/g/"),
        ("g?y", "b/c/g?y"),
        ("g#s", "b/c/g#s"),
        ("g?y#s", "b/c/g?y#s"),
        (";x", "b/c/;x"),
        ("g;x", "b/c/g;x"),
        ("g;x?y#s", "b/c/g;x?y#s"),
        (".", "b/c/"),
        ("./", "b/c/"),
        ("..", "b/"),
        ("../", "b/"),
        ("../g", "b/g"),
        ("../..", ""),
        ("../../", ""),
        ("../../g", "g"),
        ("../../../g", "g"),
        ("../../../../g", "g"),
        ("g.", "b/c/g."),
        (".g", "b/c/.g"),
        ("g..", "b/c/g.."),
        ("..g", "b/c/..g"),
        ("./../g", "b/g"),
        ("./g/.", "b/c/g/"),
        ("g/./h", "b/c/g/h"),
        ("g/../h", "b/c/h"),
        ("g;x=1/./y", "b/c/g;x=1/y"),
        ("g;x=1/../y", "b/c/y"),
        ("g?y/./x", "b/c/g?y/./x"),
        ("g?y/../x", "b/c/g?y/../x"),
        ("g#s/./x", "b/c/g#s/./x"),
        ("g#s/../x", "b/c/g#s/../x"),
    ] {
        assert_eq!(normalize(&format!("x://a/b/c/{reference}")), format!("x://a/{expected}"), "{reference}");
    }
    // Section 6.2.2.
    assert_eq!(normalize("eXAMPLE://a/./b/../b/%63/%7bfoo%7d"), "example://a/b/c/%7Bfoo%7D");
    assert_eq!(normalize("HTTP://www.EXAMPLE.com/"), "http://www.example.com/");
}
