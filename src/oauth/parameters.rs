//! Request parameters as OAuth reads them: each at most once, empty means absent (RFC 6749 3.1, 3.2).

/// Decoded `application/x-www-form-urlencoded` pairs of a query or body, in the order sent.
#[derive(Default)]
pub struct Parameters(Vec<(String, String)>);

/// A parameter was sent more than once.
#[derive(Debug, PartialEq, Eq)]
pub struct Repeated;

/// Text that is not form-encoded UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub struct MalformedParameters;

impl Parameters {
    /// Decodes a query string or form body. Invalid percent-encoding and invalid UTF-8 are rejected, not repaired,
    /// because parsers repair differently.
    pub fn parse(encoded: &[u8]) -> Result<Self, MalformedParameters> {
        if !percent_encoding_is_whole(encoded) {
            return Err(MalformedParameters);
        }
        let pairs: Vec<(String, String)> = form_urlencoded::parse(encoded).into_owned().collect();
        let is_repaired = |text: &String| text.contains(char::REPLACEMENT_CHARACTER);
        if pairs.iter().any(|(name, value)| is_repaired(name) || is_repaired(value)) {
            return Err(MalformedParameters);
        }
        Ok(Self(pairs))
    }

    /// The parameter's value; `None` when absent or empty.
    pub fn one<'a>(&'a self, name: &str) -> Result<Option<&'a str>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Repeated);
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The parameter's value; `None` when absent, empty or sent more than once.
    pub fn single<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.one(name).ok().flatten()
    }

    /// All values of the parameter, empty ones included.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Adds the parameter where it is absent; returns false if it is there with another value.
    pub fn add_or_equals(&mut self, name: &str, value: String) -> bool {
        if !self.names(name) {
            self.0.retain(|(other, _)| other != name);
            self.0.push((name.to_owned(), value));
            return true;
        }
        self.all(name).all(|other| other == value)
    }

    /// Returns whether the parameter is there with a value.
    pub fn names(&self, name: &str) -> bool {
        self.all(name).any(|value| !value.is_empty())
    }

    /// Returns whether any of the parameters was sent more than once.
    pub fn repeats_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.all(name).count() > 1)
    }
}

fn percent_encoding_is_whole(encoded: &[u8]) -> bool {
    let is_hex = |at: usize| encoded.get(at).is_some_and(u8::is_ascii_hexdigit);
    encoded.iter().enumerate().all(|(at, byte)| *byte != b'%' || (is_hex(at + 1) && is_hex(at + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded_once_and_an_empty_one_is_absent() {
        let parameters = Parameters::parse(b"state=a%2Bb+c&code=&scope=%25").expect("well formed");
        assert_eq!(parameters.one("state"), Ok(Some("a+b c")));
        assert_eq!(parameters.one("code"), Ok(None));
        assert_eq!(parameters.one("scope"), Ok(Some("%")));
        assert_eq!(parameters.one("other"), Ok(None));
    }

    #[test]
    fn repeated_parameter_is_distinguished_from_absent_one() {
        let parameters = Parameters::parse(b"code=a&code=").expect("well formed");
        assert_eq!(parameters.one("code"), Err(Repeated));
        assert_eq!(parameters.single("code"), None);
        assert!(parameters.repeats_any(&["state", "code"]));
        assert!(!parameters.repeats_any(&["state"]));
    }

    #[test]
    fn only_a_parameter_with_a_value_is_named() {
        let parameters = Parameters::parse(b"resource=&resource=x&code=").expect("well formed");
        assert!(parameters.names("resource"));
        assert!(!parameters.names("code") && !parameters.names("state"));
    }

    #[test]
    fn broken_encodings_are_refused() {
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"a=\xff"] {
            assert!(Parameters::parse(bad).is_err(), "{bad:?}");
        }
    }
}
