//! Protects writes that need no token from pages of other sites.
//!
//! If writes need no token, any program that reaches the server can write. So can a browser on the
//! same machine or network, and a page of another site could make the browser write. Two checks
//! prevent this:
//! - `Origin` must be the site of the request, or an allowed origin. A page cannot forge this
//!   header.
//! - The host must not be a name that a stranger could point to this machine (DNS rebinding).
//!   Otherwise the stranger's page would have the same origin as the request.

use crate::cors::CorsPolicy;

/// Host and port of an address. The scheme is ignored, because a proxy may end TLS before the
/// worker.
#[must_use]
pub fn host_and_port(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split(['/', '?', '#'])
        .next()
        .filter(|host| !host.is_empty())
}

/// Whether a request that writes comes from no page, or from a page of the same site or of an
/// allowed origin.
#[must_use]
pub fn is_trusted_origin(address: &str, origin: Option<&str>, allowed: CorsPolicy<'_>) -> bool {
    let Some(origin) = origin else {
        return true;
    };
    let host = host_and_port(origin);
    allowed.allows(origin) || host.is_some() && host == host_and_port(address)
}

/// Whether no other site can have the host of an address: an IP address, a name of this machine or
/// of the local network, or a name of the list `allowed`. With TLS, the name of the certificate
/// proves that.
#[must_use]
pub fn is_trusted_host(address: &str, allowed: &str) -> bool {
    let Some(host) = host_and_port(address) else {
        return false;
    };
    let (name, _) = host.rsplit_once(':').unwrap_or((host, ""));
    let is_ip_address = host.starts_with('[')
        || name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    address.starts_with("https:")
        || is_ip_address
        || !name.contains('.')
        || name.ends_with(".localhost")
        || allowed.split(',').any(|listed| listed.trim() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_page_of_the_same_site_or_an_allowed_origin_is_trusted() {
        const ADDRESS: &str = "http://localhost:5003/v1/integrity/repair";
        for (origin, allowed, expected) in [
            (None, "", true),
            (Some("http://localhost:5003"), "", true),
            (Some("https://localhost:5003"), "", true),
            (Some("http://localhost:5004"), "", false),
            (Some("http://localhost"), "", false),
            (Some("https://evil.example"), "", false),
            (Some("http://localhost:5003.evil.example"), "", false),
            (Some("null"), "", false),
            (Some("null"), "null", false),
            (Some(""), "", false),
            (Some("https://map.example"), "https://map.example", true),
            (
                Some("https://map.example.evil"),
                "https://map.example",
                false,
            ),
            (Some("https://evil.example"), "*", true),
        ] {
            let allowed = CorsPolicy::new(allowed);
            assert_eq!(
                is_trusted_origin(ADDRESS, origin, allowed),
                expected,
                "{origin:?}"
            );
        }
        assert!(!is_trusted_origin("", Some(""), CorsPolicy::new("")));
    }

    #[test]
    fn a_public_name_without_tls_is_not_trusted_unless_it_is_allowed() {
        for trusted in [
            "http://localhost:5003/v1",
            "http://api.localhost/",
            "http://127.0.0.1:5003/?x",
            "http://192.168.1.7",
            "http://[::1]:5003/",
            "http://people:8080/v1/people",
            "https://people/v1/people",
            "https://registry.example/v1",
            "http://registry.example:5003/v1",
            "http://other.example/v1",
        ] {
            let allowed = "registry.example, other.example";
            assert!(is_trusted_host(trusted, allowed), "{trusted}");
        }
        for other in [
            "http://evil.example:5003/v1",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://evil.example/?://localhost",
            "http://evil.example./",
            "http://xlocalhost.evil/",
            "http:///v1",
            "registry.example",
            "",
        ] {
            assert!(!is_trusted_host(other, "registry.example,"), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_address_and_no_origin_causes_a_panic(address in "\\PC{0,30}", origin in "\\PC{0,30}") {
            let _ = is_trusted_host(&address, &origin);
            let _ = is_trusted_origin(&address, Some(&origin), CorsPolicy::new(""));
        }
    }
}
