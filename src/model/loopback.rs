//! Loopback hosts: decided here for redirect URIs, configuration, browser origins, pages and the page server.

use url::{Host, Url};

/// Returns whether a host is `localhost`, in 127.0.0.0/8 or `[::1]` (RFC 8252 7.3). Names below `.localhost` are not: some resolvers
/// ask the network for them.
pub fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Returns whether a URL's host is loopback.
pub fn is_loopback_url(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback(&host))
}

/// Returns whether a URL may reach this machine: loopback, a name below `.localhost` (RFC 6761 6.3), an unspecified address, or one of
/// these mapped to IPv6. For connections that this program opens itself.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some_and(|inner| inner.is_loopback() || inner.is_unspecified());
            address.is_loopback() || address.is_unspecified() || mapped
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_of_a_host_is_loopback_or_this_machine_or_neither() {
        for (host, expected) in [
            ("localhost", (true, true)),
            ("LOCALHOST", (true, true)),
            ("127.0.0.1", (true, true)),
            ("127.255.0.9", (true, true)),
            ("127.1", (true, true)),
            ("2130706433", (true, true)),
            ("[::1]", (true, true)),
            ("localhost.", (false, true)),
            ("acme.localhost", (false, true)),
            ("0.0.0.0", (false, true)),
            ("[::]", (false, true)),
            ("[::ffff:127.0.0.1]", (false, true)),
            ("127.0.0.1.attacker.example", (false, false)),
            ("127.attacker.example", (false, false)),
            ("localhost.attacker.example", (false, false)),
            ("notlocalhost", (false, false)),
            ("128.0.0.1", (false, false)),
            ("192.168.0.1", (false, false)),
            ("[::2]", (false, false)),
        ] {
            let url = Url::parse(&format!("http://{host}:8080/x")).expect("a URL");
            assert_eq!((is_loopback_url(&url), is_this_machine(&url)), expected, "{host}");
        }
    }
}
