//! One spelling for equivalent URIs ([RFC 3986, section 6.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2)): the case of
//! scheme, host and percent-encodings, percent-encoded unreserved characters, and dot segments.

use std::borrow::Cow;

/// The normal form of a URI. What is no URI with a host, or has a percent sign that encodes nothing, stays as it is, without blanks
/// around it.
pub fn normalize(uri: &str) -> Cow<'_, str> {
    let uri = uri.trim();
    // Nothing in it has a second spelling: most URIs, told apart by their bytes alone.
    if !uri.bytes().any(|byte| matches!(byte, b'%' | b'.' | b'A'..=b'Z')) {
        return Cow::Borrowed(uri);
    }
    let Some((scheme, rest)) = uri.split_once("://").filter(|_| has_valid_encodings(uri)) else {
        return Cow::Borrowed(uri);
    };
    let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let mut normal = format!("{}://{}", scheme.to_ascii_lowercase(), lower_case(&decode_unreserved(host)));
    if let Some(path) = path {
        normal.push('/');
        normal.push_str(&without_dot_segments(&decode_unreserved(path)));
    }
    if let Some(query) = query {
        normal.push('?');
        normal.push_str(&decode_unreserved(query));
    }
    if let Some(fragment) = fragment {
        normal.push('#');
        normal.push_str(&decode_unreserved(fragment));
    }
    Cow::Owned(normal)
}

fn has_valid_encodings(text: &str) -> bool {
    text.split('%').skip(1).all(|part| encoded_byte(part).is_some())
}

/// The byte that is encoded by the two digits at the beginning of what follows a percent sign.
fn encoded_byte(part: &str) -> Option<u8> {
    let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Percent-encodings of unreserved characters as the characters themselves; the others with upper-case digits.
fn decode_unreserved(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match encoded_byte(part) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                decoded.push(char::from(byte));
                decoded.push_str(&part[2..]);
            }
            Some(_) => decoded.extend(["%", &part[..2].to_ascii_uppercase(), &part[2..]]),
            None => decoded.extend(["%", part]),
        }
    }
    decoded
}

/// The host in lower case, its percent-encodings left in upper case.
fn lower_case(host: &str) -> String {
    let mut digits = 0;
    let lower = |character: char| {
        if character == '%' {
            digits = 2;
        } else if digits > 0 {
            digits -= 1;
            return character;
        }
        character.to_ascii_lowercase()
    };
    host.chars().map(lower).collect()
}

/// RFC 3986, section 5.2.4, for a path without its first slash.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if segments.peek().is_none() {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_spellings_have_one_normal_form() {
        for spelling in [
            "statibeat://pages/42/incidents/active",
            "STATIBEAT://Pages/42/incidents/active",
            " statibeat://pages/42/incidents/active\n",
            " statibeat://pages/%34%32/incidents/%61ctive ",
            "statibeat://pages/42/./incidents/x/../active",
            "statibeat://%70ages/43/%2E%2e/42/incidents/active",
        ] {
            assert_eq!(normalize(spelling), "statibeat://pages/42/incidents/active", "{spelling}");
        }
        assert_eq!(normalize("x://%C3%a9%2f/a%2fb?c=%3a%7E"), "x://%C3%A9%2F/a%2Fb?c=%3A~");
    }

    #[test]
    fn dot_segments_and_question_marks_of_a_fragment_belong_to_it() {
        for uri in ["x://h/a#s/../x", "x://h/a#s/./x", "x://h/a?y#z/../x", "x://h#/../x", "x://h/a#s?%7B/../x"] {
            assert_eq!(normalize(uri), uri);
        }
        assert_eq!(normalize("X://H/%61/../b#%7a%7b/.."), "x://h/b#z%7B/..");
    }

    #[test]
    fn different_resources_stay_different() {
        for uri in [
            "statibeat://pages/42/Incidents/active",
            "statibeat://pages/42/summary/",
            "statibeat://pages/42/summary?a=b&c=",
            "statibeat://pages/42/summary#top",
            "statibeat:/pages/42",
            "x://%",
            "x://%4",
            "x://a/%zz",
            "",
        ] {
            assert_eq!(normalize(uri), uri);
        }
        assert_eq!(normalize("x://a/b/.."), "x://a/");
        assert_eq!(normalize("x://a/../../b"), "x://a/b");
    }

    #[test]
    fn normal_form_is_its_own_normal_form() {
        for uri in ["x://%25%34%31/a", "x://A%2e%2E/%2e/b?%41%2f", "%", "x://%é", "x://%%34%31", "x://a/%2E%2E/b/%"] {
            let normal = normalize(uri);
            assert_eq!(normalize(&normal), normal);
        }
    }
}
