//! Checks the paths of requests: which paths are accepted, and what their canonical form is.
//!
//! The guard checks a path, the router matches it, and the gateway forwards it. If these steps read
//! a path differently, the guard would check another path than the backend sees. So
//! [`checked_path_and_query`] runs before all of them, and rejects every path that two programs
//! could read differently.

/// The form of a path in the route tables: without the version and without a trailing slash.
#[must_use]
pub fn canonical(path: &str) -> &str {
    let path = match path.strip_prefix("/v1") {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() && !rest.ends_with('/') => rest,
        _ => path,
    }
}

/// The path and the query of an absolute URL. The query is empty if there is none. A fragment is
/// not removed, because a request target has none (RFC 9112, 3.2).
#[must_use]
pub fn path_and_query(url: &str) -> (&str, &str) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let from_path = after_scheme
        .find(['/', '?', '#'])
        .map_or("/", |at| &after_scheme[at..]);
    from_path.split_once('?').unwrap_or((from_path, ""))
}

/// The path and the query of an absolute URL, if every URL parser finds the same ones.
#[must_use]
pub fn checked_path_and_query(url: &str) -> Option<(&str, &str)> {
    let (path, query) = path_and_query(url);
    (is_normalized(path) && is_unchanged_by_parsers(query)).then_some((path, query))
}

/// Whether a path is a normalized `path-absolute` of RFC 3986, which the parser of the WHATWG does
/// not change:
///
/// - no dot segments, encoded or not;
/// - no empty segments except a trailing one;
/// - no encoded delimiters, which a program that decodes before it splits would treat as
///   delimiters.
///
/// Encoded unreserved characters (`%31`) are allowed: [`decode_unreserved`] decodes them.
#[must_use]
pub fn is_normalized(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else {
        return false;
    };
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    path == "/" || segments.split('/').all(is_normalized_segment)
}

/// A normalized path with its encoded unreserved characters decoded. Both spellings are equivalent
/// (RFC 3986, 6.2.2.2).
#[must_use]
pub fn decode_unreserved(path: &str) -> String {
    let mut parts = path.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let unreserved = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte));
        if let Some(byte) = unreserved {
            decoded.push(char::from(byte));
            decoded.push_str(part.get(2..).unwrap_or_default());
        } else {
            decoded.push('%');
            decoded.push_str(part);
        }
    }
    decoded
}

fn is_normalized_segment(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let is_allowed = match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                digit().zip(digit()).is_some_and(|(high, low)| {
                    let decoded = 16 * high + low;
                    let delimiters = [b'/', b'\\', b'%'].map(u32::from);
                    decoded >= 0x20 && decoded != 0x7f && !delimiters.contains(&decoded)
                })
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte),
        };
        if !is_allowed {
            return false;
        }
    }
    !segment.is_empty() && !is_dot_segment(segment)
}

/// Whether a segment is one or two dots, each written `.`, `%2e` or `%2E`.
fn is_dot_segment(segment: &str) -> bool {
    let after_one = strip_dot(segment);
    let after_two = after_one.and_then(strip_dot);
    after_one == Some("") || after_two == Some("")
}

/// The text after an initial dot.
fn strip_dot(text: &str) -> Option<&str> {
    let dots = [".", "%2e", "%2E"];
    dots.into_iter().find_map(|dot| text.strip_prefix(dot))
}

/// Whether no URL parser truncates a query or drops characters of it. A parser may still
/// percent-encode characters, which changes no parameter.
fn is_unchanged_by_parsers(query: &str) -> bool {
    let truncates_or_drops = |byte: u8| byte == b'#' || byte == b' ' || byte.is_ascii_control();
    !query.bytes().any(truncates_or_drops)
}

#[cfg(test)]
mod tests;
