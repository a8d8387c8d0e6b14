//! Values that a client should have replaced before it started the server.
//!
//! Each client has its own form of placeholder, and passes on the ones of other clients as they are. As a token such a text would
//! reach StatiBeat, and every call would be answered as with a revoked one.

/// The fault of such a value. The value itself may be a token in quotation marks, so it is never shown.
pub const PROBLEM: &str = "looks like a placeholder that your client did not replace (or has quotation marks around it): give the \
    value itself, or write the placeholder as your client does (docs/page-server.md)";

/// Delimiters of a placeholder, wherever it stands in the value.
const INSIDE: [(&str, &str); 3] = [("${", "}"), ("{{", "}}"), ("$(", ")")];
/// Delimiters of a placeholder or a quotation that is the whole value.
const WHOLE: [(&str, &str); 10] = [
    ("<", ">"),
    ("{", "}"),
    ("[", "]"),
    ("%", "%"),
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("\u{201c}", "\u{201d}"),
    ("\u{201e}", "\u{201c}"),
    ("\u{2018}", "\u{2019}"),
];

/// Returns whether the value is none: `${NAME}`, `${env:NAME}`, `${input:id}`, `{env:NAME}`, `$NAME`, `$env:NAME`, `%NAME%`, `<token>`, or
/// anything in quotation marks.
pub fn is_placeholder(text: &str) -> bool {
    let is_inside = |(start, end): (&str, &str)| text.split_once(start).is_some_and(|(_, rest)| rest.contains(end));
    let is_whole =
        |(start, end): (&str, &str)| text.len() > start.len() && text.starts_with(start) && text.ends_with(end);
    INSIDE.into_iter().any(is_inside) || WHOLE.into_iter().any(is_whole) || is_variable(text)
}

/// `$NAME` of a shell, `$env:NAME` of `PowerShell`.
fn is_variable(text: &str) -> bool {
    let Some(name) = text.strip_prefix('$') else { return false };
    let name =
        name.split_once(':').filter(|(scope, _)| scope.eq_ignore_ascii_case("env")).map_or(name, |(_, name)| name);
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholder_of_any_client_is_one_and_a_value_is_none() {
        for text in [
            "${STATIBEAT_API_TOKEN}",
            "${STATIBEAT_API_TOKEN:-none}",
            "${env:STATIBEAT_API_TOKEN}",
            "${input:statibeat-token}",
            "${user_config.token}",
            "{env:STATIBEAT_API_TOKEN}",
            "{{ token }}",
            "$(cat token)",
            "$STATIBEAT_API_TOKEN",
            "$env:STATIBEAT_API_TOKEN",
            "%STATIBEAT_API_TOKEN%",
            "<token>",
            "[your token]",
            "\"sb_demo_write_42\"",
            "'sb_demo_write_42'",
            "`sb_demo_write_42`",
            "\u{201c}sb_demo_write_42\u{201d}",
            "https://${HOST}",
            "Bearer ${STATIBEAT_API_TOKEN}",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "sb_demo_write_42",
            "sb_$2y$10$abc",
            "$2y$10$abc",
            "a<b>c",
            "100%",
            "https://status.example.com",
            "http://[::1]:5",
            "T024BE7LD:U2147483697",
            "create_incident, run_beat",
            "blame=off email=warn",
            "$",
            "\"",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
